"""The bot as chats see it: whatever comes in, a sentence or something useful goes out."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bot.chat import MOST_BUTTON_BYTES, Bot, Call, CommandInfo, Person, Place, Reply
from bot.commands import COMMANDS, FORMS, PRESSES, TOPICS
from bot.inkwell import Inkwell
from bot.stories import Stories
from bot.trouble import StoreTrouble
from tests.bot.talks import SCRIPT, Stage, Talker, open_stage, picture, talk, talker

INFOS = [command.info for command in COMMANDS]
HOSTILE = (
    "'; DROP TABLE stories; --",
    "<img src=x onerror=alert(1)>",
    "a\0b\x1b[31m",
    "\u202egnp.exe",
    "😀" * 10_000,
    "{0.__class__} %s ${x}",
    "\ud800",
    "../../etc/passwd",
    "[" * 300,
    "\n" * 1000,
)


def test_inkwell_is_a_bot(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        bot: Bot = ann.stage.bot
        assert list(bot.commands) == INFOS
        assert bot.say("zh", "button.draw") == "画出来"

    talk(tmp_path, scene)


def test_the_table_has_every_command_once() -> None:
    names = [info.name for info in INFOS]
    assert len(names) == len({*names})
    of_stories = (
        "new add edit undo move caption draw redraw continue show list export share delete cancel"
        " remix animate"
    )
    of_characters = "new list show edit share delete"
    assert {*names} == {
        *("story " + name for name in of_stories.split()),
        *("character " + name for name in of_characters.split()),
        *("meme", "queue", "quota", "settings", "privacy", "forget", "help", "language"),
    }
    groups = {name.split()[0] for name in names if " " in name}
    assert not groups & {*names}, "a command with subcommands cannot be used by itself"


@pytest.mark.parametrize("info", INFOS, ids=lambda info: str(info.name))
def test_a_command_keeps_to_what_every_platform_allows(info: CommandInfo) -> None:
    words = info.name.split()
    assert 1 <= len(words) <= 2
    assert all(word.isascii() and word.islower() and len(word) <= 32 for word in words)
    options = [option.name for option in info.options]
    assert len(options) == len({*options}) <= 25
    required = [option.required for option in info.options]
    assert required == sorted(required, reverse=True), "Discord wants what is required first"
    for option in info.options:
        assert option.name.replace("_", "").isalnum()
        assert option.name.islower()
        assert len(option.choices) <= 25
        assert not (option.choices and option.suggests)


def test_no_two_topics_mean_something_else_by_one_button() -> None:
    assert len(PRESSES) == sum(len(topic.presses) for topic in TOPICS)
    assert len(FORMS) == sum(len(topic.forms) for topic in TOPICS)


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("story nw", {}, "no command “story nw”"),
        ("story add", {}, "“line” is missing"),
        ("story add", {"line": "  "}, "“line” is missing"),
        ("story add", {"line": "x", "no": 1}, "no option “no”"),
        ("story new", {"title": "x" * 81}, "at most 80 characters, and this has 81"),
        ("story new", {"style": "sepia"}, "it can be: comic"),
        ("story new", {"picture": "x"}, "missing"),
        ("story move", {"panel": 0, "to": 1}, "from 1 to 24"),
        ("story move", {"panel": 1, "to": "two"}, "whole number"),
        ("story move", {"panel": True, "to": 1}, "whole number"),
        ("story cancel", {"number": 0}, "1 at least"),
        ("story cancel", {"number": 10**30}, "no drawing"),
        ("(press)", {"data": "nothing:x"}, "older time"),
        ("(press)", {"data": ""}, "older time"),
        ("(press)", {}, "older time"),
        ("(press)", {"data": "draw:gone"}, "no such story"),
        ("(press)", {"data": "cancel:x"}, "older time"),
        ("(form)", {"data": "draw:x"}, "older time"),
        ("(form)", {"data": "edit:gone", "panels": "x"}, "no such story"),
    ],
)
def test_a_bad_call_gets_a_sentence_and_changes_nothing(
    tmp_path: Path, command: str, options: dict[str, str | int | bool], words: str
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        before = await ann.story()
        text = await ann._call(command, options, {})
        if command == "story new" and "picture" in options:
            return
        assert words in text.lower() or words in text
        assert text[0] == text[0].upper()
        assert text.endswith((".", "”", '"'))
        assert all(reply.private for reply in ann.replies)
        assert await ann.story() == before

    talk(tmp_path, scene)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_words_are_only_words_whatever_they_are_said_to(
    tmp_path: Path, number: int
) -> None:
    words = HOSTILE[number]

    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        ann.person = replace(ann.person, name=words)
        await bob.types(SCRIPT)
        for info in INFOS:
            options = {
                option.name: words
                for option in info.options
                if option.kind is str and not option.choices
            }
            files = {o.name: picture() for o in info.options if o.kind not in (str, int, bool)}
            await ann._call(info.name, {**options, "panel": 1} if "panel" in [
                option.name for option in info.options] else options, files)  # fmt: skip
            check(ann.replies)
        for text in (words, f"[{words}] a boy", f"[Tom] a boy\n\n[Tom] waves #{words}"):
            await ann.types(text)
            check(ann.replies)
        for action in PRESSES:
            if action in ("oblivion",):
                continue
            await ann._call("(press)", {"data": f"{action}:{words}"}, {})
            check(ann.replies)
        assert len(await bob.lines()) == 3

    talk(tmp_path, scene, server="guild")


def check(replies: list[Reply]) -> None:
    """Nothing is broken inside, and all fits into what platforms take."""
    for reply in replies:
        assert "broken" not in reply.text
        assert len(reply.text) <= 4096
        for row in reply.buttons:
            assert len(row) <= 5
            assert all(1 <= len(button.label) <= 80 for button in row)
            assert all(len(button.data.encode()) <= MOST_BUTTON_BYTES for button in row)
        assert len(reply.buttons) <= 5


def test_what_breaks_inside_is_logged_and_said_without_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Stories, *_: object) -> None:
        raise ZeroDivisionError("secret")

    async def scene(ann: Talker, bob: Talker) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Stories, "of_room", broken)
            with caplog.at_level(logging.ERROR):
                text = await ann.types("hello")
        assert "Something is broken" in text
        assert "secret" not in text
        number = text.rstrip(".").split()[-1]
        assert any(number in record.getMessage() and record.exc_info for record in caplog.records)
        assert "Begin a story" in await ann.types("hello")

    talk(tmp_path, scene)


def test_a_full_disk_and_a_locked_database_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(self: Stories, *_: object, **__: object) -> None:
        raise StoreTrouble("store.full")

    async def scene(ann: Talker, bob: Talker) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Stories, "new", full)
            assert "disk" in await ann.asks("story new")
        monkeypatch.setattr("bot.database.BUSY_SECONDS", 0.1)
        await ann.stage.database.rows("SELECT 1")
        other = sqlite3.connect(tmp_path / "inkwell.sqlite3", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            writer = ann.stage.database._writer
            await writer.execute_fetchall("PRAGMA busy_timeout=50")
            text = await ann.asks("story new")
            assert ann.replies[0].private
            assert "broken" not in text
        finally:
            other.close()
        await ann.asks("story new")
        assert ann.replies[0].card

    talk(tmp_path, scene)


def test_old_buttons_work_after_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        stage = await open_stage(tmp_path)
        ann = talker(stage, "ann")
        await ann.types(SCRIPT)
        draw, undo = ann.buttons["Draw"], ann.buttons["Undo"]
        await stage.database.close()
        stage = await open_stage(tmp_path)
        ann = talker(stage, "ann")
        await ann.presses(draw)
        assert (await ann.job()).id == 1
        await ann.presses(undo)
        assert await ann.lines() == []
        await stage.database.close()

    asyncio.run(run())


def test_many_people_at_once_do_not_mix(tmp_path: Path) -> None:
    async def run() -> None:
        stage = await open_stage(tmp_path)
        people = [talker(stage, f"p{number}") for number in range(20)]

        async def types(person: Talker) -> None:
            await person.types(f"[{person.person.id}] somebody")
            for number in range(4):
                await person.types(f"[{person.person.id}] does {number}")

        await asyncio.gather(*map(types, people))
        for person in people:
            story = await person.story()
            assert [member.name for member in story.cast] == [person.person.id]
            assert len(story.panels) == 4
        await stage.database.close()

    asyncio.run(run())


def test_one_persons_lines_sent_at_once_are_all_kept(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types("[Tom] a boy")
        await asyncio.gather(*(ann.types(f"[Tom] {number}") for number in range(12)))
        assert sorted(await ann.lines()) == sorted(f"[Tom] {number}" for number in range(12))

    talk(tmp_path, scene)


def test_a_line_is_kept_although_a_picture_arrives_at_that_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Stories.save

    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        story = await ann.story()
        sha = await ann.stage.bot.stores.pictures.add(picture())
        disturbed = 0

        async def disturbed_save(self: Stories, *args: object, **named: object) -> object:
            nonlocal disturbed
            if disturbed < 2:
                await self.set_picture(story.id, story.panels[disturbed].id, sha)
                disturbed += 1
            return await save(self, *args, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(Stories, "save", disturbed_save)
        await ann.types("[NC] rain")
        after = await ann.story()
        assert len(after.panels) == 4
        assert [panel.picture for panel in after.panels[:2]] == [sha, sha]

    talk(tmp_path, scene)


def test_a_story_deleted_while_it_is_drawn_leaves_nothing(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.asks("story draw")
        job = await ann.stage.ledger.claim()
        assert job is not None
        stop = ann.stage.ledger.stop_event(job.id)
        await ann.asks("story delete")
        await ann.presses("Delete for ever")
        assert stop.is_set()
        assert (await ann.stage.ledger.get(job.id)).state == "cancelled"
        assert not await ann.stage.ledger.drawn(job.id, 1.0)

    talk(tmp_path, scene)


@pytest.mark.parametrize(
    ("command", "option", "typed", "labels"),
    [
        ("story show", "story", "", ["Tabs"]),
        ("story show", "story", "tab", ["Tabs"]),
        ("story show", "story", "x", []),
        ("story redraw", "panel", "", ["1. [Tom] in the office, typing #Tom: Tabs!",
         "2. [Lisa] next to [Tom], angry #(Lisa: Spaces.)",
         "3. [NC] the office at night #Silence."]),
        ("story redraw", "panel", "night", ["3. [NC] the office at night #Silence."]),
        ("character show", "character", "", ["Bob: old"]),
        ("help", "command", "meme", ["/meme"]),
        ("no such", "story", "", []),
        ("story show", "no such", "", []),
    ],
)  # fmt: skip
def test_options_are_completed_with_ones_own(
    tmp_path: Path, command: str, option: str, typed: str, labels: list[str]
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", title="Tabs", script=SCRIPT)
        await ann.asks("character new", name="Bob", description="old")
        bot: Inkwell = ann.stage.bot
        pairs = await bot.suggest(Call(ann.person, ann.place, command), option, typed)
        assert [label for label, _ in pairs] == labels
        if command != "help":
            assert not await bot.suggest(Call(bob.person, bob.place, command), option, typed)

    talk(tmp_path, scene)


def test_every_option_that_suggests_is_completed(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", title="Tabs", script=SCRIPT)
        await ann.asks("character new", name="Bob", description="old")
        for info in INFOS:
            for option in info.options:
                call = Call(ann.person, ann.place, info.name)
                found = await ann.stage.bot.suggest(call, option.name, "")
                assert found or not option.suggests, (info.name, option.name)
                assert len(found) <= 25

    talk(tmp_path, scene)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_called_in_whatever_order_nothing_breaks(tmp_path: Path, seed: int) -> None:
    random = Random(seed)

    async def scene(ann: Talker, bob: Talker) -> None:
        for _ in range(150):
            person = random.choice([ann, bob])
            stage: Stage = person.stage
            kind = random.random()
            if kind < 0.25:
                await person.types(random.choice(
                    [SCRIPT, "[Tom] waves", "[Eve] a girl", "[NC] rain #Dry.", "hello", "[Tom"]
                ))  # fmt: skip
            elif kind < 0.6:
                info = random.choice(INFOS)
                options: dict[str, str | int | bool] = {}
                for option in info.options:
                    if option.required or random.random() < 0.3:
                        if option.kind is int:
                            options[option.name] = random.randint(1, 5)
                        elif option.kind is str:
                            given = ["Tom", "[Tom] runs", "x", "Tabs"]
                            options[option.name] = random.choice(option.choices or given)
                await person._call(info.name, options, {})
            elif kind < 0.9 and person.buttons:
                await person.presses(random.choice(sorted(person.buttons)))
            elif any(reply.form for reply in person.replies):
                await person.fills()
            else:
                await stage.draw_all()
            check(person.replies)

    talk(tmp_path, scene)


def test_a_person_of_one_chat_is_not_the_one_of_another(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        story = await ann.story()
        ann.person, ann.place = Person("other", "ann", "Ann"), Place("other", "dm-ann")
        assert "no such story" in await ann.asks("story show", story=story.id)

    talk(tmp_path, scene)
