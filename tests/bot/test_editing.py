"""Changes of a story: pictures stay for as long as they show what is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.characters import SavedCharacter
from bot.editing import (
    all_anew,
    another_take,
    cast_lines,
    keep_pictures,
    moved,
    next_page,
    panel_at,
    with_caption,
    with_lines,
    with_panel,
    with_script,
    with_style,
)
from bot.errors import Refusal
from bot.room import NO_CAST, cast_of, read_cast, read_lines, read_panels
from bot.stories import Story

EMPTY = Story(
    id="k3vq7mzt2a",
    owner="test:ann",
    title="",
    style="comic",
    layout="classic",
    seed=7,
    cast=(),
    panels=(),
    room=None,
    shared_with=(),
    parent=None,
    created=0,
    changed=0,
    version=1,
)
CAST = "[Tom] a boy\n[Lisa] a girl"
PANELS = "[Tom] waves #Hi!\n[Lisa] runs\n[Tom] and [Lisa] sit"
BOB = SavedCharacter("b" * 10, "test:ann", "Bob", "an old man", 5)


def typed(story: Story, text: str) -> Story:
    lines = read_lines(text, cast_lines(story), len(story.panels))
    return with_lines(story, lines, {})


def edited(story: Story, cast: str = CAST, panels: str = PANELS) -> Story:
    characters = read_cast(cast)
    return with_script(story, characters, read_panels(panels, cast_of(characters)), {})


def drawn(story: Story) -> Story:
    """The story with a picture called after each panel's id."""
    return replace(story, panels=tuple(replace(p, picture=f"of {p.id}") for p in story.panels))


STORY = drawn(typed(EMPTY, f"{CAST}\n{PANELS}"))


def pictures(story: Story) -> list[bool]:
    return [panel.picture is not None for panel in story.panels]


def test_lines_are_added_at_the_end_or_at_a_number() -> None:
    lines = read_lines("[Tom] jumps", cast_lines(STORY))
    assert with_lines(STORY, lines, {}).panels[3].text == "[Tom] jumps"
    for at, place in ((1, 0), (2, 1), (4, 3), (24, 3)):
        assert with_lines(STORY, lines, {}, at).panels[place].text == "[Tom] jumps"


def test_every_panel_has_a_seed_of_its_own_and_the_same_story_the_same_ones() -> None:
    seeds = [panel.seed for panel in STORY.panels]
    assert len({*seeds}) == 3
    assert [p.seed for p in edited(EMPTY).panels] == seeds
    one_by_one = typed(typed(EMPTY, CAST), "[Tom] waves #Hi!")
    assert one_by_one.panels[0].seed == seeds[0]
    other = replace(EMPTY, seed=8)
    assert not {*seeds} & {panel.seed for panel in edited(other).panels}


def test_the_same_words_again_change_nothing() -> None:
    assert edited(STORY) == STORY


@pytest.mark.parametrize(
    ("cast", "panels", "kept"),
    [
        (CAST, PANELS.replace("runs", "falls"), [True, False, True]),
        (CAST, PANELS.replace("#Hi!", "#Bye!"), [True, True, True]),
        (CAST.replace("boy", "man"), PANELS, [False, True, False]),
        (CAST, "[NC] rain\n" + PANELS, [False, True, True, True]),
        (CAST, PANELS.split("\n", 1)[1], [True, True]),
        (CAST + "\n[Bob] a cat", PANELS, [True, True, True]),
        (CAST, "", []),
    ],
)
def test_pictures_stay_where_nothing_that_they_show_has_changed(
    cast: str, panels: str, kept: list[bool]
) -> None:
    assert pictures(edited(STORY, cast, panels)) == kept


def test_a_panel_with_other_words_keeps_its_id_and_seed() -> None:
    (line,) = read_panels("[Tom] falls #Ouch!", cast_lines(STORY))
    changed = with_panel(STORY, 1, line)
    old, new = STORY.panels[0], changed.panels[0]
    assert (new.id, new.seed, new.picture) == (old.id, old.seed, None)
    assert (new.text, new.caption) == ("[Tom] falls", "Ouch!")
    assert pictures(changed) == [False, True, True]


def test_a_caption_needs_no_drawing() -> None:
    (line,) = read_panels("[Tom] waves #(Lisa: Bye!)", cast_lines(STORY))
    changed = with_caption(STORY, 1, line)
    panel = changed.panels[0]
    assert (panel.caption, panel.kind, panel.speaker) == ("Bye!", "thought", "Lisa")
    assert pictures(changed) == [True, True, True]


@pytest.mark.parametrize(("number", "to", "order"), [(1, 3, "231"), (3, 1, "312"), (2, 2, "123")])
def test_a_panel_moves_with_its_picture(number: int, to: int, order: str) -> None:
    expected = [STORY.panels[int(n) - 1] for n in order]
    assert list(moved(STORY, number, to).panels) == expected


@pytest.mark.parametrize(("number", "to"), [(0, 1), (4, 1), (1, 4), (1, 0), (-1, 1)])
def test_a_panel_that_is_not_there_cannot_move(number: int, to: int) -> None:
    with pytest.raises(Refusal, match="there is no panel"):
        moved(STORY, number, to)


def test_a_story_without_panels_says_so() -> None:
    with pytest.raises(Refusal, match="no panels yet"):
        panel_at(EMPTY, 1)


def test_another_style_means_that_nothing_is_drawn_and_back_that_it_is() -> None:
    noir = with_style(STORY, "noir")
    assert pictures(noir) == [False] * 3
    assert keep_pictures(STORY, with_style(noir, "comic")) == STORY


def test_a_redraw_changes_one_seed_and_keeps_the_picture_until_then() -> None:
    changed = another_take(STORY, 2)
    assert changed.panels[1].seed != STORY.panels[1].seed
    assert changed.panels[::2] == STORY.panels[::2]
    assert pictures(changed) == [True] * 3


def test_all_anew_changes_every_seed() -> None:
    changed = all_anew(STORY)
    assert not {p.seed for p in changed.panels} & {p.seed for p in STORY.panels}
    assert pictures(changed) == [False] * 3


def test_a_saved_character_is_used_by_name_unless_it_is_described_otherwise() -> None:
    saved = {"bob": BOB}
    for line, character, words in (
        ("[bob]", BOB.id, "an old man"),
        ("[Bob] an old man", BOB.id, "an old man"),
        ("[Bob] a young man", None, "a young man"),
    ):
        story = with_lines(EMPTY, read_lines(line, NO_CAST), saved)
        assert (story.cast[0].character, story.cast[0].description) == (character, words)


def test_the_next_page_looks_as_the_last_was_drawn() -> None:
    cast = next_page(STORY)
    assert [member.reference for member in cast] == [p.picture for p in STORY.panels[:2]]
    kept = replace(STORY, cast=(replace(STORY.cast[0], reference="photo"), STORY.cast[1]))
    assert next_page(kept)[0].reference == "photo"
    assert next_page(typed(EMPTY, CAST))[0].reference is None
