"""The video decoder's parts: a base UNet with motion modules, read frame by frame.

`UNetMotionModel` of diffusers is the artist's own UNet, unchanged, with temporal attention
(AnimateDiff, Guo et al. 2023, arXiv 2307.04725) between its layers. What a frame shows reaches
its cross-attention as in IP-Adapter (Ye et al. 2023, arXiv 2308.06721): beside the words T the
semantic tokens P_i have keys and values of their own,

    V_i = CrossAttention(V_i, concat(T, P_i))

The house artist's tokens are patches of the picture, and also laid out in it (`TokenLayout`).
The library repeats one picture for all frames, but words go in frame by frame; so words and tokens
of each frame are handed over together in the form that its attention processors read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import MotionAdapter, UNet2DConditionModel, UNetMotionModel
from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.loading import Artist
from engine.motion.encoder import PictureEncoder, TokenLayout, TokenProjection
from engine.motion.flow import IntermediateFlow
from engine.motion.frame_times import frame_times
from engine.motion.predictor import SemanticMotionPredictor
from engine.request import EngineError

SEMANTIC_CHANNELS = 32  # of the house artist's tokens
PREDICTOR = {"width": 256, "layers": 6, "heads": 4}
MOST_FRAMES = 32  # of one segment, ends included
COMMON_NOISE = 0.8  # share of the noise's variance that all frames of a clip have in common


@dataclass
class Animator:
    """An artist that can move. Without a predictor the linear path is taken, and without a flow
    this is the straight one.

    `scheduler` and `common_noise` are what the motion modules were trained with. `guidance` above 1
    strengthens words and tokens against other words and `nothing`, the tokens of no picture [T, D].
    """

    artist: Artist
    unet: UNetMotionModel
    encoder: nn.Module  # E, of what `reads` says
    projection: nn.Module  # semantic tokens [B, T, D] as the cross-attention reads them
    predictor: SemanticMotionPredictor | None
    scheduler: Any
    common_noise: float = COMMON_NOISE
    reads: Literal["latents", "pictures"] = "latents"
    guidance: float = 1.0
    nothing: Tensor | None = None
    layout: TokenLayout | None = None  # of tokens that have places in the picture
    flow: IntermediateFlow | None = None

    @property
    def most_frames(self) -> int:
        """Of one segment, ends included."""
        return int(self.unet.config.motion_max_seq_length)

    def tokens(self, latents: Tensor) -> Tensor:
        """E: latents of B pictures [B, C, h, w] to semantic tokens [B, T, D].

        An encoder of pictures gets these latents as the pictures that they are, [B, 3, H, W].
        """
        tokens: Tensor = self.encoder(
            latents if self.reads == "latents" else self.artist.decode(latents)
        )
        return tokens

    def guess(self, noisy: Tensor, timestep: Tensor, words: Tensor, tokens: Tensor) -> Tensor:
        """The UNet's guess for B clips of F frames.

        noisy [B, F, C, h, w]; timestep: noise level of all [], of each clip [B] or of each frame
        [B, F]; words [B, F, N, W]; tokens [B, F, T, D]. Returns [B, F, C, h, w].
        """
        if timestep.ndim == 2:
            with frame_times(self.unet, timestep):
                return self.guess(noisy, timestep[:, 0], words, tokens)
        tokens = tokens.flatten(0, 1)
        read = self.projection(tokens)
        with self._laid_out(tokens):
            out = self.unet(
                noisy.transpose(1, 2),
                timestep,
                encoder_hidden_states=(words.flatten(0, 1), [read]),
            )
        guess: Tensor = out.sample.float().transpose(1, 2)
        return guess

    @contextmanager
    def _laid_out(self, tokens: Tensor) -> Iterator[None]:
        """Inside, the UNet's first layer adds what the tokens [B * F, T, D] say of each place."""
        layout = self.layout
        if layout is None:
            yield
            return

        def add(layer: nn.Module, given: tuple[Any, ...], out: Tensor) -> Tensor:
            del layer, given
            told: Tensor = layout(tokens, (out.shape[-2], out.shape[-1]))
            return out + told.to(out)

        hook = self.unet.conv_in.register_forward_hook(add)
        try:
            yield
        finally:
            hook.remove()

    def to(self, device: torch.device) -> Animator:
        parts: list[nn.Module | None] = [
            self.unet, self.encoder, self.projection, self.predictor, self.layout, self.flow
        ]  # fmt: skip
        for part in parts:
            if part is not None:
                part.to(device).eval()
        return self

    def trained(self) -> dict[str, nn.Module]:
        """What motion adds to the artist; the artist's own weights are not among it."""
        parts: dict[str, nn.Module] = {
            "motion_modules": nn.ModuleList(motion_modules(self.unet)),
            "ip_adapter": nn.ModuleList(readers(self.unet)),
            "encoder": self.encoder,
            "projection": self.projection,
        }
        if self.predictor is not None:
            parts["predictor"] = self.predictor
        if self.layout is not None:
            parts["layout"] = self.layout
        if self.flow is not None:
            parts["flow"] = self.flow
        return parts


