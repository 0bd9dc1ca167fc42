"""Pictures: kept once, by what is in them; uploads: whatever comes in, a harmless PNG goes on."""

from __future__ import annotations

import asyncio
import os
import resource
import struct
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.database import Database
from bot.errors import Refusal
from bot.pictures import GRACE_SECONDS, Pictures
from bot.trouble import StoreTrouble
from bot.uploads import accept_upload
from tests.bot.new_store import open_database

RED, BLUE = (255, 0, 0), (0, 0, 255)


@asynccontextmanager
async def store(tmp_path: Path) -> AsyncIterator[tuple[Database, Pictures]]:
    database = await open_database(tmp_path / "inkwell.sqlite3")
    try:
        yield database, Pictures(tmp_path / "pictures", database)
    finally:
        await database.close()


def files(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "pictures").rglob("*") if path.is_file()}


async def point_to(database: Database, sha: str) -> None:
    async with database.tx() as db:
        await db.execute("INSERT INTO people VALUES ('web:ann', 'Ann', NULL, 0)")
        await db.execute(
            "INSERT INTO characters"
            " VALUES ('tom', 'web:ann', 'Tom', 'tom', '', 0, ?, NULL, 0, 100)",
            (sha,),
        )


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """What a full disk does to a file that is being written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_same_picture_is_kept_once_and_comes_back_byte_for_byte(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as (database, pictures):
            one, other = await asyncio.gather(pictures.add(b"same"), pictures.add(b"same"))
            assert one == other == sha256(b"same").hexdigest()
            assert await pictures.read(one) == b"same"
            assert len(await database.rows("SELECT * FROM pictures")) == 1
        assert (tmp_path / "pictures" / one[:2] / one).read_bytes() == b"same"

    asyncio.run(run())
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("sha", ["0" * 64, "", "../../inkwell.sqlite3", "\0", "A" * 64, "\ud800"])
def test_a_picture_that_is_not_there_is_a_sentence(tmp_path: Path, sha: str) -> None:
    async def run() -> None:
        async with store(tmp_path) as (_, pictures):
            with pytest.raises(Refusal) as caught:
                await pictures.read(sha)
            assert caught.value.key == "store.picture_gone"

    asyncio.run(run())


def test_a_damaged_file_is_not_shown_and_mended_when_the_picture_comes_again(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with store(tmp_path) as (_, pictures):
            sha = await pictures.add(b"whole")
            (tmp_path / "pictures" / sha[:2] / sha).write_bytes(b"wh")
            with pytest.raises(Refusal) as caught:
                await pictures.read(sha)
            assert caught.value.key == "store.picture_gone"
            await pictures.add(b"whole")
            assert await pictures.read(sha) == b"whole"

    asyncio.run(run())


def test_the_sweep_leaves_what_a_row_points_to_and_what_is_new(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as (database, pictures):
            used, unused = await pictures.add(b"used"), await pictures.add(b"unused")
            await point_to(database, used)
            assert await pictures.sweep() == 0
            assert await pictures.sweep(older_than=0) == 1
            assert await pictures.read(used) == b"used"
            assert files(tmp_path) == {used}
            assert await pictures.add(b"unused") == unused
            assert await pictures.read(unused) == b"unused"

    asyncio.run(run())


def test_a_picture_that_comes_again_is_new_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as (database, pictures):
            sha = await pictures.add(b"again")
            async with database.tx() as db:
                await db.execute("UPDATE pictures SET added = 0")
            await pictures.add(b"again")
            assert await pictures.sweep() == 0
            assert await pictures.read(sha) == b"again"

    asyncio.run(run())


def test_the_sweep_finds_what_a_crash_left_behind(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as (_, pictures):
            sha = await pictures.add(b"kept")
            folder = tmp_path / "pictures" / sha[:2]
            old = time.time() - GRACE_SECONDS - 1
            for name in (sha[:2] + "0" * 62, f"{sha}.1234.part", f"{sha[:2]}-new"):
                (folder / name).write_bytes(b"left")
                if not name.endswith("new"):
                    os.utime(folder / name, (old, old))
            os.utime(folder / sha, (old, old))
            assert await pictures.sweep() == 2
            assert files(tmp_path) == {sha, f"{sha[:2]}-new"}

    asyncio.run(run())


def test_adding_while_sweeping_never_loses_a_picture(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as (_, pictures):

            async def add(number: int) -> None:
                sha = await pictures.add(b"%d" % (number % 3))
                assert (tmp_path / "pictures" / sha[:2] / sha).is_file()

            for number in range(30):
                await asyncio.gather(add(number), pictures.sweep(older_than=0), add(number + 1))

    asyncio.run(run())


def test_a_full_disk_is_said_in_words_and_leaves_no_half_file(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as (database, pictures):
            with no_file_longer_than(100_000), pytest.raises(StoreTrouble) as caught:
                await pictures.add(b"x" * 200_000)
            assert caught.value.key == "store.full"
            assert await database.rows("SELECT * FROM pictures") == []
            assert files(tmp_path) == set()
            assert await pictures.read(await pictures.add(b"x" * 200_000))

    asyncio.run(run())


def test_a_disk_that_fills_up_under_the_database_is_said_in_words(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as (database, pictures):

            async def add_many() -> None:
                for number in range(10_000):
                    await pictures.add(b"%d" % number)

            with no_file_longer_than(300_000), pytest.raises(StoreTrouble):
                await add_many()
            count = len(await database.rows("SELECT * FROM pictures"))
            await pictures.add(b"room again")
            assert len(await database.rows("SELECT * FROM pictures")) == count + 1
            [check] = await database.rows("PRAGMA integrity_check")
            assert tuple(check) == ("ok",)

    asyncio.run(run())


# Uploads


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def accepted(content: bytes) -> Image.Image:
    png = accept_upload(content)
    image = Image.open(BytesIO(png))
    image.load()
    assert (image.format, image.mode, image.info) == ("PNG", "RGB", {})
    assert max(image.size) <= 1024
    return image


def refused(content: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        accept_upload(content)
    assert str(caught.value) != caught.value.key
    return caught.value.key


def near(colour: Any, wanted: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 8 for one, other in zip(colour, wanted, strict=True))


def halves(size: tuple[int, int] = (64, 32), mode: str = "RGB") -> Image.Image:
    """Left red, right blue."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (0, 0, size[0] // 2, size[1]))
    return image.convert(mode)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("WEBP", "RGB"),
        ("WEBP", "RGBA"),
        ("GIF", "P"),
    ],
)
def test_every_common_kind_of_picture_is_taken(kind: str, mode: str) -> None:
    image = accepted(encoded(halves(mode=mode), kind))
    assert image.size == (64, 32)
    assert near(image.getpixel((4, 16)), RED)
    assert near(image.getpixel((60, 16)), BLUE)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_grey_pictures_are_taken(mode: str) -> None:
    grey = Image.new("L", (64, 32), 128)
    image = grey.convert(mode) if mode != "I;16" else Image.new(mode, (64, 32), 128 * 257)
    found = accepted(encoded(image)).getpixel((9, 9))
    assert mode == "1" or near(found, (128, 128, 128))


