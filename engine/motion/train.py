"""Train motion: `python -m engine.motion.train --house --minutes N [--resume]`.

The house artist learns from its own scenes, animated by program (`engine.house.clips`), whose true
frames between are known; its weights stay as they are. First the flow learns (`house_flow`), then
the predictor, which corrects what is carried by it (`house_predictor`), then the video decoder,
which reads what the predictor foresees (`house_decoder`). `--part` trains one of them alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random
from tempfile import TemporaryFile

import numpy as np
import torch

from engine.devices import pick_device
from engine.house.autoencoder import as_tensor
from engine.house.drawing import draw
from engine.house.scenes import sample_single
from engine.loading import Artist, load_model
from engine.models import HOUSE, MOTION_WEIGHTS
from engine.motion.animator import Animator, load_animator, new_animator, save_animator
from engine.motion.clip_command import add_clip_options, train_clips
from engine.motion.encoder import PictureEncoder
from engine.motion.house_decoder import train_decoder
from engine.motion.house_flow import train_flow
from engine.motion.house_predictor import train_predictor
from engine.request import EngineError

CHECKPOINTS = Path("checkpoints/motion")
SHARES = {"flow": 0.4, "predictor": 0.15, "decoder": 0.45}  # of the minutes
TRAINERS = {"flow": train_flow, "predictor": train_predictor, "decoder": train_decoder}
FITTED = 128  # scenes of which the image encoder learns what patches differ in


def train_house(
    shares: dict[str, float], minutes: float, weights: Path, device: torch.device, *, resume: bool
) -> None:
    """Train the parts one after the other, each for its share of the minutes, into `weights`."""
    artist = load_model(HOUSE, device)
    artist.unet.requires_grad_(False)
    began = resume and (weights / "predictor.safetensors").exists()
    animator = load_animator(artist, weights) if began else beginner(artist)
    animator.to(device)
    for part, share in shares.items():
        learnt = TRAINERS[part](animator, minutes * share, CHECKPOINTS, device, resume=resume)
        for name, module in learnt.items():
            animator.trained()[name].load_state_dict(module.state_dict())
        save_animator(animator.trained(), weights)


def check_writable(weights: Path) -> None:
    """Ends with a sentence, before anything is learnt, where weights cannot be put."""
    try:
        weights.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=weights).close()
    except OSError as error:
        raise SystemExit(f"cannot write into {weights}: {error.strerror}") from error


def beginner(artist: Artist) -> Animator:
    """An animator that has learnt nothing; its image encoder knows what scenes are made of."""
    random, animator = Random(11), new_animator(artist)
    pictures = np.stack([np.asarray(draw(sample_single(random))) for _ in range(FITTED)])
    with artist.painting():
        latents = artist.encode(as_tensor(pictures).to(artist.device))
    assert isinstance(animator.encoder, PictureEncoder)
    animator.encoder.to(artist.device).fit(latents)
    return animator


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--house", action="store_true", help="train the house artist's motion")
    what.add_argument(
        "--clips", type=Path, metavar="DIR",
        help="train the predictor of an SD1.5 model on videos, animated GIF or WebP files,\nor"
        " numbered pictures in a folder",
    )  # fmt: skip
    parser.add_argument("--part", choices=SHARES, help="with --house: train this part alone")
    parser.add_argument("--minutes", type=float, help="of learning, in this run")
    parser.add_argument("--resume", action="store_true", help="go on where the last run stopped")
    parser.add_argument("--weights", type=Path, help="the folder in which the weights are put")
    add_clip_options(parser)
    options = parser.parse_args()
    if options.minutes is not None and not 0 < options.minutes < float("inf"):
        parser.error("--minutes must be a number above 0")
    if options.part and not options.house:
        parser.error("--part needs --house")
    if options.clips is not None:
        train_clips(parser, options)
        return
    if options.minutes is None:
        parser.error("--house needs --minutes")
    device = pick_device()
    print(f"training on {device}", flush=True)
    shares = {options.part: 1.0} if options.part else SHARES
    weights = options.weights or MOTION_WEIGHTS
    check_writable(weights)
    try:
        train_house(shares, options.minutes, weights, device, resume=options.resume)
    except EngineError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