def new_animator(artist: Artist) -> Animator:
    """Untrained: it draws every frame as the artist would, and the path is linear."""
    unet = with_motion(artist.unet)
    width = artist.unet.config.cross_attention_dim
    add_readers(unet, width)
    side = artist.unet.config.sample_size
    encoder = PictureEncoder(artist.unet.config.in_channels, side, channels=SEMANTIC_CHANNELS)
    return Animator(
        artist,
        unet,
        encoder,
        TokenProjection(encoder.count, SEMANTIC_CHANNELS, width),
        SemanticMotionPredictor(encoder.count, SEMANTIC_CHANNELS, **PREDICTOR),
        artist.scheduler,
        layout=TokenLayout(SEMANTIC_CHANNELS, artist.unet.config.block_out_channels[0]),
        flow=IntermediateFlow(),
    )


def with_motion(unet: UNet2DConditionModel) -> UNetMotionModel:
    """The UNet with motion modules that change nothing yet; its own weights are copied, frozen."""
    heads = unet.config.num_attention_heads or unet.config.attention_head_dim
    adapter = MotionAdapter(
        block_out_channels=unet.config.block_out_channels,
        motion_layers_per_block=unet.config.layers_per_block,
        motion_num_attention_heads=heads,
        motion_norm_num_groups=unet.config.norm_num_groups,
        motion_max_seq_length=MOST_FRAMES,
    )
    moving = UNetMotionModel.from_unet2d(unet, adapter)
    moving.requires_grad_(False)
    for module in motion_modules(moving):
        for parameter in module.get_submodule("proj_out").parameters():
            nn.init.zeros_(parameter)
    return moving.eval()


def motion_modules(unet: UNetMotionModel) -> list[nn.Module]:
    """The temporal transformers, in the order of the UNet's layers."""
    blocks = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    return [module for block in blocks for module in block.motion_modules]


def readers(unet: UNetMotionModel) -> list[IPAdapterAttnProcessor2_0]:
    """The processors that hold the semantic tokens' own keys and values."""
    return [p for p in unet.attn_processors.values() if isinstance(p, IPAdapterAttnProcessor2_0)]


def add_readers(unet: UNetMotionModel, width: int) -> None:
    """Let every cross-attention read semantic tokens `width` wide; at first they say nothing."""
    processors = dict(unet.attn_processors)
    for name, module in unet.named_modules():
        key = f"{name}.processor"
        if key in processors and name.endswith("attn2") and "motion_modules" not in name:
            reader = IPAdapterAttnProcessor2_0(module.inner_dim, width)
            nn.init.zeros_(reader.to_v_ip[0].weight)
            processors[key] = reader
    unet.set_attn_processor(processors)


# -- weights ----------------------------------------------------------------------------------


def save_animator(parts: dict[str, nn.Module], folder: Path) -> None:
    """fp16 safetensors, one file a part."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        weights = {key: value.half().contiguous() for key, value in part.state_dict().items()}
        save_file(weights, folder / f"{name}.safetensors")


def load_animator(artist: Artist, folder: Path) -> Animator:
    """The artist with the motion in `folder`; an `EngineError` where it cannot be read."""
    animator = new_animator(artist)
    try:
        for name, part in animator.trained().items():
            part.load_state_dict(load_file(folder / f"{name}.safetensors"))
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise EngineError(f"the motion in {folder} cannot be loaded: {error}") from error
    return animator.to(artist.device)