def test_transparent_parts_become_white() -> None:
    image = Image.new("RGBA", (20, 20), (*RED, 0))
    assert near(accepted(encoded(image)).getpixel((9, 9)), (255, 255, 255))


@pytest.mark.parametrize("size", [(1, 1), (1, 30_000), (5_000, 7), (1024, 1024), (1025, 3)])
def test_odd_sizes_are_made_small_enough(size: tuple[int, int]) -> None:
    assert min(accepted(encoded(Image.new("RGB", size))).size) >= 1


def test_a_picture_keeps_its_shape_and_colours_when_it_is_made_smaller() -> None:
    image = accepted(encoded(halves((6000, 4001), "RGBA")))
    assert image.size == (1024, 683)
    assert near(image.getpixel((500, 682)), RED)
    assert near(image.getpixel((524, 0)), BLUE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "red_at"),
    [(1, "left"), (2, "right"), (3, "right"), (6, "top"), (8, "bottom")],
)
def test_photos_are_upright_and_what_they_tell_of_the_camera_is_dropped(
    kind: str, orientation: int, red_at: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a camera that nobody needs to know"
    content = encoded(halves((1600, 800)), kind, exif=exif)
    image = accepted(content)
    assert b"a camera" in content
    assert b"a camera" not in accept_upload(content)
    width, height = image.size
    places = {
        "left": (9, height // 2),
        "right": (width - 9, height // 2),
        "top": (width // 2, 9),
        "bottom": (width // 2, height - 9),
    }
    assert near(image.getpixel(places[red_at]), RED)
    assert (width > height) == (red_at in ("left", "right"))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_broken_note_of_the_camera_does_no_harm() -> None:
    content = encoded(halves(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff" + b"\xff" * 40)
    assert accepted(content).size == (64, 32)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animated_picture_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, BLUE)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert near(accepted(content).getpixel((9, 9)), RED)


def test_a_photo_of_50_megapixels_is_taken() -> None:
    assert accepted(encoded(Image.new("RGB", (8192, 6144), RED), "JPEG")).size == (1024, 768)


def png_that_says(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises any size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(999))), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    "side", [7_800, 9_500, 13_400, 50_000, 2**31 - 1], ids=lambda side: f"{side:,}"
)
def test_picture_bombs_are_refused_unread(side: int) -> None:
    started = time.monotonic()
    assert refused(png_that_says(side, side)) in ("store.upload_pixels", "store.upload_broken")
    assert time.monotonic() - started < 2


def test_the_limit_of_pixels_is_named() -> None:
    with pytest.raises(Refusal, match="at most 60 megapixels"):
        accept_upload(png_that_says(8000, 8000))
    with pytest.raises(Refusal, match="at most 24 megapixels"):
        accept_upload(encoded(Image.new("RGB", (5000, 5000)), "WEBP", quality=1))


def test_wrong_files_are_refused_with_what_to_do() -> None:
    assert refused(b"") == "store.upload_empty"
    assert refused(b"x" * 20_000_001) == "store.upload_long"
    assert refused(b"MZ this is a program") == "store.upload_kind"
    assert refused(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "store.upload_kind"
    assert refused(encoded(halves(), "BMP")) == "store.upload_kind"
    assert refused(encoded(halves(), "TIFF")) == "store.upload_kind"
    assert refused(b"%PDF-1.7\n%%EOF") == "store.upload_kind"
    assert refused(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n") == "store.upload_kind"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_files_cut_off_or_damaged_anywhere_are_refused_or_read_but_never_crash(kind: str) -> None:
    noise = Image.effect_noise((64, 64), 80).convert("RGB")
    content = encoded(noise, kind)
    assert refused(content[: len(content) // 2]) == "store.upload_broken"
    for at in range(0, len(content), max(1, len(content) // 60)):
        damaged = bytearray(content)
        damaged[at] ^= 0xFF
        for broken in (bytes(damaged), content[:at]):
            with suppress(Refusal):
                accepted(broken)


def test_uploads_from_many_threads_do_not_disturb_each_other() -> None:
    good, bad = encoded(halves((900, 500)), "JPEG"), png_that_says(50_000, 50_000)

    def attempt(number: int) -> str:
        try:
            return "taken" if accept_upload(bad if number % 2 else good) else ""
        except Refusal as refusal:
            return refusal.key

    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(attempt, range(24))]
    assert found == ["taken", "store.upload_pixels"] * 12
