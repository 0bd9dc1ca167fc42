"""In which requests something is shown: texts, single files, and albums of photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import telegram

from adapters.telegram_files import Upload
from adapters.telegram_text import MOST_CAPTION, mentioning, split, units
from bot.chat import Person

MOST_IN_ALBUM = 10
UNNAMED = "…"  # what stands over buttons that come without words

Markup = telegram.InlineKeyboardMarkup | telegram.ForceReply


@dataclass(frozen=True)
class Part:
    """One request: a text, or files with a caption. Several files are an album of photos."""

    text: str = ""
    files: tuple[Upload, ...] = ()
    markup: Markup | None = None
    entities: tuple[telegram.MessageEntity, ...] = ()


def parts(
    text: str, files: Sequence[Upload], markup: Markup | None, mention: Person | None = None
) -> list[Part]:
    """In which requests it is shown: the buttons stand under the last one."""
    text, names = mentioning(mention, text)
    entities = tuple(names)
    groups = grouped(files)
    single = len(groups) == 1 and len(groups[0]) == 1
    if not groups or units(text) > MOST_CAPTION or (markup is not None and not single):
        words = split(text) or ([UNNAMED] if markup is not None else [])
        texts = [Part(piece) for piece in words]
        if texts:
            texts[0] = Part(texts[0].text, entities=entities)
            texts[-1] = Part(texts[-1].text, markup=markup, entities=texts[-1].entities)
        return [*(Part(files=group) for group in groups), *texts]
    first = Part(text, groups[0], markup, entities)
    return [first, *(Part(files=group) for group in groups[1:])]


def grouped(files: Sequence[Upload]) -> list[tuple[Upload, ...]]:
    """Photos that follow each other as albums, everything else by itself."""
    groups: list[tuple[Upload, ...]] = []
    for upload in files:
        last = groups[-1] if groups else ()
        joins = last and last[0].way == upload.way == "photo" and len(last) < MOST_IN_ALBUM
        if joins:
            groups[-1] = (*last, upload)
        else:
            groups.append((upload,))
    return groups
