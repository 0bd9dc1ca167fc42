"""A small honest bot for the tests of chats: it echoes, asks, shows cards, and draws slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image, ImageDraw

from bot import chat
from bot.chat import (
    Attachment,
    Button,
    Call,
    CannotPost,
    Chat,
    CommandInfo,
    Field,
    File,
    Form,
    Option,
    Person,
    Place,
    Post,
    Reply,
    Value,
)

STYLES = ("comic", "line-art", "noir", "pastel")
WORDS = {
    "help.story_new": "Begin a new story",
    "help.story_draw": "Draw the page of this story",
    "help.story_show": "Show a story and its pages",
    "help.meme": "Put words on a picture",
    "help.echo": "Say the same again",
    "help.help": "What you can do here",
    "help.break": "Fail",
    "help.title": "What the story is called",
    "help.script": "The whole story, one line a panel",
    "help.style": "How the pictures look",
    "help.picture": "A picture to start from",
    "help.top": "Words above",
    "help.text": "What to say",
    "help.times": "How often",
    "help.loud": "In capital letters",
}
CHINESE = {"help.story_new": "开始新故事", "help.echo": "重复一遍"}
COLOURS = ("#8894c8", "#98a4d0", "#c8b494", "#f3d9a4")  # of previews
TITLES = ("Tom and Lisa", "The last cup", "Tabs or spaces")


def picture(words: str, colour: str = "#f3d9a4", size: tuple[int, int] = (512, 512)) -> bytes:
    """A PNG with some words on it."""
    image = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(image)
    draw.rectangle((8, 8, size[0] - 9, size[1] - 9), outline="#1c1a22", width=4)
    draw.text((size[0] / 2, size[1] / 2), words, fill="#1c1a22", anchor="mm", font_size=28)
    content = BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


@dataclass
class SmallBot:
    """Remembers every call. `pause` is how long it draws between two edits."""

    pause: float = 0.02
    calls: list[Call] = field(default_factory=list)
    lines: dict[str, list[str]] = field(default_factory=dict)  # by card
    rooms: dict[str, str] = field(default_factory=dict)  # place -> card
    chat: Chat | None = None
    drawing: set[asyncio.Task[None]] = field(default_factory=set)
    hold: asyncio.Event | None = None  # answers wait for it
    chosen: dict[str, str] = field(default_factory=dict)  # person → language

    commands: Sequence[CommandInfo] = (
        CommandInfo(
            "story new",
            "help.story_new",
            (
                Option("title", "help.title", required=True, limit=60),
                Option("script", "help.script", long=True),
                Option("style", "help.style", choices=STYLES),
                Option("picture", "help.picture", Attachment),
            ),
        ),
        CommandInfo("story draw", "help.story_draw"),
        CommandInfo(
            "story show",
            "help.story_show",
            (Option("title", "help.title", required=True, suggests=True),),
        ),
        CommandInfo(
            "meme",
            "help.meme",
            (
                Option("picture", "help.picture", Attachment, required=True),
                Option("top", "help.top"),
            ),
        ),
        CommandInfo(
            "echo",
            "help.echo",
            (
                Option("text", "help.text", required=True),
                Option("times", "help.times", int, lowest=1, highest=5),
                Option("loud", "help.loud", bool),
            ),
        ),
        CommandInfo("help", "help.help"),
        CommandInfo("break", "help.break"),
    )

    async def language(self, person: Person) -> str | None:
        return self.chosen.get(person.key, person.language)

    def say(self, language: str | None, key: str, **values: object) -> str:
        words = {**WORDS, **CHINESE} if language == "zh" else WORDS
        return words[key].format(**values)

    async def suggest(self, call: Call, option: str, typed: str) -> Sequence[tuple[str, Value]]:
        return [(title, title) for title in TITLES if typed.lower() in title.lower()]

    async def answer(self, call: Call) -> Sequence[Reply]:
        self.calls.append(call)
        if self.hold is not None:
            await self.hold.wait()
        options = call.options
        match call.command:
            case "story new":
                card = f"story:{len(self.lines)}"
                self.lines[card] = []
                return (self.card(card, room=str(options["title"])),)
            case chat.ROOM:
                self.rooms[call.place.key] = str(options["card"])
                return ()
            case "story draw":
                self.start_drawing(call.place, "a page")
                return (Reply("Number 1 in the queue."),)
            case "story show":
                shown = picture(str(options["title"]))
                return (Reply(str(options["title"]), (File("page.png", shown, "A page"),)),)
            case "meme":
                size = len(call.attachments["picture"].content)
                return (Reply(f"{call.attachments['picture'].name}: {size} bytes"),)
            case "echo":
                text = str(options["text"]) * int(options.get("times", 1))
                return (Reply(text.upper() if options.get("loud") else text),)
            case "help":
                return (Reply("Type a line.\nOr press this:", buttons=((Button("Ask", "ask"),),)),)
            case chat.PRESS:
                return self.pressed(call)
            case chat.FORM:
                return (Reply(f"{options['data']}: {options['cast']} / {options['panels']}"),)
            case chat.MESSAGE:
                return self.message(call)
            case _:
                raise RuntimeError("broken on purpose")

    def message(self, call: Call) -> Sequence[Reply]:
        text = str(call.options["text"])
        card = self.rooms.get(call.place.key)
        if card is not None:
            self.lines[card].append(text)
            return (self.card(card),)
        return (Reply(f"You said: {text}"),)

    def pressed(self, call: Call) -> Sequence[Reply]:
        data = str(call.options["data"])
        if data == "draw":
            self.start_drawing(call.place, "a page")
            return ()
        fields = (
            Field("cast", "Characters", "[Tom] a programmer", long=True),
            Field("panels", "Panels", long=True, required=False, limit=100),
        )
        return (Reply(form=Form("Edit all", data, fields)),)

    def card(self, card: str, room: str | None = None) -> Reply:
        lines = self.lines[card]
        text = "\n".join([f"{len(lines)} lines", *lines])
        rows = (
            (Button("Draw", "draw", "primary"), Button("Edit all", f"edit:{card}")),
            (Button("Delete", f"delete:{card}", "danger"),),
        )
        return Reply(text, buttons=rows, card=card, room=room)

    def start_drawing(self, place: Place, words: str) -> None:
        task = asyncio.create_task(self.draw(place, words))
        self.drawing.add(task)
        task.add_done_callback(self.drawing.discard)

    async def draw(self, place: Place, words: str) -> None:
        assert self.chat is not None
        nonce = f"{place.key}:{len(self.calls)}"
        message = await self.chat.post(
            Post(place, "Waiting", progress=0.0, nonce=f"{nonce}:progress")
        )
        for step, colour in enumerate(COLOURS, 1):
            await asyncio.sleep(self.pause)
            preview = File("preview.png", picture(str(step), colour, (96, 96)), "Preview")
            with suppress(CannotPost):  # seldom in groups
                await self.chat.post(
                    Post(place, "Drawing", (preview,), progress=step / 4, edit=message)
                )
        await self.chat.post(Post(place, "Done in 4 steps", edit=message))
        page = File("page.png", picture(words, size=(900, 1200)), f"The page: {words}")
        buttons = ((Button("Redraw a panel", "ask", "primary"), Button("Meme", "ask")),)
        done = Post(place, "Here is your page", (page,), buttons, nonce=f"{nonce}:page")
        await self.chat.post(done)
