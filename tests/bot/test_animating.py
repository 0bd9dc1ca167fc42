"""Animations on their way: from the queue through the engine to the chat, whatever happens."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot import animating
from bot.animating import AboutAnimation, Part, frame_count, missing_parts, same_size, weight
from bot.artist import Engine, EngineDied
from bot.config import EngineConfig
from bot.jobs import Job, NewJob
from bot.migrate import migrate
from bot.pictures import Pictures
from bot.requests import place_json
from bot.studio import MOST_FRAMES, Drawing
from engine.request import (
    AnimateRequest,
    Done,
    EngineError,
    FrameDrawn,
    PanelRequest,
    Preview,
    Translated,
)
from engine.request import Progress as Step
from tests.bot.stage import ANN, HERE, NO_LIMITS, Stage, perform, picture

SHAS = tuple(f"{number:064x}" for number in range(4))


def request(pictures: int = 4) -> AnimateRequest:
    panels = tuple(PanelRequest(f"[Tom] walks {n}", ("Tom",)) for n in range(pictures))
    return AnimateRequest((), panels, SHAS[:pictures])


async def ask(
    stage: Stage, panels: int = 3, what: animating.What = "panels", most_bytes: int = 10_000_000
) -> Job:
    """A job that animates a drawn story of so many panels."""
    drawn = await stage.ask(panels)
    assert drawn.story is not None
    await stage.draw()
    await stage.tell()
    story = await stage.stories.get(drawn.story, ANN.key)
    wanted = AnimateRequest(
        (),
        tuple(PanelRequest(p.text, p.characters) for p in story.panels),
        tuple(p.picture or "" for p in story.panels),
    )
    about = AboutAnimation(
        story.id, "Tabs", "classic", what, "gif", most_bytes, story.panels,
        tuple(range(1, panels + 1)), wanted.pictures,
    )  # fmt: skip
    new = NewJob(
        ANN.key, place_json(HERE), None, "animate", story.id, wanted.to_json(), about.to_json(),
        weight(wanted, what), "en",
    )  # fmt: skip
    return await stage.ledger.enqueue(new, NO_LIMITS)


def gifs(stage: Stage) -> list[bytes]:
    posts = [post for posts in stage.chat.shown.values() for post in posts]
    return [file.content for post in posts for file in post.files if file.name.endswith(".gif")]


def frames(content: bytes) -> int:
    with Image.open(BytesIO(content)) as image:
        return int(image.n_frames)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("pictures", "what", "count", "panels"),
    [(1, "panels", 14, 4), (2, "panels", 8, 2), (4, "panels", 22, 6), (4, "page", 56, 14)],
)
def test_the_number_of_frames_is_known_before(
    pictures: int, what: animating.What, count: int, panels: int
) -> None:
    assert frame_count(request(pictures), what) == count
    assert weight(request(pictures), what) == panels


def asked(part: Part) -> tuple[tuple[str, ...], int, int]:
    return part.request.pictures, part.first_frame, part.first_panel


def test_only_the_segments_that_are_missing_are_asked_for() -> None:
    def missing(kept: int) -> list[tuple[tuple[str, ...], int, int]]:
        return [asked(part) for part in missing_parts(request(), "panels", range(kept))]

    assert missing(0) == [(SHAS, 0, 0)]
    assert missing(6) == [(SHAS, 0, 0)]
    assert missing(7) == [(SHAS[1:], 7, 1)]
    assert missing(20) == missing(21) == [(SHAS[2:], 14, 2)]
    assert missing(22) == []


def test_on_a_page_each_panel_is_asked_for_alone() -> None:
    parts = list(missing_parts(request(), "page", range(14, 28)))
    assert [asked(part) for part in parts] == [
        ((SHAS[0],), 0, 0),
        ((SHAS[2],), 28, 2),
        ((SHAS[3],), 42, 3),
    ]


@pytest.mark.parametrize(("what", "count"), [("panels", 15), ("page", 1 + 2 * 14)])
def test_an_animation_is_drawn_and_delivered_once_with_words_and_buttons(
    tmp_path: Path, what: animating.What, count: int
) -> None:
    async def act(stage: Stage) -> None:
        job = await ask(stage, 3 if what == "panels" else 2, what)
        assert (await stage.draw()).state == "drawn"
        assert await stage.ledger.pictures(job.id) == {}, "its frames are in the file"
        await stage.tell()
        assert await stage.state(job) == "delivered"
        (content,) = gifs(stage)
        assert frames(content) == count

    async def later(stage: Stage) -> None:
        await stage.tell()
        assert len(gifs(stage)) == 1
        (post,) = [
            p[-1] for p in stage.chat.shown.values() if p[-1].files and "moving" in p[-1].text
        ]
        labels = [button.label for row in post.buttons for button in row]
        assert {"Animate", "Living panel", "Delete"} <= set(labels)
        assert post.about

    perform(tmp_path, act, later)


def test_an_engine_that_died_is_asked_only_for_what_is_missing(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await ask(stage)
        stage.artist.trouble, stage.artist.after = [EngineDied("killed")], 9
        again = await stage.draw()
        assert (again.state, again.attempts) == ("waiting", 0)  # a whole segment was new
        assert (await stage.draw()).state == "drawn"
        assert [len(asked.pictures) for asked in stage.artist.animated] == [3, 2]
        await stage.tell()
        assert frames(gifs(stage)[0]) == 15
        assert await stage.state(job) == "delivered"

    perform(tmp_path, act)


def test_an_engine_that_dies_in_the_first_segment_costs_an_attempt(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        await ask(stage)
        stage.artist.trouble, stage.artist.after = [EngineDied("killed")], 3
        job = await stage.draw()
        assert (job.state, job.attempts) == ("waiting", 1)

    perform(tmp_path, act)


def test_a_crash_between_the_file_and_the_ledger_draws_nothing_again(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        await ask(stage)
        job = await stage.ledger.claim()
        assert job is not None
        await stage.worker.work(job)
        async with stage.database.tx() as db:
            await db.execute("UPDATE jobs SET state = 'waiting' WHERE id = ?", (job.id,))
        assert (await stage.draw()).state == "drawn"
        assert len(stage.artist.animated) == 1

    perform(tmp_path, act)


def test_what_is_translated_into_what_is_not_drawn_does_not_move(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        await ask(stage)
        stage.artist.opening = [Translated(("[Tom] watches pornography",))]
        job = await stage.draw()
        assert job.reason is not None
        assert (job.state, job.reason.key) == ("failed", "safety.word")

    perform(tmp_path, act)


def test_a_model_that_cannot_move_ends_the_job_with_its_words(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await ask(stage)
        stage.artist.trouble = [EngineError('the model "sd15" has not learnt to move')]
        await stage.draw()
        await stage.tell()
        assert await stage.state(job) == "failed"
        assert any("has not learnt to move" in text for text in stage.chat.texts)

    perform(tmp_path, act)


def test_a_cancelled_animation_is_not_drawn(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await ask(stage)
        assert await stage.ledger.cancel(job.id, ANN.key)
        assert await stage.ledger.claim() is None

    perform(tmp_path, act)


def test_what_had_to_be_left_out_for_the_chat_is_said(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        await ask(stage)
        await stage.draw()
        await stage.tell()
        whole = len(gifs(stage)[0])
        await ask(stage, most_bytes=round(whole * 0.6))
        await stage.draw()
        await stage.tell()
        assert len(gifs(stage)[-1]) <= 0.6 * whole
        assert any("To fit into this chat" in text for text in stage.chat.texts)
        await ask(stage, most_bytes=900)
        job = await stage.draw()
        assert job.state == "failed"
        assert job.reason is not None
        assert "even with 8 frames" in job.reason.say("en")

    perform(tmp_path, act)


def test_panels_of_other_sizes_are_fitted_to_the_first() -> None:
    wide = BytesIO()
    Image.new("RGB", (200, 100), "red").save(wide, "PNG")
    same, was_fitted = same_size([picture(0), wide.getvalue(), picture(40)])
    assert was_fitted
    assert same[0] == picture(0)
    assert {Image.open(BytesIO(content)).size for content in same} == {(64, 64)}
    assert same_size([picture(0), picture(40)]) == ([picture(0), picture(40)], False)


def test_a_note_of_the_engine_names_the_panels_of_the_story(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        await ask(stage)
        await stage.draw()  # everybody is in every panel: nothing is said
        drawn = await stage.stories.of_owner(ANN.key)
        panels = drawn[0].panels
        apart = (panels[1], replace(panels[2], characters=()))
        wanted = AnimateRequest(
            (),
            tuple(PanelRequest(p.text, p.characters) for p in apart),
            tuple(p.picture or "" for p in apart),
        )
        about = AboutAnimation(
            drawn[0].id, "", "classic", "panels", "gif", 10**7, apart, (2, 3), wanted.pictures
        )
        new = NewJob(
            ANN.key, place_json(HERE), None, "animate", drawn[0].id, wanted.to_json(),
            about.to_json(), 2, "en",
        )  # fmt: skip
        job = await stage.ledger.enqueue(new, NO_LIMITS)
        await stage.draw()
        (said,) = await stage.ledger.notes.of(job.id)
        assert said.startswith("nobody of panel 2 is in the panel that follows")

    perform(tmp_path, act)


def test_the_engine_is_asked_to_animate_over_its_socket() -> None:
    encoded = tuple(b64encode(picture(shade)).decode() for shade in (0, 200))
    wanted = replace(request(2), pictures=encoded)

    async def run() -> None:
        engine = Engine(EngineConfig(), program=("-m", "bench.toy_engine"))
        await engine.start()
        try:
            events = [event async for event in engine.animate(wanted)]
        finally:
            await engine.stop()
        assert [e.index for e in events if isinstance(e, FrameDrawn)] == list(range(8))
        assert isinstance(events[-1], Done)

    asyncio.run(run())


def test_progress_goes_on_through_all_parts_and_shows_the_newest_frames() -> None:
    drawing = Drawing()
    drawing.parts = 2
    drawing.see(Preview(0, picture(0, "JPEG")))
    shares = []
    for drawing.part in range(2):
        for done in range(14):
            drawing.see(Step("frames", done + 1, 14))
            drawing.see(FrameDrawn(drawing.part * 14 + done, picture(done)))
            shares.append(drawing.share)
    assert shares == sorted(shares)
    assert shares[13] < 0.5 < shares[-1] < 1
    assert len(drawing.thumbnails) == MOST_FRAMES + 1
    assert drawing.stage == "frames"


def test_pictures_are_read_by_whoever_asks_the_engine(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        assert isinstance(stage.pictures, Pictures)
        await ask(stage)
        await stage.draw()
        (sent,) = stage.artist.animated
        assert sent.pictures[0] == b64encode(picture(0)).decode()

    perform(tmp_path, act)


def test_jobs_from_before_there_were_animations_keep_their_kind(tmp_path: Path) -> None:
    migrations = Path(__file__).parents[2] / "migrations"
    old, path = tmp_path / "old", tmp_path / "store.sqlite3"
    old.mkdir()
    for file in migrations.glob("000[1-5]_*.sql"):
        shutil.copy(file, old)
    migrate(path, old)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT INTO people VALUES ('a', 'Ann', NULL, 0)")
        for number, kind in enumerate(("draw", "redraw", "sheet", "meme-draw"), 1):
            db.execute(
                "INSERT INTO jobs (id, person, place, kind, panels, language, created, pace, about,"
                " request) VALUES (?, 'a', '{}', ?, 1, 'en', 0, 'x', '{}', '{}')",
                (number, kind),
            )
        db.execute("INSERT INTO posts VALUES (1, 'page 1', 'n', 'sent', 'm')")
    migrate(path, migrations)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        kinds = [kind for (kind,) in db.execute("SELECT kind FROM jobs ORDER BY id")]
        assert kinds == ["draw", "redraw", "sheet", "meme-draw"]
        assert db.execute("SELECT count(*) FROM posts").fetchone() == (1,)
        db.execute("UPDATE jobs SET kind = 'animate' WHERE id = 1")
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("UPDATE jobs SET kind = 'dance' WHERE id = 1")
