"""Models of one's own: tables in config.toml, what is wrong in them, their way to the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import know_models
from bot.config import Config, load_config
from bot.errors import UserError
from engine.app import read_options
from engine.model_settings import (
    MemorySettings,
    memory_settings,
    model_arguments,
    model_tables,
    set_memory,
    set_models,
)
from engine.models import (
    FREEU,
    LCM_SDXL,
    MODELS,
    SDXL,
    Lora,
    Preset,
    find_model,
)
from engine.request import EngineError

TABLES = """
[engine]
model = "ink"
models = ["house", "ink"]

[models.sdxl]
steps = 20
[models.sdxl.draft]
steps = 6
loras = ["lcm-sdxl", { source = "/loras/pen.safetensors", scale = 0.5 }]

[models.ink]
source = "owner/ink"
family = "sdxl"
size = 768
scheduler = "unipc"
vae = "owner/vae"
loras = [" /loras/line.safetensors "]
freeu = true
"""


@pytest.fixture(autouse=True)
def own_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    before = dict(MODELS)
    yield
    MODELS.clear()
    MODELS.update(before)


def configured(text: str) -> Config:
    Path("config.toml").write_text(text)
    return load_config()


def refusal(text: str) -> str:
    with pytest.raises((UserError, EngineError)) as caught:
        set_models(configured(text).models)
    return str(caught.value)


def test_a_table_changes_a_model_or_adds_one() -> None:
    set_models(configured(TABLES).models)
    sdxl, ink = find_model("sdxl"), find_model("ink")
    assert (sdxl.steps, sdxl.guidance, sdxl.source) == (20, SDXL.guidance, SDXL.source)
    pen = Lora("/loras/pen.safetensors", 0.5)
    assert sdxl.preset("draft") == Preset("draft", 6, 1.0, "trailing", (LCM_SDXL, pen))
    assert sdxl.preset("fine") == SDXL.preset("fine")
    assert (ink.source, ink.vae) == ("owner/ink", "owner/vae")
    assert (ink.size, ink.scheduler) == (768, "unipc")
    assert (ink.loras, ink.freeu) == ((Lora("/loras/line.safetensors"),), FREEU["sdxl"])
    assert (ink.name, ink.steps, ink.licence, ink.download) == ("ink", SDXL.steps, "", 0.0)


def test_the_first_that_is_offered_is_the_one_that_draws_unasked() -> None:
    assert configured(TABLES).engine.offered == ("ink", "house")
    assert configured("").engine.offered == ("house",)


def test_the_engine_gets_them_by_its_command_line_or_from_a_file() -> None:
    config = configured(TABLES)
    options = read_options([*model_arguments(config.models), *config.engine.memory.arguments()])
    assert model_tables(options.models) == config.models
    assert model_tables("config.toml") == config.models
    assert model_arguments({}) == []
    with pytest.raises(EngineError, match="nowhere"):
        model_tables("nowhere.toml")
    with pytest.raises(EngineError, match=r"models\.ink\.step"):
        model_tables('{"ink": {"step": 3}}')


def test_how_much_memory_may_be_taken_holds_for_every_model() -> None:
    config = configured(
        '[engine]\nresident = 2\nprecision = "bfloat16"\noffload = true\ntiling = true\n'
    )
    memory = config.engine.memory
    assert memory == MemorySettings(2, "bfloat16", True, True)
    assert memory_settings(read_options(memory.arguments())) == memory
    set_memory(memory)
    assert {(s.precision, s.tiling) for s in MODELS.values()} == {("bfloat16", True)}
    assert [s.name for s in MODELS.values() if not s.offload] == ["house"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[models.ink]\nsourse = 1", ["models.ink.sourse", "nearest is models.ink.source"]),
        ("[models.ink.draft]\nstep = 1", ["models.ink.draft.step", "models.ink.draft.steps"]),
        ("[models.sdxl]\nsize = 1001", ["models.sdxl.size", "a multiple of 8"]),
        ("models = 3", ['models is "3", but it must be a table of settings']),
        ("[models.sdxl]\nloras = 3", ["models.sdxl.loras", "a list in square brackets"]),
        ('[models.sdxl]\nloras = ["pen"]', ["models.sdxl.loras", "hyper-sdxl, a .safetensors"]),
        ('[models.sdxl]\nscheduler = "ddin"', ["models.sdxl.scheduler", "'ddim'"]),
        ("[models.sdxl]\nsteps = 0", ["models.sdxl.steps", "at least 1"]),
        ("[models.ink]\nsteps = 3", ['[models.ink] needs a "source"']),
        ('[models.ink]\nsource = "owner/ink"', ['needs family = "sd15" or "sdxl"']),
        ('[models.ink]\nsource = "/nowhere"', ["/nowhere", "is missing"]),
        ('[models.ink]\nsource = "./ink.ckpt"', ["is pickled"]),
        ('[models.house]\nscheduler = "lcm"', ["house", "keeps its own scheduler"]),
        ('[models.house]\nsource = "owner/ink"', ["[models.house] has weights of its own"]),
    ],
)
def test_what_is_wrong_with_a_table_is_said(text: str, words: list[str]) -> None:
    said = refusal(text)
    assert [word for word in words if word not in said] == []


def test_a_known_model_cannot_be_of_the_other_family(tmp_path: Path) -> None:
    shape = {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}
    header = json.dumps({"cond_stage_model.transformer.x": shape}).encode()
    file = tmp_path / "small.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header + b"00")
    said = refusal(f'[models.sdxl]\nsource = "{file}"')
    assert said == f'[models.sdxl] says family = "sdxl", but {file} is "sd15"'


def test_an_engine_elsewhere_has_its_own_files() -> None:
    tables = configured('[models.ink]\nsource = "/nowhere.safetensors"\nfamily = "sdxl"').models
    set_models(tables, here=False)
    assert find_model("ink").size == SDXL.size
    with pytest.raises(EngineError, match="is missing"):
        set_models(tables)


def test_a_name_too_long_for_a_button_cannot_be_offered() -> None:
    name = "/" + 20 * "long-" + ".safetensors"
    MODELS[name] = SDXL
    know_models(configured(f'[engine]\nmodel = "{name}"'))
    with pytest.raises(EngineError, match="too long a name to be chosen"):
        know_models(configured(f'[engine]\nmodel = "{name}"\nmodels = ["house"]'))


def test_a_list_in_a_variable_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKWELL_ENGINE_MODELS", "sd15,sdxl")
    assert "is written in square brackets" in refusal("")
    monkeypatch.setenv("INKWELL_ENGINE_MODELS", '["sd15", "sdxl"]')
    assert configured("").engine.offered == ("house", "sd15", "sdxl")
