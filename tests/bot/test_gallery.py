"""Stars on pages, and the one copy that the gallery gets, on a real store."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat import CannotPost, Person, Place, Post
from bot.errors import Refusal
from bot.gallery import Gallery
from bot.jobs import Job
from bot.requests import page_job
from bot.stars import Stars
from bot.stories import Story
from engine.request import CharacterRequest, DrawRequest, PanelRequest
from tests.bot.stage import ANN, NO_LIMITS, ListeningChat, Stage, perform, refusing

GUILD = "test:guild"
LOBBY, WALL = Place("test", "lobby", "guild"), Place("test", "wall", "guild")
FANS = [Person("test", f"fan{number}", f"Fan {number}") for number in range(4)]


class Community:
    """A page of Ann's that was posted on a server, and the people there."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.chat, self.stars = stage, stage.chat, Stars(stage.database)
        self.gallery = self.new_gallery()

    def new_gallery(self) -> Gallery:
        stage = self.stage
        chats = {"test": self.chat}
        return Gallery(self.stars, chats, stage.people, stage.stories, stage.pictures)

    async def open(self, stars: int = 2) -> None:
        for person in FANS:
            await self.stage.people.meet(person)
        await self.stage.people.change_server(GUILD, gallery=WALL, stars=stars)

    async def page(self, *, place: Place = LOBBY, server: str | None = GUILD) -> Job:
        """Draws and posts a page."""
        story = await self.stage.story(1)
        request = DrawRequest(
            (CharacterRequest("Tom", "a man"),), (PanelRequest("[Tom] walks", ("Tom",)),)
        )
        new = page_job(story, request, place=place, server=server, language="en")
        job = await self.stage.ledger.enqueue(new, NO_LIMITS)
        await self.stage.draw()
        await self.stage.tell()
        return job

    async def press(self, job: Job, *people: Person, channel: str = "lobby") -> None:
        for person in people:
            await self.stars.press(job.id, person.key, GUILD, channel)

    async def look(self) -> None:
        """One round, as if nothing had been edited for a while."""
        self.gallery = self.new_gallery()
        await self.round()

    async def round(self) -> None:
        await self.gallery.round()
        await asyncio.gather(*self.gallery._under_way.values())

    async def story(self) -> Story:
        return (await self.stage.stories.of_owner(ANN.key))[0]

    def posts(self, place: Place) -> list[Post]:
        """What every message of a place with a star shows in the end."""
        last = [posts[-1] for posts in self.chat.shown.values()]
        return [post for post in last if post.place == place and star_of(post) is not None]

    def stars_at(self, place: Place) -> list[str | None]:
        return [star_of(post) for post in self.posts(place)]


def star_of(post: Post) -> str | None:
    """What the star button under a post says."""
    labels = [b.label for row in post.buttons for b in row if b.data.startswith("star:")]
    return labels[0] if labels else None


