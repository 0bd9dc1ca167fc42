"""Is the bot quick while the engine works? `python -m bench.load [--people N --json FILE]`.

So many people use the local chat at once, over real sockets; they come within two seconds. Each
types a story of one panel, asks for it to be drawn, and then asks for the queue again and again
until its page is there. The engine is busy all the time. Measured: how soon a call is answered; how
soon after the press of Draw its person sees the drawing's number and place in the queue; whether
everybody got a page, in what order; how much processor time and memory the bot took.

Then as many come in the same instant: how soon are they answered until all have their place?
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

from bench.bot_process import BotProcess
from bench.table import Bar, count, finish, print_table
from bench.web_client import Visitor, pages_in, presses, until_said

SCRIPT = "[Tom] a man\n\n[Tom] walks in the park #Good morning"
PLACE = re.compile(r"Number \d+: ")  # how the post begins that says how long a drawing waits
COMING_SECONDS = 2.0  # within which people come
THINK_SECONDS = 1.0  # between two questions of one person


@dataclass
class Load:
    """`delays` are the seconds until a call was answered, `places` those from the press of Draw to
    seeing the place in the queue; `asked` and `ends` when that was pressed and the page there."""

    delays: list[float] = field(default_factory=list)
    places: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    megabytes: float = 0.0
    processor_seconds: float = 0.0  # of the bot

    @property
    def jumped(self) -> int:
        """The most people who asked later and were served earlier than somebody."""
        waits = list(zip(self.asked, self.ends, strict=True))
        return max((sum(o[0] > p[0] and o[1] < p[1] for o in waits) for p in waits), default=0)


async def live(visitor: Visitor, number: int, load: Load, *, after: float, patient: bool) -> None:
    """What one person does, who comes after so many seconds; only the patient wait for the page."""
    title = f"Story {number}"
    try:
        await asyncio.sleep(after)
        await visitor.enter()
        answer = await visitor.call(
            visitor.home, command="story new", options={"title": title, "script": SCRIPT}
        )
        room = str(answer["room"])
        [press, *_] = presses(await visitor.messages(room), "draw")
        async with visitor.listening() as socket:
            pressed = time.monotonic()
            await visitor.call(room, press=press)
            asked = time.monotonic()
            await until_said(socket, room, PLACE)
            load.places.append(time.monotonic() - pressed)
        if not patient:
            return
        while not pages_in(await visitor.messages(room), title):
            await asyncio.sleep(THINK_SECONDS)
            await visitor.call(visitor.home, command="queue", options={})
        load.asked.append(asked)
        load.ends.append(time.monotonic())
    except Exception as error:
        load.errors.append(f"{number}: {type(error).__name__}: {error}")
    finally:
        load.delays += visitor.delays


async def measure(
    people: int, panel_seconds: float, folder: Path, *, coming: float, patient: bool = True
) -> Load:
    """`folder` is empty; the engine takes so many seconds a panel; people come within `coming`."""
    load = Load()
    bot = BotProcess(folder, {"TOY_SECONDS": str(panel_seconds)})
    await bot.start()
    visitors = [Visitor(bot.address) for _ in range(people)]
    random = Random(1)
    lives = [
        live(v, n, load, after=random.uniform(0, coming), patient=patient)
        for n, v in enumerate(visitors)
    ]
    watcher = asyncio.create_task(watch(bot, load))
    before = bot.processor_seconds()
    try:
        await asyncio.gather(*lives)
        load.processor_seconds = bot.processor_seconds() - before
    finally:
        watcher.cancel()
        for visitor in visitors:
            await visitor.close()
        await bot.stop()
    return load


def within(seconds: Sequence[float], share: float) -> float:
    """What this share of them stayed below; 0 where there are none."""
    order = sorted(seconds) or [0.0]
    return order[min(len(order) - 1, int(share * len(order)))]


async def watch(bot: BotProcess, load: Load) -> None:
    """The most memory that the bot takes."""
    while True:
        load.megabytes = max(load.megabytes, bot.megabytes())
        await asyncio.sleep(0.2)


def bars(load: Load, people: int) -> list[Bar]:
    return [
        Bar("people with a page", len(load.ends), people),
        Bar("errors", len(load.errors), 0, at_least=False),
        Bar(
            "a call is answered, p99",
            within(load.delays, 0.99) * 1000,
            250,
            at_least=False,
            unit=" ms",
        ),
        Bar("served before, though asking later", load.jumped, people * 0.1, at_least=False),
        Bar("the bot's memory", load.megabytes, 300, at_least=False, unit=" MB"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--people", type=count, default=200)
    parser.add_argument("--panel-seconds", type=float, default=0.25)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    asked = options.people, options.panel_seconds
    with tempfile.TemporaryDirectory() as folder:
        load = asyncio.run(measure(*asked, Path(folder), coming=COMING_SECONDS))
    with tempfile.TemporaryDirectory() as folder:
        rush = asyncio.run(measure(*asked, Path(folder), coming=0.0, patient=False))
    load.errors += rush.errors
    for error in load.errors[:10]:
        print(error)
    waits = [end - asked for asked, end in zip(load.asked, load.ends, strict=True)] or [0.0]
    a_call = 1000 * load.processor_seconds / len(load.delays)
    print_table(
        ["", "figure"],
        [
            ["people at once", str(options.people)],
            ["calls", str(len(load.delays))],
            ["answered, median", f"{median(load.delays) * 1000:.0f} ms"],
            ["answered, p99", f"{within(load.delays, 0.99) * 1000:.0f} ms"],
            ["answered, slowest", f"{max(load.delays) * 1000:.0f} ms"],
            [
                "place in the queue seen after, median",
                f"{median(load.places or [0.0]) * 1000:.0f} ms",
            ],
            ["place in the queue seen after, p99", f"{within(load.places, 0.99) * 1000:.0f} ms"],
            ["page after, median", f"{median(waits):.1f} s"],
            ["page after, longest", f"{max(waits):.1f} s"],
            ["the bot's processor time, a call", f"{a_call:.1f} ms"],
            ["the bot's memory", f"{load.megabytes:.0f} MB"],
            ["all in one instant: answered, median", f"{median(rush.delays) * 1000:.0f} ms"],
            ["all in one instant: answered, slowest", f"{max(rush.delays) * 1000:.0f} ms"],
        ],
    )
    figures = {"people": options.people, "calls": len(load.delays), "errors": load.errors}
    finish(bars(load, options.people), figures, options.json)


if __name__ == "__main__":
    main()
