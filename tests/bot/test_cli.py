"""The command line: what it refuses and in which words. Nothing is on disk afterwards."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import main
from bot.config import EngineConfig
from bot.draw import free_memory
from bot.files import MAX_BYTES
from engine.request import DrawRequest, Event, Translated
from tests.bot.comics import draw_plainly, files_in, refusal

ROOT = Path(__file__).parents[2]


def test_plan_prints_the_story_as_json_and_draws_nothing(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["draw", "--plan", str(story), "--out", "/proc/nowhere"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "characters": [
            {"name": "Tom", "description": "a boy"},
            {"name": "Lisa", "description": "a girl"},
        ],
        "panels": [
            {
                "text": "[Tom] waves",
                "characters": ["Tom"],
                "caption": "Hello!",
                "kind": "box",
                "speaker": None,
            },
            {
                "text": "[Tom] and [Lisa] run",
                "characters": ["Tom", "Lisa"],
                "caption": "Run!",
                "kind": "speech",
                "speaker": "Lisa",
            },
        ],
    }
    assert os.listdir() == ["tom.story"]


def test_a_word_that_is_not_drawn_is_refused_with_the_setting_that_says_so(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story.write_text("[Tom] a boy\n\n[Tom] watches pornography")
    words = refusal(capsys, "draw", str(story))
    assert "I do not draw “porn" in words
    assert "[safety] in config.toml" in words
    assert "/settings" not in words


def test_what_is_translated_into_what_is_not_drawn_is_refused_like_what_is_typed(
    story: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def translating(request: DrawRequest, engine: EngineConfig) -> Iterator[Event]:
        yield Translated(("[Tom] waves", "[Tom] watches pornography"))
        yield from draw_plainly(request)

    monkeypatch.setattr("bot.cli.draw_story", translating)
    assert main(["draw", str(story)]) == 2
    words = capsys.readouterr().err
    assert "I do not draw “porn" in words
    assert "[safety] in config.toml" in words
    assert os.listdir() == ["tom.story"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_story_may_be_saved_as_utf_8_or_utf_16(
    encoding: str, story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story.write_bytes("【汤姆】 程序员\r\n\r\n【汤姆】 打字 ＃汤姆：你好\r\n".encode(encoding))
    assert main(["draw", "--plan", str(story)]) == 0
    assert '"speaker": "汤姆"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["drwa"], "'draw'"),
        (["draw"], "FILE"),
        (["draw", "tom.story", "more"], "more"),
        (["draw", "tom.story", "--styel", "comic"], "--style"),
        (["draw", "tom.story", "--out"], "--out"),
        (["draw", "tom.story", "--steps", "many"], "--steps"),
        (["draw", "tom.story", "--steps", "0"], "--steps must be a number from 1 to 100, not 0"),
        (["draw", "tom.story", "--steps", "101"], "from 1 to 100"),
        (["draw", "tom.story", "--guidance", "-0.1"], "--guidance must be a number from 0 to 20"),
        (["draw", "tom.story", "--guidance", "inf"], "from 0 to 20"),
        (["draw", "tom.story", "--rate", "1.5"], "--rate must be a number from 0 to 1, not 1.5"),
        (["draw", "tom.story", "--rate", "nan"], "from 0 to 1, not nan"),
        (["draw", "tom.story", "--size", "64"], "--size must be a number from 128 to 1024"),
        (["draw", "tom.story", "--size", "200"], "--size must be a multiple of 64, not 200"),
        (["draw", "tom.story", "--seed", "-1"], "--seed must be a number from 0 to 4294967295"),
        (["draw", "tom.story", "--seed", "9" * 5000], "--seed"),
        (["draw", "tom.story", "--layout", "clasic"], "the nearest is “classic”"),
        (["draw", "tom.story", "--layout", "clasic"], "webtoon"),
        (["draw", "tom.story", "--layout", ""], "there is no layout “”"),
        (["draw", "tom.story", "--style", "COMIK"], "the nearest is “comic”"),
        (["draw", "tom.story", "--style", "\x1b[31m\n"], "there is no style"),
        (["draw", "tom.story", "--model", "hause"], 'the nearest is "house"'),
        (["draw", "tom.story", "--quality", "best"], "it has: draft, normal, fine"),
        (["draw", "tim.story"], "cannot read tim.story: No such file"),
        (["draw", "tim\n.story"], "cannot read"),
        (["draw", ""], "Is a directory"),
        (["draw", "."], "Is a directory"),
        (["draw", "tom.story/x"], "Not a directory"),
        (["draw", "tom.story", "--out", "tom.story"], "tom.story is not a folder"),
        (["draw", "tom.story", "--out", "tom.story/deep"], "tom.story is not a folder"),
        (["draw", "tom.story", "--out", "new/" + "x" * 300], "File name too long"),
    ],
)
def test_a_wrong_command_is_told_in_one_sentence(
    arguments: list[str], words: str, story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refusal(capsys, *arguments)


@pytest.mark.parametrize("option", ["--style", "--layout"])
def test_a_wrong_choice_is_refused_for_a_plan_too(
    option: str, story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert " are: " in refusal(capsys, "draw", "--plan", story, option, "nonesuch")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "tom.story: the story is empty"),
        (b"\xef\xbb\xbf\r\n \t\r\n", "the story is empty"),
        (b"[Tom] a boy\n[Lisa] a girl\n", "no panels"),
        (
            b"[Tom] waves #Hi!\n[Tom] runs #Bye!\n",
            "tom.story: line 1, column 1: the story has panels",
        ),
        (b"[NC] the office\n", "line 1: "),
        (
            b"[Tom] a boy\n[tom] a man\n\n[Tom] waves\n",
            "line 2, column 1: the names [tom] and [Tom]",
        ),
        (b"[Tom] a boy\n\n[Tim] waves\n", "line 3, column 1: nobody is called [Tim]"),
        (b"[Tom] a boy\n\n[NC]\n", "line 3, column 1: [NC] alone says nothing to draw"),
        (b"[Tom] \x1b[31m\n\n[Tom] waves\n", "U+001B"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "tom.story is not a story: "),
        (b"[Tom] a boy\0\n\n[Tom] waves\n", "is not a story"),
        ("[汤姆] 程序员\n\n[汤姆] 打字\n".encode("gb18030"), "saved as UTF-8"),
        (b"\xff\xfe[", "is not a story"),
        (b"[Tom] a boy\n\n" + b"[Tom] waves\n" * 90_000, "too long for a story"),
        (b"a" * (MAX_BYTES + 1), "too long for a story"),
        (b"a" * MAX_BYTES, "at most 2,000 are allowed"),
    ],
)
def test_a_wrong_file_is_told_in_one_sentence(
    content: bytes, words: str, story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story.write_bytes(content)
    assert words in refusal(capsys, "draw", story)
    assert words in refusal(capsys, "draw", "--plan", story)


def test_the_longest_story_in_the_longest_letters_is_not_too_long(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cast = [f"[{number:02}]{'😀' * 1996}" for number in range(12)]
    panels = [f"[00]{'😀' * 1996}"] * 24
    story.write_text("\n".join([*cast, "", *panels]), encoding="utf-8")
    assert main(["draw", "--plan", str(story)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("limit", "used", "statistics"),
    [
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ],
)
def test_files_that_the_system_keeps_in_memory_are_free_memory(
    limit: str, used: str, statistics: str, tmp_path: Path
) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / limit).write_text("5000\n")
    (tmp_path / used).write_text("4900\n")
    assert free_memory(tmp_path) == 100
    key = "total_inactive_file" if "/" in limit else "inactive_file"
    (tmp_path / statistics).write_text(f"anon 600\nactive_file 50\n{key} 4000\n")
    assert free_memory(tmp_path) == 4100


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "draw" in capsys.readouterr().out


def test_the_help_lists_the_layouts_and_the_version_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["draw", "--help"]) == 0
    assert "webtoon" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("inkwell ")


def in_a_process(program: str, *, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program beside the working folder; `limit`: bytes of address space."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        env=environment,
        preexec_fn=limited,
        text=True,
        timeout=120,
    )


def test_a_plan_needs_no_torch_and_no_terminal_that_knows_chinese(story: Path) -> None:
    story.write_text("[汤姆] 程序员\n\n[汤姆] 打字 #好 😀", encoding="utf-8")
    program = f"""
