"""What there is to draw with: `python -m engine.check --model house --device auto` prints JSON.

{"device": "cpu", "name": "", "memory": null, "model": "house", "licence": "Apache-2.0",
 "missing": [], "drawn": null, "problem": null}

`memory` is the device's, in bytes; `problem` says why nothing could be drawn. The model's weights
are loaded, for a file that is there can still be broken; a model that would first have to be
fetched from the hub is not: `missing` says what that is, with size and licence, and `--fetch`
fetches it. The same holds for what makes the model move, but for a video model: that is only looked
for; and for IP-Adapter and PhotoMaker, by which it reads pictures. With `--draw`, one small picture
is drawn:
{"pixels": 256, "seconds": 3.1, "bytes": 987654321}, and `bytes` is the most memory that it took.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.extras import NO_EXTRAS, Extras, add_extras, extras_of
from engine.model_settings import add_model_options, apply_model_options
from engine.models import AnimateDiff, EndFrames, find_model
from engine.motion_settings import add_motion_options, motion_settings, set_motion
from engine.request import EngineError

SMALL_PIXELS, SMALL_STEPS = 512, 4
BYTES_OF_MAXRSS = 1 if sys.platform == "darwin" else 1024

if TYPE_CHECKING:
    from engine.loading import Artist  # with it comes torch


def look(
    model: str,
    device: str,
    extras: Extras = NO_EXTRAS,
    *,
    terms: bool = False,
    draw: bool = False,
    fetch: bool = False,
) -> dict[str, object]:
    """The answer as a dictionary."""
    found: dict[str, object] = {
        "device": device, "name": "", "memory": None, "model": model, "licence": "",
        "missing": [], "drawn": None,
    }  # fmt: skip
    try:
        spec = find_model(model)
        found["licence"] = spec.licence
        if not fetch:
            os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's library is imported
        import torch

        from engine.devices import pick_device
        from engine.fetching import to_fetch
        from engine.loading import load_model
        from engine.ready import ready_artist
        from engine.story import words_for_trouble

        cpu = torch.device("cpu")
        place = pick_device(device)
        found["device"] = str(place)
        if place.type == "cuda":
            properties = torch.cuda.get_device_properties(place)
            found |= {"name": properties.name, "memory": properties.total_memory}
        found["missing"] = to_fetch(spec, pictures=True)
        if terms:
            return {**found, "problem": None}
        with words_for_trouble():
            if draw:
                found["drawn"] = draw_small(model, device)
            artist = ready_artist(model, str(place)) if draw else load_model(spec, cpu)
            look_at_motion(artist)
            look_at_picture_adapters(artist)
            look_at_extras(extras)
    except EngineError as error:
        return {**found, "problem": str(error)}
    except ImportError as error:
        return {**found, "problem": f"a library is missing: {error}"}
    return {**found, "problem": None}


def draw_small(model: str, device: str) -> dict[str, float]:
    """One picture of a few steps, as it is drawn for people: loaded first, then timed."""
    import torch

    from engine.devices import pick_device
    from engine.ready import ready_artist
    from engine.request import DrawRequest, PanelRequest
    from engine.story import draw_story

    place = pick_device(device)
    artist = ready_artist(model, str(place))
    pixels = min(artist.spec.size, SMALL_PIXELS)
    panel = PanelRequest("a house in a park", ())
    request = DrawRequest((), (panel,), model=model, steps=SMALL_STEPS, size=pixels)
    begun = time.monotonic()
    for _ in draw_story(request, device=device):
        pass
    seconds = time.monotonic() - begun
    if place.type == "cuda":
        most = torch.cuda.max_memory_allocated(place)
    else:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_OF_MAXRSS
    return {"pixels": pixels, "seconds": seconds, "bytes": most}


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


def look_at_picture_adapters(artist: Artist) -> None:
    """The same for the IP-Adapter and the PhotoMaker by which it reads uploaded pictures."""
    from engine.motion.weight_files import is_here
    from engine.photomaker import load_photomaker
    from engine.picture_adapter import load_picture_adapter

    if artist.spec.picture_adapter and is_here(artist.spec.picture_adapter):
        load_picture_adapter(artist)
    if artist.spec.photomaker and is_here(artist.spec.photomaker):
        load_photomaker(artist)


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
    parser.add_argument("--terms", action="store_true", help="only look what would be fetched")
    parser.add_argument("--draw", action="store_true", help="draw one small picture")
    parser.add_argument("--fetch", action="store_true", help="fetch what is not here from the hub")
    add_motion_options(parser)
    add_extras(parser)
    add_model_options(parser)
    options = parser.parse_args(arguments)
    try:
        apply_model_options(options)
    except EngineError as error:
        raise SystemExit(str(error)) from None
    set_motion(motion_settings(options))
    found = look(
        options.model, options.device, extras_of(options),
        terms=options.terms, draw=options.draw, fetch=options.fetch,
    )  # fmt: skip
    print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()
