"""The script of a room: lines that come one by one."""

from __future__ import annotations

import pytest

from bot.errors import Refusal, ScriptError
from bot.room import (
    NO_CAST,
    cast_of,
    panel_words,
    read_cast,
    read_lines,
    read_panels,
    read_whole,
)
from bot.script import CharacterLine, parse_script
from tests.bot.test_script import EXAMPLES

TOM, LISA = CharacterLine("Tom", "a boy"), CharacterLine("Lisa", "a girl")
CAST = cast_of([TOM, LISA])
SAVED = cast_of([CharacterLine("Bob", "an old man")])


def test_a_new_name_introduces_and_a_known_one_draws() -> None:
    typed = read_lines("[Tom] a boy\n[Tom] waves #Hi!\n[Lisa] a girl\n[Tom] and [Lisa]", NO_CAST)
    assert typed.characters == (TOM, LISA)
    assert [panel.text for panel in typed.panels] == ["[Tom] waves", "[Tom] and [Lisa]"]


def test_a_new_name_introduces_at_any_time() -> None:
    assert read_lines("【Bob】a man", CAST, 5).characters == (CharacterLine("Bob", "a man"),)


@pytest.mark.parametrize("line", ["[NC] rain", "rain over [Tom]", "[tom] waves"])
def test_anything_else_is_a_panel(line: str) -> None:
    assert len(read_lines(line, CAST).panels) == 1


@pytest.mark.parametrize(
    ("text", "panels", "meant"),
    [
        ("[Tmo] waves", 1, [("Tmo", "Tom", 0)]),
        ("[NC] rain\n[Lsia]waves", 0, [("Lsia", "Lisa", 1)]),
        ("[Tmo] a man", 0, []),  # the cast is still being introduced
        ("[Tmo] a man\n[Tmo] runs", 1, []),  # twice the same: no slip
        ("[Bob] a man", 1, []),
        ("[Liza] a girl", 1, [("Liza", "Lisa", 0)]),
        ("[Tom] waves", 1, []),
    ],
)
def test_a_new_name_like_a_known_one_is_doubted_once_there_are_panels(
    text: str, panels: int, meant: list[tuple[str, str, int]]
) -> None:
    doubts = read_lines(text, CAST, panels).doubts
    assert [(doubt.name, doubt.known, doubt.panels) for doubt in doubts] == meant


@pytest.mark.parametrize(
    ("text", "panels", "newcomers"),
    [
        ("[Zoe] jumps", 1, ("Zoe",)),
        ("[Zoe] a girl", 0, ()),  # the cast is still being introduced
        ("[Zoe] a girl\n[Zoe] jumps", 1, ()),  # twice the same: no slip
        ("[NC] rain\n[Zoe] a girl\n[Bob] a man", 0, ("Zoe", "Bob")),
        ("[Tmo] waves", 1, ()),  # that is a doubt
    ],
)
def test_a_late_name_like_no_other_is_a_newcomer(
    text: str, panels: int, newcomers: tuple[str, ...]
) -> None:
    assert read_lines(text, CAST, panels).newcomers == newcomers


def test_a_saved_character_is_no_newcomer() -> None:
    saved = cast_of([CharacterLine("Zoe", "")])
    assert read_lines("[Zoe] jumps\n[Bob] a man", CAST, 1, saved).newcomers == ("Bob",)


def test_two_chinese_letters_of_which_one_is_wrong_are_doubted_and_saved_names_are_not() -> None:
    cast = cast_of([CharacterLine("汤姆", "")])
    assert [doubt.known for doubt in read_lines("【汤母】挥手", cast, 1).doubts] == ["汤姆"]
    saved = cast_of([CharacterLine("Tomy", "")])
    assert read_lines("[Tomy]", CAST, 1, saved).doubts == ()


def test_blank_lines_and_a_blank_message_add_nothing() -> None:
    assert read_lines(" \n\u200b\n", CAST) == read_lines("", NO_CAST)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello", "names nobody"),
        ("[Bob] waves #Hi!", "not introduced"),
        ("[Tom] and [Lsia] wave", r"nearest known name is \[Lisa\]"),
        ("[TOM", "never closed"),
        ("[Tom]\x1b", "U\\+001B"),
        ("[Tom] " + "x" * 2000, "2,000"),
    ],
)
def test_a_wrong_line_is_told_and_none_of_the_message_is_taken(text: str, words: str) -> None:
    with pytest.raises(ScriptError, match=words) as caught:
        read_lines(f"[Tom] waves\n{text}", CAST)
    assert caught.value.line == 2


