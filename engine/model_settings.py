"""What is configured about models, and how it reaches the engine's process: no torch here.

A table [models.NAME] of config.toml changes an entry of `MODELS` or adds one. The bot gives its
tables to the engine that it starts; an engine that runs by itself reads a TOML file.
"""

from __future__ import annotations

import json
import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from engine.model_files import WEIGHTS, Family, family_of
from engine.models import (
    FREEU,
    LORAS,
    MODELS,
    PRESETS,
    SD15,
    SDXL,
    Lora,
    ModelSpec,
    Precision,
    Preset,
    PresetName,
    SchedulerName,
)
from engine.motion.weight_files import SUFFIX, is_path, place_of
from engine.request import EngineError

FAMILIES = {"sd15": SD15, "sdxl": SDXL}
# Settings that stand in a spec as they are.
PLAIN = (
    "source", "variant", "size", "steps", "guidance", "scheduler", "vae", "picture_adapter",
    "photomaker",
)  # fmt: skip
LONGEST_NAME = 40  # bytes: buttons carry it, and commands take no longer ones


def model_name(name: str) -> str:
    if not name.strip() or len(name.encode()) > LONGEST_NAME or ":" in name:
        raise ValueError(
            f"a name of at most {LONGEST_NAME} letters ({LONGEST_NAME // 3} Chinese ones) without a"
            " colon"
        )
    return name


def whole_lora(value: Any) -> Any:
    """A name or path alone is a LoRA of full strength."""
    return {"source": value} if isinstance(value, str) else value


def lora_source(source: str) -> str:
    path = Path(source)
    if not (source in LORAS or "/" in source or path.suffix == SUFFIX or path.exists()):
        known = ", ".join(LORAS)
        raise ValueError(f"{known}, a .safetensors file, or owner/name/weights{SUFFIX} of the hub")
    return source


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Size = Annotated[int, Field(ge=64, le=4096, multiple_of=8)]
Steps = Annotated[int, Field(ge=1, le=1000)]
Guidance = Annotated[float, Field(ge=0, le=100)]


class LoraSettings(BaseModel):
    """`source` is a name in `LORAS`, a .safetensors file, or one on the hub."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Annotated[Text, AfterValidator(lora_source)]
    scale: float = Field(default=1.0, ge=-4, le=4)

    @property
    def lora(self) -> Lora:
        return Lora(LORAS[self.source].source if self.source in LORAS else self.source, self.scale)


Loras = tuple[Annotated[LoraSettings, BeforeValidator(whole_lora)], ...]


class PresetSettings(BaseModel):
    """What is left out stays as the model has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: Steps | None = None
    guidance: Guidance | None = None
    scheduler: SchedulerName | None = None
    loras: Loras | None = None


class ModelSettings(BaseModel):
    """A table [models.NAME]; what is left out stays as `MODELS` or the family has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Text | None = None
    family: Family | None = None
    variant: str | None = None
    size: Size | None = None
    steps: Steps | None = None
    guidance: Guidance | None = None
    scheduler: SchedulerName | None = None
    vae: str | None = None
    loras: Loras | None = None
    freeu: bool | None = None
    picture_adapter: str | None = None
    photomaker: str | None = None
    draft: PresetSettings | None = None
    normal: PresetSettings | None = None
    fine: PresetSettings | None = None


ModelName = Annotated[str, AfterValidator(model_name)]
ModelTables = dict[ModelName, ModelSettings]


def set_models(tables: Mapping[str, ModelSettings], *, here: bool = True) -> None:
    """Change and add entries of this process's table. Raises `EngineError`, one sentence.

    here: whether the models are drawn with on this computer, so that their files must be on it.
    """
    for name, settings in tables.items():
        MODELS[name] = spec_of(name, settings, here=here)


def spec_of(name: str, settings: ModelSettings, *, here: bool = True) -> ModelSpec:
    """The spec of a table [models.NAME]."""
    spec = _begun(name, settings, here)
    if settings.source is not None and spec.family is None:
        raise EngineError(f"[models.{name}] has weights of its own: give yours another name")
    if settings.scheduler and spec.sharing == "leading":
        raise EngineError(f"[models.{name}]: the model keeps its own scheduler, as it was trained")
    changes: dict[str, Any] = {
        key: value for key in PLAIN if (value := getattr(settings, key)) is not None
    }
    if settings.source is not None and settings.source != spec.source:
        changes |= {"licence": "", "download": 0.0}
    if settings.loras is not None:
        changes["loras"] = tuple(each.lora for each in settings.loras)
    if settings.freeu is not None:
        changes["freeu"] = FREEU[spec.family] if settings.freeu and spec.family else None
    changed = replace(spec, name=name, **changes)
    asked = {preset: getattr(settings, preset) for preset in PRESETS}
    presets = (_preset(changed, preset, table) for preset, table in asked.items())
    return replace(changed, presets=tuple(preset for preset in presets if preset is not None))


def _begun(name: str, settings: ModelSettings, here: bool) -> ModelSpec:
    """The spec that a table begins with: the entry of its name, or the family's."""
    known = MODELS.get(name)
    if known is not None and settings.family in (None, known.family):
        if settings.source is not None and known.family is not None:
            _family(name, settings.source, known.family, here)
        return known
    if settings.source is None:
        names = ", ".join(MODELS)
        raise EngineError(f'[models.{name}] needs a "source": no model has that name yet ({names})')
    family = _family(name, settings.source, settings.family, here)
    in_one_file = Path(settings.source).suffix in WEIGHTS
    return replace(FAMILIES[family], variant="" if in_one_file else "fp16")


