"""Texts and buttons in the sizes that Telegram takes."""

from __future__ import annotations

from collections.abc import Sequence

import telegram

from bot.chat import Button, Person

MOST_TEXT = 4096  # UTF-16 units of a message
MOST_CAPTION = 1024  # ... under a picture
MOST_IN_A_ROW = 8
MOST_BUTTONS = 100
STYLES = {"primary": "primary", "danger": "danger"}

Rows = Sequence[Sequence[Button]]


def clean(text: str) -> str:
    """A text that can be sent: halves of letters, which UTF-8 cannot hold, become "?"."""
    return text.encode("utf-8", "replace").decode()


def units(text: str) -> int:
    """The length as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def split(text: str, most: int = MOST_TEXT) -> list[str]:
    """A text in pieces of at most `most` units, cut at the ends of lines or words if it can be."""
    pieces = []
    rest = text.strip("\n")
    while units(rest) > most:
        end = fitting(rest, most)
        cut = max(rest.rfind("\n", 1, end), 0) or max(rest.rfind(" ", 1, end), 0) or end
        pieces.append(rest[:cut])
        rest = rest[cut:].lstrip("\n ")
    return [piece for piece in (*pieces, rest) if piece.strip()]


def fitting(text: str, most: int) -> int:
    """How many letters of a text are at most so many units."""
    if len(text) <= most // 2:
        return len(text)
    left = most
    for index, letter in enumerate(text):
        left -= units(letter)
        if left < 0:
            return index
    return len(text)


def cut(text: str, most: int) -> str:
    """A text of at most `most` units; an ellipsis where something was left out."""
    return text if units(text) <= most else text[: fitting(text, most - 1)] + "…"


def keyboard(rows: Rows) -> telegram.InlineKeyboardMarkup | None:
    """Buttons under a message; None without any."""
    shown = [
        [
            telegram.InlineKeyboardButton(
                clean(button.label) or "…",
                callback_data=button.data,
                style=STYLES.get(button.look),
            )
            for button in row[first : first + MOST_IN_A_ROW]
        ]
        for row in rows
        for first in range(0, len(row), MOST_IN_A_ROW)
    ]
    left = MOST_BUTTONS
    kept = []
    for row in shown:
        if row and len(row) <= left:
            kept.append(row)
            left -= len(row)
    return telegram.InlineKeyboardMarkup(kept) if kept else None


def link(label: str, url: str) -> telegram.InlineKeyboardMarkup:
    """One button that opens an address."""
    return telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton(label, url=url)]])


def mentioning(person: Person | None, text: str) -> tuple[str, list[telegram.MessageEntity]]:
    """The text with somebody's name before it, who hears of it, and where the name stands."""
    if person is None or not person.name or not person.id.isdecimal():
        return text, []
    name = clean(person.name)
    user = telegram.User(int(person.id), name, is_bot=False)
    entity = telegram.MessageEntity(telegram.MessageEntity.TEXT_MENTION, 0, units(name), user=user)
    return f"{name}: {text}" if text else name, [entity]
