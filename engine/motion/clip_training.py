"""Train the Semantic Motion Predictor on a folder of clips (arXiv 2405.01434, section 3.2).

The predictor comes near the image encoder's tokens of the true frames (MSE of those between the
ends); on request also near the true frames themselves, through the video decoder, which is the
paper's loss. A part of the clips is held out, and what the straight path between the ends would
have is printed beside every loss: only what is lower than that has been learnt.

Runs on one device or, under `accelerate launch`, on several.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from random import Random
from types import FrameType

import torch
from accelerate import Accelerator
from safetensors import SafetensorError
from torch import Tensor

from engine.motion.clip_tokens import Read, Say, Shelf, load_batch
from engine.motion.clips import Cutting, find_clips
from engine.motion.predictor import SemanticMotionPredictor, linear_path, save_predictor
from engine.request import EngineError

# From what is kept of a batch of segments and the tokens foreseen for it to the decoder's loss.
DecoderLoss = Callable[[Mapping[str, Tensor], Tensor], Tensor]

UNREADABLE = (
    OSError, EOFError, RuntimeError, ValueError, KeyError, UnpicklingError, SafetensorError
)  # fmt: skip
WARM_UP_STEPS = 100
HELD_OUT = 10  # one clip of so many
MOST_MEASURED = 64  # segments of them, each time
LONG = 16  # frames from which on a step takes every second one as often: the bot asks for both


@dataclass(frozen=True)
class Course:
    """What to train on, how, and for how long."""

    clips: Path
    weights: Path  # the predictor comes here; tokens and checkpoint into the folder `training`
    cutting: Cutting
    minutes: float = float("inf")  # of this run
    steps: float = float("inf")  # of all runs together
    batch: int = 8  # segments a step, on each device
    width: int = 1024
    layers: int = 8
    heads: int = 16
    learning_rate: float = 1e-4
    token_weight: float = 1.0  # of the tokens' MSE beside the decoder's loss
    resume: bool = False
    report_every: int = 100  # steps
    save_minutes: float = 10.0
    seed: int = 0

    @property
    def checkpoint(self) -> Path:
        return self.weights / "training" / "checkpoint"


def new_accelerator(mixed_precision: str) -> Accelerator:
    """For "no", "fp16" or "bf16"; an `EngineError` where the device cannot do it."""
    try:
        accelerator = Accelerator(mixed_precision=mixed_precision)
    except ValueError as error:
        raise EngineError(
            f'mixed precision "{mixed_precision}" does not work on this computer: {error}'
        ) from error
    if mixed_precision == "fp16" and accelerator.device.type == "cpu":
        raise EngineError('mixed precision "fp16" needs a graphics card; take "bf16" or "no"')
    return accelerator


def train_on_clips(
    course: Course,
    accelerator: Accelerator,
    read: Read,
    reader: str,
    decoder_loss: DecoderLoss | None = None,
) -> None:
    """The whole way from a folder of clips to predictor.safetensors.

    `read` is the image encoder, `reader` its name: tokens are kept by it. Raises `EngineError`.
    """
    main = accelerator.is_main_process

    def say(words: str) -> None:
        print(words, flush=True)

    clips = find_clips(course.clips)
    shelf = Shelf(course.weights / "training" / "tokens", course.cutting, reader)
    for clip in clips[accelerator.process_index :: accelerator.num_processes]:
        shelf.fill(clip, read, accelerator.device, say)
    accelerator.wait_for_everyone()
    learnt, held = split(list(shelf.files(clips)))
    if main:
        say(f"{len(learnt)} segments to learn from, {len(held)} held out")
    training = Training(course, accelerator, learnt, held, decoder_loss)
    if course.resume:
        training.resume(say)
    training.run(say if main else lambda words: None)


def split(files: Sequence[tuple[str, Path]]) -> tuple[list[Path], list[Path]]:
    """Files to learn from and files held out: whole clips, the same ones in every run.

    Of a single clip its last segments are held out.
    """
    names = sorted({name for name, _ in files}, key=lambda name: _digest(name))
    if len(files) < 2:
        raise EngineError(
            "there are too few segments to learn from: at least two are needed, one of them to"
            " measure by; longer clips or more of them help, or fewer --frames"
        )
    if len(names) == 1:
        paths = [path for _, path in files]
        kept = len(paths) - max(1, len(paths) // HELD_OUT)
        return paths[:kept], paths[kept:]
    out = {name for name in names if _digest(name) % HELD_OUT == 0} or {names[0]}
    out = out if len(out) < len(names) else {names[0]}
    return [p for n, p in files if n not in out], [p for n, p in files if n in out]


def _digest(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


class Training:
    """The predictor as it is being trained, on one of the processes."""

    def __init__(
        self, course: Course, accelerator: Accelerator, learnt: Sequence[Path],
        held: Sequence[Path], decoder_loss: DecoderLoss | None,
    ) -> None:  # fmt: skip
        self._course, self._accelerator = course, accelerator
        self._learnt, self._held, self._decoder_loss = learnt, held, decoder_loss
        tokens = load_batch(held[:1], torch.device("cpu"))["tokens"]
        torch.manual_seed(course.seed)
        predictor = SemanticMotionPredictor(
            tokens.shape[2],
            tokens.shape[3],
            width=course.width,
            layers=course.layers,
            heads=course.heads,
        )
        optimizer = torch.optim.AdamW(predictor.parameters(), course.learning_rate)
        self._predictor, self._optimizer = accelerator.prepare(predictor, optimizer)
        torch.manual_seed(course.seed + accelerator.process_index)  # noise of the decoder's loss
        self.step, self.best = 0, float("inf")  # the lowest loss on what is held out
        self.straight = 0.0  # what the straight path has there
        self._seen: dict[str, float] = {}

    # -- going on ------------------------------------------------------------------------------

    def resume(self, say: Say) -> None:
        """Go on from the checkpoint, or the one before if it was being replaced."""
        folder = self._course.checkpoint
        found = [f for f in (folder, folder.with_suffix(".old")) if (f / "standing.json").exists()]
        if not found:
            say(f"there is no checkpoint in {folder} to go on from: this is a new beginning")
            return
        try:
            self._accelerator.load_state(str(found[0]))
            standing = json.loads((found[0] / "standing.json").read_text(encoding="utf-8"))
            self.step, self.best = int(standing["step"]), float(standing["best"])
        except UNREADABLE as error:
            raise EngineError(
                f"the checkpoint in {found[0]} is broken or of a run with another width, number of"
                " layers or image encoder: give the same options, or leave --resume out"
            ) from error

    def save(self) -> None:
        """Put a new checkpoint in the old one's place; a kill meanwhile leaves a whole one."""
        accelerator, folder = self._accelerator, self._course.checkpoint
        new, old = folder.with_suffix(".new"), folder.with_suffix(".old")
        if accelerator.is_main_process:
            shutil.rmtree(new, ignore_errors=True)
        accelerator.wait_for_everyone()
        accelerator.save_state(str(new))
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            standing = json.dumps({"step": self.step, "best": self.best})
            (new / "standing.json").write_text(standing, encoding="utf-8")
            if folder.exists():
                shutil.rmtree(old, ignore_errors=True)
                folder.rename(old)
            new.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        accelerator.wait_for_everyone()

    # -- the course ----------------------------------------------------------------------------

    def run(self, say: Say) -> None:
        """Until its minutes or steps are over, or it is asked to stop; what it has is saved."""
        course = self._course
        begun = saved = time.monotonic()
        first, measured = self.step, -1
        with asked_to_stop() as asked:
            while self.step < course.steps:
                self.learn()
                now = time.monotonic()
                if self.step % course.report_every == 0:
                    say(self.report((self.step - first) / (now - begun)))
                    measured = self.step
                stop, due = self._agreed(
                    asked() or now - begun > 60 * course.minutes,
                    now - saved > 60 * course.save_minutes,
                )
                if due and not stop:
                    self.save()
                    saved = now
                if stop:
                    break
            if self.step != measured:
                say(self.report((self.step - first) / (time.monotonic() - begun)))
            self.save()
        say(self.verdict())

    def verdict(self) -> str:
        if self.best < self.straight:
            return (
                f"the predictor is in {self._course.weights}; on clips it has not seen its loss is"
                f" {self.best / self.straight:.0%} of that of the straight path"
            )
        return (
            f"the predictor in {self._course.weights} is no better than the straight path on clips"
            " it has not seen: it needs more steps, or more clips"
        )

    def learn(self) -> None:
        """One step. Its segments follow from its number, so a resumed run goes on as planned."""
        course, accelerator = self._course, self._accelerator
        random = Random(f"{course.seed} {self.step} {accelerator.process_index}")
        every = random.choice((1, 2)) if course.cutting.frames >= LONG else 1
        files = random.choices(self._learnt, k=course.batch)
        batch = load_batch(files, accelerator.device, every=every)
        true = batch["tokens"]
        foreseen = self._predictor(true[:, 0], true[:, -1], true.shape[1]).float()
        path = linear_path(true[:, 0], true[:, -1], true.shape[1])
        seen = {"loss": between(foreseen, true), "straight": between(path, true)}
        loss = seen["loss"]
        if self._decoder_loss is not None:
            with accelerator.autocast():
                seen["drawing"] = self._decoder_loss(batch, foreseen)
            loss = course.token_weight * loss + seen["drawing"]
        for group in self._optimizer.param_groups:
            group["lr"] = course.learning_rate * min(1.0, (self.step + 1) / WARM_UP_STEPS)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(self._predictor.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.step += 1
        for name, tensor in seen.items():
            value = float(tensor.detach())
            self._seen[name] = 0.95 * self._seen.get(name, value) + 0.05 * value

    def report(self, speed: float) -> str:
        """Measure on what is held out; the best predictor so far is written. A line for people."""
        held, self.straight = self.measure()
        if held < self.best:
            self.best = held
            if self._accelerator.is_main_process:
                save_predictor(
                    self._accelerator.unwrap_model(self._predictor), self._course.weights
                )
        learnt = "  ".join(f"{name} {value:.5f}" for name, value in self._seen.items())
        return (
            f"step {self.step}  {learnt}  held out: loss {held:.5f}  straight {self.straight:.5f}"
            f"  {speed:.2f} steps/s"
        )

    @torch.no_grad()
    def measure(self) -> tuple[float, float]:
        """MSE on what is held out: of the predictor, and of the straight path."""
        accelerator = self._accelerator
        predictor = accelerator.unwrap_model(self._predictor)
        sums = torch.zeros(3, device=accelerator.device)
        mine = self._held[:MOST_MEASURED][accelerator.process_index :: accelerator.num_processes]
        for file in mine:
            true = load_batch([file], accelerator.device)["tokens"]
            start, end, frames = true[:, 0], true[:, -1], true.shape[1]
            with accelerator.autocast():
                foreseen = predictor(start, end, frames).float()
            path = linear_path(start, end, frames)
            sums += torch.stack([between(foreseen, true), between(path, true), sums.new_ones(())])
        total = accelerator.reduce(sums, "sum")
        return float(total[0] / total[2]), float(total[1] / total[2])

    def _agreed(self, *wishes: bool) -> list[bool]:
        """Whether any process wishes it: all must stop, and save, after the same step."""
        flags = torch.tensor(wishes, dtype=torch.float32, device=self._accelerator.device)
        return [bool(flag) for flag in self._accelerator.reduce(flags, "sum") > 0]


def between(foreseen: Tensor, true: Tensor) -> Tensor:
    """MSE of the frames between the ends, [B, F, T, C] each; the ends are given."""
    return (foreseen[:, 1:-1] - true[:, 1:-1]).square().mean()


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Inside, Ctrl-C and a polite kill are answered after the step, not in its midst."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
