"""An SD1.5 artist made to move with published weights: AnimateDiff, and an IP-Adapter as readers.

AnimateDiff (Guo et al. 2023, arXiv 2307.04725) brings the motion modules. The artist's own weights
stay as they are and are in memory once.
"""

from __future__ import annotations

from pathlib import Path

from diffusers import DDIMScheduler, MotionAdapter, UNetMotionModel
from torch import Tensor

from engine.loading import Artist
from engine.models import AnimateDiff
from engine.motion.animator import Animator
from engine.motion.ip_adapter import add_ip_adapter, image_encoder, ip_adapter_file
from engine.motion.predictor import SemanticMotionPredictor, load_predictor
from engine.motion.weight_files import check_folder, first_line, is_path
from engine.request import EngineError


def load_animatediff(artist: Artist, motion: AnimateDiff) -> Animator:
    """The artist with all that `motion` names, on the artist's device, frozen.

    Raises `EngineError`, which names the file or folder and what is wrong with it.
    """
    file = ip_adapter_file(motion.ip_adapter)
    unet = moving_unet(artist, motion.adapter)
    projection = add_ip_adapter(unet, file, artist.spec.name)
    encoder = image_encoder(file, projection)
    predictor = load_predictor(motion.predictor) if motion.predictor else None
    animator = Animator(
        artist, unet, encoder, projection, predictor, matching_scheduler(artist), common_noise=0.0,
        reads="pictures", guidance=artist.spec.guidance,
    ).to(artist.device)  # fmt: skip
    for part in (unet, encoder, projection, predictor):
        if part is not None:
            part.requires_grad_(False)
    with artist.painting():
        animator.nothing = encoder.nothing()
    if predictor is not None:
        check_predictor(predictor, animator.nothing, motion)
    return animator


def matching_scheduler(artist: Artist) -> DDIMScheduler:
    """The noise levels that AnimateDiff was trained with, which are not SD1.5's own."""
    return DDIMScheduler.from_config(
        artist.scheduler.config, beta_schedule="linear", clip_sample=False,
        timestep_spacing="linspace", steps_offset=1,
    )  # fmt: skip


def moving_unet(artist: Artist, source: str) -> UNetMotionModel:
    """The artist's UNet with the motion modules of `source`, a folder or a name on the hub."""
    what = f'the motion adapter "{source}"'
    if Path(source).is_dir() or is_path(source):
        check_folder(Path(source), what)
    try:
        adapter, found = MotionAdapter.from_pretrained(
            source, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:  # the library and the hub's client have error trees of their own
        raise EngineError(f"{what} cannot be loaded: {first_line(error)}") from error
    lacking = [key for key in found["missing_keys"] if not key.endswith(".pe")]  # places: computed
    misfit = EngineError(f'{what} does not fit the model "{artist.spec.name}"')
    if lacking or adapter.config.conv_in_channels:  # those modules read more than noised latents
        raise misfit
    try:
        unet = UNetMotionModel.from_unet2d(artist.unet, adapter)
    except (ValueError, RuntimeError, LookupError, AttributeError, TypeError) as error:
        raise misfit from error
    unet.load_state_dict(artist.unet.state_dict(), strict=False, assign=True)
    return unet


def check_predictor(
    predictor: SemanticMotionPredictor, tokens: Tensor, motion: AnimateDiff
) -> None:
    """Whether it was trained for tokens such as these, [T, D]."""
    trained = (predictor.places.shape[0], predictor.read.in_features)
    if trained != tuple(tokens.shape):
        raise EngineError(
            f'the motion predictor "{motion.predictor}" was trained for {trained[0]} tokens of'
            f" {trained[1]} numbers, but this IP-Adapter reads {tokens.shape[0]} of"
            f" {tokens.shape[1]}"
        )