def _family(name: str, source: str, said: Family | None, here: bool) -> Family:
    """The family of what is on this computer; of anything else, what is said."""
    path = place_of(source)
    local = is_path(source) or len(path.parts) == 1
    if path.exists() or (local and (here or said is None)):
        found = family_of(path)
        if said not in (None, found):
            raise EngineError(f'[models.{name}] says family = "{said}", but {path} is "{found}"')
        return found
    if said is None:
        raise EngineError(
            f'[models.{name}] needs family = "sd15" or "sdxl": what is on the hub is not looked at'
        )
    return said


def _preset(spec: ModelSpec, name: PresetName, table: PresetSettings | None) -> Preset | None:
    known = next((preset for preset in spec.presets if preset.name == name), None)
    if table is None:
        return known
    base = known or Preset(name, spec.steps, spec.guidance)
    return Preset(
        name,
        base.steps if table.steps is None else table.steps,
        base.guidance if table.guidance is None else table.guidance,
        base.scheduler if table.scheduler is None else table.scheduler,
        base.loras if table.loras is None else tuple(each.lora for each in table.loras),
    )


# -- memory -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class MemorySettings:
    """How much of a device's memory the engine may take, `[engine]` of config.toml."""

    resident: int = 1  # models that stay loaded; the one used longest ago goes first
    precision: Precision = "auto"
    offload: bool = False
    tiling: bool = False

    def arguments(self) -> list[str]:
        """As options of a command line."""
        wanted = ["--resident", str(self.resident), "--precision", self.precision]
        return [*wanted, *["--offload"] * self.offload, *["--tiling"] * self.tiling]


def set_memory(settings: MemorySettings) -> None:
    """Let every model of this process's table keep to it; after `set_models`."""
    for name, spec in MODELS.items():
        MODELS[name] = replace(
            spec,
            precision=settings.precision,
            offload=settings.offload and spec.family is not None,  # the house artist is small
            tiling=settings.tiling,
        )


# -- the command line -------------------------------------------------------------------------


def model_arguments(tables: Mapping[str, ModelSettings]) -> list[str]:
    """As options of a command line; nothing where nothing is configured."""
    if not tables:
        return []
    plain = {name: table.model_dump(exclude_unset=True) for name, table in tables.items()}
    return ["--models", json.dumps(plain, ensure_ascii=False)]


def add_model_options(parser: ArgumentParser) -> None:
    parser.add_argument("--models", default="", help="a TOML file with tables [models.NAME]")
    parser.add_argument("--resident", type=int, default=1, help="models that stay loaded")
    parser.add_argument("--precision", choices=get_args(Precision), default="auto")
    parser.add_argument("--offload", action="store_true", help="parts wait outside of the GPU")
    parser.add_argument("--tiling", action="store_true", help="decode pictures piece by piece")


def apply_model_options(options: Namespace) -> None:
    """What came on the command line into this process's table. Raises `EngineError`."""
    set_models(model_tables(options.models))
    set_memory(memory_settings(options))


def memory_settings(options: Namespace) -> MemorySettings:
    return MemorySettings(options.resident, options.precision, options.offload, options.tiling)


def model_tables(said: str) -> dict[str, ModelSettings]:
    """The tables in JSON, or of a TOML file; none of "". Raises `EngineError`."""
    if not said:
        return {}
    try:
        if said.startswith("{"):
            plain = json.loads(said)
        else:
            plain = tomllib.loads(Path(said).read_text(encoding="utf-8-sig")).get("models", {})
        return TypeAdapter(ModelTables).validate_python(plain)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise EngineError(f"models.{place}: {wrong['msg']}") from None
    except (OSError, ValueError) as error:
        raise EngineError(f"the models in {said} cannot be read: {error}") from error
