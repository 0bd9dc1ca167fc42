"""Which words are refused where: those that a server has blocked, and what is not drawn there.

What was typed is looked at before it is kept or queued. What the engine translates is looked at
when it says so, before it draws: as if its person had typed it in English.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.animating import AboutAnimation
from bot.blocked_words import blocked_word
from bot.config import SafetyConfig
from bot.errors import Refusal, quoted
from bot.job import NewJob
from bot.memes import AboutMeme
from bot.people import People, ServerSettings
from bot.requests import AboutPage
from bot.safety import safe_words
from engine.request import AnimateRequest, DrawRequest


class TranslationCheck:
    """Looks at translations where the jobs were asked for, with what those servers have set."""

    def __init__(self, people: People, safety: SafetyConfig) -> None:
        self._people, self._safety = people, safety

    async def check(self, job: NewJob, translated: Iterable[str]) -> None:
        """Refuses a job with what has become of its words. Raises Refusal and StoreTrouble."""
        server = job.server
        settings = ServerSettings() if server is None else await self._people.server(server)
        check_job_texts(job, settings, self._safety, translated)


def check_job_texts(
    job: NewJob, settings: ServerSettings, safety: SafetyConfig, translated: Iterable[str] = ()
) -> None:
    """Refuses a job with these words. Raises Refusal.

    Typed and translated words count together: one panel may be typed in English, another not.
    """
    kind = AnimateRequest if job.kind == "animate" else DrawRequest
    request = kind.from_json(job.request)
    kept_away = [panel.negative for panel in request.panels]
    check_texts(settings, safety, [*job_texts(job, request), *translated], kept_away)


def check_texts(
    settings: ServerSettings,
    safety: SafetyConfig,
    texts: Iterable[str | None],
    kept_away: Iterable[str] = (),
) -> None:
    """Refuses words that a server has blocked, and what is not drawn there. Raises Refusal.

    `kept_away` are words for what shall not be seen: they may name what is not drawn.
    """
    written = [text for text in texts if text]
    word = blocked_word(settings.blocked_words, [*written, *kept_away])
    if word is not None:
        raise Refusal("commands.blocked_word", word=quoted(word))
    safe_words(safety.folder).check(settings.strictness or safety.strictness, written)


def job_texts(job: NewJob, request: AnimateRequest | DrawRequest) -> Iterator[str | None]:
    """All that was written by people in a job, but what shall not be seen."""
    for character in request.characters:
        yield from (character.name, character.description)
    yield from (panel.text for panel in request.panels)
    if job.kind == "meme-draw":
        yield AboutMeme.from_json(job.about).scene
    elif job.kind == "animate":
        moving = AboutAnimation.from_json(job.about)
        yield moving.title
        yield from (panel.caption for panel in moving.panels)
    elif job.kind != "sheet":
        page = AboutPage.from_json(job.about)
        yield page.title
        yield from (panel.caption for panel in page.panels)
