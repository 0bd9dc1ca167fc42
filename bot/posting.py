"""Posting once: a mark is in the database before a post is sent and after it was confirmed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from bot.card import card_of
from bot.chat import CannotPost, Chat, Person, Place, Post
from bot.job import Job
from bot.posts import Posts


class Poster:
    """Sends what belongs to jobs, to whichever chat they came from."""

    def __init__(self, chats: Mapping[str, Chat], posts: Posts) -> None:
        self._chats = chats
        self._posts = posts

    async def once(self, job: Job, purpose: str, post: Post) -> str | None:
        """Sends a post unless it was sent before; returns the platform's id of it.

        Raises CannotPost; `unknown` where nobody can tell whether it arrived, now or earlier.
        """
        chat = self._chat(post.place)
        mark = await self._posts.begin(job.id, purpose)
        if mark is None:
            return await self.message(job, purpose)
        if mark.unsure and not chat.knows_nonces:
            raise CannotPost("an earlier try may have arrived", unknown=True)
        try:
            about = (card_of(job.story),) if job.story is not None else ()
            message = await chat.post(replace(post, nonce=mark.nonce, about=about))
        except CannotPost as error:
            if error.unknown and chat.knows_nonces:
                raise CannotPost(str(error), again=True, wait=error.wait) from error
            if not error.unknown and not mark.unsure:
                await self._posts.not_sent(mark.nonce)
            raise
        await self._posts.sent(mark.nonce, message)
        return message

    async def edit(self, message: str, post: Post) -> str:
        """Changes an earlier post; doing it twice does no harm. Raises CannotPost."""
        return await self._chat(post.place).post(replace(post, edit=message))

    async def message(self, job: Job, purpose: str) -> str | None:
        """The id of a post of this job that was sent."""
        return await self._posts.message(job.id, purpose)

    def _chat(self, place: Place) -> Chat:
        chat = self._chats.get(place.chat)
        if chat is None:  # its token was taken out of the settings; it may come back
            raise CannotPost(f'the chat "{place.chat}" is not running', again=True, wait=300)
        return chat


def place_of(job: Job) -> Place:
    return Place(**json.loads(job.place))


def person_of(job: Job) -> Person:
    chat, _, id = job.person.partition(":")
    return Person(chat, id, "")
