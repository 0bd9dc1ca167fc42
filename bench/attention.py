"""What does Consistent Self-Attention cost at SDXL's shapes? `python -m bench.attention`.

Five panels, of which three are identity panels, with guidance; random weights. A self-attention
layer of both widths and one whole step of the UNet, drawn in four ways:

    plain batch       the library's attention, no panel sees another
    ours              `engine.attention.consistent`
    dense mask        the same formula over all panels' tokens, with a mask of N x 5 N
    panel by panel    identity panels first, then one after the other: hidden states are kept, and
                      every panel computes keys and values of them anew (`bench/plain_sharing.py`)

On a CPU, seconds are processor seconds, so that other work does not count. A whole step takes
minutes there: `--pixels 512 --step-pixels --repeats 1` leaves it out, `--halves 1` halves it.
Panel by panel, the bank is kept for all steps, because the panels come one after the other.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from bench.plain_sharing import DenseMask, Hidden, HiddenBank
from bench.sdxl import PANELS, STEP, WIDTHS, Subject, layer_subject, random_unet, step_subject
from bench.table import Bar, count, finish, print_table
from engine.attention.consistent import ConsistentSelfAttention, Glance, StoryAttention
from engine.devices import computes_bfloat16, pick_device

IDENTITIES, STEPS = 3, 30
NAMES = tuple(f"panel {i}" for i in range(PANELS))
PLAIN, OURS, DENSE, ONE_BY_ONE = "plain batch", "ours", "dense mask", "panel by panel"


@dataclass
class Line:
    """One row of the table."""

    what: str
    pixels: int
    precision: str
    way: str
    seconds: float
    ratio: float  # to the plain batch
    peak: float  # megabytes of tensors above those that were there before
    bank: float = 0.0  # megabytes of a step that wait for other panels


Way = Callable[[Subject], tuple[Tensor, int]]  # its output, and the bytes of its bank


def plain(subject: Subject) -> tuple[Tensor, int]:
    return subject.forward(range(PANELS)), 0


def ours(subject: Subject) -> tuple[Tensor, int]:
    story = story_of(subject)
    return step_of(subject, story), bank_of(story)


def step_of(subject: Subject, story: StoryAttention) -> Tensor:
    """One step as `engine.drawing` takes it: the identity panels together, then the others."""
    with processors(subject, lambda name: ConsistentSelfAttention(name, story)):
        first, rest = range(IDENTITIES), range(IDENTITIES, PANELS)
        story.writing = NAMES[:IDENTITIES]
        story.sights = tuple(
            (Glance(tuple(name for name in story.writing if name != own)),) for own in story.writing
        )
        leading = subject.forward(first)
        story.writing, story.sights = (), ((Glance(NAMES[:IDENTITIES]),),) * len(rest)
        return joined(subject, [leading, subject.forward(rest)])


def bank_of(story: StoryAttention) -> int:
    """Bytes of the hidden states that wait for other panels."""
    return size_of([states for bank in story.banks.values() for states in bank.values()])


def kept_share(subject: Subject) -> float:
    """What the bank holds after two steps, of a bank that would keep all steps."""
    story = story_of(subject)
    sizes = []
    for step in range(2):
        story.step = step
        step_of(subject, story)
        sizes.append(bank_of(story))
    return sizes[1] / (STEPS * sizes[0])


def dense(subject: Subject) -> tuple[Tensor, int]:
    story = story_of(subject)
    with processors(subject, lambda name: DenseMask(name, story, NAMES, IDENTITIES)):
        return subject.forward(range(PANELS)), 0


def one_by_one(subject: Subject) -> tuple[Tensor, int]:
    story, bank = story_of(subject), HiddenBank(NAMES[:IDENTITIES])
    with processors(subject, lambda name: Hidden(name, story, bank)):
        passes = [range(IDENTITIES), *([i] for i in range(IDENTITIES, PANELS))]
        outs = []
        for number, panels in enumerate(passes):
            bank.writing = number == 0
            outs.append(subject.forward(panels))
    return joined(subject, outs), size_of(list(bank.states.values()))


WAYS: dict[str, Way] = {PLAIN: plain, OURS: ours, DENSE: dense, ONE_BY_ONE: one_by_one}


def story_of(subject: Subject) -> StoryAttention:
    """All layers open: the most that sharing costs."""
    return StoryAttention(
        rate=0.5, seed=0, halves=subject.halves, open_layers=frozenset(subject.layers)
    )


def joined(subject: Subject, outs: Sequence[Tensor]) -> Tensor:
    """Outputs of several passes, [halves * P, …] each, as one pass over all panels has them."""
    return torch.cat([out.unflatten(0, (subject.halves, -1)) for out in outs], 1).flatten(0, 1)


def size_of(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


@contextmanager
def processors(subject: Subject, make: Callable[[str], Any]) -> Iterator[None]:
    before = {name: layer.processor for name, layer in subject.layers.items()}
    try:
        for name, layer in subject.layers.items():
            layer.set_processor(make(name))  # type: ignore[operator]
        yield
    finally:
        for name, layer in subject.layers.items():
            layer.set_processor(before[name])  # type: ignore[operator]


def lines_of(subject: Subject, ways: Sequence[str], repeats: int, tensor: Tensor) -> list[Line]:
    """Time and memory of the ways, in turns; `tensor` is any of the subject's, for its device."""
    precision = str(tensor.dtype).removeprefix("torch.")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    peaks, banks, outs = dict.fromkeys(ways, 0.0), dict.fromkeys(ways, 0), dict[str, Tensor]()
    for _ in range(repeats):
        for name in ways:
            with peak_of(tensor.device) as peak:
                began = clock(tensor.device)
                outs[name], banks[name] = WAYS[name](subject)
                seconds[name].append(clock(tensor.device) - began)
            peaks[name] = max(peaks[name], peak[0])
            print(f"  {subject.name}, {subject.pixels} px, {name}: {seconds[name][-1]:.2f} s",
                  file=sys.stderr)  # fmt: skip
    check_agreement([out for name, out in outs.items() if name != PLAIN])
    spent = {name: median(each) for name, each in seconds.items()}
    return [
        Line(subject.name, subject.pixels, precision, name, spent[name],
             spent[name] / spent[ways[0]], peaks[name] / 1e6, banks[name] / 1e6)
        for name in ways
    ]  # fmt: skip


