"""People who talk with a real bot: real stores in SQLite, only the artist's pictures are plain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image

from bench.toy_movement import slide
from bot.animating import AboutAnimation, filled, missing_parts
from bot.characters import Characters
from bot.chat import (
    FORM,
    MESSAGE,
    PRESS,
    Attachment,
    Button,
    Call,
    Form,
    Person,
    Place,
    Reply,
    Right,
)
from bot.config import Config
from bot.database import Database
from bot.inkwell import Inkwell
from bot.job import Job
from bot.jobs import Ledger
from bot.people import People
from bot.pictures import Pictures
from bot.results import Results
from bot.stories import Stories, Story
from engine.request import AnimateRequest, DrawRequest, FrameDrawn
from tests.bot.new_store import open_database

SCRIPT = """[Tom] a young programmer with glasses
[Lisa] a woman with short hair

[Tom] in the office, typing #Tom: Tabs!
[Lisa] next to [Tom], angry #(Lisa: "Spaces.")
[NC] the office at night #Silence."""


def picture(colour: str = "red", size: tuple[int, int] = (64, 64)) -> bytes:
    """A PNG of one colour, with somebody small in its corner."""
    file = BytesIO()
    image = Image.new("RGB", size, colour)
    image.paste("black", (0, 0, size[0] // 8, size[1] // 8))
    image.save(file, "PNG")
    return file.getvalue()


@dataclass
class Stage:
    """The bot and its stores."""

    bot: Inkwell
    database: Database
    colours: int = 0

    @property
    def stories(self) -> Stories:
        return self.bot.stores.stories

    @property
    def ledger(self) -> Ledger:
        return self.bot.stores.ledger

    async def draw_all(self) -> list[Job]:
        """Draws and delivers all that waits; every picture has a colour of its own."""
        done = []
        stores = self.bot.stores
        results = Results(stores.ledger, stores.pictures, stores.stories, stores.characters)
        while (job := await self.ledger.claim()) is not None:
            if job.kind == "animate":
                await self.move(job)
                await results.keep(job)
                await self.ledger.drawn(job.id, 4.0)
                await self.ledger.delivered(job.id)
                done.append(job)
                continue
            request = DrawRequest.from_json(job.request)
            only = request.only if request.only is not None else range(len(request.panels))
            for index in only:
                self.colours += 1
                sha = await stores.pictures.add(picture(f"hsl({self.colours * 37 % 360},90%,50%)"))
                await self.ledger.keep_pictures(job.id, {index: sha})
            await self.ledger.drawn(job.id, 4.0)
            await results.keep(job)
            await self.ledger.delivered(job.id)
            done.append(job)
        return done

    async def move(self, job: Job) -> None:
        """Keeps the frames of an animation."""
        request, about = AnimateRequest.from_json(job.request), AboutAnimation.from_json(job.about)
        pictures = self.bot.stores.pictures
        for empty in missing_parts(request, about.what, ()):
            part, _ = await filled(empty, pictures)
            for event in slide(part.request):
                if isinstance(event, FrameDrawn):
                    sha = await pictures.add(event.png)
                    await self.ledger.keep_pictures(job.id, {part.first_frame + event.index: sha})


@dataclass
class Talker:
    """Somebody in a place. What was answered last is in `replies`."""

    stage: Stage
    person: Person
    place: Place
    manager: bool = False
    roles: tuple[str, ...] = ()
    lacks: tuple[Right, ...] = ()
    replies: list[Reply] = field(default_factory=list)

    async def _call(
        self, command: str, options: Mapping[str, str | int | bool], files: Mapping[str, bytes]
    ) -> str:
        attachments = {name: Attachment(f"{name}.png", content) for name, content in files.items()}
        call = Call(
            self.person, self.place, command, options, attachments,
            self.manager, self.roles, self.lacks,
        )  # fmt: skip
        self.replies = list(await self.stage.bot.answer(call))
        return self.text

    @property
    def text(self) -> str:
        """The words of all replies."""
        return "\n".join(reply.text for reply in self.replies)

    @property
    def files(self) -> list[bytes]:
        return [file.content for reply in self.replies for file in reply.files]

    @property
    def buttons(self) -> dict[str, Button]:
        rows = [row for reply in self.replies for row in reply.buttons]
        return {button.label: button for row in rows for button in row}

    @property
    def form(self) -> Form:
        (form,) = [reply.form for reply in self.replies if reply.form is not None]
        return form

    async def types(self, text: str, **files: bytes) -> str:
        return await self._call(MESSAGE, {"text": text}, files)

    async def asks(self, command: str, /, **options: str | int | bool | bytes) -> str:
        """A command; options that are bytes are files. "with_" stands for "with"."""
        named = {name.rstrip("_"): value for name, value in options.items()}
        files = {name: value for name, value in named.items() if isinstance(value, bytes)}
        values = {n: v for n, v in named.items() if not isinstance(v, bytes)}
        return await self._call(command, values, files)

    async def presses(self, button: str | Button) -> str:
        """A button by its label, or one kept from before."""
        pressed = self.buttons[button] if isinstance(button, str) else button
        return await self._call(PRESS, {"data": pressed.data}, {})

    async def fills(self, form: Form | None = None, **answers: str) -> str:
        """Sends the last form, with what stands in it where no answer is given."""
        form = form or self.form
        fields = {one.name: one.value for one in form.fields}
        return await self._call(FORM, {**fields, **answers, "data": form.data}, {})

    async def story(self) -> Story:
        """The person's story that was changed last."""
        return (await self.stage.stories.of_owner(self.person.key, limit=1))[0]

    async def lines(self) -> list[str]:
        return [panel.text for panel in (await self.story()).panels]

    async def job(self) -> Job:
        """The person's newest job that is not over."""
        return (await self.stage.ledger.of_person(self.person.key))[-1]


Scene = Callable[[Talker, Talker], Awaitable[None]]


def talk(tmp_path: Path, scene: Scene, *, server: str | None = None) -> None:
    """Ann and Bob talk with the bot: each in a direct message, or both in a channel of `server`."""

    async def run() -> None:
        stage = await open_stage(tmp_path)
        try:
            await scene(talker(stage, "ann", server), talker(stage, "bob", server))
        finally:
            await stage.database.close()

    asyncio.run(run())


async def open_stage(tmp_path: Path, config: Config | None = None) -> Stage:
    database = await open_database(tmp_path / "inkwell.sqlite3")
    pictures = Pictures(tmp_path / "pictures", database)
    bot = Inkwell(
        database,
        pictures,
        People(database, pictures),
        Stories(database),
        Characters(database),
        Ledger(database),
        config or Config(),
    )
    return Stage(bot, database)


def talker(stage: Stage, name: str, server: str | None = None) -> Talker:
    place = Place("test", "lobby" if server else f"dm-{name}", server)
    return Talker(stage, Person("test", name, name.title(), "en"), place)