import sys
from bot.cli import main
code = main(["draw", "--plan", {str(story)!r}])
assert not {{"torch", "diffusers", "PIL.Image", "bot.page.page"}} & set(sys.modules)
sys.exit(code)
"""
    result = in_a_process(program)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["panels"][0]["caption"] == "好 😀"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep this limit")
def test_too_little_memory_is_told_before_torch_is_loaded(story: Path) -> None:
    program = f"from bot.cli import main; raise SystemExit(main(['draw', {str(story)!r}]))"
    result = in_a_process(program, limit=600_000_000)
    assert result.returncode == 2
    assert result.stderr.startswith("inkwell: there is too little memory: ")
    assert result.stderr.count("\n") == 1
    assert os.listdir() == ["tom.story"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep this limit")
def test_memory_that_is_hardly_too_little_is_not_rounded_up_to_enough(story: Path) -> None:
    program = f"""
import psutil
import resource
from bot.cli import main
from bot.draw import MEMORY_NEEDED
limit = psutil.Process().memory_info().vms + MEMORY_NEEDED - 100_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
raise SystemExit(main(["draw", {str(story)!r}]))
"""
    result = in_a_process(program)
    assert result.returncode == 2
    assert "drawing needs 1.5 GB, and 1.4 GB are free" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C in another way")
@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_while_drawing_leaves_nothing_and_says_so(story: Path) -> None:
    program = f"""
import time
from bot import cli
def draw_story(request, engine):
    time.sleep(60)
    yield
cli.draw_story = draw_story
raise SystemExit(cli.main(["draw", {str(story)!r}]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert first == "loading the model\n"
    assert (process.returncode, out, err) == (130, "", "inkwell: stopped\n")
    assert os.listdir() == ["tom.story"]


def test_with_closed_streams_the_work_is_done_and_nothing_is_printed(
    story: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.draw_story", lambda request, engine: draw_plainly(request))
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stderr", None)
        assert main(["draw", "nowhere.story"]) == 2
        closed.setattr(sys, "stdout", None)
        assert main(["draw", "--plan", str(story)]) == 0
        assert main(["draw", str(story)]) == 0
        assert (sys.stdout, sys.stderr) == (None, None)
    assert capsys.readouterr() == ("", "")
    assert files_in("out") == ["tom.png", "tom/1.png", "tom/2.png"]
