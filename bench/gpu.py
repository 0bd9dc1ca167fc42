"""How long does a page take on a GPU, and where does the time go? `python -m bench.gpu`.

A page of six panels of 1024 pixels, drawn by the engine's own `StoryDrawing` in bfloat16 with
random weights of SDXL's shapes (nothing is fetched): 30 steps with guidance, and 8 without. Three
ways:

    plain batch            no panel sees another (rate 0)
    ours                   Consistent Self-Attention, three identity panels
    ours, compiled         the same; convolution blocks and feed-forward layers are compiled
                           (torch.compile), and the UNet's tensors lie channels last

Beside them the arithmetic floor: the operations of the plain page, counted, over the rate at which
this GPU multiplies two large matrices. Without a GPU it says so and measures nothing;
`--device cpu --pixels 64 --steps 1 1 --repeats 1` shows on a CPU that it runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.attention import FeedForward
from diffusers.models.resnet import ResnetBlock2D
from torch.utils.flop_counter import FlopCounterMode

from bench.memory import config
from bench.sdxl import random_unet
from bench.table import Bar, count, finish, print_table
from engine.devices import pick_device
from engine.loading import Artist, on_device
from engine.lora import Wardrobe
from engine.models import SDXL
from engine.plan import plan_shots
from engine.request import CharacterRequest, DrawRequest, PanelRequest
from engine.story import paint
from engine.vocabulary import SHAPES, clip_tokenizer
from engine.weights import Parts

PANELS = 6
PLACES = ("in an office", "in a park", "in a kitchen", "on a beach", "in a street", "at home")
WAYS = PLAIN, OURS, COMPILED = ("plain batch", "ours", "ours, compiled")
MATRIX = {"cuda": 8192, "cpu": 1024}  # rows and columns
KINDS = {  # where the time goes, by parts of the operators' names
    "attention": ("attention", "flash", "efficient"),
    "convolutions": ("conv",),
    "matrices": ("mm", "linear", "matmul"),
    "norms": ("norm",),
}


@dataclass
class Line:
    """One row of the table; `peak` in megabytes, NaN where nobody counts them."""

    steps: int
    guided: bool
    way: str
    seconds: float
    of_plain: float
    of_floor: float
    peak: float


def page(steps: int, pixels: int | None, *, guided: bool, rate: float = 0.5) -> DrawRequest:
    return DrawRequest(
        (CharacterRequest("Tom", "a young man with short brown hair and a green jacket"),),
        tuple(PanelRequest(f"[Tom] {place}", ("Tom",)) for place in PLACES),
        steps=steps, guidance=None if guided else 1.0, size=pixels, rate=rate, micro_batch=PANELS,
    )  # fmt: skip


def random_artist(device: torch.device) -> Artist:
    """SDXL with random weights in bfloat16."""
    shapes, dtype = SHAPES / "sdxl", torch.bfloat16
    with device:
        autoencoder = AutoencoderKL.from_config(config(AutoencoderKL, shapes / "vae")).to(dtype)
        kinds = (transformers.CLIPTextModel, transformers.CLIPTextModelWithProjection)
        encoders = [
            kind(transformers.CLIPTextConfig.from_pretrained(shapes / name)).to(dtype)
            for kind, name in zip(kinds, ("text_encoder", "text_encoder_2"), strict=True)
        ]
    parts = Parts(
        unet=random_unet(device, dtype),
        autoencoder=autoencoder,
        scheduler=diffusers.EulerDiscreteScheduler.from_pretrained(shapes / "scheduler"),
        readers=((clip_tokenizer(), encoders[0]), (clip_tokenizer(pad="!"), encoders[1])),
    )
    diffusers.utils.logging.set_verbosity_error()
    spec = replace(SDXL, precision="bfloat16")
    on_device(parts, spec, device, dtype)
    return Artist(
        spec=spec, device=device, unet=parts.unet, autoencoder=autoencoder,
        scheduler=parts.scheduler, readers=parts.readers, precision=dtype,
        wardrobe=Wardrobe(spec.name, {"unet": parts.unet}),
    )  # fmt: skip


def draw(artist: Artist, request: DrawRequest) -> None:
    """The whole page: words, steps, pictures."""
    shots = plan_shots(request, artist.fits, artist.spec.languages)
    for _ in paint(artist, request, shots, None):
        pass


def operations(artist: Artist, request: DrawRequest) -> float:
    """Floating point operations of a page: those of two steps are counted, the rest are alike."""
    counted = []
    for steps in (1, 2):
        with FlopCounterMode(display=False) as counter:
            draw(artist, replace(request, steps=steps, rate=0.0))
        counted.append(counter.get_total_flops())
    assert request.steps is not None
    return float(counted[0] + (request.steps - 1) * (counted[1] - counted[0]))


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of one large product of matrices: the median of ten."""
    side = MATRIX[device.type]
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    _ = a @ b
    seconds = []
    for _ in range(10):
        began = now(device)
        _ = a @ b
        seconds.append(now(device) - began)
    return 2 * side**3 / median(seconds)


