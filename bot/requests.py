"""From a story to what is queued: the frozen `DrawRequest`, and what a page is made of afterwards.

Everything is frozen when the job is queued, so that later edits do not change a waiting page.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Literal

from PIL import Image

from bot.card import name_of, page_title
from bot.characters import STRENGTH, Characters, Look, SavedCharacter, look_of
from bot.chat import Place
from bot.config import EngineConfig
from bot.editing import look_tag
from bot.errors import Refusal
from bot.jobs import NewJob
from bot.pictures import Pictures
from bot.stories import CastMember, Panel, Story
from bot.without import panel_request
from engine.models import find_model
from engine.prompts import CHINESE
from engine.request import CharacterRequest, DrawRequest, PanelRequest

REFERENCE_PIXELS = 512  # a reference travels in the job's row; more only for larger panels
KEPT_REFERENCES = 32  # made small, of 1 or 3 MB each: they are sent anew with every redraw
POSES = ("standing", "waving", "sitting", "running")
POSES_ZH = ("站着", "挥手", "坐着", "跑步")


@dataclass(frozen=True)
class AboutPage:
    """What the worker makes a page of, in `Job.about` of "draw" and "redraw".

    `panels` are frozen as they were; those whose numbers (from 0) are in `drawn` get the job's
    pictures, the others have theirs. `title` is the heading of the first page, "" for none, and
    `called` the title of the story, which a page without a heading has too; `number` is the panel,
    from 1, of a redraw. `own` is for `bot.deleting`.
    """

    story: str
    title: str
    style: str
    layout: str
    panels: tuple[Panel, ...]
    drawn: tuple[int, ...]
    number: int | None
    looks: tuple[str, ...]  # `look_tag` of each panel: does a picture still fit the story?
    quality: str = ""  # as of an older version of the bot, too
    called: str = ""  # likewise
    own: tuple[int, ...] = ()  # as `own_pictures`; likewise

    def to_json(self) -> str:
        return json.dumps(self, default=vars, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> AboutPage:
        fields = json.loads(text)
        panels = tuple(
            Panel(**{**panel, "characters": tuple(panel["characters"])})
            for panel in fields["panels"]
        )
        lists = {name: tuple(fields[name]) for name in ("drawn", "looks")}
        lists["own"] = tuple(fields.get("own", ()))
        return cls(**{**fields, **lists, "panels": panels})

    def name(self, language: str | None) -> str:
        """What the page is posted as."""
        return name_of(self.called or self.title, self.panels, language)


@dataclass(frozen=True)
class AboutSheet:
    """What the worker makes a character's sheet of, in `Job.about` of "sheet".

    All but the id is frozen, and tells whether the sheet still shows the character.
    """

    character: str
    name: str
    description: str
    seed: int | None = None  # None: an older version of the bot has queued it
    reference: str | None = None
    strength: int = 50  # percent; as it was for all when an older version queued it

    @classmethod
    def of(cls, character: SavedCharacter) -> AboutSheet:
        return cls(character.id, *look_of(character))

    @property
    def look(self) -> Look:
        return (self.name, self.description, self.seed, self.reference, self.strength)

    def to_json(self) -> str:
        return json.dumps(self, default=vars, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> AboutSheet:
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Requests:
    """Builds requests; reads the saved characters and pictures that a cast refers to.

    The references that were used last are kept as they are sent, in memory only.
    """

    characters: Characters
    pictures: Pictures
    engine: EngineConfig
    _small: dict[tuple[str, int], str] = field(  # by SHA-256 and pixels
        default_factory=dict, init=False, repr=False, compare=False
    )

    async def of_story(self, story: Story, server: str | None, only: Sequence[int]) -> DrawRequest:
        """Draws the panels `only` (from 0) of a story, or all where that is all of them."""
        whole = len(only) == len(story.panels)
        model = self.model_of(story)
        spec = find_model(model)
        way = spec.way(story.quality) if story.quality else None
        return DrawRequest(
            characters=tuple(
                [await self._member(story.owner, m, server, spec.size) for m in story.cast]
            ),
            panels=tuple(panel_request(p, p.seed) for p in story.panels),
            style=story.style,
            seed=story.seed,
            model=model,
            preset=story.quality,
            steps=way.steps if way else None,
            guidance=way.guidance if way else None,
            identity_panels=self.engine.identity_panels,
            micro_batch=self.engine.micro_batch,
            only=None if whole else tuple(only),
            previews=self.engine.shown_previews,
        )

    def model_of(self, story: Story) -> str:
        """The model that draws a story; the configured one where its own is offered no more."""
        return self.engine.drawing_with(story.model)

    async def of_sheet(self, character: SavedCharacter, style: str) -> DrawRequest:
        """The same person in four poses."""
        poses = POSES_ZH if CHINESE.search(character.description) else POSES
        return DrawRequest(
            characters=(
                CharacterRequest(
                    character.name,
                    character.description,
                    character.seed,
                    await self._picture(character.reference, find_model(self.engine.model).size),
                    character.strength / 100,
                ),
            ),
            panels=tuple(
                PanelRequest(f"[{character.name}] {pose}", (character.name,)) for pose in poses
            ),
            style=style,
            seed=character.seed,
            model=self.engine.model,
            identity_panels=self.engine.identity_panels,
            micro_batch=self.engine.micro_batch,
            previews=self.engine.shown_previews,
        )

    async def _member(
        self, owner: str, member: CastMember, server: str | None, pixels: int
    ) -> CharacterRequest:
        """`pixels`: a side of the panels for which it is."""
        seed, reference, strength = None, member.reference, STRENGTH
        if member.character is not None:
            try:
                saved = await self.characters.get(member.character, owner, server)
            except Refusal:  # deleted or no longer shared: the words are still the story's own
                pass
            else:
                seed, reference = saved.seed, reference or saved.reference
                strength = saved.strength
        picture = await self._picture(reference, pixels)
        return CharacterRequest(member.name, member.description, seed, picture, strength / 100)

    async def _picture(self, sha: str | None, pixels: int) -> str | None:
        if sha is None:
            return None
        side = max(REFERENCE_PIXELS, pixels)
        content = await self.pictures.read(sha)  # raises Refusal once it was deleted, kept or not
        kept = self._small.pop((sha, side), "") or await asyncio.to_thread(small, content, side)
        self._small[sha, side] = kept  # at the end: those used longest ago come first, and go
        while len(self._small) > KEPT_REFERENCES:
            del self._small[next(iter(self._small))]
        return kept


def small(content: bytes, side: int) -> str:
    """A picture as base64 of a PNG of at most `side` pixels a side. Not for the loop."""
    picture = Image.open(BytesIO(content)).convert("RGB")
    picture.thumbnail((side, side))
    file = BytesIO()
    picture.save(file, "PNG")
    return b64encode(file.getvalue()).decode("ascii")


def own_pictures(story: Story) -> tuple[int, ...]:
    """Who of the cast (from 0) has a picture of the story's own: it stays when a character goes."""
    return tuple(at for at, member in enumerate(story.cast) if member.reference is not None)


