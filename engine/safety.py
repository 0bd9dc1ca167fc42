"""Stable Diffusion's safety checker, where one is set: no picture leaves the engine unseen.

A finished picture that it objects to ends the drawing, which then costs its person nothing; of
previews those it objects to are left out.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image

from engine.motion.clip_encoder import prepared
from engine.motion.weight_files import check_folder, first_line, is_here
from engine.request import EngineError, Event, FrameDrawn, PanelDrawn, Preview


class SafetyChecker:
    """CLIP's view of a picture, compared with concepts that nobody asked to see."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._side = int(model.config.vision_config.image_size)

    def objects_to(self, picture: bytes) -> bool:
        """Whether a picture file must not be shown."""
        image = Image.open(BytesIO(picture)).convert("RGB")
        values = torch.from_numpy(np.array(image, dtype=np.float32)) / 127.5 - 1  # [H, W, 3]
        seen = prepared(values.permute(2, 0, 1)[None], self._side)
        seen = seen.to(self._model.device, self._model.dtype)
        blank = torch.zeros(1, 1)  # what it would black out; we show nothing at all instead
        with torch.no_grad():
            _, [objection] = self._model(clip_input=seen, images=blank)
        return bool(objection)


@lru_cache(maxsize=1)
def load_checker(source: str, device: str) -> SafetyChecker:
    """From a folder, or from the hub: "owner/name" or "owner/name/folder". Raises `EngineError`."""
    what = f'the safety checker "{source}"'
    place, inner = source, ""
    if is_here(source):
        place = str(Path(source).expanduser())
        check_folder(Path(place), what)
    else:
        owner, _, rest = source.partition("/")
        name, _, inner = rest.partition("/")
        place = f"{owner}/{name}"
    try:
        model, found = StableDiffusionSafetyChecker.from_pretrained(
            place, subfolder=inner, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:  # the hub's client has a tree of errors of its own
        raise EngineError(f"{what} cannot be loaded: {first_line(error)}") from error
    if found["missing_keys"]:  # with concepts that it never learnt it would object to nothing
        lacks = min(found["missing_keys"])
        raise EngineError(f'"{source}" is no safety checker: it lacks weights such as {lacks}')
    return SafetyChecker(model.to(device).eval())


def guarded(events: Generator[Event], checker: SafetyChecker | None) -> Iterator[Event]:
    """The events, as long as nothing in them must not be shown. Raises `EngineError` ("unsafe")."""
    with closing(events):
        for event in events:
            if checker is None or not isinstance(event, PanelDrawn | FrameDrawn | Preview):
                yield event
            elif isinstance(event, Preview):
                if not checker.objects_to(event.jpeg):
                    yield event
            elif not checker.objects_to(event.png):
                yield event
            else:
                panels = (event.index,) if isinstance(event, PanelDrawn) else ()
                what = f"panel {event.index + 1}" if panels else "a frame"
                words = f"the safety checker does not let {what} out; try other words"
                raise EngineError(words, "unsafe", panels)
