"""The words that commands and chats share: what comes in is a `Call`, what goes out a `Reply`.

Adapters translate between these and their platform and know nothing else of the bot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal, Protocol

MOST_BUTTON_BYTES = 64  # Telegram's limit: a button carries its whole meaning in so many
Value = str | int | bool
Right = Literal["view", "send", "files", "threads", "history"]


@dataclass(frozen=True)
class Person:
    """Somebody on one chat platform. `language` is what the platform tells of them, if it does."""

    chat: str  # "web", "discord", "telegram"
    id: str
    name: str
    language: str | None = None

    @property
    def key(self) -> str:
        return f"{self.chat}:{self.id}"


@dataclass(frozen=True)
class Place:
    """Where something was said and answers go: a channel, a thread, a direct message."""

    chat: str
    channel: str
    server: str | None = None  # None: a direct message
    thread: str | None = None

    @property
    def key(self) -> str:
        return "/".join(part or "" for part in (self.chat, self.server, self.channel, self.thread))


@dataclass(frozen=True)
class Attachment:
    """A file that came with a call, as it came: nothing about it is checked yet."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Call:
    """A command with its options, a plain message, a pressed button or a filled-in form.

    `command` is a name of the table ("story new"); `MESSAGE` with the option "text" for a plain
    message; `PRESS` with the option "data" for a button; `FORM` with "data" and one option a field;
    `ROOM` with the option "card" when a place was opened for a reply that has `room` and `card`.
    """

    person: Person
    place: Place
    command: str
    options: Mapping[str, Value] = field(default_factory=dict)
    attachments: Mapping[str, Attachment] = field(default_factory=dict)  # by option name
    manager: bool = False  # may change the settings of the server it is said on
    roles: tuple[str, ...] = ()  # ids of the roles the person has on the server
    lacks: tuple[Right, ...] = ()  # what the bot would need in this place and may not do


MESSAGE, PRESS, FORM, ROOM = "(message)", "(press)", "(form)", "(room)"


@dataclass(frozen=True)
class File:
    """A file to show or to send. Pictures have words for those who cannot see them."""

    name: str
    content: bytes
    alt: str = ""

    @property
    def is_picture(self) -> bool:
        return self.name.endswith((".png", ".jpg", ".gif", ".webp"))


@dataclass(frozen=True)
class Button:
    """`data` comes back in a `PRESS` call, also after any restart; at most 64 bytes of UTF-8."""

    label: str
    data: str
    look: Literal["plain", "primary", "danger"] = "plain"

    def __post_init__(self) -> None:
        if len(self.data.encode()) > MOST_BUTTON_BYTES:
            raise ValueError(f"a button's data is at most {MOST_BUTTON_BYTES} bytes: {self.data}")


@dataclass(frozen=True)
class Field:
    """One question of a form; `long` asks for several lines."""

    name: str
    label: str
    value: str = ""
    long: bool = False
    required: bool = True
    limit: int = 4000  # characters


@dataclass(frozen=True)
class Form:
    """Questions to ask at once; the answers come back in a `FORM` call with the same `data`."""

    title: str
    data: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Reply:
    """What a call is answered with.

    `card` names a message that lives on: an adapter that has shown a card of this name in the
    place edits it instead of posting another. `room` asks for a place of the story's own (thread,
    page); the reply then appears there, under this title. `forget`: the adapter also forgets what
    it keeps of the person who called; only this reply stays.

    `title` is what the room of a `card` is called by now. `about`: names of cards, of what the
    files show. `gone`: names of cards of what was deleted. Wherever such a card stands, it says
    `text` instead and has no buttons; a chat that keeps files itself deletes those `about` it.
    """

    text: str = ""
    files: tuple[File, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()  # rows
    form: Form | None = None
    private: bool = False  # only the person who called sees it
    card: str | None = None
    room: str | None = None
    forget: bool = False
    title: str | None = None
    about: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Post:
    """What the bot says of its own accord: progress, a finished page, a reason.

    `nonce` is the same whenever the same post is tried again, so that a platform can refuse the
    second. `edit` is the id of an earlier post of ours to change instead; where that is gone, the
    post is made anew. With `buttons_only` just the buttons of that post are changed, and where it
    is gone nothing is made and the id is "". `progress` is 0..1 while something is being drawn.
    `countdown` is the part of the text that says when it will be ready, and that time in Unix
    seconds: a chat that counts down by itself puts its own countdown there. `about` is as in
    `Reply`.
    """

    place: Place
    text: str = ""
    files: tuple[File, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    nonce: str = ""
    edit: str | None = None
    buttons_only: bool = False
    progress: float | None = None
    countdown: tuple[str, float] | None = None
    mention: Person | None = None
    about: tuple[str, ...] = ()


class CannotPost(Exception):
    """The platform refused. `again`: a later try may work, after `wait` seconds if that is known;
    `unknown`: the post may have arrived all the same."""

    def __init__(
        self, why: str, *, again: bool = False, wait: float | None = None, unknown: bool = False
    ) -> None:
        super().__init__(why)
        self.again, self.wait, self.unknown = again, wait, unknown


class CannotStart(Exception):
    """A chat cannot be reached now, in one sentence. `again`: a later try may work; otherwise its
    settings must be changed first."""

    def __init__(self, why: str, *, again: bool = False) -> None:
        super().__init__(why)
        self.again = again


@dataclass(frozen=True)
class Option:
    """One typed option of a command. `help` is a key of the catalogues."""

    name: str
    help: str
    kind: type[str] | type[int] | type[bool] | type[Attachment] = str
    required: bool = False
    choices: tuple[str, ...] = ()
    suggests: bool = False  # `Suggest` is asked while it is typed
    lowest: int | None = None
    highest: int | None = None
    limit: int = 4000  # characters
    long: bool = False  # several lines


@dataclass(frozen=True)
class CommandInfo:
    """What an adapter must know of a command to offer it natively."""

    name: str  # "story new": at most two words, lower case
    help: str  # a key of the catalogues
    options: tuple[Option, ...] = ()
    manager_only: bool = False


class Bot(Protocol):
    """What an adapter may ask of the bot."""

    commands: Sequence[CommandInfo]

    async def answer(self, call: Call) -> Sequence[Reply]:
        """What to show for a call. Never raises for what people do wrong: that is a reply."""

    async def suggest(self, call: Call, option: str, typed: str) -> Sequence[tuple[str, Value]]:
        """At most 25 (label, value) pairs for an option that `suggests`."""

    async def language(self, person: Person) -> str | None:
        """What to speak to somebody: the language they have chosen, else their chat's."""

    def say(self, language: str | None, key: str, **values: object) -> str:
        """A sentence of the catalogues in a language ("en", "zh"; None or others: English)."""


class Chat(Protocol):
    """One platform. `name` is what `Person.chat` and `Place.chat` hold.

    `knows_nonces`: a post whose nonce was posted before is refused or shown once only, for
    `nonce_seconds` after it was first posted. `counts_posts`: where too many come at once, it has
    them wait.
    """

    name: str
    knows_nonces: bool
    nonce_seconds: float = inf
    counts_posts: bool = True

    async def start(self, bot: Bot) -> None:
        """Connect and take calls; returns when calls can come. May be called again after it has
        failed. Raises `CannotStart`; OSError, one sentence, for what must end the whole bot."""

    async def stop(self) -> None:
        """Take no more calls and let go of everything."""

    async def post(self, post: Post) -> str:
        """Show a post and return its id. Raises `CannotPost`."""

    async def remove(self, place: Place, message: str) -> None:
        """Take a post of ours away; one that is gone already is no error. Raises `CannotPost`."""
