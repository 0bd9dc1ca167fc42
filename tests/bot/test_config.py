"""Settings: config.toml and the environment become one frozen Config."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.config import Config, DrawConfig, EngineConfig, keys, load_config
from bot.errors import UserError

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
DEFAULTS = Config(draw=DrawConfig(), engine=EngineConfig())


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test starts in an empty folder, with none of the caller's own settings."""
    for name in os.environ:
        if name.upper().startswith("INKWELL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "config.toml") -> None:
    Path(name).write_text(text, encoding="utf-8")


def refusal() -> str:
    """What load_config says; always one line."""
    with pytest.raises(UserError) as caught:
        load_config()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_a_file_everything_has_its_default() -> None:
    config = load_config()
    assert config == DEFAULTS
    assert (config.draw.style, config.draw.layout, config.draw.seed) == ("comic", "classic", None)
    assert config.draw.out == Path("out")
    assert (config.engine.model, config.engine.device) == ("house", "auto")
    assert (config.engine.micro_batch, config.engine.identity_panels) == (8, 3)


def test_an_empty_file_is_as_good_as_none() -> None:
    write("")
    assert load_config() == DEFAULTS


def test_the_file_in_the_folder_is_read() -> None:
    write('[draw]\nstyle = "noir"\nseed = 7\nout = "pages"\n[engine]\nmicro_batch = 2\n')
    config = load_config()
    assert (config.draw.style, config.draw.seed, config.draw.out) == ("noir", 7, Path("pages"))
    assert config.engine.micro_batch == 2
    assert config.draw.layout == "classic"


def test_a_byte_order_mark_and_crlf_do_no_harm() -> None:
    write('\ufeff[draw]\r\nstyle = "noir"\r\n')
    assert load_config().draw.style == "noir"


def test_another_file_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[draw]\nstyle = "noir"\n')
    write('[draw]\nstyle = "pastel"\n', "other.toml")
    monkeypatch.setenv("INKWELL_CONFIG", "other.toml")
    assert load_config().draw.style == "pastel"


def test_the_environment_wins_over_the_file_key_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    write("[engine]\nmicro_batch = 2\nidentity_panels = 4\n")
    monkeypatch.setenv("INKWELL_ENGINE_MICRO_BATCH", "5")
    monkeypatch.setenv("INKWELL_DRAW_OUT", "pages")
    config = load_config()
    assert (config.engine.micro_batch, config.engine.identity_panels) == (5, 4)
    assert config.draw.out == Path("pages")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    write("[draw]\nseed = 7\n")
    monkeypatch.setenv("INKWELL_DRAW_SEED", "")
    monkeypatch.setenv("INKWELL_CONFIG", "")
    assert load_config().draw.seed == 7


def test_nothing_can_be_changed_afterwards() -> None:
    config = load_config()
    with pytest.raises(ValidationError):
        config.draw.style = "noir"
    with pytest.raises(ValidationError):
        config.draw = DrawConfig()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[draw]\nstile = "noir"', ["config.toml: draw.stile", "nearest is draw.style"]),
        ("[engin]\nmicro_batch = 2", ["config.toml: engin ", "nearest is engine"]),
        ("style = 1", ["config.toml: style", "nearest is draw.style"]),
        ("draw = 3", ["config.toml: draw", '"3"', "a table of settings"]),
        ("[draw]\nstyle = 3", ["draw.style", '"3"', "a name, in quotes"]),
        ('[draw]\nstyle = " "', ["draw.style", "must be a name"]),
        ("[draw]\nout = 3", ["draw.out", "the path of a folder"]),
        ("[draw]\nseed = -1", ["draw.seed", '"-1"', "at least 0"]),
        ("[engine]\nmicro_batch = 0", ["engine.micro_batch", '"0"', "at least 1"]),
        ("[engine]\nmicro_batch = 1.5", ["engine.micro_batch", '"1.5"', "a whole number"]),
        ('[engine]\nmicro_batch = "many"', ["engine.micro_batch", '"many"', "a whole number"]),
        ("[engine]\nmicro_batch = []", ["engine.micro_batch", '"[]"', "a whole number"]),
        ("[engine]\nidentity_panels = 0", ["engine.identity_panels", "at least 1"]),
        ("[web]\nport = 70000", ["web.port", '"70000"', "at most 65535"]),
        ('[web]\non = "perhaps"', ["web.on", '"perhaps"', "true or false"]),
        ("[limits]\nwaiting = 0", ["limits.waiting", '"0"', "at least 1"]),
        ('[limits]\nstop_seconds = "soon"', ["limits.stop_seconds", "a number"]),
        ('[engine]\ndevice = "gpu"', ["engine.device", '"gpu"', "auto, cpu, cuda, cuda:0"]),
        ('[engine]\nurl = "localhost"', ["engine.url", "an address such as http://127.0.0.1:8421"]),
        ("[engine]\nwatchdog_seconds = 0", ["engine.watchdog_seconds", "at least 1"]),
        ("[engine]\npreviews = -1", ["engine.previews", "at least 0"]),
        (f'[engine]\nsocket = "{"x" * 101}"', ["engine.socket", "at most 100 letters"]),
        ("[draw]\nseed =\n", ["config.toml", "not valid TOML", "line 2"]),
    ],
)
def test_a_bad_file_gets_one_sentence_that_names_the_place(text: str, words: list[str]) -> None:
    write(text)
    message = refusal()
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("INKWELL_DRAW_STILE", "noir", ["INKWELL_DRAW_STILE", "nearest is INKWELL_DRAW_STYLE"]),
        ("INKWELL_DRAW", "{}", ["INKWELL_DRAW is not a setting"]),
        ("INKWELL_DRAW_SEED", "luck", ["INKWELL_DRAW_SEED", '"luck"', "a whole number"]),
        ("INKWELL_ENGINE_DEVICE", "gpu", ["INKWELL_ENGINE_DEVICE", '"gpu"', "auto, cpu"]),
        ("INKWELL_CONFIG", "none.toml", ["none.toml", "cannot read"]),
        ("INKWELL_CONFIG", ".", ["cannot read the settings"]),
    ],
)
def test_a_bad_variable_gets_one_sentence_that_names_it(
    name: str, value: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    message = refusal()
    for word in words:
        assert word in message


def test_a_binary_file_is_refused() -> None:
    Path("config.toml").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    assert "not UTF-8 text" in refusal()


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:3"])
def test_every_kind_of_device_can_be_named(device: str) -> None:
    write(f'[engine]\ndevice = "{device}"\n')
    assert load_config().engine.device == device


def test_the_example_file_names_every_setting_with_its_default() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    sections = {section: {} for section in Config.model_fields}
    assert tomllib.loads(text) == sections, "every key is commented out"
    uncommented = re.sub(r"^#(?=\w+ = )", "", text, flags=re.MULTILINE)
    tables = tomllib.loads(uncommented)
    assert {f"{section}.{key}" for section in tables for key in tables[section]} == set(keys())
    write(uncommented)
    config = load_config()
    draw = config.draw.model_copy(update={"seed": None})  # "no seed" cannot be written in TOML
    web = config.web.model_copy(update={"password": None})  # nor can "no password"
    assert config.model_copy(update={"draw": draw, "web": web}) == DEFAULTS