def now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def measured(
    artist: Artist, requests: Sequence[DrawRequest], repeats: int, ways: Sequence[str] = WAYS
) -> list[Line]:
    """Each way's line for each page; the first way is what the others are compared with."""
    rate = matrix_rate(artist.device, artist.precision)
    floors = [operations(artist, request) / rate for request in requests]
    print(f"matrices at {rate / 1e12:.3g} TFLOP/s; the floor: "
          + ", ".join(f"{floor:.3g} s" for floor in floors))  # fmt: skip
    lines: list[Line] = []
    plain: dict[int, float] = {}
    for way in ways:
        if way == COMPILED:
            quicken(artist.unet)
        for number, request in enumerate(requests):
            asked = replace(request, rate=0.0) if way == PLAIN else request
            draw(artist, replace(asked, steps=min(2, asked.steps or 2)))  # warm: kernels are chosen
            with peak_of(artist.device) as peak:
                spent = median(timed(artist, asked) for _ in range(repeats))
            base = plain.setdefault(number, spent)
            lines.append(
                Line(asked.steps or 0, asked.guidance is None, way, spent, spent / base,
                     spent / floors[number], peak[0])
            )  # fmt: skip
    return lines


def timed(artist: Artist, request: DrawRequest) -> float:
    began = now(artist.device)
    draw(artist, request)
    return now(artist.device) - began


def quicken(unet: UNet2DConditionModel) -> None:
    """What holds no attention is compiled, so that its small operations become one each."""
    unet.to(memory_format=torch.channels_last)
    for module in unet.modules():
        if isinstance(module, ResnetBlock2D | FeedForward):
            module.compile()


@contextmanager
def peak_of(device: torch.device) -> Iterator[list[float]]:
    """After it, the list has the most megabytes that the GPU held inside."""
    peak = [float("nan")]
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    yield peak
    if device.type == "cuda":
        peak[0] = torch.cuda.max_memory_allocated(device) / 1e6


def where_time_goes(artist: Artist, request: DrawRequest) -> dict[str, float]:
    """The share of each kind of operator in a page of two steps, largest first."""
    activity = torch.profiler.ProfilerActivity
    on_gpu = artist.device.type == "cuda"
    with torch.profiler.profile(
        activities=[activity.CPU, *([activity.CUDA] if on_gpu else [])]
    ) as profile:
        draw(artist, replace(request, steps=2))
    spent: dict[str, float] = {}
    for event in profile.key_averages():
        own: Any = event.self_device_time_total if on_gpu else event.self_cpu_time_total
        spent[kind_of(event.key)] = spent.get(kind_of(event.key), 0.0) + own
    total = sum(spent.values()) or 1.0
    return {kind: spent[kind] / total for kind in sorted(spent, key=lambda k: -spent[k])}


def kind_of(operator: str) -> str:
    name = operator.lower()
    return next(
        (kind for kind, parts in KINDS.items() if any(p in name for p in parts)), "the rest"
    )


def bars(lines: Sequence[Line]) -> list[Bar]:
    found = []
    for line in lines:
        page_name = f"{line.steps} steps {'with' if line.guided else 'without'} guidance"
        if line.way == OURS:
            found.append(
                Bar(f"{page_name}: ours, of the plain batch", line.of_plain, 1.12, at_least=False)
            )
        if line.way == COMPILED:
            found.append(
                Bar(f"{page_name}: {COMPILED}, of the floor", line.of_floor, 2.0, at_least=False)
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--pixels", type=int, default=1024)
    parser.add_argument(
        "--steps", type=int, nargs=2, default=[30, 8], help="with guidance, without"
    )
    parser.add_argument("--repeats", type=count, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device = pick_device(options.device)
    if device.type != "cuda" and options.device == "auto":
        print("there is no GPU here: nothing is measured")
        return
    artist = random_artist(device)
    requests = [
        page(steps, options.pixels, guided=guided)
        for steps, guided in zip(options.steps, (True, False), strict=True)
    ]
    shares = where_time_goes(artist, requests[0])
    lines = measured(artist, requests, options.repeats)
    print_table(
        ["steps", "guidance", "way", "s", "of plain", "of the floor", "peak MB"],
        [
            [str(line.steps), "yes" if line.guided else "no", line.way, f"{line.seconds:.2f}",
             f"{line.of_plain:.2f}", f"{line.of_floor:.2f}", f"{line.peak:.0f}"]
            for line in lines
        ],
    )  # fmt: skip
    print()
    print_table(["where the time goes", "share"], [[k, f"{v:.0%}"] for k, v in shares.items()])
    figures = {"lines": [asdict(line) for line in lines], "shares": shares}
    finish(bars(lines), figures, options.json)


if __name__ == "__main__":
    main()
