"""Who says something, where, and where they see the answer."""

from __future__ import annotations

from dataclasses import dataclass

from bot.chat import Person, Place


@dataclass(frozen=True)
class Talk:
    """`place` is what it is about, `at` where it is said: a button in a direct message may belong
    to a group. `message` is the person's own message, if there is one, `press` Telegram's id
    of a pressed button."""

    person: Person
    place: Place
    at: Place
    message: int | None = None
    press: str | None = None

    @property
    def in_group(self) -> bool:
        """Whether others read along."""
        return self.at.server is not None

    @property
    def language(self) -> str | None:
        return self.person.language

    @property
    def reply_to(self) -> int | None:
        """What an answer refers to, where several people talk."""
        return self.message if self.in_group else None
