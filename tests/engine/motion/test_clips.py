"""Folders of clips as people have them: what is read, how it is cut, what is said of the rest."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.motion.clips import Clip, Cutting, find_clips, segments
from engine.request import EngineError

Pictures = list[Image.Image]
EIGHT = Cutting(frames=8, pixels=32)


def moving_square(count: int, size: tuple[int, int] = (64, 48)) -> Pictures:
    """A red square that goes from left to right over a wide picture, one pixel a frame."""
    return [
        Image.fromarray(with_square(np.full((size[1], size[0], 3), 200, np.uint8), left=8 + i % 40))
        for i in range(count)
    ]


def with_square(pixels: np.ndarray, left: int) -> np.ndarray:
    pixels[16:32, left : left + 16] = (220, 30, 30)
    return pixels


def save_animation(frames: Pictures, path: Path, milliseconds: int = 50) -> Path:
    options = {"lossless": True} if path.suffix == ".webp" else {}
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=milliseconds, loop=0, **options
    )
    return path


def save_video(frames: Pictures, path: Path, rate: int = 24) -> Path:
    av = pytest.importorskip("av")
    codec = "libvpx" if path.suffix == ".webm" else "libx264"
    with av.open(path, "w") as target:
        stream = target.add_stream(codec, rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = *frames[0].size, "yuv420p"
        for frame in frames:
            target.mux(stream.encode(av.VideoFrame.from_image(frame)))
        target.mux(stream.encode(None))
    return path


def save_numbered(frames: Pictures, folder: Path, name: str = "{}.png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, 1):
        frame.save(folder / name.format(number))


def cut(folder: Path, cutting: Cutting = EIGHT) -> tuple[dict[str, list[np.ndarray]], list[str]]:
    """The segments of every clip in a folder, and what was said."""
    said: list[str] = []
    found = {c.name: list(segments(c, cutting, said.append)) for c in find_clips(folder)}
    for segment in chain.from_iterable(found.values()):
        assert segment.shape == (cutting.frames, cutting.pixels, cutting.pixels, 3)
        assert segment.dtype == np.uint8
    return found, said


def lefts(segment: np.ndarray) -> list[int]:
    """Where the square's left side is in each frame, in pixels of the segment."""
    red = (segment[..., 0] > 180) & (segment[..., 1] < 110)
    return [int(np.nonzero(frame.any(0))[0][0]) for frame in red]


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.mp4", "a.MOV", "a.mkv", "a.avi", "a.webm"])
def test_every_kind_of_file_is_cut_into_segments_in_the_order_of_time(
    tmp_path: Path, name: str
) -> None:
    frames = moving_square(40)
    path = tmp_path / name
    if path.suffix in (".gif", ".webp"):
        save_animation(frames, path)  # 20 a second
    else:
        save_video(frames, path)  # 24 a second
    found, said = cut(tmp_path)
    assert list(found) == [name]
    assert len(found[name]) == 1  # 8 frames, every third: 24 of 40
    places = lefts(found[name][0])
    assert places == sorted(places)
    assert places[-1] - places[0] >= 12  # 21 pixels of 48, seen as 32
    assert said == []


def test_numbered_pictures_are_ordered_by_number_and_apart_by_name(tmp_path: Path) -> None:
    frames = moving_square(24)
    save_numbered(frames, tmp_path / "walk")  # 10.png comes after 9.png
    save_numbered(frames[::-1], tmp_path / "walk", "back-{}.jpg")
    frames[0].save(tmp_path / "cover.png")  # has no number
    found, _ = cut(tmp_path)
    assert list(found) == ["walk/*.png", "walk/back-*.jpg"]
    forth, back = (lefts(one[0]) for one in found.values())
    assert forth == sorted(forth)
    assert back == sorted(back, reverse=True)


def test_pictures_of_16_bits_are_as_bright_as_others(tmp_path: Path) -> None:
    (tmp_path / "walk").mkdir()
    for number, frame in enumerate(moving_square(24)):
        grey = np.asarray(frame.convert("L"), dtype=np.uint16)
        Image.fromarray(grey * 257).save(tmp_path / "walk" / f"{number}.png")
    found, said = cut(tmp_path)
    assert said == []
    (segment,) = found["walk/*.png"]
    assert 50 < segment.mean() < 250


@pytest.mark.parametrize(
    ("rate", "stride"), [(6, 1), (12, 2), (24, 3), (60, 9), (120, 17), (0, 3), (90_000, 3)]
)
def test_a_segment_spans_about_a_second(rate: float, stride: int) -> None:
    assert EIGHT.stride(rate) == stride


