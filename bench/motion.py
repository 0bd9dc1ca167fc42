"""Does what happens between two pictures look like what truly happens?

`python -m bench.motion [--clips 100] [--json FILE]`: held-out clips of the house scenes, whose true
frames between are known. The middle frames are made by a cross-fade, by the video decoder on the
linear path in semantic space, and on the path that flow and Semantic Motion Predictor foresee. PSNR
and SSIM against the true frames, on the whole picture and where the clip moves; whether the judge
still sees the same character, of the questions that it answers rightly of the true frame; and how
much moves, next to the truth.
"""

from __future__ import annotations

import argparse
import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from random import Random
from statistics import mean, median

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.table import Bar, count, finish, print_table
from engine.devices import pick_device
from engine.house.autoencoder import as_tensor
from engine.house.captions import caption, describe, sample_mention, sample_scene_mention
from engine.house.clips import Clip, draw_clip, sample_clip
from engine.house.judge import QUESTIONS, UNSEEN, judge, truth
from engine.house.scenes import Scene
from engine.motion.animate import STEPS, animate, ready_animator
from engine.motion.animator import Animator
from engine.motion.details import with_details
from engine.motion.predictor import times
from engine.motion.video import Segment, draw_segment
from engine.request import AnimateRequest, CharacterRequest, FrameDrawn, PanelRequest

FRAMES = 8
SEED = 990_000  # training samples its clips from other seeds
MOVING = 12  # of 255: a pixel that differs more from either end moves
WAYS = ("cross-fade", "linear path", "foreseen path")
IDENTITY = ("species", "hair", "clothing")


@dataclass
class Figures:
    """What was measured of one way, a clip each."""

    psnr: list[float] = field(default_factory=list)
    moving_psnr: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    identity: list[bool] = field(default_factory=list)  # a question of a frame each: is it kept
    motion: list[float] = field(default_factory=list)  # change from frame to frame / the true one
    seconds: list[float] = field(default_factory=list)


def held_out(number: int) -> Clip:
    return sample_clip(Random(SEED + number))


def words_of(animator: Animator, scene: Scene, random: Random) -> Tensor:
    """What a story would say of the scene: all of it, in English."""
    described = tuple(
        describe(actor.character, sample_mention(random), random, "en") for actor in scene.actors
    )
    text = caption(scene, described, sample_scene_mention(random, scene), random, "en")
    return animator.artist.read([text]).states[0]


def drawn(animator: Animator, clip: Clip, true: np.ndarray, *, linear: bool) -> np.ndarray:
    """uint8 [F, H, W, 3]; first and last frame are the given ones."""
    artist = animator.artist
    given = as_tensor(true[[0, -1]]).to(artist.device)
    with artist.painting():
        ends = artist.encode(given)
    words = [words_of(animator, scene, Random(1)) for scene in (clip.start, clip.end)]
    segment = Segment(ends[0], ends[1], given, words[0], words[1], len(true), STEPS)
    for latents in draw_segment(animator, segment, linear=linear):
        last = latents
    with artist.painting():
        decoded = artist.decode(torch.cat([ends.to(last), last[1:-1]]))
    moments = times(len(true))[1:-1]
    flow = None if linear else animator.flow
    carried = None if flow is None else flow.between(given, moments)[0]
    between = with_details(decoded[2:], moments, given, decoded[:2], carried)
    pictures = torch.cat([given[:1], between, given[1:]])
    values = pictures.add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
    made: np.ndarray = values.cpu().numpy()
    return made


