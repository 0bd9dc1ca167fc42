"""`python -m bench.memory`: what drawing needs of a GPU's memory, and what fits which card.

Computed, not measured: the models are built with their true shapes on torch's meta device, where
tensors have sizes but no contents, and every tensor of a step is counted from when it is made until
it is let go. What the driver and torch's allocator take besides is the line `RESERVE`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bench.table import print_table
from engine.attention.consistent import Glance, Sight, StoryAttention
from engine.attention.hook import consistent, self_attention_layers
from engine.loading import TILE_PIXELS
from engine.memory import RESERVE, WASTE
from engine.models import SD15, SDXL, ModelSpec
from engine.vocabulary import SHAPES

GIGABYTE = 1e9
CARDS = (8, 12, 16, 24)  # GB, as their makers count
WAYS = {
    "nothing": {"offload": False, "tiling": False},
    "tiling": {"offload": False, "tiling": True},
    "offload": {"offload": True, "tiling": False},
}
IDENTITY, PANELS = 3, (1, 2, 4, 8)
HALF = torch.float16


class Live(TorchDispatchMode):
    """Counts the bytes of tensors that are alive, but for weights; `most` is the highest count."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most: int = 0
        self._weights = {p.untyped_storage()._cdata for p in module.parameters()}
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        gone = [key for key, (storage, _) in self._alive.items() if storage.expired()]
        for key in gone:
            del self._alive[key]
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self._weights:
                    self._alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self.most = max(self.most, sum(size for _, size in self._alive.values()))
        return out


class Flash(TorchFunctionMode):
    """Attention as GPUs compute it, a tile at a time: only its result takes memory."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is torch.nn.functional.scaled_dot_product_attention:
            return torch.empty_like(args[0])
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Needs:
    """Bytes: of each part's weights, of a step beyond them, and of decoding one picture."""

    readers: int
    unet: int
    autoencoder: int
    step: dict[int, int]  # by panels drawn at the same time, with three identity panels before
    least: int  # of a step of one panel with one identity panel, as on a second try
    decoding: int
    tile: int  # of decoding it piece by piece

    def of(self, step: int, *, offload: bool = False, tiling: bool = False) -> float:
        """The most that is taken at any moment with steps of so many bytes."""
        decoding = self.tile if tiling else self.decoding
        if offload:  # readers, UNet and decoding take turns
            turns = (self.readers, self.unet + WASTE * step, WASTE * decoding)
            return self.autoencoder + max(turns) + RESERVE
        always = self.readers + self.unet + self.autoencoder
        return always + WASTE * max(step, decoding) + RESERVE


def needs(spec: ModelSpec, *, panels: tuple[int, ...] = PANELS) -> Needs:
    """What a model of a family needs, drawing with guidance and three identity panels."""
    shapes = SHAPES / str(spec.family)
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(config(UNet2DConditionModel, shapes / "unet"))
        vae = AutoencoderKL.from_config(config(AutoencoderKL, shapes / "vae"))
        readers = [reader(shapes / name) for name in ("text_encoder", "text_encoder_2")]
    unet.to(HALF)
    return Needs(
        readers=sum(2 * parameters(each) for each in readers if each is not None),
        unet=2 * parameters(unet),
        autoencoder=4 * parameters(vae),  # it stays in float32
        step={count: step_bytes(unet, spec, count) for count in panels},
        least=step_bytes(unet, spec, 1, identities=1),
        decoding=decoding_bytes(vae, spec.size),
        tile=decoding_bytes(vae, min(TILE_PIXELS, spec.size)) + 4 * 3 * spec.size**2,
    )


def step_bytes(
    unet: UNet2DConditionModel, spec: ModelSpec, panels: int, identities: int = IDENTITY
) -> int:
    """The most of one step: identity panels fill the bank, then a batch of panels sees it."""
    layers = self_attention_layers(unet, spec.layers)
    names = tuple(f"panel {number}" for number in range(identities))
    story = StoryAttention(rate=0.5, seed=0, open_layers=frozenset(layers))
    with torch.no_grad(), Flash(), consistent(unet, story, layers), Live(unet) as live:
        writing: Sight = (Glance(()),)
        story.sights, story.writing = (writing,) * len(names), names
        predict(unet, spec.size, len(names))
        story.sights, story.writing = ((Glance(names),),) * panels, ()
        predict(unet, spec.size, panels)
    most: int = live.most
    return most


def predict(unet: UNet2DConditionModel, pixels: int, panels: int) -> None:
    rows, side = 2 * panels, pixels // 8  # with guidance, each panel twice

    def made(*shape: int) -> Tensor:
        return torch.empty(shape, device="meta", dtype=HALF)

    added = None
    if unet.config.addition_embed_type:
        added = {"text_embeds": made(rows, 1280), "time_ids": made(rows, 6)}
    unet(
        made(rows, 4, side, side),
        torch.empty((), device="meta"),
        encoder_hidden_states=made(rows, 77, unet.config.cross_attention_dim),
        added_cond_kwargs=added,
    )


def decoding_bytes(vae: AutoencoderKL, pixels: int) -> int:
    side = pixels // 8
    with torch.no_grad(), Flash(), Live(vae) as live:
        vae.decode(torch.empty(1, 4, side, side, device="meta"))
    most: int = live.most
    return most


def config(kind: Any, folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = kind.load_config(str(folder))
    return loaded


def reader(folder: Path) -> Any:
    if not folder.is_dir():
        return None
    settings = transformers.CLIPTextConfig.from_pretrained(folder)
    kind = transformers.CLIPTextModelWithProjection
    return (kind if settings.architectures == [kind.__name__] else transformers.CLIPTextModel)(
        settings
    )


def parameters(module: torch.nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def most_panels(need: Needs, card: int, *, offload: bool, tiling: bool) -> str:
    def fits(step: int) -> bool:
        return need.of(step, offload=offload, tiling=tiling) <= card * GIGABYTE

    fitting = [panels for panels, step in need.step.items() if fits(step)]
    return str(max(fitting)) if fitting else "second try" if fits(need.least) else "-"


def main() -> None:
    argparse.ArgumentParser("bench.memory", description=__doc__).parse_args()
    diffusers.utils.logging.set_verbosity_error()
    rows, cards = [], []
    for spec in (SD15, SDXL):
        need = needs(spec)
        weights = (need.readers + need.unet + need.autoencoder) / GIGABYTE
        steps = (need.least / GIGABYTE, need.step[8] / GIGABYTE)
        rows.append([spec.name, str(spec.size), f"{weights:.1f}", *(f"{n:.2f}" for n in steps),
                     f"{need.decoding / GIGABYTE:.1f}"])  # fmt: skip
        for set_to, ways in WAYS.items():
            cards.append([spec.name, set_to, *(most_panels(need, card, **ways) for card in CARDS)])
    print_table(["model", "px", "weights", "1 panel", "8 panels", "one picture"], rows)
    print()
    print_table(["model", "set", *(f"{card} GB" for card in CARDS)], cards)


if __name__ == "__main__":
    main()