def test_a_page_on_a_server_has_a_star_and_one_elsewhere_has_none(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.page()
        assert community.stars_at(LOBBY) == ["⭐"]
        alone, own = Place("test", "dm"), Place("test", "ann", "here")
        await community.page(place=alone, server=None)
        await community.page(place=own, server="test:here")
        assert community.stars_at(alone) == community.stars_at(own) == []
        assert len(stage.chat.pages) == 3

    perform(tmp_path, act)


def test_at_the_threshold_one_copy_hangs_in_the_gallery_and_counts_stay_true(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=2)
        job = await community.page()
        await community.press(job, FANS[0])
        await community.look()
        assert (community.stars_at(LOBBY), community.stars_at(WALL)) == (["⭐ 1"], [])
        (page,) = community.posts(LOBBY)
        assert page.files
        assert page.mention is not None
        await community.press(job, FANS[1])
        await community.look()
        (copy,) = community.posts(WALL)
        assert (copy.text, star_of(copy), len(copy.files)) == ("Tabs, by Ann", "⭐ 2", 1)
        await community.press(job, FANS[2], channel="wall")
        await community.look()
        assert community.stars_at(LOBBY) == community.stars_at(WALL) == ["⭐ 3"]
        await community.press(job, *FANS[:3])  # all are taken back: the copy stays
        await community.look()
        assert community.stars_at(LOBBY) == community.stars_at(WALL) == ["⭐"]
        tries = stage.chat.tries
        await community.look()
        assert stage.chat.tries == tries

    perform(tmp_path, act)


def test_counts_are_edited_no_more_often_than_platforms_want(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open()
        job = await community.page()
        for fan in FANS:
            await community.press(job, fan)
            await community.round()
        assert community.stars_at(LOBBY) == ["⭐ 1"]
        assert community.stars_at(WALL) == []
        await community.look()
        assert community.stars_at(LOBBY) == community.stars_at(WALL) == ["⭐ 4"]

    perform(tmp_path, act)


def test_presses_at_once_all_count_and_each_person_once(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open()
        job = await community.page()
        presses = [community.press(job, fan) for fan in FANS]
        twice = [community.press(job, ANN) for _ in range(2)]
        await asyncio.gather(*presses, *twice)
        await community.look()
        assert community.stars_at(LOBBY) == ["⭐ 4"]

    perform(tmp_path, act)


@pytest.mark.parametrize(
    ("deaf", "nonces", "late"),
    [(False, True, False), (True, True, False), (True, False, False), (True, True, True)],
)
def test_a_crash_while_the_copy_is_sent_makes_no_second_one(
    tmp_path: Path, deaf: bool, nonces: bool, late: bool
) -> None:
    """`deaf`: the post arrived, and nobody heard so; `late`: the chat has forgotten the nonce."""

    async def before(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=1)
        job = await community.page()
        await community.press(job, FANS[0])
        (exhibit,) = await community.stars.to_show()
        stage.chat.deaf = deaf
        stage.chat.trouble = [*refusing(1, unknown=True)] if not deaf else []
        if deaf:  # the page is edited first, and that works
            await community.stars.posted(exhibit, "page", exhibit.message)
            stage.chat.trouble = [*refusing(1, unknown=True)]
        await community.round()

    async def after(stage: Stage) -> None:
        stage.chat.trouble, stage.chat.deaf = [], False
        if late:
            stage.chat.forget_nonces()
            await stage.age_marks()
        community = Community(stage)
        for _ in range(3):
            await community.look()
        assert community.stars_at(WALL) == ["⭐ 1"]
        assert community.stars_at(LOBBY) in (["⭐ 1"], ["⭐"])

    perform(tmp_path, before, after, chat=ListeningChat(knows_nonces=nonces))


@pytest.mark.parametrize("again", [False, True])
def test_a_copy_that_was_refused_is_tried_again(tmp_path: Path, again: bool) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=1)
        job = await community.page()
        await community.press(job, FANS[0])
        (exhibit,) = await community.stars.to_show()
        await community.stars.posted(exhibit, "page", exhibit.message)
        stage.chat.trouble = [*refusing(1, again=again)]
        await community.round()
        assert community.stars_at(WALL) == []
        await community.look()
        assert len(community.posts(WALL)) == again  # refused for good: the next star is a try
        await community.press(job, FANS[1])
        await community.look()
        assert community.stars_at(WALL) == ["⭐ 2"]

    perform(tmp_path, act, chat=ListeningChat(knows_nonces=False))


@pytest.mark.parametrize("how", ["delete", "forget"])
def test_the_copy_goes_with_the_story_or_its_owner(tmp_path: Path, how: str) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=1)
        job = await community.page()
        await community.press(job, FANS[0])
        await community.look()
        assert len(community.posts(WALL)) == 1
        story = await community.story()
        if how == "delete":
            stage.ledger.stop(await stage.stories.delete(story.id, ANN.key))
        else:
            await stage.people.forget(ANN.key)
        stage.chat.trouble = [CannotPost("later", again=True)]
        await community.look()
        assert len(community.posts(WALL)) == 1
        await community.look()
        assert community.posts(WALL) == []
        assert await stage.database.rows("SELECT * FROM exhibits") == []
        assert await stage.database.rows("SELECT * FROM stars") == []
        with pytest.raises(Refusal) as caught:
            await community.press(job, FANS[1])
        assert caught.value.key == "stars.nothing_here"

    perform(tmp_path, act)


def test_the_stars_of_somebody_who_is_forgotten_go_too(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=2)
        job = await community.page()
        await community.press(job, *FANS[:2])
        await community.look()
        await stage.people.forget(FANS[0].key)
        await community.look()
        assert community.stars_at(LOBBY) == community.stars_at(WALL) == ["⭐ 1"]

    perform(tmp_path, act)


def test_whoever_cannot_see_a_page_cannot_press_its_star(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open()
        job = await community.page()
        hidden = await community.page(place=Place("test", "dm"), server=None)
        for number, server, channel in (
            (job.id, "test:other", "lobby"),
            (job.id, GUILD, "attic"),
            (job.id, GUILD, "wall"),  # no copy hangs there yet
            (hidden.id, GUILD, "dm"),
            (9999, GUILD, "lobby"),
        ):
            with pytest.raises(Refusal) as caught:
                await community.stars.press(number, FANS[0].key, server, channel)
            assert caught.value.key == "stars.nothing_here"
        assert await stage.database.rows("SELECT * FROM stars") == []

    perform(tmp_path, act)


def test_a_post_that_somebody_has_removed_is_not_put_back(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=1)
        job = await community.page()
        await community.press(job, FANS[0])
        await community.look()
        (copy,) = [m for m, posts in stage.chat.shown.items() if posts[-1].place == WALL]
        await stage.chat.remove(WALL, copy)
        for fan in FANS[1:]:
            await community.press(job, fan)
            await community.look()
        assert community.stars_at(LOBBY) == ["⭐ 4"]
        assert community.posts(WALL) == []

    perform(tmp_path, act)


def test_a_gallery_that_is_opened_later_gets_what_has_enough_stars(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=3)
        await stage.people.change_server(GUILD, gallery=None)
        job = await community.page()
        await community.press(job, *FANS[:2])
        await community.look()
        assert community.posts(WALL) == []
        await stage.people.change_server(GUILD, gallery=WALL)
        await community.look()
        assert community.posts(WALL) == []
        await stage.people.change_server(GUILD, stars=2)
        await community.look()
        assert community.stars_at(WALL) == ["⭐ 2"]
        await stage.people.change_server(GUILD, gallery=None)
        await community.press(job, FANS[2])
        await community.look()
        assert community.stars_at(WALL) == ["⭐ 3"]

    perform(tmp_path, act)


def test_a_page_keeps_its_stars_when_the_ledger_has_forgotten_the_job(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=2)
        job = await community.page()
        await community.press(job, FANS[0])
        await community.look()
        async with stage.database.tx() as db:
            await db.execute("UPDATE jobs SET created = 0")
        await stage.ledger.prune()
        story = await community.story()
        for number in range(job.id + 1, job.id + 8):  # drawings that came later
            sha = await stage.pictures.add(b"page %d" % number)
            await stage.stories.add_page(story.id, number, sha, 1)
        await community.press(job, FANS[1])
        await community.look()
        assert community.stars_at(LOBBY) == community.stars_at(WALL) == ["⭐ 2"]
        assert community.posts(LOBBY)[0].files == community.posts(WALL)[0].files

    perform(tmp_path, act)


def test_a_shared_story_can_be_remixed_from_the_gallery(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=1)
        hidden, shared = await community.page(), await community.page()
        story = await stage.stories.get(shared.story or "", ANN.key)
        audience = ("server:test:guild",)
        await stage.stories.save(replace(story, shared_with=audience), owner=ANN.key)
        for job in (hidden, shared):
            await community.press(job, FANS[0])
        await community.look()
        labels = [[b.label for row in post.buttons for b in row] for post in community.posts(WALL)]
        assert labels == [["⭐ 1"], ["⭐ 1", "Remix"]]

    perform(tmp_path, act)


def test_the_gallery_runs_by_itself_and_a_slow_server_holds_up_no_other(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=1)
        slow = await community.page(place=Place("test", "slow", "slow"), server="test:slow")
        job = await community.page()
        stage.chat.stuck = {"slow"}
        running = asyncio.create_task(community.gallery.run())
        await community.stars.press(slow.id, FANS[0].key, "test:slow", "slow")
        await community.press(job, FANS[0])
        async with asyncio.timeout(10):
            while not community.posts(WALL):
                await asyncio.sleep(0.05)
        running.cancel()

    perform(tmp_path, act)


def test_a_place_is_kept_whole(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        community = Community(stage)
        await community.open(stars=1)
        thread = replace(LOBBY, thread="t")
        job = await community.page(place=thread)
        await community.press(job, FANS[0])
        (row,) = await stage.database.rows("SELECT place FROM exhibits")
        assert Place(**json.loads(row["place"])) == thread
        await community.look()
        assert community.stars_at(thread) == ["⭐ 1"]

    perform(tmp_path, act)