def page_job(
    story: Story,
    request: DrawRequest,
    *,
    place: Place,
    server: str | None,
    language: str,
    number: int | None = None,
) -> NewJob:
    """The job that draws a page, or one panel (`number`, from 1) of it anew."""
    drawn = tuple(range(len(story.panels))) if request.only is None else request.only
    about = AboutPage(
        story=story.id,
        title=page_title(story),
        style=story.style,
        layout=story.layout,
        panels=story.panels,
        drawn=drawn,
        number=number,
        looks=tuple(look_tag(story, panel) for panel in story.panels),
        quality=story.quality,
        called=story.title,
        own=own_pictures(story),
    )
    kind: Literal["draw", "redraw"] = "draw" if number is None else "redraw"
    return NewJob(
        person=story.owner,
        place=place_json(place),
        server=server,
        kind=kind,
        story=story.id,
        request=request.to_json(),
        about=about.to_json(),
        panels=len(drawn),
        language=language,
    )


def character_job(
    kind: Literal["sheet", "meme-draw"],
    about: str,
    request: DrawRequest,
    *,
    person: str,
    place: Place,
    server: str | None,
    language: str,
) -> NewJob:
    """The job that draws a character outside of any story; `about` is the kind's own JSON."""
    return NewJob(
        person=person,
        place=place_json(place),
        server=server,
        kind=kind,
        story=None,
        request=request.to_json(),
        about=about,
        panels=len(request.panels),
        language=language,
    )


def place_json(place: Place) -> str:
    return json.dumps(place, default=vars, ensure_ascii=False)


def place_from_json(text: str) -> Place:
    return Place(**json.loads(text))
