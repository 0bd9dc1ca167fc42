"""What a command gets: the call, who calls, and the stores; and what a command is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from bot.buttons import Press
from bot.characters import Characters, SavedCharacter
from bot.chat import Attachment, Call, CommandInfo, Field, Form, Place, Reply, Value
from bot.config import Config
from bot.drafts import Drafts
from bot.errors import Refusal
from bot.jobs import Ledger, Limits
from bot.people import Account, People, ServerSettings
from bot.pictures import Pictures
from bot.requests import Requests
from bot.safety import Strictness
from bot.sentences import cut
from bot.stars import Stars
from bot.stories import Stories, Story
from bot.words import known_language, say
from engine.models import ModelSpec, find_model
from engine.prompts import same_name

LONGEST_HEADING = 45  # characters of a form's title: Discord's limit
MOST_SAVED = 200  # characters of one person that are known by name
Replies = Sequence[Reply]


@dataclass(frozen=True)
class Stores:
    """Everything that lasts."""

    people: People
    stories: Stories
    characters: Characters
    pictures: Pictures
    ledger: Ledger
    stars: Stars
    config: Config
    drafts: Drafts = field(default_factory=Drafts)

    @property
    def limits(self) -> Limits:
        """What one person may ask for where a server does not say otherwise."""
        return Limits(self.config.limits.waiting, self.config.limits.panels_a_day)

    @cached_property
    def requests(self) -> Requests:
        return Requests(self.characters, self.pictures, self.config.engine)


@dataclass(frozen=True)
class Context:
    """One call being answered."""

    call: Call
    account: Account
    stores: Stores
    settings: ServerSettings = field(default_factory=ServerSettings)  # of the server, if on one

    @property
    def me(self) -> str:
        """The key of the person who calls."""
        return self.account.key

    @property
    def place(self) -> Place:
        return self.call.place

    @property
    def server(self) -> str | None:
        """The key of the server that this is said on."""
        return server_key(self.call.place)

    @property
    def language(self) -> str:
        return known_language(self.account.language)

    @property
    def private(self) -> bool:
        """Whether nobody else reads here: a direct message, or pages of the person's own."""
        return self.place.server is None or self.place.channel == self.call.person.id

    def say(self, key: str, /, **values: object) -> str:
        """A sentence in the caller's language."""
        return say(self.language, key, **values)

    def reply(self, key: str, /, **values: object) -> Replies:
        """A sentence that only the caller sees."""
        return (Reply(self.say(key, **values), private=True),)

    def form(self, title: str, press: Press, *fields: Field) -> Replies:
        """Questions to ask; what was typed into the same form before, in vain, stands in it."""
        data = press.encode()
        draft = self.stores.drafts.take(self.me, data)
        filled = tuple(replace(one, value=draft.get(one.name, one.value)) for one in fields)
        return (Reply(form=Form(cut(title, LONGEST_HEADING), data, filled), private=True),)

    def text(self, name: str) -> str | None:
        """An option's words; None where it was left out or is blank."""
        value = self.call.options.get(name)
        return value if isinstance(value, str) and value.strip() else None

    def words(self, name: str) -> str:
        """A required option's words."""
        words = self.text(name)
        if words is None:
            raise Refusal("commands.missing", option=name)
        return words

    def number(self, name: str) -> int | None:
        value = self.call.options.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def file(self, name: str) -> Attachment | None:
        return self.call.attachments.get(name)

    async def story(self, story_id: str) -> Story:
        """A story that the caller may read. Raises Refusal."""
        return await self.stores.stories.get(story_id, self.me, self.server)

    async def own(self, story_id: str) -> Story:
        """A story that the caller may change. Raises Refusal."""
        story = await self.story(story_id)
        if story.owner != self.me:
            raise Refusal("story.not_yours")
        return story

    async def here(self) -> Story | None:
        """The story whose room this is."""
        return await self.stores.stories.of_room(self.place.key)

    async def is_left(self) -> bool:
        """Whether this place, where no story is, was the room of one that the caller deleted."""
        if self.place.thread is None:  # a direct message: the next story can begin there
            return False
        return await self.stores.stories.has_left(self.place.key, self.me)

    @property
    def first_room(self) -> str | None:
        """The room of a story that begins here, until the chat has opened one for it.

        None in a thread: it may be another story's, which must not lose it.
        """
        return self.place.key if self.private and self.place.thread is None else None

    async def saved(self) -> Mapping[str, SavedCharacter]:
        """The characters that the caller keeps, by name; then those shared with the server."""
        characters = self.stores.characters
        own = await characters.of_owner(self.me, MOST_SAVED)
        shared = await characters.shared(self.me, self.server, MOST_SAVED)
        return {same_name(character.name): character for character in (*reversed(shared), *own)}

    def strictness(self, settings: ServerSettings | None = None) -> Strictness:
        """How strict the words of drawings must be here; `settings`: if these held."""
        own = (settings or self.settings).strictness
        return own or self.stores.config.safety.strictness

    def model(self, chosen: str = "") -> ModelSpec:
        """The model that draws where this one was chosen. Raises `EngineError` if it is gone."""
        return find_model(self.stores.config.engine.drawing_with(chosen))

    def limits(self) -> Limits:
        """What one person may ask for here."""
        waiting = self.settings.waiting_cap
        limits = replace(self.stores.limits, server_cap=self.settings.daily_cap)
        return limits if waiting is None else replace(limits, waiting_cap=waiting)


def server_key(place: Place) -> str | None:
    """The name that a server has in the stores; None for a direct message."""
    return None if place.server is None else f"{place.chat}:{place.server}"


Run = Callable[[Context], Awaitable[Replies]]
OnPress = Callable[[Context, Press], Awaitable[Replies]]
Suggest = Callable[[Context, str], Awaitable[Sequence[tuple[str, Value]]]]


@dataclass(frozen=True)
class Command:
    """An entry of the table: what adapters must know, and what it does."""

    info: CommandInfo
    run: Run
    anywhere: bool = False  # also where a server does not let a person use the bot


@dataclass(frozen=True)
class Topic:
    """What one file of commands adds: commands, what buttons do, and what forms do."""

    commands: tuple[Command, ...]
    presses: Mapping[str, OnPress] = field(default_factory=dict)
    forms: Mapping[str, OnPress] = field(default_factory=dict)


def fields_of(call: Call) -> dict[str, str]:
    """The answers of a form, by the names of its questions."""
    return {name: str(value) for name, value in call.options.items() if name != "data"}
