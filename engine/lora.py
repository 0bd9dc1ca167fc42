"""LoRAs (Hu et al. 2021, arXiv 2106.09685) added to a model's weights, and taken out again.

    W' = W + scale * alpha / rank * B A

They are merged, so a panel costs what it costs without them. Those of a preset come out again to
the bit: the weights that they change are kept aside meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import diffusers
import torch
from diffusers.loaders import StableDiffusionLoraLoaderMixin, StableDiffusionXLLoraLoaderMixin
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from engine.fetching import fetch_file
from engine.model_files import shapes_of
from engine.models import Lora
from engine.motion.weight_files import first_line
from engine.request import EngineError

PLACE = re.compile(
    r"(?P<part>unet|text_encoder|text_encoder_2)\.(?P<module>.+?)"
    r"(?:\.lora_linear_layer|_lora|\.lora)?\.(?P<which>down|up|lora_A|lora_B)(?:\.default)?\.weight"
)
PARTS = ("unet.", "text_encoder.", "text_encoder_2.")


@dataclass
class Addition:
    """B A of one module: `down` [r, in, ...] and `up` [out, r, ...]; alpha, where it is given."""

    down: Tensor | None = None
    up: Tensor | None = None
    alpha: float | None = None

    def to_weight(self, weight: Tensor, scale: float) -> Tensor:
        """What is added to this weight, in float32. Raises ValueError where it does not fit."""
        if self.down is None or self.up is None:
            raise ValueError("half of it is missing")
        down, up = (half.to(weight.device, torch.float32) for half in (self.down, self.up))
        rank = down.shape[0] if down.ndim else 0
        if down.ndim < 2 or up.ndim < 2 or up.flatten(1).shape[1] != rank:
            raise ValueError("its halves do not fit each other")
        added = up.flatten(1) @ down.flatten(1)  # [out, in * kernel]
        if added.numel() != weight.numel() or len(up) != len(weight):
            raise ValueError("it has other sizes")
        strength = scale * (rank if self.alpha is None else self.alpha) / rank
        return strength * added.reshape(weight.shape)


@dataclass
class Wardrobe:
    """The LoRAs that a loaded model wears; `parts` are its "unet", "text_encoder" …"""

    model: str
    parts: Mapping[str, nn.Module]
    worn: tuple[Lora, ...] = ()
    _bare: dict[tuple[str, str], Tensor] = field(default_factory=dict)

    def wear(self, loras: Sequence[Lora]) -> None:
        """These and no others from now on. Raises `EngineError`, and wears none then."""
        if tuple(loras) == self.worn and bool(self.worn) == bool(self._bare):
            return
        self._undress()
        try:
            for lora in loras:
                self._add(lora, keep=True)
        except BaseException:  # memory may run out half-way
            self._undress()
            raise
        self.worn = tuple(loras)

    def sew_in(self, loras: Sequence[Lora]) -> None:
        """Adds these for good. Raises `EngineError`."""
        for lora in loras:
            self._add(lora, keep=False)

    def check(self, lora: Lora) -> None:
        """Raises `EngineError` for one that cannot be worn."""
        self._fitting(lora)

    def _undress(self) -> None:
        for (part, module), weight in self._bare.items():
            self._weight(part, module).copy_(weight)
        self._bare.clear()
        self.worn = ()

    def _fitting(self, lora: Lora) -> dict[tuple[str, str], Addition]:
        additions = read_lora(lora, self.parts)
        for (part, module), addition in additions.items():
            try:
                addition.to_weight(self._weight(part, module), 0.0)
            except (AttributeError, ValueError) as error:
                raise EngineError(
                    f'the LoRA "{lora.source}" is made for another kind of model than'
                    f' "{self.model}": {part}.{module} does not fit'
                ) from error
        return additions

    def _add(self, lora: Lora, *, keep: bool) -> None:
        """Nothing is added unless all of it fits."""
        for (part, module), addition in self._fitting(lora).items():
            weight = self._weight(part, module)
            if keep:
                self._bare.setdefault((part, module), weight.to("cpu", copy=True))
            weight.copy_(weight.float() + addition.to_weight(weight, lora.scale))

    def _weight(self, part: str, module: str) -> Tensor:
        """Raises AttributeError where there is none."""
        if part not in self.parts:
            raise AttributeError(part)
        for name in dict.fromkeys((module, module.removeprefix("text_model."))):
            with suppress(AttributeError):
                weight: Tensor = self.parts[part].get_submodule(name).get_parameter("weight").data
                return weight
        raise AttributeError(module)


def read_lora(lora: Lora, parts: Mapping[str, nn.Module]) -> dict[tuple[str, str], Addition]:
    """The additions in a file, of diffusers, peft or kohya, by part and module.

    Raises `EngineError` for a file that is missing, broken, pickled or no LoRA.
    """
    what = f'the LoRA "{lora.source}"'
    file = fetch_file(lora.source, what)
    shapes_of(file, what)  # says whether it is whole
    try:
        state, alphas = _in_one_form(tensors_in(file, lora.prefix), parts)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise EngineError(f"{what} cannot be read: {first_line(error)}") from error
    additions: dict[tuple[str, str], Addition] = {}
    for key, tensor in state.items():
        found = PLACE.fullmatch(key)
        if found is None:
            raise EngineError(f'{what} is no LoRA that is read here: it has "{key}"')
        place = (found["part"], module_name(found["module"]))
        addition = additions.setdefault(place, Addition())
        if found["which"] in ("down", "lora_A"):
            addition.down = tensor
        else:
            addition.up = tensor
    if not additions:
        raise EngineError(f"{what} is no LoRA: nothing is in it")
    for place, alpha in _alphas(alphas):
        if place in additions:
            additions[place].alpha = alpha
    return additions


def tensors_in(file: Path, prefix: str = "") -> dict[str, Tensor]:
    """Those of a .safetensors file whose keys begin so, by what follows in these.

    Raises OSError or SafetensorError for a file that is none.
    """
    with safe_open(file, framework="pt") as opened:
        keys = [key for key in opened.keys() if key.startswith(prefix)]  # noqa: SIM118
        return {key.removeprefix(prefix): opened.get_tensor(key) for key in keys}


def _in_one_form(
    tensors: Mapping[str, Tensor], parts: Mapping[str, nn.Module]
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Weights by diffusers' names, and alphas; the library knows how others name them."""
    xl = "text_encoder_2" in parts
    mixin = StableDiffusionXLLoraLoaderMixin if xl else StableDiffusionLoraLoaderMixin
    before = diffusers.utils.logging.get_verbosity()
    diffusers.utils.logging.set_verbosity_error()
    try:
        state, alphas = mixin.lora_state_dict(dict(tensors), unet_config=parts["unet"].config)
    finally:
        diffusers.utils.logging.set_verbosity(before)
    named = {key if key.startswith(PARTS) else f"unet.{key}": t for key, t in state.items()}
    own = {key: float(t) for key, t in named.items() if key.endswith(".alpha")}
    weights = {key: t for key, t in named.items() if key not in own}
    return weights, {**own, **(alphas or {})}


def _alphas(alphas: Mapping[str, float]) -> Iterator[tuple[tuple[str, str], float]]:
    for key, alpha in alphas.items():
        name = key.removesuffix(".alpha")
        name = name if name.endswith(".weight") else f"{name}.lora.down.weight"
        if found := PLACE.fullmatch(name):
            yield (found["part"], module_name(found["module"])), alpha


def module_name(module: str) -> str:
    """As the model has it: older files name attention's processors."""
    module = module.replace(".processor.", ".").removesuffix("_lora")
    return f"{module}.0" if module.endswith(".to_out") else module
