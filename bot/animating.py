"""From a story to its animation: what is queued, what the engine is asked for, what is kept.

The request is frozen with the SHA-256 of its pictures; the worker puts the pictures in. What has
come of it is taken up again part by part: a segment between two panels, or one living panel.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from math import ceil
from typing import Literal

from PIL import Image

from bot.alt_text import fitted, gap_between, panel_alt
from bot.card import name_of
from bot.chat import File
from bot.drawn import contents_of
from bot.errors import Refusal
from bot.page.animation import moving_pages, moving_panels
from bot.page.export import file_name
from bot.page.layouts import LAYOUTS
from bot.page.letter import opened_rgb, png, side_of
from bot.page.moving import Film, Kind
from bot.page.placing import PagePanel
from bot.page.reducing import Made, made
from bot.pictures import Pictures
from bot.stories import Panel, Stories
from bot.words import say
from engine.request import AnimateRequest, Note

What = Literal["panels", "page"]
WHATS: tuple[What, ...] = ("panels", "page")
KINDS: tuple[Kind, ...] = ("gif", "mp4", "webp")
FRAMES = 8  # of a segment, both ends counted
FRAMES_A_PANEL = 4  # what so many cost counts as one drawn panel


@dataclass(frozen=True)
class Plays:
    """What a chat shows best as a moving picture, and how large it may be."""

    kind: Kind
    most_bytes: int


PLAYS: Mapping[str, Plays] = {
    "discord": Plays("gif", 9_500_000),  # 10 MiB a file; it plays a GIF by itself, a video not
    "telegram": Plays("mp4", 45_000_000),  # an upload has 50 MB; it makes videos of all GIFs
}
USUAL = Plays("gif", 20_000_000)


@dataclass(frozen=True)
class AboutAnimation:
    """What the worker makes an animation of, in `Job.about` of "animate".

    "panels": `panels` are those that the motion goes through. "page": they are the whole story.
    `numbers` are the story's numbers (from 1) of the request's panels. `sources` are the pictures
    (SHA-256) that the job needs; the ledger keeps them for it. `own` is for `bot.deleting`.
    """

    story: str
    title: str  # the heading of a moving page; "" for none
    layout: str
    what: What
    kind: Kind
    most_bytes: int
    panels: tuple[Panel, ...]
    numbers: tuple[int, ...]
    sources: tuple[str, ...]
    called: str = ""  # the title of the story; as of an older version of the bot, too
    own: tuple[int, ...] = ()  # as `bot.requests.own_pictures`; likewise

    def to_json(self) -> str:
        return json.dumps(self, default=vars, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> AboutAnimation:
        fields = json.loads(text)
        panels = tuple(
            Panel(**{**panel, "characters": tuple(panel["characters"])})
            for panel in fields["panels"]
        )
        lists = {name: tuple(fields[name]) for name in ("numbers", "sources")}
        lists["own"] = tuple(fields.get("own", ()))
        return cls(**{**fields, **lists, "panels": panels})

    def name(self, language: str | None) -> str:
        """What the animation is posted as."""
        return name_of(self.called or self.title, self.panels, language)


# -- what the engine is asked for -------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A request whose first frame and first panel have these numbers (from 0) in the whole."""

    request: AnimateRequest
    first_frame: int = 0
    first_panel: int = 0


def there_and_back(request: AnimateRequest) -> int:
    """Frames of one living panel."""
    return 2 * (request.frames - 1)


def frame_count(request: AnimateRequest, what: What) -> int:
    """All frames of an animation."""
    if what == "page" or len(request.pictures) == 1:
        return len(request.pictures) * there_and_back(request)
    return (len(request.pictures) - 1) * (request.frames - 1) + 1


def weight(request: AnimateRequest, what: What) -> int:
    """How many drawn panels it counts as."""
    return ceil(frame_count(request, what) / FRAMES_A_PANEL)


def frames_a_part(request: AnimateRequest, what: What) -> int:
    """After so many frames something is done that need not be drawn again."""
    alone = what == "page" or len(request.pictures) == 1
    return there_and_back(request) if alone else request.frames - 1


def missing_parts(request: AnimateRequest, what: What, kept: Collection[int]) -> Iterator[Part]:
    """What is still to be asked for when the frames `kept` (numbers from 0) are there."""
    length = frames_a_part(request, what)

    def is_done(part: int) -> bool:
        return all(frame in kept for frame in range(part * length, (part + 1) * length))

    if what == "page" or len(request.pictures) == 1:
        for number in range(len(request.pictures)):
            if not is_done(number):
                yield Part(cut_out(request, number, number + 1), number * length, number)
        return
    if all(frame in kept for frame in range(frame_count(request, what))):
        return
    done = 0
    while done < len(request.pictures) - 2 and is_done(done):
        done += 1
    yield Part(cut_out(request, done, len(request.pictures)), done * length, done)


