"""`python -m engine.motion.train --clips DIR`: its options, and what they start."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import torch

from engine.models import AnimateDiff
from engine.motion.clip_model import load_clip_model
from engine.motion.clip_training import Course, new_accelerator, train_on_clips
from engine.motion.clips import Cutting, find_clips
from engine.motion_settings import MotionSettings
from engine.request import EngineError

HEAD_WIDTH = 64  # of each head of the predictor's attention
MOTION_ADAPTER = "guoyww/animatediff-motion-adapter-v1-5-3"


def add_clip_options(parser: ArgumentParser) -> None:
    group = parser.add_argument_group(
        "with --clips",
        "On several graphics cards: accelerate launch -m engine.motion.train --clips ...",
    )
    group.add_argument("--model", default="sd15", help="its name or its folder; sd15")
    group.add_argument("--motion-adapter", default=MOTION_ADAPTER, help="as in config.toml")
    group.add_argument(
        "--ip-adapter", default=MotionSettings().ip_adapter, help="whose image encoder is read"
    )
    group.add_argument("--steps", type=int, help="of all runs together, in place of --minutes")
    group.add_argument("--batch", type=int, default=8, help="segments a step on each device; 8")
    group.add_argument("--frames", type=int, default=16, help="of a segment of about a second; 16")
    group.add_argument("--width", type=int, default=1024, help="of the predictor; 1024")
    group.add_argument("--layers", type=int, default=8, help="of the predictor; 8")
    group.add_argument("--mixed-precision", choices=("no", "fp16", "bf16"), default="no")
    group.add_argument(
        "--through-decoder", action="store_true",
        help="the paper's loss too, through the video decoder: much slower",
    )  # fmt: skip


def train_clips(parser: ArgumentParser, options: Namespace) -> None:
    """What is wrong with the options or the clips ends the program with a sentence."""
    if options.weights is None:
        parser.error("--clips needs --weights: the folder in which the predictor is put")
    if (options.minutes is None) == (options.steps is None):
        parser.error("--clips needs either --minutes or --steps")
    if options.steps is not None and options.steps < 1:
        parser.error("--steps must be at least 1")
    if options.frames < 3 or min(options.batch, options.layers) < 1:
        parser.error("--frames must be at least 3, --batch and --layers at least 1")
    if options.width < 1 or options.width % HEAD_WIDTH:
        parser.error(f"--width must be a multiple of {HEAD_WIDTH}")
    try:
        find_clips(options.clips)  # what is wrong there is said before a model is fetched
        accelerator = new_accelerator(options.mixed_precision)
        model = load_clip_model(
            options.model,
            AnimateDiff(options.motion_adapter, options.ip_adapter),
            accelerator.device,
            decoder=options.through_decoder,
        )
        train_on_clips(
            course(options, model.pixels), accelerator, model.read, model.name, model.loss
        )
    except EngineError as error:
        raise SystemExit(str(error)) from error
    except OSError as error:
        raise SystemExit(f"cannot go on: {error}") from error
    except torch.OutOfMemoryError as error:
        raise SystemExit(
            "there is not enough memory on the graphics card: make --batch smaller, take"
            " --mixed-precision bf16, or leave --through-decoder out"
        ) from error


def course(options: Namespace, pixels: int) -> Course:
    endless = float("inf")
    return Course(
        clips=options.clips,
        weights=options.weights,
        cutting=Cutting(options.frames, pixels),
        minutes=endless if options.minutes is None else options.minutes,
        steps=endless if options.steps is None else options.steps,
        batch=options.batch,
        width=options.width,
        layers=options.layers,
        heads=options.width // HEAD_WIDTH,
        resume=options.resume,
    )
