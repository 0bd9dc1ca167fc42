"""What there is to draw with: `python -m engine.check --model house --device auto` prints JSON.

{"device": "cpu", "name": "", "memory": null, "model": "house", "problem": null}

`memory` is the device's, in bytes; `problem` says why nothing could be drawn. The model's weights
are loaded, for a file that is there can still be broken; a model that would first have to be
fetched from the hub is not. The same holds for what makes the model move, but for a video model:
that is only looked for.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.extras import NO_EXTRAS, Extras, add_extras, extras_of
from engine.models import (
    AnimateDiff,
    EndFrames,
    add_motion_options,
    find_model,
    motion_settings,
    set_motion,
)
from engine.request import EngineError

if TYPE_CHECKING:
    from engine.loading import Artist  # with it comes torch


def look(model: str, device: str, extras: Extras = NO_EXTRAS) -> dict[str, object]:
    """The answer as a dictionary."""
    found: dict[str, object] = {"device": device, "name": "", "memory": None, "model": model}
    try:
        spec = find_model(model)
        if not Path(spec.source).is_dir():
            os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's library is imported
        import torch

        from engine.devices import pick_device
        from engine.loading import load_model

        place = pick_device(device)
        found["device"] = str(place)
        if place.type == "cuda":
            properties = torch.cuda.get_device_properties(place)
            found |= {"name": properties.name, "memory": properties.total_memory}
        artist = load_model(spec, torch.device("cpu"))
        look_at_motion(artist)
        look_at_picture_adapter(artist)
        look_at_extras(extras)
    except EngineError as error:
        return {**found, "problem": str(error)}
    except ImportError as error:
        return {**found, "problem": f"a library is missing: {error}"}
    return {**found, "problem": None}


def look_at_motion(artist: Artist) -> None:
    """Raises `EngineError` for weights of motion on this computer that cannot be used."""
    from engine.motion.weight_files import is_here

    motion = artist.spec.motion
    if isinstance(motion, AnimateDiff) and is_here(motion.adapter) and is_here(motion.ip_adapter):
        from engine.motion.animatediff import load_animatediff

        load_animatediff(artist, motion)
    elif isinstance(motion, EndFrames) and is_here(motion.source):
        from engine.motion.end_frames import class_of

        class_of(motion.source)


def look_at_picture_adapter(artist: Artist) -> None:
    """The same for the IP-Adapter by which it reads uploaded pictures."""
    from engine.motion.weight_files import is_here
    from engine.picture_adapter import load_picture_adapter

    if artist.spec.picture_adapter and is_here(artist.spec.picture_adapter):
        load_picture_adapter(artist)


def look_at_extras(extras: Extras) -> None:
    """Raises `EngineError` for a safety checker or a translation here that cannot be used."""
    from engine.motion.weight_files import is_here
    from engine.safety import load_checker
    from engine.translation import Translations

    if extras.translations:
        Translations(extras.translations).check()

    if extras.safety_checker and is_here(extras.safety_checker):
        load_checker(extras.safety_checker, "cpu")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("engine.check")
    parser.add_argument("--model", default="house")
    parser.add_argument("--device", default="auto")
    add_motion_options(parser)
    add_extras(parser)
    options = parser.parse_args(arguments)
    set_motion(motion_settings(options))
    print(json.dumps(look(options.model, options.device, extras_of(options)), ensure_ascii=False))


if __name__ == "__main__":
    main()
