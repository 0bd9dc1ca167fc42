"""Who manages a group, and what the bot may do there; asked at most once a minute."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import telegram
from telegram.error import TelegramError

from bot.chat import Right

SECONDS = 60.0
MOST_KEPT = 500  # groups

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """How things are in a group. `managers` are ids of people."""

    managers: frozenset[int] = frozenset()
    lacks: tuple[Right, ...] = ()
    reads_all: bool = False  # whether the bot sees every message, not only what is meant for it


class Rights:
    def __init__(self, api: telegram.Bot) -> None:
        self._api = api
        self._known: dict[int, tuple[float, Standing]] = {}

    async def of(self, chat: int) -> Standing:
        """How things are in a group; an empty standing where Telegram does not tell."""
        asked, standing = self._known.get(chat, (0.0, Standing()))
        if asked and time.monotonic() - asked < SECONDS:
            return standing
        try:
            standing = await self._ask(chat)
        except TelegramError as error:
            log.info("group %d: cannot ask who manages it: %s", chat, error)
        self._known[chat] = (time.monotonic(), standing)
        while len(self._known) > MOST_KEPT:
            del self._known[next(iter(self._known))]
        return standing

    def changed(self, chat: int) -> None:
        """Asks again the next time."""
        self._known.pop(chat, None)

    async def _ask(self, chat: int) -> Standing:
        members = await self._api.get_chat_administrators(chat)
        managers = frozenset(member.user.id for member in members)
        if self._api.id in managers:
            return Standing(managers, (), True)
        me = await self._api.get_chat_member(chat, self._api.id)
        if me.status in (me.LEFT, me.BANNED):
            return Standing(managers, ("view", "send"))
        rights: object = me
        if not isinstance(me, telegram.ChatMemberRestricted):
            rights = (await self._api.get_chat(chat)).permissions
        reads_all = bool(self._api.bot.can_read_all_group_messages)
        return Standing(managers, lacks(rights), reads_all)


def lacks(rights: object) -> tuple[Right, ...]:
    """What is not allowed by a group's permissions or a restricted member's own."""
    missing: list[Right] = []
    if getattr(rights, "can_send_messages", None) is False:
        missing.append("send")
    files = ("can_send_photos", "can_send_documents")
    if any(getattr(rights, name, None) is False for name in files):
        missing.append("files")
    return tuple(missing)
