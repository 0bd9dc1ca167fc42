"""What fits into one Discord message: text, files and buttons, cut into parts where it does not."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import discord

from adapters.fitting import fit
from bot.chat import Button, File

MOST_TEXT = 2_000  # characters of a message
MOST_FILES = 10  # of a message
MOST_FILE_BYTES = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES  # where no server allows more
MOST_REQUEST_BYTES = 25 * 1024 * 1024 - 64 * 1024  # all files of a message; a rest for the words
MOST_ALT, MOST_LABEL = 1_024, 80  # characters
ROW, ROWS = 5, 5
NOTHING = "\N{ZERO WIDTH SPACE}"  # a message needs some text
PRESS, FORM, RESULT = "press", "form:", "result:"  # how the custom_id of a button begins

Rows = tuple[tuple[Button, ...], ...]
Say = Callable[..., str]  # key and values → a sentence in the person's language
LOOKS = {
    "plain": discord.ButtonStyle.secondary,
    "primary": discord.ButtonStyle.primary,
    "danger": discord.ButtonStyle.danger,
}


@dataclass(frozen=True)
class Part:
    """One message. `rows` are custom buttons: (label, look, custom_id) each."""

    text: str = ""
    files: tuple[File, ...] = ()
    view: tuple[tuple[tuple[str, str, str], ...], ...] = ()

    def fields(self) -> dict[str, Any]:
        """What discord.py's send methods take."""
        fields: dict[str, Any] = {"content": self.text or ("" if self.files else NOTHING)}
        if self.files:
            fields["files"] = self.attachments()
        if self.view:
            fields["view"] = view_of(self.view)
        return fields

    def edited(self) -> dict[str, Any]:
        """What discord.py's edit methods take; what is not here any more is taken away."""
        view = view_of(self.view) if self.view else None
        content = self.text or ("" if self.files else NOTHING)
        return {"content": content, "attachments": self.attachments(), "view": view}

    def attachments(self) -> list[discord.File]:
        return [
            discord.File(BytesIO(file.content), file.name, description=file.alt[:MOST_ALT] or None)
            for file in self.files
        ]


def named(part: Part, person: int | None) -> Part:
    """A message for somebody: it begins with their name, if there is room for it."""
    text = f"<@{person}> {part.text}".rstrip()
    return part if person is None or len(text) > MOST_TEXT else replace(part, text=text)


def buttons_of(rows: Rows) -> tuple[tuple[tuple[str, str, str], ...], ...]:
    """The bot's buttons as Discord's: five rows of five."""
    narrow = [row[first : first + ROW] for row in rows for first in range(0, len(row), ROW)]
    seen: Counter[str] = Counter()

    def custom_id(data: str) -> str:
        """Discord refuses two of the same: "press:draw", "press1:draw"."""
        seen[data] += 1
        return f"{PRESS}{seen[data] - 1 or ''}:{data}"

    return tuple(
        tuple((button.label, button.look, custom_id(button.data)) for button in row)
        for row in narrow[:ROWS]
    )


def view_of(rows: Sequence[Sequence[tuple[str, str, str]]]) -> discord.ui.View:
    """The buttons for sending. The view is over at once, so that discord.py does not keep it: what
    a button means stands in its custom_id, and the client listens to all of them."""
    view = discord.ui.View(timeout=None)
    for number, row in enumerate(rows):
        for label, look, custom_id in row:
            view.add_item(
                discord.ui.Button(
                    label=label[:MOST_LABEL] or NOTHING,
                    style=LOOKS[look],
                    custom_id=custom_id,
                    row=number,
                )
            )
    view.stop()
    return view


def escaped(text: str) -> str:
    """Shows as it was typed: a star is a star and makes nothing bold."""
    return discord.utils.escape_markdown(text)


def one_text(text: str) -> str:
    """A text for a single message, which cannot be split: without escapes, or cut, if need be."""
    if len(escaped(text)) <= MOST_TEXT:
        return escaped(text)
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def split_text(text: str) -> list[str]:
    """Texts of at most 2,000 characters; split at the ends of lines, then between words."""
    texts: list[str] = []
    for line in text.split("\n"):
        for piece in pieces(line):
            if texts and len(texts[-1]) + 1 + len(piece) <= MOST_TEXT:
                texts[-1] += "\n" + piece
            else:
                texts.append(piece)
    return [text for text in texts if text.strip()]


def pieces(line: str) -> list[str]:
    """A line, escaped, in pieces that fit; a word that is longer is cut."""
    if len(escaped(line)) <= MOST_TEXT:
        return [escaped(line)]
    found = [""]
    for word in re.findall(r"\S{1,900}\s?|\s", line):  # with escapes at most twice as long
        shown = escaped(word)
        if len(found[-1]) + len(shown) > MOST_TEXT:
            found.append("")
        found[-1] += shown
    return found


def batches(files: Iterable[File]) -> list[tuple[File, ...]]:
    """The files by message: ten and 25 MiB each."""
    found: list[list[File]] = []
    left = 0
    for file in files:
        if not found or len(found[-1]) == MOST_FILES or len(file.content) > left:
            found.append([])
            left = MOST_REQUEST_BYTES
        found[-1].append(file)
        left -= len(file.content)
    return [tuple(batch) for batch in found]


async def fitted(files: Sequence[File], limit: int, say: Say) -> tuple[tuple[File, ...], list[str]]:
    """The files that can be sent, made smaller than `limit` bytes where needed; and a sentence for
    each that cannot."""
    kept, notes = [], []
    for file in files:
        small = file
        if len(file.content) > limit:
            found = await asyncio.to_thread(fit, file, limit)
            if found is None:
                megabytes = {"size": len(file.content) / 1e6, "limit": limit / 1e6}
                notes.append(say("discord.too_large", name=file.name, **megabytes))
                continue
            small = found
        kept.append(replace(small, alt=small.alt[:MOST_ALT]))
    return tuple(kept), notes


async def parts_of(
    text: str, files: Sequence[File], rows: Rows, limit: int, say: Say
) -> tuple[Part, ...]:
    """The messages that show all of it: words that are too long, pictures, then the last words with
    the buttons. `limit`: bytes of a file."""
    small, notes = await fitted(files, limit, say)
    texts = split_text("\n".join(filter(None, (text, *notes)))) or [""]
    groups = batches(small) or [()]
    return (
        *(Part(words) for words in texts[:-1]),
        *(Part(files=group) for group in groups[:-1]),
        Part(texts[-1], groups[-1], buttons_of(rows)),
    )


async def one_part(text: str, files: Sequence[File], rows: Rows, limit: int, say: Say) -> Part:
    """The same in one message, for an edit: what does not fit is left out."""
    small, notes = await fitted(files, limit, say)
    groups = batches(small) or [()]
    return Part(one_text("\n".join(filter(None, (text, *notes)))), groups[0], buttons_of(rows))
