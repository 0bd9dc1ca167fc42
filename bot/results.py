"""What becomes of a job's pictures: lettered pages of a story, or a character's sheet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot import announce
from bot.alt_text import MOST_ALT
from bot.animating import AboutAnimation, animated, animation_files, reductions_in_words
from bot.announce import Announcement
from bot.characters import Characters
from bot.chat import File
from bot.drawn import lettered, page_files
from bot.editing import look_tag
from bot.errors import Refusal, printable
from bot.job import Job
from bot.jobs import Ledger
from bot.memes import AboutMeme, meme_files
from bot.page.moving import has_video
from bot.page.sheet import character_sheet
from bot.pictures import Pictures
from bot.requests import AboutPage, AboutSheet
from bot.sentences import cut
from bot.stories import Panel, Stories, Story
from bot.words import say
from engine.request import AnimateRequest

Drawn = Mapping[int, str]  # panel index of the request → SHA-256


@dataclass(frozen=True)
class Results:
    """Keeps what was drawn, and reads it again to be shown."""

    ledger: Ledger
    pictures: Pictures
    stories: Stories
    characters: Characters

    async def keep(self, job: Job) -> None:
        """Makes pages or a sheet of a job whose pictures are all there, and keeps them.

        Doing it twice does no harm. Raises UserError, such as for a font that is missing.
        """
        drawn = await self.ledger.pictures(job.id)
        if job.kind == "sheet":
            await self._keep_sheet(job, drawn)
        elif job.kind == "meme-draw":
            await self.files(job)  # made anew whenever it is shown; here it is found out if it can
        elif job.kind == "animate":
            await self._keep_animation(job, drawn)
        else:
            await self._keep_pages(job, drawn)

    async def files(self, job: Job) -> tuple[File, ...]:
        """What the person gets to see. Raises Refusal if it is gone."""
        if job.kind == "sheet":
            return await self._sheet_files(job)
        if job.kind == "meme-draw":
            drawn = await self.ledger.pictures(job.id)
            return await meme_files(
                self.pictures, AboutMeme.from_json(job.about), drawn, job.language
            )
        if job.kind == "animate":
            moving = AboutAnimation.from_json(job.about)
            return await animation_files(self.stories, self.pictures, moving, job.id, job.language)
        about = AboutPage.from_json(job.about)
        shas = await self.stories.pages(about.story, job.id)
        if not shas:
            raise Refusal("store.no_story")
        pages = [await self.pictures.read(sha) for sha in shas]
        title = about.name(job.language)
        return page_files(title, pages, about.panels, job.language, about.layout)

    async def announcement(self, job: Job) -> Announcement:
        """What is said with the files."""
        if job.kind == "sheet":
            return announce.drawn(job, printable(AboutSheet.from_json(job.about).name))
        if job.kind == "meme-draw":
            return announce.drawn(job, printable(AboutMeme.from_json(job.about).name))
        if job.kind == "animate":
            return announce.drawn(job, AboutAnimation.from_json(job.about).name(job.language))
        about = AboutPage.from_json(job.about)
        title = about.name(job.language)
        return announce.drawn(job, title, about.number, draft=about.quality == "draft")

    async def _keep_pages(self, job: Job, drawn: Drawn) -> None:
        about = AboutPage.from_json(job.about)
        panels = with_pictures(about, drawn, await self._story(job, about))
        pages = await lettered(self.pictures, panels, about.layout, about.title)
        await self._give_pictures(job, about, drawn)
        shas = [await self.pictures.add(page) for page in pages]
        await self.stories.set_pages(about.story, job.id, shas)

    async def _give_pictures(self, job: Job, about: AboutPage, drawn: Drawn) -> None:
        """Gives the story's panels their pictures, where they still are what was drawn."""
        story = await self._story(job, about)
        if story is None:
            return
        for panel in still_so(story, about, sorted(drawn)):
            sha = drawn[about.panels.index(panel)]
            await self.stories.set_picture(story.id, panel.id, sha)

    async def _story(self, job: Job, about: AboutPage) -> Story | None:
        """The story as it is now; None if it was deleted meanwhile."""
        try:
            return await self.stories.get(about.story, job.person)
        except Refusal:
            return None

    async def has_animation(self, job: Job, about: AboutAnimation) -> bool:
        """Whether an earlier attempt got as far as its files: its frames may be gone since."""
        return bool(await self.stories.animations.of(about.story, job.id))

    async def _keep_animation(self, job: Job, drawn: Drawn) -> None:
        about = AboutAnimation.from_json(job.about)
        if await self.has_animation(job, about):
            return
        if about.kind == "mp4" and not has_video():
            about = replace(about, kind="gif")
            await self.ledger.notes.add(job.id, say(job.language, "animate.no_video"))
        request = AnimateRequest.from_json(job.request)
        files = await animated(about, request, drawn, self.pictures)
        for words in reductions_in_words(job.language, files):
            await self.ledger.notes.add(job.id, words)
        shas = [await self.pictures.add(file.content) for file in files]
        await self.stories.animations.keep(about.story, job.id, about.kind, shas)

    async def _keep_sheet(self, job: Job, drawn: Drawn) -> None:
        about = AboutSheet.from_json(job.about)
        sha = await self.pictures.add(await sheet_of(self.pictures, about, drawn))
        await self.characters.set_sheet(about.character, about.look, sha)

    async def _sheet_files(self, job: Job) -> tuple[File, ...]:
        about = AboutSheet.from_json(job.about)
        await self.characters.get(about.character, job.person, job.server)  # is it still theirs?
        drawn = await self.ledger.pictures(job.id)
        return await sheet_files(self.pictures, about, drawn, job.language)


async def sheet_of(pictures: Pictures, about: AboutSheet, drawn: Drawn) -> bytes:
    """A character in the poses that were drawn. Raises Refusal if they are gone."""
    if not drawn:
        raise Refusal("store.picture_gone")
    contents = [await pictures.read(drawn[index]) for index in sorted(drawn)]
    return await asyncio.to_thread(character_sheet, contents, about.name, about.description)


async def sheet_files(
    pictures: Pictures, about: AboutSheet, drawn: Drawn, language: str | None
) -> tuple[File, ...]:
    """The sheet as it was asked for, to show: the character may look otherwise by now.

    Whoever asks must have got the character by `get`. Raises Refusal if its pictures are gone.
    """
    name, description = printable(about.name), printable(about.description)
    alt = say(language, "delivery.sheet_alt", name=name, description=description)
    content = await sheet_of(pictures, about, drawn)
    return (File("character.png", content, cut(alt, MOST_ALT)),)


def with_pictures(about: AboutPage, drawn: Drawn, story: Story | None) -> tuple[Panel, ...]:
    """The frozen panels, each with the job's picture where it has one.

    The others may have been drawn anew while the job waited: they get the picture that the story
    has now, as long as it shows the same.
    """
    now: dict[str, str | None] = {}
    if story is not None:
        same = {panel.id for panel in still_so(story, about, range(len(about.panels)))}
        now = {panel.id: panel.picture for panel in story.panels if panel.id in same}
    return tuple(
        replace(panel, picture=drawn.get(index) or now.get(panel.id) or panel.picture)
        for index, panel in enumerate(about.panels)
    )


def still_so(story: Story, about: AboutPage, indices: Sequence[int]) -> list[Panel]:
    """The frozen panels that the story still has and that would be drawn the same today."""
    today = {panel.id: look_tag(story, panel) for panel in story.panels}
    frozen = [(about.panels[index], about.looks[index]) for index in indices]
    return [panel for panel, look in frozen if today.get(panel.id) == look]