def test_the_first_line_must_introduce_somebody() -> None:
    with pytest.raises(ScriptError, match="first introduce"):
        read_lines("[NC] rain", NO_CAST)


def test_the_twenty_fifth_panel_and_the_thirteenth_character_are_told() -> None:
    assert len(read_lines("[Tom] waves", CAST, 23).panels) == 1
    with pytest.raises(ScriptError, match="at most 24 panels"):
        read_lines("[Tom] waves\n[Tom] runs", CAST, 23)
    many = cast_of(CharacterLine(f"c{number}", "") for number in range(12))
    for line in ("[Tom] a boy", "[c1] and [Bob]"):
        with pytest.raises(ScriptError, match="at most 12 characters"):
            read_lines(line, many, saved=SAVED)


def test_a_saved_name_needs_no_introduction() -> None:
    typed = read_lines("[Tom] and [bob] wave", CAST, saved=SAVED)
    assert [character.name for character in typed.characters] == ["Bob"]
    assert typed.panels[0].characters == ("Tom", "Bob")
    alone = read_lines("[Bob]", CAST, saved=SAVED)
    assert (alone.characters, alone.panels) == ((CharacterLine("Bob", ""),), ())


def test_a_whole_script_may_leave_out_whom_one_keeps() -> None:
    typed = read_whole("[Tom] a boy\n\n[Bob] waves at [Tom] #Hi!", SAVED)
    assert [character.name for character in typed.characters] == ["Bob", "Tom"]
    assert typed.panels[0].characters == ("Bob", "Tom")
    assert len(read_whole("[Bob] waves #Hi!\n[Bob] runs", SAVED).panels) == 2
    assert len(read_whole("[Tom] a boy\n[Bob] waves #Hi!\n[Tom] runs", SAVED).panels) == 2


def test_a_saved_description_may_have_a_hash_and_the_lines_of_a_script_do_not_suffer() -> None:
    tagged = cast_of([CharacterLine("Bob", "in a #MeToo shirt")])
    typed = read_whole("[Bob] waves #Hi!\n[Bob] runs", tagged)
    assert (typed.characters, len(typed.panels)) == (tuple(tagged.values()), 2)
    with pytest.raises(ScriptError, match=r"\[Tom\] is not introduced yet"):
        read_whole("[Tom] waves #Hi!\n[Bob] runs", tagged)


def test_a_line_with_a_number_or_a_sharp_introduces_in_a_room() -> None:
    typed = read_lines("[Kim] wears #10, likes C#", CAST, 1)
    assert typed.characters == (CharacterLine("Kim", "wears #10, likes C#"),)


def test_a_whole_script_may_introduce_somebody_else_of_a_saved_name() -> None:
    typed = read_whole("[Bob] a young man\n\n[Bob] waves", SAVED)
    assert typed.characters == (CharacterLine("Bob", "a young man"),)


def test_a_mistake_is_told_at_its_own_line_whoever_was_left_out() -> None:
    with pytest.raises(ScriptError) as caught:
        read_whole("[Tom] a boy\n\n[Bob] waves\n[Lisa] waves", SAVED)
    assert (caught.value.line, caught.value.column) == (4, 1)


def test_a_field_of_characters_has_one_a_line() -> None:
    assert read_cast("[Tom] a boy\n\n[Lisa] a girl\n") == (TOM, LISA)
    assert read_cast("[Tom] wears #10, likes #MeToo")[0].description == "wears #10, likes #MeToo"
    for text, words in (
        ("", "at least one"),
        ("a boy", "begins with its name"),
        ("[NC] rain", "begins with its name"),
        ("[Tom] a\n[tom] b", "introduced twice"),
    ):
        with pytest.raises(Refusal, match=words):
            read_cast(text)


def test_a_field_of_panels_has_one_a_line() -> None:
    assert len(read_panels("[Tom] waves\n\n[NC] rain", CAST)) == 2
    with pytest.raises(ScriptError, match="at most 24 panels"):
        read_panels("[NC] rain\n" * 25, CAST)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_panels_can_be_typed_again_from_what_is_kept(path: object) -> None:
    script = parse_script(path.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    cast = cast_of(script.characters)
    for panel in script.panels:
        (again,) = read_panels(panel_words(panel), cast)
        assert again == panel


@pytest.mark.parametrize(
    "line", ["[NC] rain", "[Tom] #Tom: hi", "[Tom] x #(Tom: hi)", "[Tom] x #a # b", "[Tom]"]
)
def test_a_panel_is_typed_as_it_was(line: str) -> None:
    (panel,) = read_panels(line, CAST)
    assert panel_words(panel) == line
