"""Are Discord and Telegram answered in time? `python -m bench.chats [--people N --json FILE]`.

So many people use the bot at the same time, over the real client libraries and real sockets; each
does the next thing as soon as the last one is answered, so that as many interactions are in
flight. The engine is busy all the time. Measured from the network's side: on Discord from the event
to the callback, which may be "thinking…"; on Telegram from handing out the update to the answer to
a pressed button, or to the first message, or "typing…", after what was typed. Telegram's own limit
of 30 messages a second is lifted.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.askers import button_data, discord, script, telegram
from bench.bot_process import BotProcess, states
from bench.table import Bar, count, finish, print_table
from bench.timed_peers import Stopwatch, TimedDiscord, TimedTelegram
from tests.adapters.discord_people import Someone, labels
from tests.adapters.discord_world import Interaction
from tests.adapters.telegram_user import User

PANEL_SECONDS = 0.25
ANSWER_SECONDS = 30.0


@dataclass
class Figures:
    """`delays` are seconds by kind ("press", "command"); at the end so many drawings wait."""

    delays: Mapping[str, Sequence[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    waiting: int = 0

    @property
    def every(self) -> list[float]:
        return sorted(delay for delays in self.delays.values() for delay in delays) or [0.0]


def within(delays: Sequence[float], share: float) -> float:
    """Seconds that this share of the delays stayed below."""
    order = sorted(delays) or [0.0]
    return order[min(len(order) - 1, int(share * len(order)))]


class Guest(ABC):
    """One person; everything they do returns when it is answered."""

    @abstractmethod
    async def begin(self) -> None:
        """Asks for a story."""

    @abstractmethod
    async def types(self, command: str, **options: str) -> None:
        """Uses a command."""

    @abstractmethod
    async def press(self, label: str, *, changes: bool = False) -> None:
        """Presses the newest button of that label, as soon as there is one. `changes`: the message
        that it is under will be another."""

    async def live(self, rounds: int, dice: random.Random) -> None:
        """A story, its drawing, and then questions and changes in any order while it waits."""
        await self.begin()
        await self.press("Draw")
        for _ in range(rounds):
            for do in dice.sample(["queue", "change", "quota", "story list"], 4):
                await (self.change() if do == "change" else self.types(do))

    async def change(self) -> None:
        """Adds a line and takes it back."""
        await self.types("story add", line="[Tom] sleeps")
        await self.press("Undo", changes=True)


class DiscordGuest(Guest):
    def __init__(self, peer: TimedDiscord, number: int) -> None:
        self._peer = peer
        self._who = Someone(peer, str(2000 + number), f"Guest {number}").in_dm()

    async def begin(self) -> None:
        await self.types("story new", script=script(0))

    async def types(self, command: str, **options: str) -> None:
        await self._wait(await self._who.uses(command, late=True, **options))

    async def press(self, label: str, *, changes: bool = False) -> None:
        card = await soon(lambda: self._with(label))
        before = card["edits"]
        await self._wait(await self._who.presses(card, label, late=True))
        if changes:
            await soon(lambda: card["edits"] > before)

    def _with(self, label: str) -> dict[str, Any] | None:
        found = self._peer.in_channel(self._who.where)
        return next((one for one in reversed(found) if label in labels(one)), None)

    async def _wait(self, interaction: Interaction) -> None:
        await self._peer.watch.wait(interaction.id)
        if interaction.kind == 5:  # a promise
            await soon(lambda: interaction.changed or interaction.messages)


class TelegramGuest(Guest):
    def __init__(self, peer: TimedTelegram, number: int) -> None:
        self._peer = peer
        self._user: User = peer.person(f"Guest {number}")

    async def begin(self) -> None:
        await self._says(script(0))

    async def types(self, command: str, **options: str) -> None:
        words = f"/{command.replace(' ', '_')} {' '.join(options.values())}"
        await self._says(words.strip())

    async def _says(self, words: str) -> None:
        self._user.says(words)
        await self._peer.watch.wait(str(self._user.id))

    async def press(self, label: str, *, changes: bool = False) -> None:
        card = await soon(lambda: self._with(label))
        before = card["text"]
        await self._peer.watch.wait(self._user.press(card, button_data(card)[label]))
        if changes:
            await soon(lambda: card["text"] != before)

    def _with(self, label: str) -> dict[str, Any] | None:
        shown = reversed(self._peer.shown(self._user.id))
        return next((message for message in shown if label in button_data(message)), None)


async def soon(what: Callable[[], Any]) -> Any:
    """Waits for something, and returns it. Raises TimeoutError."""
    async with asyncio.timeout(ANSWER_SECONDS):
        while not (found := what()):
            await asyncio.sleep(0.02)
    return found


async def on_discord(people: int, rounds: int, folder: Path) -> Figures:
    peer = TimedDiscord()
    async with discord(peer) as chat:
        guests = [DiscordGuest(peer, number) for number in range(people + 1)]
        return await measure(guests, rounds, folder, chat.environment, peer.watch)


async def on_telegram(people: int, rounds: int, folder: Path) -> Figures:
    peer = TimedTelegram()
    async with telegram(peer) as chat:
        guests = [TelegramGuest(peer, number) for number in range(people + 1)]
        environment = {**chat.environment, "TOY_NO_PACE": "1"}
        return await measure(guests, rounds, folder, environment, peer.watch)


async def measure(
    guests: Sequence[Guest],
    rounds: int,
    folder: Path,
    environment: Mapping[str, str],
    watch: Stopwatch,
) -> Figures:
    """The first guest comes before the others, and is not measured."""
    bot = BotProcess(folder, {**environment, "TOY_SECONDS": str(PANEL_SECONDS)})
    await bot.start()
    try:
        await guests[0].live(1, random.Random(0))
        watch.clear()
        lives = [guest.live(rounds, random.Random(n)) for n, guest in enumerate(guests[1:], 1)]
        ends = await asyncio.gather(*lives, return_exceptions=True)
        waiting = states(bot.database).get("waiting", 0)
    finally:
        await bot.stop()
    broken = [f"{type(end).__name__}: {end}" for end in ends if end is not None]
    return Figures(dict(watch.delays), watch.errors + broken, waiting)


NETWORKS = {"discord": on_discord, "telegram": on_telegram}


def bars(name: str, found: Figures) -> list[Bar]:
    slow = within(found.every, 0.99) * 1000
    return [
        Bar(f"{name}: acknowledged, p99", slow, 500, at_least=False, unit=" ms"),
        Bar(f"{name}: errors", len(found.errors), 0, at_least=False),
        Bar(f"{name}: drawings that still wait at the end", found.waiting, 1),
    ]


def row(name: str, kind: str, delays: Sequence[float]) -> list[str]:
    figures = (median(delays or [0.0]), within(delays, 0.99), max(delays, default=0.0))
    return [name, kind, str(len(delays)), *(f"{seconds * 1000:.0f} ms" for seconds in figures)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--chat", choices=NETWORKS, help="only this one")
    parser.add_argument("--people", type=count, default=100)
    parser.add_argument("--rounds", type=count, default=4, help="of five interactions a person")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, Figures] = {}
    for name in [options.chat] if options.chat else NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            work = NETWORKS[name](options.people, options.rounds, Path(folder))
            found[name] = asyncio.run(work)
        for error in found[name].errors[:10]:
            print(f"{name}: {error}")
    print_table(
        ["network", "what", "interactions", "median", "p99", "slowest"],
        [row(n, kind, delays) for n, f in found.items() for kind, delays in f.delays.items()],
    )
    figures = {n: {"people": options.people, "errors": f.errors} for n, f in found.items()}
    finish([bar for n, f in found.items() for bar in bars(n, f)], figures, options.json)


if __name__ == "__main__":
    main()
