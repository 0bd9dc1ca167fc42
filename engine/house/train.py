"""Train the house artist from nothing: `python -m engine.house.train --minutes N [--resume]`.

Four parts one after the other: the autoencoder (pictures and latents), the reader (words), the
painter (the UNet), the judge. Each saves a checkpoint every few minutes and when it is stopped;
`--resume` goes on from there, or, without checkpoints, from the weights in the repository; then
of the autoencoder only the decoder learns (`decoder.py`), for the painter knows its latents.
`--part` trains one of them alone.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderDC, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel, PreTrainedTokenizerFast

from engine.devices import pick_device
from engine.house.autoencoder import build_autoencoder, prepare, train_autoencoder
from engine.house.decoder import train_decoder
from engine.house.judge import WEIGHTS as JUDGE_WEIGHTS
from engine.house.judge import Judge, load_judge, save_judge, train_judge
from engine.house.painter import Painter, build_scheduler, build_unet, train_painter
from engine.house.words import Examiner, train_words
from engine.loading import load_model
from engine.models import HOUSE, HOUSE_WEIGHTS
from engine.request import EngineError

CHECKPOINTS = Path("checkpoints/house")
SHARES = {"autoencoder": 0.2, "words": 0.06, "painter": 0.66, "judge": 0.08}
# Once there is a painter the reader goes on learning with it, and the latents stay what they are.
LATER_SHARES = {"autoencoder": 0.1, "painter": 0.85, "judge": 0.05}
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderDC"],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
}


def save_half(model: nn.Module, folder: Path) -> None:
    """Write a diffusers or transformers model as fp16 safetensors; `model` stays as it is."""
    half: Any = copy.deepcopy(model).half()
    half.save_pretrained(folder, safe_serialization=True)


def part_autoencoder(minutes: float, device: torch.device, resume: bool, weights: Path) -> None:
    if resume and (weights / "unet").exists():  # the painter has learnt these latents
        artist = load_model(replace(HOUSE, source=str(weights)), device)
        save_half(train_decoder(artist, minutes, CHECKPOINTS, resume=resume), weights / "vae")
        return
    start = prepare(build_autoencoder())
    if resume and (weights / "vae").exists():
        start = AutoencoderDC.from_pretrained(weights / "vae", torch_dtype=torch.float32)
    trained = train_autoencoder(start, minutes, CHECKPOINTS, device, resume=resume)
    save_half(trained, weights / "vae")


def part_words(minutes: float, device: torch.device, resume: bool, weights: Path) -> None:
    examiner, tokenizer = train_words(minutes, CHECKPOINTS, device, resume=resume)
    save_examiner(examiner, weights)
    tokenizer.save_pretrained(weights / "tokenizer")


def save_examiner(examiner: Examiner, weights: Path) -> None:
    """The encoder goes with the model, the questions only with the checkpoints."""
    save_half(examiner.encoder, weights / "text_encoder")
    torch.save(examiner.questions.state_dict(), CHECKPOINTS / "questions.pt")


def load_examiner(weights: Path) -> Examiner:
    encoder = CLIPTextModel.from_pretrained(weights / "text_encoder", torch_dtype=torch.float32)
    examiner = Examiner(encoder)
    questions = CHECKPOINTS / "questions.pt"
    if questions.exists():
        examiner.questions.load_state_dict(torch.load(questions, weights_only=True))
    return examiner


def part_painter(minutes: float, device: torch.device, resume: bool, weights: Path) -> None:
    autoencoder = AutoencoderDC.from_pretrained(weights / "vae", torch_dtype=torch.float32)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(weights / "tokenizer")
    unet = build_unet()
    if resume and (weights / "unet").exists():
        unet = UNet2DConditionModel.from_pretrained(weights / "unet", torch_dtype=torch.float32)
    painter = Painter(unet, load_examiner(weights), tokenizer)
    trained = train_painter(painter, autoencoder, minutes, CHECKPOINTS, device, resume=resume)
    save_half(trained.unet, weights / "unet")
    save_examiner(trained.examiner, weights)
    build_scheduler().save_pretrained(weights / "scheduler")
    (weights / "model_index.json").write_text(json.dumps(INDEX, indent=2) + "\n")


def part_judge(minutes: float, device: torch.device, resume: bool, weights: Path) -> None:
    del weights  # the judge is no part of the artist
    start = load_judge() if resume and JUDGE_WEIGHTS.exists() else Judge()
    save_judge(train_judge(start, minutes, CHECKPOINTS, device, resume=resume))


PARTS: dict[str, Callable[[float, torch.device, bool, Path], None]] = {
    "autoencoder": part_autoencoder,
    "words": part_words,
    "painter": part_painter,
    "judge": part_judge,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, required=True, help="for all parts together")
    parser.add_argument("--resume", action="store_true", help="go on where the last run stopped")
    parser.add_argument("--part", choices=PARTS, help="train this part alone")
    parser.add_argument("--weights", type=Path, default=HOUSE_WEIGHTS, help="where the result goes")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.weights.mkdir(parents=True, exist_ok=True)
    device = pick_device()
    print(f"training on {device}", flush=True)
    began = options.resume and (options.weights / "unet").exists()
    shares = LATER_SHARES if began else SHARES
    for name in [options.part] if options.part else shares:
        minutes = options.minutes * (1.0 if options.part else shares[name])
        try:
            PARTS[name](minutes, device, options.resume, options.weights)
        except EngineError as error:
            raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
