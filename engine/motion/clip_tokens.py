"""What is learnt from each segment of a clip, read once and kept on disk.

The image encoder is far larger than the predictor that is trained on its tokens. So a segment goes
through it once; every later step takes the tokens from a small file. A clip that has not changed
since is not opened again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.motion.clips import Clip, Cutting, Segment, segments
from engine.request import EngineError

# Pictures [F, 3, P, P] in -1..1 to what is kept of them, by name: "tokens" [F, T, C] at least.
Read = Callable[[Tensor], Mapping[str, Tensor]]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Shelf:
    """A folder of such files, for one way of cutting and one of reading, which `reader` names."""

    folder: Path
    cutting: Cutting
    reader: str

    def place(self, clip: Clip) -> Path:
        """The clip's own folder; another one as soon as its files are others."""
        seen = [(file.name, (s := file.stat()).st_size, s.st_mtime_ns) for file in clip.files]
        key = json.dumps([clip.name, seen, asdict(self.cutting), self.reader])
        return self.folder / hashlib.sha256(key.encode()).hexdigest()[:20]

    def fill(self, clip: Clip, read: Read, device: torch.device, say: Say) -> None:
        """Read the clip, unless it has been. Its list is written last: half a clip has none."""
        place = self.place(clip)
        if (place / "clip.json").exists():
            for words in json.loads((place / "clip.json").read_text(encoding="utf-8"))["said"]:
                say(words)
            return
        place.mkdir(parents=True, exist_ok=True)
        said: list[str] = []
        number = 0
        for number, segment in enumerate(segments(clip, self.cutting, said.append), 1):
            with torch.inference_mode():
                kept = read(as_pictures(segment).to(device))
            halves = {name: value.half().contiguous().cpu() for name, value in kept.items()}
            save_file(halves, place / f"{number:05d}.safetensors")
        listed = json.dumps({"name": clip.name, "segments": number, "said": said})
        (place / "clip.new").write_text(listed, encoding="utf-8")
        os.replace(place / "clip.new", place / "clip.json")
        for words in [*said, *([f"{clip.name}: {number} segments"] if number else [])]:
            say(words)

    def files(self, clips: Sequence[Clip]) -> Iterator[tuple[str, Path]]:
        """Name of the clip and file of every segment on the shelf, in order."""
        for clip in clips:
            place = self.place(clip)
            count = json.loads((place / "clip.json").read_text(encoding="utf-8"))["segments"]
            for number in range(1, count + 1):
                yield clip.name, place / f"{number:05d}.safetensors"


def as_pictures(segment: Segment) -> Tensor:
    """[F, 3, P, P] in -1..1."""
    return torch.from_numpy(segment).permute(0, 3, 1, 2).float() / 127.5 - 1


def load_batch(files: Sequence[Path], device: torch.device, *, every: int = 1) -> dict[str, Tensor]:
    """What is kept of several segments, of every which frame: by name, [B, F, ...] in float32."""
    loaded = [load_kept(file) for file in files]
    return {
        name: torch.stack([one[name] for one in loaded])[:, ::every].to(device).float()
        for name in loaded[0]
    }


def load_kept(file: Path) -> dict[str, Tensor]:
    """What was kept of one segment. Raises `EngineError` for a file that is broken."""
    try:
        return load_file(file)
    except SafetensorError as error:
        raise EngineError(
            f"{file} is broken: delete the folder {file.parent}, and its clip is read again"
        ) from error