def cut_out(request: AnimateRequest, first: int, end: int) -> AnimateRequest:
    """The request for some of its panels, with everybody's descriptions."""
    return replace(request, panels=request.panels[first:end], pictures=request.pictures[first:end])


async def filled(part: Part, pictures: Pictures) -> tuple[Part, bool]:
    """The part with pictures in place of their SHA-256; and whether some had to be fitted.

    Raises Refusal where one is gone.
    """
    contents = [await pictures.read(sha) for sha in part.request.pictures]
    same, was_fitted = await asyncio.to_thread(same_size, contents)
    encoded = tuple(b64encode(content).decode("ascii") for content in same)
    return replace(part, request=replace(part.request, pictures=encoded)), was_fitted


def same_size(contents: Sequence[bytes]) -> tuple[list[bytes], bool]:
    """All pictures as large as the first, the middle of those that are wider or higher."""
    with Image.open(BytesIO(contents[0])) as first:
        size = first.size
    fit = [fitted_to(content, size) for content in contents]
    return fit, any(a is not b for a, b in zip(fit, contents, strict=True))


def fitted_to(content: bytes, size: tuple[int, int]) -> bytes:
    picture = opened_rgb(content)
    if picture.size == size:
        return content
    scale = max(size[0] / picture.width, size[1] / picture.height)
    width, height = size[0] / scale, size[1] / scale
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    box = (left, top, left + width, top + height)
    return png(picture.resize(size, Image.Resampling.LANCZOS, box))


def in_story(note: Note, part: Part, about: AboutAnimation) -> Note:
    """A note of the engine on a part, with the panels' numbers in the story."""
    places = [part.first_panel + panel for panel in note.panels]
    known = [about.numbers[place] - 1 for place in places if place < len(about.numbers)]
    return replace(note, panels=tuple(known))


# -- what comes of it -------------------------------------------------------------------------


async def animated(
    about: AboutAnimation, request: AnimateRequest, drawn: Mapping[int, str], pictures: Pictures
) -> list[Made]:
    """The files of an animation whose frames are all there. Raises Refusal and UserError."""
    count = frame_count(request, about.what)
    if any(number not in drawn for number in range(count)):
        raise Refusal("store.picture_gone")
    frames = [await pictures.read(drawn[number]) for number in range(count)]
    contents = await contents_of(pictures, about.panels)
    return await asyncio.to_thread(files_made, about, request.frames, contents, frames)


def files_made(
    about: AboutAnimation, segment: int, contents: Sequence[bytes], frames: Sequence[bytes]
) -> list[Made]:
    panels = [
        PagePanel(opened_rgb(content), p.caption, p.kind, side_of(p.speaker, p.characters))
        for content, p in zip(contents, about.panels, strict=True)
    ]
    films = films_of(about, panels, segment, frames)
    return [made(film, about.kind, about.most_bytes) for film in films]


def films_of(
    about: AboutAnimation, panels: Sequence[PagePanel], segment: int, frames: Sequence[bytes]
) -> list[Film]:
    if about.what == "panels":
        lettered = LAYOUTS[about.layout].typeset
        return [moving_panels(panels, frames, segment, lettered=lettered)]
    length = 2 * (segment - 1)
    alive = {
        number - 1: frames[place * length : (place + 1) * length]
        for place, number in enumerate(about.numbers)
    }
    return moving_pages(panels, about.layout, alive, about.title or None)


def reductions_in_words(language: str | None, files: Sequence[Made]) -> list[str]:
    """What a person would notice, said once for all files."""
    said = []
    for one in (reduction for file in files for reduction in file.reductions):
        if one.what == "frames":
            said.append(say(language, "animate.fewer", count=one.after, before=one.before))
        elif one.what == "size":
            said.append(say(language, "animate.smaller", pixels=one.after, before=one.before))
        else:
            said.append(say(language, "animate.coarser"))
    return list(dict.fromkeys(said))


async def animation_files(
    stories: Stories, pictures: Pictures, about: AboutAnimation, job: int, language: str | None
) -> tuple[File, ...]:
    """What a job has made, to show. Raises Refusal if it is gone."""
    kept = await stories.animations.of(about.story, job)
    if not kept:
        raise Refusal("store.picture_gone")
    title = about.name(language)
    head = say(language, "animate.alt", title=title)
    said = [panel_alt(number, panel, language) for number, panel in numbered_panels(about)]
    alt = fitted(head, said, gap=gap_between(language))
    name = file_name(title)
    names = [f"{name}.{one.kind}" for one in kept]
    if len(kept) > 1:
        names = [f"{name}-{one.number}.{one.kind}" for one in kept]
    contents = [await pictures.read(one.sha) for one in kept]
    return tuple(File(n, c, alt) for n, c in zip(names, contents, strict=True))


def numbered_panels(about: AboutAnimation) -> list[tuple[int, Panel]]:
    """The panels with their numbers in the story."""
    if about.what == "page":
        return list(enumerate(about.panels, 1))
    return list(zip(about.numbers, about.panels, strict=True))
