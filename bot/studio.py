"""How far the drawings have come that are being drawn: kept in memory, for progress posts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image

from engine.request import Event, FrameDrawn, PanelDrawn, Preview, Progress

THUMBNAIL = 96  # pixels a side
COLUMNS = 4
# What part of the work a stage is; frames come while other segments still take their steps.
SHARES = {"steps": (0.0, 0.9), "panels": (0.9, 1.0), "frames": (0.0, 0.95)}
FIRST_FRAME, MOST_FRAMES = 1000, 8  # frames are shown after all previews; so many of the newest


@dataclass
class Drawing:
    """One job at the engine; `stage` as in `engine.request.Progress`. Shares are 0..1."""

    stage: str = "waiting"
    share: float = 0.0  # of the whole
    thumbnails: dict[int, bytes] = field(default_factory=dict)  # by panel, PNG or JPEG
    changes: int = 0  # of the thumbnails
    panels: int = 0  # finished ones; of an animation, finished parts
    part: int = 0  # of an animation: the number from 0 of the one at the engine …
    parts: int = 1  # … of so many
    previews: bool = True  # whether there are thumbnails

    def see(self, event: Event) -> None:
        """Takes note of what the engine said."""
        match event:
            case Progress(stage, done, total):
                self.stage = stage
                begin, end = SHARES.get(stage, (0.0, 0.0))
                share = begin + (end - begin) * done / max(total, 1)
                self.share = max(self.share, (self.part + share) / self.parts)
            case Preview(index, jpeg):
                self._show(index, jpeg)
            case PanelDrawn(index, png):
                self.panels += 1
                self._show(index, png)
            case FrameDrawn(index, png):
                self._show(FIRST_FRAME + index, png)
                frames = [number for number in self.thumbnails if number >= FIRST_FRAME]
                for number in sorted(frames)[:-MOST_FRAMES]:
                    del self.thumbnails[number]

    def _show(self, panel: int, picture: bytes) -> None:
        if self.previews:
            self.thumbnails[panel] = picture
            self.changes += 1


class Studio:
    """The jobs that are at the engine, by number.

    Without `previews` nothing is seen before the end: a safety checker may refuse a picture whose
    preview it let pass, and some chats cannot take a picture away again.
    """

    def __init__(self, *, previews: bool = True) -> None:
        self._previews = previews
        self._drawings: dict[int, Drawing] = {}

    @contextmanager
    def drawing(self, job_id: int) -> Iterator[Drawing]:
        """A job is being drawn inside of the block."""
        self._drawings[job_id] = Drawing(previews=self._previews)
        try:
            yield self._drawings[job_id]
        finally:
            del self._drawings[job_id]

    def get(self, job_id: int) -> Drawing | None:
        return self._drawings.get(job_id)

    def __len__(self) -> int:
        return len(self._drawings)


def contact_sheet(thumbnails: Mapping[int, bytes]) -> bytes:
    """The panels as far as they are seen, small and side by side: a JPEG. Safe for threads."""
    order = sorted(thumbnails)
    columns = min(COLUMNS, len(order))
    rows = -(-len(order) // columns)
    sheet = Image.new("RGB", (columns * THUMBNAIL, rows * THUMBNAIL), "white")
    for place, panel in enumerate(order):
        with Image.open(BytesIO(thumbnails[panel])) as picture:
            small = picture.convert("RGB").resize((THUMBNAIL, THUMBNAIL))
        sheet.paste(small, (place % columns * THUMBNAIL, place // columns * THUMBNAIL))
    file = BytesIO()
    sheet.save(file, "JPEG", quality=80)
    return file.getvalue()
