"""`inkwell check` and the other commands for whoever runs the bot."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import bot.check
import bot.check_model
from bot.check import Checker, Finding, table, width
from bot.cli import main
from bot.config import Config, DrawConfig, EngineConfig, StoreConfig, WebConfig
from bot.words import catalogue


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("INKWELL_") or name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def seen(problem: str | None = None, device: str = "cpu") -> dict[str, object]:
    return {"device": device, "name": "H200", "memory": 141e9, "model": "house", "problem": problem}


def look(
    monkeypatch: pytest.MonkeyPatch, config: Config | None = None, **engine: str
) -> dict[str, Finding]:
    """The findings by what was looked at; the engine's process answers at once."""
    monkeypatch.setattr(bot.check, "ask_engine", lambda config, model: seen(**engine))
    config = config or Config(web=WebConfig(port=0))
    return {finding.what: finding for finding in Checker(config).findings()}


def test_a_fresh_computer_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(monkeypatch)
    assert {finding.mark for finding in found.values()} <= {"ok", "note"}
    assert "config.example.toml" in found["settings"].found
    assert "Chinese" in found["fonts"].found
    assert found["graphics"].mark == "note"
    assert not Path("store").exists()


def test_a_model_that_was_not_fetched_yet_says_its_terms_and_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(Path(bot.check.__file__).parents[1]))  # this very engine
    assert main(["check", "--model", "sdxl-turbo"]) == 2
    said = capsys.readouterr().out
    assert "stabilityai/sdxl-turbo (about 6.9 GB, licence: Stability AI's own; commercial" in said
    assert "`inkwell check --model sdxl-turbo --fetch` fetches it" in said


def test_a_model_that_is_here_draws_a_small_picture_and_says_what_it_took(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, ...]] = []

    def ask(config: Config, model: str, *more: str, seconds: float) -> dict[str, object]:
        asked.append(more)
        drawn = {"pixels": 512, "seconds": 3.21, "bytes": 7.5e9}
        return {**seen(), "licence": "MIT", "missing": [], "drawn": drawn}

    monkeypatch.setattr(bot.check_model, "ask_engine", ask)
    assert main(["check", "--model", "mine"]) == 0
    said = capsys.readouterr().out
    assert "MIT" in said
    assert "mine on cpu: a picture of 512 px in 3.2 s, 7.5 GB at most" in said
    assert asked == [("--terms",), ("--draw",)]


def test_what_is_fetched_is_named_by_its_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--fetch"]) == 2
    assert "--fetch needs --model NAME" in capsys.readouterr().err


def test_a_wrong_default_style_and_layout_are_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = DrawConfig(style="comix", layout="classik")
    config = Config(web=WebConfig(port=0), draw=draw)
    monkeypatch.setattr(bot.check, "ask_engine", lambda config, model: seen())
    style, layout = [one for one in Checker(config).findings() if one.what == "drawing"]
    assert (style.mark, layout.mark) == ("missing", "missing")
    assert (
        "no style “comix”; the nearest is “comic”, and all of them are: animated-film, "
        in style.found
    )
    assert "no layout “classik”; the nearest is “classic”" in layout.found
    assert "INKWELL_DRAW_STYLE" in style.remedy
    assert "`layout` under [draw]" in layout.remedy
    assert look(monkeypatch)["drawing"].found == "style comic, layout classic"
    [style, _] = [one for one in Checker(config, "zh").findings() if one.what == "绘制"]
    assert "没有名为“comix”的画风" in style.found


def test_a_graphics_card_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(monkeypatch, device="cuda:0")
    assert found["graphics"].found == "H200, 141 GB"


def test_a_model_that_cannot_be_loaded_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(monkeypatch, problem="the weights are broken")
    assert (found["model"].mark, found["model"].found) == ("missing", "the weights are broken")
    assert found["model"].remedy


def test_the_further_models_are_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, dict[str, object]] = {
        "inkk": {"problem": 'there is no model "inkk"', "missing": []},
        "sdxl": {"problem": None, "missing": ["a/b (about 6.9 GB)", "c/d (size unknown)"]},
        "ink": {"problem": None, "missing": []},
    }

    def ask(config: Config, model: str, *more: str) -> dict[str, object]:
        assert more == (("--terms",) if model in asked else ())
        return asked.get(model) or seen()

    monkeypatch.setattr(bot.check, "ask_engine", ask)
    config = Config(engine=EngineConfig(models=tuple(asked)), web=WebConfig(port=0))
    rows = [row for row in Checker(config).findings() if row.what == "model"]
    assert [row.mark for row in rows] == ["ok", "missing", "note", "ok"]
    assert rows[1].found == 'there is no model "inkk"'
    assert rows[2].found == "a/b (about 6.9 GB); c/d (size unknown)"
    assert "inkwell check --model sdxl --fetch" in rows[2].remedy


