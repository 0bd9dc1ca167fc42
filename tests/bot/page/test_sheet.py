"""Character sheets: the pictures, the name and a short description on one card."""

from io import BytesIO

import pytest
from PIL import Image, ImageChops

from bot.page.sheet import DESCRIPTION_LINES, _description, character_sheet

COLOURS = [(200, 60, 60), (60, 200, 60), (60, 60, 200), (200, 200, 60)]


def poses(count: int = 4, size: tuple[int, int] = (128, 128)) -> list[bytes]:
    files = [BytesIO() for _ in range(count)]
    for file, colour in zip(files, COLOURS, strict=False):
        Image.new("RGB", size, colour).save(file, "PNG")
    return [file.getvalue() for file in files]


def card(pictures: list[bytes], name: str, description: str = "", across: int = 2) -> Image.Image:
    return Image.open(BytesIO(character_sheet(pictures, name, description, across=across)))


def places(image: Image.Image) -> list[tuple[int, int, int, int]]:
    """The box of each picture, by its colour."""
    boxes = []
    for colour in COLOURS:
        other = ImageChops.difference(image, Image.new("RGB", image.size, colour)).convert("L")
        box = other.point(lambda value: 255 * (value == 0)).getbbox()
        if box is not None:
            boxes.append(box)
    return boxes


def test_four_pictures_make_a_square_or_a_strip() -> None:
    square, strip = places(card(poses(), "Tom")), places(card(poses(), "Tom", across=4))
    assert square[0][0] == square[2][0] < square[1][0] == square[3][0]
    assert square[0][1] == square[1][1] < square[2][1] == square[3][1]
    assert len({top for _, top, _, _ in strip}) == 1
    assert [left for left, *_ in strip] == sorted(left for left, *_ in strip)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_pictures_stand_in_one_row(count: int) -> None:
    boxes = places(card(poses(count), "Tom"))
    assert len(boxes) == count
    assert len({top for _, top, _, _ in boxes}) == 1


def test_name_and_description_take_room_of_their_own() -> None:
    bare, named = card(poses(), "", ""), card(poses(), "Tom", "")
    whole = card(poses(), "Tom", "a young programmer with glasses")
    assert bare.height < named.height < whole.height


@pytest.mark.parametrize(
    "words", ["a young programmer with glasses, ", "戴眼镜的年轻程序员，", "﷽W🏽"]
)
def test_a_long_description_is_cut_after_three_lines(words: str) -> None:
    block = _description(words * 60, "Tom")
    assert block is not None
    assert len(block.lines) == DESCRIPTION_LINES


@pytest.mark.parametrize(
    "name", ["X" * 2000, "绿先生", "السيد أخضر", "a" + "\u0301" * 900, "\u202e"]
)
def test_any_name_fits_the_card(name: str) -> None:
    assert card(poses(), name, name).width == 1200


def test_pictures_of_other_shapes_are_cut_to_squares() -> None:
    left, top, right, bottom = places(card(poses(size=(200, 100)), "Tom"))[0]
    assert abs((right - left) - (bottom - top)) <= 1


@pytest.mark.parametrize("count", [0, 5])
def test_another_number_of_pictures_is_a_mistake(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 4"):
        character_sheet((poses() * 2)[:count], "Tom")


def test_the_same_person_gives_the_same_bytes() -> None:
    assert character_sheet(poses(), "Tom", "x") == character_sheet(poses(), "Tom", "x")
