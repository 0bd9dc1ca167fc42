"""What there is to draw with: `python -m engine.check --model house --device auto` prints JSON.

{"device": "cpu", "name": "", "memory": null, "model": "house", "problem": null}

`memory` is the device's, in bytes; `problem` says why nothing could be drawn. The model's weights
are loaded, for a file that is there can still be broken; a model that would first have to be
fetched from the hub is not.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from engine.models import find_model
from engine.request import EngineError


def look(model: str, device: str) -> dict[str, object]:
    """The answer as a dictionary."""
    found: dict[str, object] = {"device": device, "name": "", "memory": None, "model": model}
    try:
        spec = find_model(model)
        import torch

        from engine.loading import load_model, pick_device

        place = pick_device(device)
        found["device"] = str(place)
        if place.type == "cuda":
            properties = torch.cuda.get_device_properties(place)
            found |= {"name": properties.name, "memory": properties.total_memory}
        if not Path(spec.source).is_dir():
            os.environ["HF_HUB_OFFLINE"] = "1"
        load_model(spec, torch.device("cpu"))
    except EngineError as error:
        return {**found, "problem": str(error)}
    except ImportError as error:
        return {**found, "problem": f"a library is missing: {error}"}
    return {**found, "problem": None}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("engine.check")
    parser.add_argument("--model", default="house")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    print(json.dumps(look(options.model, options.device), ensure_ascii=False))


if __name__ == "__main__":
    main()