def test_the_middle_square_is_taken(tmp_path: Path) -> None:
    frames = moving_square(24, size=(96, 48))
    for frame in frames:
        frame.paste("blue", (0, 0, 20, 48))
    save_numbered(frames, tmp_path)
    found, _ = cut(tmp_path)
    segment = found["*.png"][0].astype(int)
    assert not (segment[..., 2] - segment[..., 0] > 100).any()


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    clear = [Image.new("RGBA", (32, 32)) for _ in range(24)]
    for i, frame in enumerate(clear):
        frame.paste("red", (i, 4, i + 8, 12))
    save_numbered(clear, tmp_path)
    found, _ = cut(tmp_path)
    assert found["*.png"][0][0, -1, -1].tolist() == [255, 255, 255]


def test_a_video_that_was_filmed_on_its_side_stands_upright(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    save_video(moving_square(48), tmp_path / "level.mov")
    with av.open(tmp_path / "level.mov") as source, av.open(tmp_path / "a.mov", "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV writes no rotation")
        stream.set_display_rotation(90)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    (tmp_path / "level.mov").unlink()
    segment = cut(tmp_path)[0]["a.mov"][0]
    red = (segment[..., 0] > 180) & (segment[..., 1] < 110)
    tops = [int(np.nonzero(frame.any(1))[0][0]) for frame in red]
    assert abs(tops[-1] - tops[0]) >= 8


# -- what is left out -------------------------------------------------------------------------


def test_short_still_and_broken_clips_are_left_out_and_named(tmp_path: Path) -> None:
    frames = moving_square(48)
    save_animation(frames, tmp_path / "good.gif")
    save_animation(frames[:7], tmp_path / "short.gif")
    frames[0].save(tmp_path / "picture.webp")
    save_numbered([frames[0]] * 24, tmp_path / "still")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a and then nothing")
    whole = (tmp_path / "good.gif").read_bytes()
    (tmp_path / "torn.gif").write_bytes(whole[: len(whole) * 3 // 4])
    (tmp_path / "._good.gif").write_bytes(b"what a Mac leaves on a stick")
    found, said = cut(tmp_path)
    assert {name: len(made) for name, made in found.items() if made} == {
        "good.gif": 2,
        "torn.gif": 1,
    }
    words = "\n".join(said)
    assert "short.gif is left out: it is too short for a segment of 8 frames" in words
    assert "picture.webp is left out: it is too short" in words
    assert "still/*.png: in 1 of 1 segments nothing moves" in words
    assert "broken.gif cannot be read: " in words
    assert "torn.gif cannot be read to its end: " in words
    assert "good.gif" not in words.replace("._good.gif", "")
    assert len(said) == 5


def test_a_broken_video_is_named(tmp_path: Path) -> None:
    pytest.importorskip("av")
    (tmp_path / "a.mp4").write_bytes(b"no video at all" * 100)
    found, said = cut(tmp_path)
    assert found == {"a.mp4": []}
    assert len(said) == 1
    assert said[0].startswith("a.mp4 cannot be read: ")


def test_segments_with_a_cut_to_another_scene_are_left_out(tmp_path: Path) -> None:
    dark = [Image.eval(frame, lambda value: 255 - value) for frame in moving_square(36)]
    save_numbered(moving_square(36) + dark, tmp_path)
    found, said = cut(tmp_path)
    assert len(found["*.png"]) == 2  # of 3; the cut is in the second
    assert said == ["*.png: 1 of 3 segments have a cut in them"]


def test_a_folder_that_is_missing_or_without_clips_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r'there is no folder ".*nowhere"'):
        find_clips(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("nothing moves here")
    with pytest.raises(EngineError, match=r"there are no clips in .* \(\.mp4.* GIF"):
        find_clips(tmp_path)


def test_without_pyav_videos_are_refused_in_words_and_all_else_is_read(tmp_path: Path) -> None:
    """In a process of its own, in which the package cannot be imported."""
    (tmp_path / "films").mkdir()
    save_animation(moving_square(24), tmp_path / "a.gif")
    (tmp_path / "films" / "a.mp4").write_bytes(b"")
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from pathlib import Path\n"
        "from engine.motion.clips import find_clips\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "try:\n    find_clips(folder)\n"
        "except Exception as error:\n    print(error)\n"
        "(folder / 'films' / 'a.mp4').unlink()\n"
        "print(find_clips(folder)[0].name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    refused, read = done.stdout.splitlines()
    assert 'pip install "inkwell[video]"' in refused
    assert read == "a.gif"


def test_a_long_clip_is_read_a_segment_at_a_time(tmp_path: Path) -> None:
    """The second segment's files need not exist when the first is there."""
    save_numbered(moving_square(48), tmp_path)
    clip = find_clips(tmp_path)[0]
    (tmp_path / "40.png").unlink()
    said: list[str] = []
    made = segments(Clip(clip.name, clip.files), EIGHT, said.append)
    next(made)
    assert said == []
    assert list(made) == []
    assert len(said) == 1
