"""Which word of a prompt says what somebody is."""

from __future__ import annotations

import pytest

from engine.nouns import Noun, class_noun
from engine.plan import plan_shots
from engine.request import CharacterRequest, DrawRequest, PanelRequest
from engine.standing import words_of


@pytest.mark.parametrize(
    ("description", "noun"),
    [
        ("a young man with a red cap", "man"),
        ("red hair, a tall Woman, glasses", "Woman"),
        ("a girl's best friend, a dog", "girl"),
        ("a small dragon with green wings", "dragon"),
        ("an old sea-captain (tired), blue coat", "sea-captain"),
        ("with long hair", "hair"),
        ("", "Sawyer"),
        ("...", "Sawyer"),
        ("一个男人，短发", "一个男人"),
    ],
)
def test_a_noun_is_a_human_being_or_the_last_word_before_what_tells_more(
    description: str, noun: str
) -> None:
    prompt = (
        f"at noon Tom Sawyer, {description}, meets a woman in a park, and Tom Sawyer runs, comic"
    )
    mentions = words_of(prompt, {"Tom Sawyer": description})["Tom Sawyer"]
    start, end = class_noun(prompt, "Tom Sawyer", mentions)
    assert prompt[start:end] == noun
    assert start < prompt.index("meets")


def test_shots_know_the_nouns_of_those_who_have_a_picture() -> None:
    cast = (
        CharacterRequest("Tom", "a man", picture="aGk="),
        CharacterRequest("Lisa", "a woman"),
        CharacterRequest("Max", "a boy", picture="aGk="),
        CharacterRequest("Ann", "a girl", picture="aGk=", strength=0),
    )
    panels = (
        PanelRequest("[Tom] and [Lisa] see [Max]", ("Tom", "Lisa", "Max")),
        PanelRequest("[Lisa]", ("Lisa",)),
        PanelRequest("[Max]", ("Max",), seed=3),
        PanelRequest("[Ann]", ("Ann",)),
    )

    def said(prompt: str, nouns: tuple[Noun, ...]) -> dict[str, str]:
        return {noun.picture: prompt[noun.start : noun.end] for noun in nouns}

    found = {s.name: said(s.prompt, s.nouns) for s in plan_shots(DrawRequest(cast, panels))}
    assert {name: nouns for name, nouns in found.items() if nouns} == {
        "panel 0": {"picture of tom": "man", "picture of max": "boy"},
        "panel 2": {"picture of max": "boy"},
        "panel 2 again": {"picture of max": "boy"},
    }
