"""Memes: on one's panels and on pictures that come along."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.bot.talks import SCRIPT, Talker, picture, talk


def exploding() -> bytes:
    """A small file that is a picture of 90 megapixels."""
    file = BytesIO()
    Image.new("1", (9000, 10_000)).save(file, "PNG")
    return file.getvalue()


def test_a_meme_of_a_picture_is_made_at_once(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("meme", picture=picture(size=(300, 200)), top="TABS", bottom="空格")
        (file,) = ann.files
        assert file.startswith(b"\x89PNG")
        assert ann.replies[0].files[0].alt == "TABS / 空格"

    talk(tmp_path, scene)


def test_a_meme_of_a_panel(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        assert "not drawn yet" in await ann.asks("meme", panel=1, top="x")
        await ann.asks("story draw")
        await ann.stage.draw_all()
        await ann.asks("meme", panel=2, caption="when tabs")
        assert len(ann.files) == 1
        await ann.asks("meme", top="kept")
        await ann.presses("3")
        assert [field.value for field in ann.form.fields] == ["kept", "", ""]
        await ann.fills(bottom="below")
        assert ann.replies[0].files[0].alt == "kept / below"
        await ann.asks("story show")
        await ann.presses("Meme")
        await ann.presses("1")
        form = ann.form
        assert "needs words" in await ann.fills(form)

    talk(tmp_path, scene)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"not a picture", "picture"), (exploding(), "60"), (b"GIF89a", "picture")],
    ids=["empty", "text", "bomb", "cut off"],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert words in await ann.asks("meme", picture=content, top="x")
        assert ann.files == []

    talk(tmp_path, scene)


def test_words_of_a_meme_have_a_limit(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert "200" in await ann.asks("meme", picture=picture(), top="x" * 201)

    talk(tmp_path, scene)