def cross_fade(true: np.ndarray) -> np.ndarray:
    share = np.linspace(0, 1, len(true), dtype=np.float32)[:, None, None, None]
    faded: np.ndarray = ((1 - share) * true[0] + share * true[-1]).round().astype(np.uint8)
    return faded


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray | None = None) -> float:
    error = (a.astype(np.float32) - b.astype(np.float32)) ** 2
    wrong = error.mean() if where is None else error[where].mean()
    return float(-10 * np.log10(max(wrong, 1e-3) / 255**2))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity of grey pictures (Wang et al. 2004), windows of 8 pixels."""
    x, y = (torch.from_numpy(v.mean(-1)).float()[:, None] for v in (a, b))
    pool = torch.nn.functional.avg_pool2d
    mx, my = pool(x, 8, 2), pool(y, 8, 2)
    vx, vy = pool(x * x, 8, 2) - mx * mx, pool(y * y, 8, 2) - my * my
    both = pool(x * y, 8, 2) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mx * my + c1) * (2 * both + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return float(alike.mean())


def measure(figures: Figures, clip: Clip, true: np.ndarray, made: np.ndarray) -> None:
    inner = slice(1, -1)
    a, b = true[inner], made[inner]
    ends = [np.abs(true[inner].astype(np.int16) - true[e]).max(-1) > MOVING for e in (0, -1)]
    where = ends[0] | ends[1]
    figures.psnr.append(psnr(a, b))
    if where.mean() > 0.002:
        figures.moving_psnr.append(psnr(a, b, where))
        figures.motion.append(change(made, where) / max(1e-6, change(true, where)))
    figures.ssim.append(ssim(a, b))
    one = len(clip.start.actors) == 1 and clip.start.actors[0].character in [
        actor.character for actor in clip.end.actors
    ]
    if one and len(clip.end.actors) == 1 and clip.start.style in ("flat colour", "pastel"):
        figures.identity += identity_kept(clip, true, made)


def change(frames: np.ndarray, where: np.ndarray) -> float:
    """Mean change from frame to frame where the clip moves, of 255."""
    steps = np.abs(np.diff(frames.astype(np.float32), axis=0)).mean(-1)
    return float(steps[:, where.any(0)].mean())


def identity_kept(clip: Clip, true: np.ndarray, made: np.ndarray) -> list[bool]:
    """Whether the judge sees in both middle frames what it rightly sees in the true ones.

    What a true frame does not tell is not asked: hair colours of the bald, or a figure that is
    only half in the picture.
    """
    middle = slice(len(true) // 2 - 1, len(true) // 2 + 1)
    answers = truth(clip.start)
    right = {name: QUESTIONS[name][answers[name]] for name in IDENTITY if answers[name] != UNSEEN}
    seen = [judge([Image.fromarray(p) for p in v[middle]]) for v in (true, made)]
    return [
        getattr(drawn, name) == answer
        for really, drawn in zip(*seen, strict=True)
        for name, answer in right.items()
        if getattr(really, name) == answer
    ]


def whole_request() -> tuple[float, float]:
    """8 frames between two panels, the engine warm: seconds, and the lower PSNR of the two ends."""
    true = draw_clip(held_out(0), FRAMES)
    pictures = []
    for end in true[[0, -1]]:
        file = BytesIO()
        Image.fromarray(end).save(file, "PNG")
        pictures.append(base64.b64encode(file.getvalue()).decode())
    request = AnimateRequest(
        (CharacterRequest("Kim", "a woman with red hair"),),
        (PanelRequest("[Kim] waves", ("Kim",)), PanelRequest("[Kim] sits", ("Kim",))),
        tuple(pictures),
    )
    times = []
    for _ in range(3):
        began = time.monotonic()
        frames = [event.png for event in animate(request) if isinstance(event, FrameDrawn)]
        times.append(time.monotonic() - began)
    ends = [np.asarray(Image.open(BytesIO(frames[end]))) for end in (0, -1)]
    return median(times), min(psnr(a, b) for a, b in zip(ends, true[[0, -1]], strict=True))


def paste(rows: Sequence[np.ndarray]) -> Image.Image:
    return Image.fromarray(np.concatenate([np.concatenate(list(row), 1) for row in rows], 0))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--clips", type=count, default=100)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="a PNG of the first clips: truth, then each way")
    options = parser.parse_args()
    animator = ready_animator("house", str(pick_device()))
    results = {way: Figures() for way in WAYS}
    rows: list[np.ndarray] = []
    for number in range(options.clips):
        clip = held_out(number)
        true = draw_clip(clip, FRAMES)
        rows += [true] if number < 6 else []
        for way, figures in results.items():
            began = time.monotonic()
            made = (
                cross_fade(true)
                if way == "cross-fade"
                else drawn(animator, clip, true, linear=way == "linear path")
            )
            figures.seconds.append(time.monotonic() - began)
            measure(figures, clip, true, made)
            rows += [made] if number < 6 else []
    if options.sheet:
        paste(rows).save(options.sheet)
    print(f"{options.clips} clips of {FRAMES} frames that training never saw\n")
    head = ["", "PSNR", "PSNR moving", "SSIM", "identity", "motion / true", "s a clip"]
    print_table(head, [row(way, figures) for way, figures in results.items()])
    seconds, ends = whole_request()
    print(f"\n8 frames between two panels, warm: {seconds:.1f} s")
    finish(bars(results, seconds, ends), {w: vars(f) for w, f in results.items()}, options.json)


def row(way: str, f: Figures) -> list[str]:
    return [
        way, f"{mean(f.psnr):.2f}", f"{mean(f.moving_psnr):.2f}", f"{mean(f.ssim):.3f}",
        f"{100 * mean(f.identity):.0f} %", f"{mean(f.motion):.2f}", f"{median(f.seconds):.2f}",
    ]  # fmt: skip


def bars(results: dict[str, Figures], seconds: float, ends: float) -> list[Bar]:
    fade, linear, ours = (results[way] for way in WAYS)
    moving = mean(ours.moving_psnr)
    return [
        Bar("moving region over cross-fade", moving - mean(fade.moving_psnr), 2, unit=" dB"),
        Bar("moving region over linear path", moving - mean(linear.moving_psnr), 0.5, unit=" dB"),
        Bar("identity kept", 100 * mean(ours.identity), 90, unit=" %"),
        Bar("first and last frame, lowest PSNR", ends, 35, unit=" dB"),
        Bar("8 frames between two panels", seconds, 40, at_least=False, unit=" s"),
    ]


if __name__ == "__main__":
    main()
