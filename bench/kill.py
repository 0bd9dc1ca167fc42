"""Is anything lost or posted twice? `python -m bench.kill [--chat NAME --stories N --kills N]`.

People ask for stories in the local chat, on Discord or on Telegram, over real sockets. While they
are drawn, the bot and the engine are killed (kill -9) at random moments, each so many times. At the
end every story that was accepted must have been delivered, none twice, and all databases must be
whole. Where Telegram cannot tell whether a page arrived, its person must have been told, and get it
by the button. The engine time a story took is compared with an undisturbed run of the same stories.
The real engine loads what it draws with as soon as it is started: that is no story's time, and is
shown by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.askers import CHATS, Asker
from bench.bot_process import BotProcess, is_whole, states
from bench.table import Bar, count, finish, print_table
from bench.tiny_model import make_tiny_model

READY = "ready"  # how the lines begin that tell when an engine could draw
OVER = {"delivered", "failed", "cancelled"}


@dataclass
class Outcome:
    """`pages` is how many pages each accepted story brought; `seconds` of engine time by story."""

    accepted: int = 0
    pages: list[int] = field(default_factory=list)
    whole: bool = False
    wall: float = 0.0
    killed_bots: int = 0
    killed_engines: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    restarts: list[float] = field(default_factory=list)  # seconds until calls can come again
    starts: Sequence[float] = ()  # seconds from an engine's start until it can draw
    unsure: int = 0  # stories of which it was said that the page may have been lost

    @property
    def lost(self) -> int:
        return sum(pages == 0 for pages in self.pages)

    @property
    def twice(self) -> int:
        return sum(pages > 1 for pages in self.pages)

    @property
    def slowest_story(self) -> float:
        return max(self.seconds.values(), default=0.0)


@dataclass(frozen=True)
class Plan:
    stories: int
    kills: int  # of each, the bot and the engine
    gap: tuple[float, float]  # seconds between two kills
    environment: Mapping[str, str]
    chat: str = "web"


async def run(plan: Plan, folder: Path) -> Outcome:
    """One run; `folder` is empty."""
    log = folder / "work.txt"
    outcome, began = Outcome(), time.monotonic()
    async with CHATS[plan.chat]() as chat:
        environment = {**plan.environment, **chat.environment, "TOY_LOG": str(log)}
        bot = BotProcess(folder, environment)
        await bot.start()
        askers = [chat.asker(bot, number) for number in range(plan.stories)]
        try:
            killer = asyncio.create_task(kill(bot, plan, outcome))
            await asyncio.gather(*(asker.ask() for asker in askers))
            outcome.accepted = len(askers)
            await killer
            await over(bot, plan.stories)
            outcome.wall = time.monotonic() - began
            for asker in askers:
                outcome.pages.append(await pages_of(asker, outcome))
        finally:
            for asker in askers:
                await asker.close()
            await bot.stop()
    outcome.states = states(bot.database)
    outcome.whole = all(map(is_whole, (folder / "store").rglob("*.sqlite3")))
    seconds = noted(log)
    outcome.starts = seconds.pop(READY, [])
    outcome.seconds = {story: sum(each) for story, each in seconds.items()}
    return outcome


async def pages_of(asker: Asker, outcome: Outcome) -> int:
    """How many pages somebody got; one that they were told may be lost, on request."""
    pages = await asker.pages()
    outcome.unsure += asker.is_unsure()
    if pages == 0 and asker.is_unsure():
        with suppress(TimeoutError):
            await asker.send_again()
        pages = await asker.pages()
    return pages


async def kill(bot: BotProcess, plan: Plan, outcome: Outcome) -> None:
    """Bot and engine in a random order, at random moments."""
    dice = random.Random(plan.kills)
    victims = ["bot", "engine"] * plan.kills
    dice.shuffle(victims)
    for victim in victims:
        await asyncio.sleep(dice.uniform(*plan.gap))
        if victim == "bot":
            began = time.monotonic()
            await bot.kill()
            await bot.start()
            outcome.restarts.append(time.monotonic() - began)
            outcome.killed_bots += 1
        else:
            while not bot.kill_engine():
                await asyncio.sleep(0.05)
            outcome.killed_engines += 1


async def over(bot: BotProcess, stories: int, seconds: float = 900.0) -> None:
    """Waits until every job has ended and was told."""
    async with asyncio.timeout(seconds):
        while True:
            found = states(bot.database)
            if sum(found.values()) >= stories and set(found) <= OVER:
                return
            await asyncio.sleep(0.2)


def noted(log: Path) -> dict[str, list[float]]:
    """What the engine wrote down: seconds of work by story, and how long its starts took."""
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for line in log.read_text(encoding="ascii").splitlines():
        what, _, time = line.partition(" ")
        seconds[what].append(float(time or 0))
    return dict(seconds)


def bars(clean: Outcome, killed: Outcome) -> list[Bar]:
    more = killed.slowest_story - clean.slowest_story
    return [
        Bar("stories lost", killed.lost + clean.lost, 0, at_least=False),
        Bar("stories delivered twice", killed.twice + clean.twice, 0, at_least=False),
        Bar("databases whole", float(killed.whole and clean.whole), 1),
        Bar("engine time more than undisturbed, worst story", more, 10, at_least=False, unit=" s"),
    ]


def rows(clean: Outcome, killed: Outcome) -> list[Sequence[str]]:
    slowest = max(killed.restarts, default=0.0)
    starts = []
    if killed.starts:  # the real engine's
        worst = (f"{max(outcome.starts):.1f} s" for outcome in (clean, killed))
        starts.append(["engine can draw after its start, worst", *worst])
    return [
        ["stories accepted", str(clean.accepted), str(killed.accepted)],
        ["pages delivered", str(sum(clean.pages)), str(sum(killed.pages))],
        ["sent again on request only", str(clean.unsure), str(killed.unsure)],
        ["kills of the bot", "0", str(killed.killed_bots)],
        ["kills of the engine", "0", str(killed.killed_engines)],
        [
            "engine time, worst story",
            f"{clean.slowest_story:.1f} s",
            f"{killed.slowest_story:.1f} s",
        ],
        ["bot answers again after, worst", "", f"{slowest:.1f} s"],
        *starts,
        ["whole run", f"{clean.wall:.0f} s", f"{killed.wall:.0f} s"],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--chat", choices=CHATS, default="web")
    parser.add_argument("--stories", type=count, default=20)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--toy", action="store_true", help="an engine without torch: quicker")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {"TOY_SECONDS": "0.5"}
        if not options.toy:
            model = make_tiny_model(folder / "model")
            environment["TOY_MODEL"] = os.fspath(model)
        gap = (0.5, 4.0) if options.toy else (2.0, 16.0)  # the real engine loads for seconds
        plan = Plan(options.stories, options.kills, gap, environment, options.chat)
        outcomes = []
        for kills in (0, options.kills):
            place = folder / str(kills)
            place.mkdir(exist_ok=True)
            outcomes.append(asyncio.run(run(replace(plan, kills=kills), place)))
    clean, killed = outcomes
    print_table(["", "undisturbed", "killed"], rows(clean, killed))
    figures = {"pages": killed.pages, "states": killed.states, "restarts": killed.restarts}
    finish(bars(clean, killed), figures, options.json)


if __name__ == "__main__":
    main()
