"""Memes that are drawn: one panel of a saved character, with words on it or above it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from bot.characters import SavedCharacter
from bot.chat import File
from bot.editing import random_seed
from bot.errors import Refusal, printable
from bot.page.meme import meme
from bot.pictures import Pictures
from bot.requests import Requests
from bot.words import say
from engine.request import DrawRequest, PanelRequest


@dataclass(frozen=True)
class AboutMeme:
    """What the worker makes of the picture, in `Job.about` of "meme-draw".

    `words` are the arguments of `bot.page.meme.meme`: top, bottom, caption.
    """

    name: str  # of the character
    words: Mapping[str, str] = field(default_factory=dict)
    character: str = ""  # its id; "": an older version of the bot has queued it

    @property
    def scene(self) -> str:
        """All the words, as they are read."""
        order = ("caption", "top", "bottom")
        return " ".join(filter(None, (self.words.get(name, "").strip() for name in order)))

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> AboutMeme:
        return cls(**json.loads(text))


async def meme_request(
    requests: Requests, character: SavedCharacter, about: AboutMeme, style: str
) -> DrawRequest:
    """One panel of what the words say. Raises Refusal if the character's picture is gone."""
    sheet = await requests.of_sheet(character, style)
    panel = PanelRequest(f"[{character.name}] {about.scene}", (character.name,))
    return replace(sheet, panels=(panel,), seed=random_seed())


async def meme_files(
    pictures: Pictures, about: AboutMeme, drawn: Mapping[int, str], language: str
) -> tuple[File, ...]:
    """The picture (`drawn`: 0 → SHA-256) with its words. Raises Refusal if it is gone."""
    if 0 not in drawn:
        raise Refusal("store.picture_gone")
    picture = await pictures.read(drawn[0])
    content = await asyncio.to_thread(lambda: meme(picture, **about.words))
    alt = say(language, "meme.alt", name=printable(about.name), words=printable(about.scene))
    return (File("meme.png", content, alt),)