def check_agreement(outs: Sequence[Tensor]) -> None:
    """The ways that share must have computed the same; else the bench compares nothing."""
    for out in outs[1:]:
        difference = (out.float() - outs[0].float()).norm() / outs[0].float().norm()
        if not difference < 0.02:
            raise SystemExit(f"the ways of sharing disagree by {difference:.3g}")


def clock(device: torch.device) -> float:
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.perf_counter()


@contextmanager
def peak_of(device: torch.device) -> Iterator[list[int]]:
    """After it, the list has the most bytes of tensors that were in use inside, above those before.

    What torch allocates is counted, not what the system gives: the C library keeps freed blocks,
    and its peak differs from run to run by a quarter.
    """
    peak = [0]
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield peak
        peak[0] = torch.cuda.max_memory_allocated(device) - before
        return
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        yield peak
    assert seen.profiler is not None
    events = [e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"]
    events.sort(key=lambda event: event.start_ns())
    peak[0] = max(accumulate(event.nbytes() for event in events), default=0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--pixels", type=int, nargs="*", default=[512, 1024], help="of layers")
    parser.add_argument("--step-pixels", type=int, nargs="*", help="of whole steps; CPU: 512")
    parser.add_argument("--ways", nargs="*", choices=list(WAYS), default=list(WAYS))
    kinds, unasked = ["float32", "bfloat16"], "a CPU: those it computes; a GPU: bfloat16"
    parser.add_argument("--precisions", nargs="*", choices=kinds, help=unasked)
    parser.add_argument("--repeats", type=count, default=3)
    parser.add_argument("--halves", type=int, choices=[1, 2], default=2, help="2: guidance")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device = pick_device(options.device)
    steps = options.step_pixels
    if steps is None:
        steps = [512] if device.type == "cpu" else [512, 1024]
    if steps and device.type == "cpu":
        print("a whole step takes minutes a way on a CPU; --step-pixels leaves it out",
              file=sys.stderr)  # fmt: skip
    lines = measured(options, device, steps)
    table(lines)
    with torch.no_grad():
        kept = kept_share(layer_subject(1280, 512, options.halves, device, torch.float32))
    name = f"bank, of one of hidden states that keeps {STEPS} steps"
    bank = Bar(name, kept, 1 / 25, at_least=False)
    finish([*bars(lines, device), bank], [asdict(line) for line in lines], options.json)


@torch.no_grad()
def measured(options: argparse.Namespace, device: torch.device, steps: Sequence[int]) -> list[Line]:
    ways = [PLAIN, *(way for way in options.ways if way != PLAIN)]
    lines = []
    for dtype in precisions(device, options.precisions):
        for pixels in options.pixels:
            for width in WIDTHS:
                subject = layer_subject(width, pixels, options.halves, device, dtype)
                tensor = next(subject.layers["layer"].parameters())
                subject.forward([0])
                lines += lines_of(subject, ways, options.repeats, tensor)
        if steps:
            unet = random_unet(device, dtype)
            for pixels in steps:
                subject = step_subject(unet, pixels, options.halves)
                lines += lines_of(subject, ways, options.repeats, next(unet.parameters()))
    return lines


def precisions(device: torch.device, asked: Sequence[str] | None) -> list[torch.dtype]:
    if asked is not None:
        return [getattr(torch, name) for name in asked]
    if device.type == "cuda":
        return [torch.bfloat16]
    return [torch.float32, *([torch.bfloat16] if computes_bfloat16(device) else [])]


def table(lines: Sequence[Line]) -> None:
    print_table(
        ["", "pixels", "precision", "way", "s", "of plain", "peak MB", "bank MB"],
        [
            [line.what, str(line.pixels), line.precision, line.way, f"{line.seconds:.2f}",
             f"{line.ratio:.2f}", f"{line.peak:.0f}", f"{line.bank:.0f}" if line.bank else ""]
            for line in lines
        ],
    )  # fmt: skip


def bars(lines: Sequence[Line], device: torch.device) -> list[Bar]:
    """The bars that these lines can tell of."""
    found = []
    by_way = {(line.what, line.pixels, line.precision, line.way): line for line in lines}
    for (what, pixels, precision, way), line in by_way.items():
        if way != OURS:
            continue
        place = f"{what}, {pixels} px, {precision}"
        other = by_way.get((what, pixels, precision, ONE_BY_ONE))
        if other:
            share = line.seconds / other.seconds
            found.append(Bar(f"{place}: of panel by panel", share, 1.0, at_least=False))
        if what == STEP:
            most = 1.12 if device.type == "cuda" else 1.20
            found.append(Bar(f"{place}: of the plain batch", line.ratio, most, at_least=False))
            added = 100 * (line.peak / by_way[what, pixels, precision, PLAIN].peak - 1)
            found.append(Bar(f"{place}: added peak", added, 10, at_least=False, unit=" %"))
    return found


if __name__ == "__main__":
    main()
