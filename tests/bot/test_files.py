"""The files of a comic: what drawing leaves, what is never replaced, what Ctrl-C leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bot.cli import main
from bot.draw import draw_comic
from bot.errors import FileError
from bot.files import ComicFiles, may_replace
from bot.signature import is_signed
from engine.request import DrawRequest, EngineError, Event
from tests.bot.comics import LONG, STORY, comic, contents, draw_plainly, files_in, refusal

ROOT = Path(__file__).parents[2]


def test_a_comic_is_a_page_and_its_pictures_in_order(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert draw_comic(comic(), draw_plainly) == "out/tom.png and 2 pictures in out/tom/"
    assert files_in("out") == ["tom.png", "tom/1.png", "tom/2.png"]
    with Image.open("out/tom/2.png") as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (10, 0, 0)
    assert all(is_signed(path) for path in Path("out").rglob("*.png"))
    assert not any(path.name.startswith(".") for path in Path("out").rglob("*"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[0] == "loading the model"


def test_the_layout_without_type_gives_pictures_only(story: Path) -> None:
    line = draw_comic(comic("[Tom] a boy\n\n[Tom] waves", "pictures"), draw_plainly)
    assert line == "1 picture in out/tom/"
    assert files_in("out") == ["tom/1.png"]


def test_a_shorter_comic_takes_away_what_the_longer_one_left_and_nothing_else(story: Path) -> None:
    line = draw_comic(comic(LONG), draw_plainly)
    assert line.startswith("out/tom.png, out/tom/page-2.png, out/tom/page-3.png, ")
    assert {"tom.png", "tom/page-2.png", "tom/24.png"} <= set(files_in("out"))
    draw_comic(comic(name="tom.5"), draw_plainly)
    Path("out/tom.7.png").write_bytes(b"mine")
    Path("out/tom/25.png").write_bytes(b"mine")
    Path("out/tom/notes.txt").write_bytes(b"mine")
    draw_comic(comic(), draw_plainly)
    both = {f"{name}{file}" for name in ("tom", "tom.5") for file in (".png", "/1.png", "/2.png")}
    mine = {"tom.7.png", "tom/25.png", "tom/notes.txt"}
    assert set(files_in("out")) == both | mine


def test_stories_with_numbers_in_their_names_do_not_share_any_file(story: Path) -> None:
    names = ("a", "a.1", "a.2", "a.1.2", "page-2", "a-page-2")
    files = [
        {*ComicFiles(Path("out"), name).pages(24), *ComicFiles(Path("out"), name).pictures(24)}
        for name in names
    ]
    assert len(set().union(*files)) == sum(map(len, files))
    draw_comic(comic(LONG, name="a"), draw_plainly)
    before = contents("out")
    draw_comic(comic(name="a.1"), draw_plainly)
    draw_comic(comic(name="a.2"), draw_plainly)
    assert before.items() <= contents("out").items()


def test_an_engine_that_fails_leaves_the_older_comic_as_it_was(story: Path) -> None:
    draw_comic(comic(), draw_plainly)
    before = contents("out")

    def fail_late(request: DrawRequest) -> Iterator[Event]:
        yield from list(draw_plainly(request))[:-2]
        raise EngineError("the model tore its paper")

    with pytest.raises(EngineError):
        draw_comic(comic(), fail_late)
    assert contents("out") == before


def test_a_disk_that_refuses_in_the_end_is_told_and_new_folders_go_away(story: Path) -> None:
    files = ComicFiles(Path("new/out"), "x" * 252)  # with ".png" longer than a name may be
    with pytest.raises(FileError, match="cannot write into new/out: File name too long"):
        files.write([b"page"], [b"picture"])
    assert not Path("new").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder nobody can write into")
def test_a_folder_that_cannot_be_written_is_refused(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "cannot write into /proc/new" in refusal(capsys, "draw", story, "--out", "/proc/new")


@pytest.mark.parametrize("name", ["out/tom.png", "out/tom/page-2.png", "out/tom/2.png"])
def test_a_folder_in_the_place_of_a_picture_is_refused(
    name: str, story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(name).mkdir(parents=True)
    assert f"cannot write {name}: a folder has this name" in refusal(capsys, "draw", story)


@pytest.mark.parametrize("name", ["out/tom.png", "out/tom/page-2.png", "out/tom/2.png"])
@pytest.mark.parametrize(
    "content", [b"", b"mine", b"\x89PNG\r\n\x1a\n and then a photograph of mine"]
)
def test_a_file_that_inkwell_has_not_made_is_never_replaced(
    name: str, content: bytes, story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out/tom").mkdir(parents=True)
    Path(name).write_bytes(content)
    assert f"cannot replace {name}: Inkwell has not made it" in refusal(capsys, "draw", story)
    assert Path(name).read_bytes() == content


def test_a_pipe_and_a_link_to_nowhere_are_not_replaced_either(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out").mkdir()
    os.mkfifo("out/tom.png")
    assert "Inkwell has not made it" in refusal(capsys, "draw", story)
    Path("out/tom.png").unlink()
    Path("out/tom.png").symlink_to("nowhere.png")
    assert "Inkwell has not made it" in refusal(capsys, "draw", story)


def test_a_page_that_its_owner_made_read_only_is_not_replaced(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_comic(comic(), draw_plainly)
    capsys.readouterr()
    Path("out/tom.png").chmod(0o444)
    assert "cannot replace out/tom.png: it is read-only" in refusal(capsys, "draw", story)


def test_without_typesetting_a_file_with_the_name_of_a_page_is_in_nobody_s_way(
    story: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.draw_story", lambda request, engine: draw_plainly(request))
    Path("tom.png").write_bytes(b"mine")
    assert main(["draw", str(story), "--layout", "pictures", "--out", "."]) == 0
    assert Path("tom.png").read_bytes() == b"mine"


def test_a_file_that_comes_while_the_comic_is_drawn_is_not_replaced(story: Path) -> None:
    def draw_slowly(request: DrawRequest) -> Iterator[Event]:
        yield from draw_plainly(request)
        Path("out").mkdir()
        Path("out/tom.png").write_bytes(b"mine")

    with pytest.raises(FileError, match="Inkwell has not made it"):
        draw_comic(comic(), draw_slowly)
    assert files_in("out") == ["tom.png"]
    assert os.listdir("out") == ["tom.png"]


def test_a_file_in_the_place_of_the_pictures_folder_is_refused(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("tom").write_text("mine", encoding="utf-8")
    assert "tom is not a folder" in refusal(capsys, "draw", story, "--out", ".")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owner here")
@pytest.mark.parametrize("name", ["tom.png", "tom/page-2.png", "tom/1.png"])
def test_another_users_file_in_a_sticky_folder_is_refused_before_drawing(
    name: str, story: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path("out", name)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"theirs")
    path.parent.chmod(0o1777)
    somebody = path.stat().st_uid + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    assert f"cannot replace {path}: it belongs to another user" in refusal(capsys, "draw", story)


@pytest.mark.parametrize(
    ("user", "mode", "allowed"),
    [(7, 0o1777, False), (7, 0o777, True), (0, 0o1777, True), (1, 0o1777, True), (2, 0o1777, True)],
)
def test_in_a_sticky_folder_only_owners_replace_files(user: int, mode: int, allowed: bool) -> None:
    assert may_replace(user, mode, folder_owner=1, file_owner=2) is allowed


def test_the_story_itself_is_never_overwritten(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story.rename("tom.png")
    assert "would overwrite the story" in refusal(capsys, "draw", "tom.png", "--out", ".")
    assert Path("tom.png").read_text(encoding="utf-8") == STORY


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C in another way")
@pytest.mark.parametrize(
    "work",
    [
        "try_writing(Path('new/deep'), 'x.png')",
        "ComicFiles(Path('out'), 'tom').write([png] * 3, [png] * 24)",
    ],
)
def test_ctrl_c_while_files_are_tried_or_written_leaves_nothing_behind(
    work: str, story: Path
) -> None:
    program = f"""
import signal
from pathlib import Path
from bot.files import ComicFiles, try_writing
from bot.start import end_at_once
signal.signal(signal.SIGINT, lambda *_: end_at_once())
png = b"\\x89PNG\\r\\n\\x1a\\n".ljust(100_000)
print("ready", flush=True)
while True:
    {work}
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, "inkwell: stopped\n")
    assert not list(Path().rglob(".inkwell-*"))
    assert len(list(Path("out").rglob("*.png"))) in (0, 27)
