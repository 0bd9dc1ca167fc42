"""The gallery: one copy of a page that has got enough stars, and true counts under both posts.

A copy goes when its page's story does. Whatever somebody else has removed is not put back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from bot import announce
from bot.buttons import button
from bot.card import Rows, page_buttons, title_of
from bot.chat import CannotPost, Chat, Place, Post
from bot.drawn import page_files
from bot.errors import Refusal
from bot.people import People
from bot.pictures import Pictures
from bot.posting import remembers
from bot.sharing import audiences
from bot.stars import GONE, Exhibit, Stars, Which
from bot.stories import Stories, Story
from bot.words import say

EDIT_SECONDS = 5.0  # between two edits of one post: platforms ask for it
ROUND_SECONDS = 1.0
REFUSED_SECONDS = 60.0  # after something went wrong
MOST_FILES = 10  # a post

log = logging.getLogger(__name__)


class Gallery:
    """Brings posts up to date with `Stars`: those of a server one after the other, so that a slow
    one holds up no other."""

    def __init__(
        self,
        stars: Stars,
        chats: Mapping[str, Chat],
        people: People,
        stories: Stories,
        pictures: Pictures,
    ) -> None:
        self._stars, self._chats = stars, chats
        self._people, self._stories, self._pictures = people, stories, pictures
        self._due: dict[int, float] = {}  # by job: when its posts may be touched again
        self._under_way: dict[str, asyncio.Task[None]] = {}  # by server

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    await self.round()
                except Refusal as trouble:  # such as a full disk: the next round may do
                    log.warning("the gallery cannot be looked at: %s", trouble)
                except Exception:
                    log.exception("the gallery stumbled")
                    await asyncio.sleep(REFUSED_SECONDS)
                await asyncio.sleep(ROUND_SECONDS)
        finally:
            tasks = list(self._under_way.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def round(self) -> None:
        """Begins to bring up to date what has changed and may be touched."""
        now = time.monotonic()
        self._due = {job: due for job, due in self._due.items() if due > now}
        by_server: defaultdict[str, list[Exhibit]] = defaultdict(list)
        for exhibit in await self._stars.to_show():
            if exhibit.job not in self._due:
                by_server[f"{exhibit.place.chat}:{exhibit.place.server}"].append(exhibit)
        for server, exhibits in by_server.items():
            if server not in self._under_way:
                task = asyncio.create_task(self._keep(exhibits))
                self._under_way[server] = task
                task.add_done_callback(partial(self._kept, server))

    def _kept(self, server: str, task: asyncio.Task[None]) -> None:
        del self._under_way[server]

    async def _keep(self, exhibits: Sequence[Exhibit]) -> None:
        for exhibit in exhibits:
            wait = REFUSED_SECONDS
            try:
                wait = await self._try(exhibit)
            except Refusal as trouble:
                log.warning("stars of job %d: %s", exhibit.job, trouble)
            except Exception:
                log.exception("stars of job %d cannot be shown", exhibit.job)
            self._due[exhibit.job] = time.monotonic() + wait

    async def _try(self, exhibit: Exhibit) -> float:
        """Brings its posts up to date, if that goes now; for how many seconds to leave them."""
        try:
            await self._bring_up_to_date(exhibit)
        except CannotPost as error:
            log.info("stars of job %d: %s", exhibit.job, error)
            if not error.again and not error.unknown:  # the next star is the next try
                await self._stars.seen(exhibit)
            return max(REFUSED_SECONDS, error.wait or 0)
        return EDIT_SECONDS

    async def _bring_up_to_date(self, exhibit: Exhibit) -> None:
        """Raises CannotPost where it is to be tried again."""
        if exhibit.story is None or exhibit.owner is None:
            await self._take_down(exhibit)
            return
        story = await self._story(exhibit.story, exhibit.owner)
        if story is not None:
            await self._show_page(exhibit, story)
            await self._show_copy(exhibit, story)
        await self._stars.seen(exhibit)

    async def _story(self, story: str, owner: str) -> Story | None:
        """None where it is gone this moment."""
        try:
            return await self._stories.get(story, owner)
        except Refusal:
            return None

    async def _show_page(self, exhibit: Exhibit, story: Story) -> None:
        """The number of stars under the page itself."""
        if not exhibit.message or exhibit.shown == exhibit.stars:
            return
        rows = page_buttons(story.id, exhibit.language)
        stars = announce.star_row(exhibit.job, exhibit.stars)
        await self._edit(exhibit, "page", exhibit.place, exhibit.message, (*rows, stars))

    async def _show_copy(self, exhibit: Exhibit, story: Story) -> None:
        """The copy in the gallery: made when there are enough stars, then kept true."""
        message, place = exhibit.copy_message, exhibit.copy_place
        if place is not None and message is not None:
            if message != GONE and exhibit.copy_shown != exhibit.stars:
                await self._edit(
                    exhibit, "copy", place, message, copy_buttons(exhibit, story, place)
                )
        elif place is not None:
            await self._send_again(exhibit, story, place)
        elif exhibit.gallery is not None and exhibit.stars >= exhibit.threshold:
            await self._send(exhibit, story, exhibit.gallery)

    async def _copy(self, exhibit: Exhibit, story: Story, place: Place) -> Post | None:
        """The page as it hangs in the gallery; None where it is gone this moment."""
        try:
            shas = await self._stories.pages(story.id, exhibit.job)
            pages = [await self._pictures.read(sha) for sha in shas]
        except Refusal:
            return None
        account = await self._people.find(story.owner)
        if not pages or account is None:
            return None
        title, language = title_of(story, exhibit.language), exhibit.language
        files = page_files(title, pages, story.panels, language, story.layout)[:MOST_FILES]
        text = say(language, "stars.copy", title=title, name=account.name)
        return Post(place, text, files, copy_buttons(exhibit, story, place))

    async def _send(self, exhibit: Exhibit, story: Story, gallery: Place) -> None:
        post = await self._copy(exhibit, story, gallery)
        nonce = await self._stars.begin_copy(exhibit, gallery) if post is not None else None
        if post is None or nonce is None:
            return
        try:
            message = await self._chat(gallery).post(replace(post, nonce=nonce))
        except CannotPost as error:
            if not error.unknown:
                await self._stars.copy_not_sent(exhibit)
            raise
        await self._stars.posted(exhibit, "copy", message)

    async def _send_again(self, exhibit: Exhibit, story: Story, gallery: Place) -> None:
        """An earlier try may have arrived: only a chat that still knows its nonce is asked."""
        chat, nonce = self._chat(gallery), exhibit.copy_nonce
        if nonce is None or not remembers(chat, nonce):
            log.warning("stars of job %d: nobody knows whether its copy arrived", exhibit.job)
            await self._stars.posted(exhibit, "copy", GONE)
            return
        post = await self._copy(exhibit, story, gallery)
        if post is None:
            return
        message = await chat.post(replace(post, nonce=nonce))
        await self._stars.posted(exhibit, "copy", message)

    async def _edit(
        self, exhibit: Exhibit, which: Which, place: Place, message: str, buttons: Rows
    ) -> None:
        """Changes the buttons under a post; one that somebody has removed stays removed."""
        post = Post(place, buttons=buttons, edit=message, buttons_only=True)
        try:
            now = await self._chat(place).post(post)
        except CannotPost as error:
            if error.again or error.unknown:  # an edit may be done twice
                raise
            log.info("stars of job %d cannot be shown: %s", exhibit.job, error)
            now = message
        await self._stars.posted(exhibit, which, now)

    async def _take_down(self, exhibit: Exhibit) -> None:
        if exhibit.copy_place is not None and exhibit.copy_message:
            chat = self._chat(exhibit.copy_place)
            try:
                await chat.remove(exhibit.copy_place, exhibit.copy_message)
            except CannotPost as error:
                if error.again or error.unknown:
                    raise
                log.warning("job %d stays in the gallery: %s", exhibit.job, error)
        await self._stars.drop(exhibit)

    def _chat(self, place: Place) -> Chat:
        chat = self._chats.get(place.chat)
        if chat is None:  # its token was taken out of the settings; it may come back
            raise CannotPost(f'the chat "{place.chat}" is not running', again=True, wait=300)
        return chat


def copy_buttons(exhibit: Exhibit, story: Story, place: Place) -> Rows:
    """What stands under the copy; whoever may see the story there may remix it."""
    buttons = announce.star_row(exhibit.job, exhibit.stars)
    if set(audiences(f"{place.chat}:{place.server}")).intersection(story.shared_with):
        label = say(exhibit.language, "button.remix")
        buttons = (*buttons, button(label, "remix", story.id))
    return (buttons,)
