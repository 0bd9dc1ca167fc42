"""What fits into one Discord message."""

from __future__ import annotations

import pytest

from adapters.discord_messages import (
    MOST_REQUEST_BYTES,
    MOST_TEXT,
    batches,
    buttons_of,
    one_text,
    split_text,
)
from bot.chat import Button, File


@pytest.mark.parametrize(
    "text",
    ["word " * 3000, "*" * 5000, "\n".join(["line"] * 2000), "字" * 4500, "", " \n ", "a\n\n\nb"],
)
def test_a_text_is_split_without_losing_a_word(text: str) -> None:
    texts = split_text(text)
    assert all(0 < len(one) <= MOST_TEXT for one in texts)
    together = "".join("".join(texts).split()).replace("\\", "")
    assert together == "".join(text.split())


def test_a_text_that_must_be_one_message_is_never_too_long() -> None:
    assert one_text("a*b") == r"a\*b"
    assert one_text("*" * 1900) == "*" * 1900
    assert len(one_text("x" * 5000)) == MOST_TEXT


def test_files_are_shared_out_by_number_and_size() -> None:
    small = [File(f"{n}.png", b"x") for n in range(21)]
    assert [len(batch) for batch in batches(small)] == [10, 10, 1]
    large = [File(f"{n}.png", bytes(MOST_REQUEST_BYTES // 2)) for n in range(3)]
    assert [len(batch) for batch in batches(large)] == [2, 1]
    assert batches([]) == []


def test_buttons_stand_in_five_rows_of_five_and_never_twice_under_one_name() -> None:
    rows = buttons_of((tuple(Button(str(n), "same") for n in range(7)),) * 4)
    assert [len(row) for row in rows] == [5, 2, 5, 2, 5]
    names = [custom_id for row in rows for _, _, custom_id in row]
    assert len(set(names)) == len(names)
    assert {name.partition(":")[2] for name in names} == {"same"}
