"""Posting once: a mark is in the database before a post is sent and after it was confirmed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from bot.card import cards_of_job
from bot.chat import CannotPost, Chat, Person, Place, Post
from bot.job import Job
from bot.posts import Posts, age_of


class Poster:
    """Sends what belongs to jobs, to whichever chat they came from."""

    def __init__(self, chats: Mapping[str, Chat], posts: Posts) -> None:
        self._chats = chats
        self._posts = posts

    async def once(
        self, job: Job, purpose: str, post: Post, *, harmless: bool = False
    ) -> str | None:
        """Sends a post unless it was sent before; returns the platform's id of it.

        Raises CannotPost; `unknown` where nobody can tell whether it arrived, now or earlier.
        `harmless`: words that a platform with nonces is asked to show however late it is. Should it
        have forgotten them, they had better come twice than never.
        """
        chat = self._chat(post.place)
        mark = await self._posts.begin(job.id, purpose)
        if mark is None:
            return await self.message(job, purpose)
        if mark.unsure and not (remembers(chat, mark.nonce) or (harmless and chat.knows_nonces)):
            raise CannotPost("an earlier try may have arrived", unknown=True)
        try:
            about = cards_of_job(job)
            message = await chat.post(replace(post, nonce=mark.nonce, about=about))
        except CannotPost as error:
            if error.unknown and chat.knows_nonces:
                raise CannotPost(str(error), again=True, wait=error.wait) from error
            if not error.unknown and not mark.unsure:
                await self._posts.not_sent(mark.nonce)
            raise
        await self._posts.sent(mark.nonce, message)
        return message

    async def edit(self, job: Job, purpose: str, post: Post) -> str | None:
        """Changes a post that was sent; returns the platform's id of it, None where there is none.

        Where somebody has removed it, it is made anew and has another id from then on. Doing it
        twice does no harm. Raises CannotPost.
        """
        message = await self.message(job, purpose)
        if message is None:
            return None
        now = await self._chat(post.place).post(replace(post, edit=message))
        if now != message:
            await self._posts.moved(job.id, purpose, now)
        return now

    def counts_posts(self, place: Place) -> bool:
        """Whether the chat has posts wait where too many come at once."""
        chat = self._chats.get(place.chat)
        return chat is None or chat.counts_posts

    async def message(self, job: Job, purpose: str) -> str | None:
        """The id of a post of this job that was sent."""
        return await self._posts.message(job.id, purpose)

    def _chat(self, place: Place) -> Chat:
        chat = self._chats.get(place.chat)
        if chat is None:  # its token was taken out of the settings; it may come back
            raise CannotPost(f'the chat "{place.chat}" is not running', again=True, wait=300)
        return chat


def remembers(chat: Chat, nonce: str) -> bool:
    """Whether a chat would not show a post a second time that may have arrived before."""
    return chat.knows_nonces and age_of(nonce) <= chat.nonce_seconds


def place_of(job: Job) -> Place:
    return Place(**json.loads(job.place))


def channel_of(job: Job) -> str:
    """Within which platforms count how much is said: a group with its topics, a direct message."""
    place = place_of(job)
    return f"{place.chat}/{place.channel}"


def person_of(job: Job) -> Person:
    chat, _, id = job.person.partition(":")
    return Person(chat, id, "")