def test_a_port_that_another_program_uses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        found = look(monkeypatch, Config(web=WebConfig(port=port)))
    assert found["local chat"].mark == "missing"
    assert str(port) in found["local chat"].found


def test_a_chat_open_to_everybody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(monkeypatch, Config(web=WebConfig(host="0.0.0.0", port=0)))
    assert found["local chat"].mark == "missing"
    assert "INKWELL_WEB_PASSWORD" in found["local chat"].remedy


def test_another_program_s_database_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    store = StoreConfig()
    store.folder.mkdir()
    with closing(sqlite3.connect(store.database)) as other:
        other.execute("CREATE TABLE theirs (x)")
    assert look(monkeypatch)["database"].mark == "missing"


def test_a_store_that_is_a_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("store").write_text("not a folder", encoding="utf-8")
    assert look(monkeypatch)["disk"].mark == "missing"


def test_an_engine_elsewhere_is_asked_and_this_computer_needs_none() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    config = Config(engine=EngineConfig(url=url), web=WebConfig(port=0))
    found = {finding.what: finding for finding in Checker(config).findings()}
    assert found["engine"].mark == "missing"
    assert "model" not in found


def test_the_command_ends_with_2_where_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INKWELL_WEB_PORT", "0")
    monkeypatch.setattr(bot.check, "ask_engine", lambda config, model: seen())
    assert main(["check"]) == 0
    monkeypatch.setattr(bot.check, "ask_engine", lambda config, model: "no answer")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert main(["check"]) == 2
    english, chinese = capsys.readouterr().out.split("`inkwell run`.")
    assert "graphics" in english
    assert "缺少" in chinese


def test_columns_stand_under_each_other_in_chinese_too() -> None:
    rows = [Finding("字体", "ok", "x"), Finding("local chat", "missing", "x", "do this")]
    lines = table(rows, "zh").splitlines()
    assert len({width(line[: line.rindex("x")]) for line in lines[:2]}) == 1
    assert lines[2].strip() == "→ do this"


def test_every_key_is_said_in_both_languages() -> None:
    for topic in ("check.", "delivery."):
        keys = [{key for key in catalogue(name) if key.startswith(topic)} for name in ("en", "zh")]
        assert keys[0] == keys[1]


def test_a_backup_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    from tests.bot.stage import Stage, perform

    async def act(stage: Stage) -> None:
        await stage.ask()
        await stage.draw()

    perform(Path("store"), act)
    assert main(["backup", "all.tar"]) == 0
    assert main(["restore", "all.tar"]) == 2
    size = Path("all.tar").stat().st_size
    assert main(["backup", "all.tar"]) == 2
    assert "already a file all.tar; nothing was saved" in capsys.readouterr().err
    assert main(["backup", "far/away/all.tar"]) == 2
    assert "no folder far/away; nothing was saved" in capsys.readouterr().err
    assert main(["backup", "store"]) == 2
    assert "store is a folder" in capsys.readouterr().err
    assert not Path("far").exists()
    Path("all.tar").write_bytes(b"")
    assert main(["backup", "all.tar", "--force"]) == 0
    assert Path("all.tar").stat().st_size >= size
    assert main(["restore", "all.tar"]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["restore", "all.tar", "--force"]) == 0
    assert "pictures are back" in capsys.readouterr().out


def test_without_a_store_there_is_nothing_to_save(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup"]) == 2
    assert "nothing was saved" in capsys.readouterr().err


def test_run_says_without_a_number_that_its_port_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        monkeypatch.setenv("INKWELL_WEB_PORT", str(other.getsockname()[1]))
        assert main(["run"]) == 2
    error = capsys.readouterr().err
    assert "cannot listen on 127.0.0.1:" in error
    assert "another program uses this port" in error
    assert "INKWELL_WEB_PORT" in error  # how to choose another one
    assert "Errno" not in error


def test_run_refuses_what_cannot_be_served(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INKWELL_WEB_ON", "false")
    assert main(["run"]) == 2
    assert "no chat to serve" in capsys.readouterr().err
    monkeypatch.setenv("INKWELL_WEB_ON", "true")
    monkeypatch.setenv("INKWELL_WEB_HOST", "0.0.0.0")
    assert main(["run"]) == 2
    assert "password" in capsys.readouterr().err
