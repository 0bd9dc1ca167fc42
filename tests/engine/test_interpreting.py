"""What a model does not read is translated, shown to its person, or told; over the seam."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

import pytest

from bot.artist import note_in_words
from engine.interpreting import LONGEST_NOTE
from engine.models import HOUSE, SD15, ModelSpec
from engine.plan import plan_shots
from engine.request import (
    CharacterRequest,
    DrawRequest,
    Event,
    PanelRequest,
    Progress,
    Translated,
)
from engine.story import draw_story
from engine.understanding import understood

ENGLISH = {"[汤姆] 在公园": "[汤姆] in the park", "汽车": "cars", "一个男人": "a man"}
REQUEST = DrawRequest(
    (CharacterRequest("汤姆", "一个男人"), CharacterRequest("Lisa", "a woman")),
    (
        PanelRequest("[汤姆] 在公园", ("汤姆",), negative="汽车"),
        PanelRequest("[Lisa] waves", ("Lisa",)),
    ),
)


@dataclass
class Dictionary:
    """An interpreter that knows some sentences."""

    languages: tuple[str, ...] = ("zh",)
    asked: list[str] = field(default_factory=list)

    def into_english(self, language: str, texts: Sequence[str]) -> list[str]:
        assert language == "zh"
        self.asked += texts
        return [ENGLISH.get(text, "") for text in texts]


def is_step(event: Event) -> bool:
    return isinstance(event, Progress) and event.stage == "steps"


def test_a_story_reaches_the_model_in_english_and_its_person_sees_how() -> None:
    request, [_, note] = understood(REQUEST, SD15, Dictionary())
    assert request.panels[0] == PanelRequest("[汤姆] in the park", ("汤姆",), None, "cars")
    assert request.panels[1] == REQUEST.panels[1]
    assert [who.description for who in request.characters] == ["a man", "a woman"]
    assert note.kind == "understood"
    assert note_in_words("zh", note) == "我的理解是：\n1. [汤姆] in the park\n汤姆: a man"


def test_only_what_is_wanted_is_told() -> None:
    _, [_, note] = understood(replace(REQUEST, only=(1,)), SD15, Dictionary())
    assert note.values["words"] == "汤姆: a man"


def test_all_that_is_drawn_in_other_words_is_said_first_but_not_what_shall_not_be_seen() -> None:
    _, [first, _] = understood(replace(REQUEST, only=(1,)), SD15, Dictionary())
    assert first == Translated(("[汤姆] in the park", "a man"))
    request = replace(REQUEST, characters=(), only=(1,))
    assert understood(request, SD15, Dictionary())[1] == [Translated(("[汤姆] in the park",))]


def test_what_was_translated_is_said_before_the_first_step(
    tiny_sd15: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.story.interpreter_of", lambda extras: Dictionary())
    request = replace(REQUEST, model=str(tiny_sd15), steps=1, size=64)
    with closing(draw_story(request, device="cpu")) as events:
        early = list(takewhile(lambda event: not is_step(event), events))
    assert Translated(("[汤姆] in the park", "a man")) in early


def test_a_model_that_reads_chinese_gets_chinese_and_nobody_is_asked() -> None:
    dictionary = Dictionary()
    request, notes = understood(replace(REQUEST, panels=REQUEST.panels[1:]), HOUSE, dictionary)
    assert (request.characters, notes, dictionary.asked) == (REQUEST.characters, [], [])


@pytest.mark.parametrize(
    ("text", "spec", "kind"),
    [("[Lisa] 在公园", SD15, "reads_english"), ("[Lisa] в парке", HOUSE, "reads_english_chinese")],
)
def test_without_an_interpreter_the_person_hears_what_the_model_reads(
    text: str, spec: ModelSpec, kind: str
) -> None:
    request = DrawRequest((REQUEST.characters[1],), (PanelRequest(text, ("Lisa",)),))
    same, [note] = understood(request, spec)
    assert same == request
    assert (note.kind, note.panels) == (kind, (0,))
    assert "panel 1" in note_in_words("en", note)
    assert note_in_words("zh", note) != note.text


def test_a_description_that_is_not_read_concerns_the_panels_of_its_character() -> None:
    request = DrawRequest(
        (CharacterRequest("Tom", "一个男人"),),
        (PanelRequest("[NC] a park", ()), PanelRequest("[TOM] waves", ("TOM",))),
    )
    _, [note] = understood(request, SD15)
    assert note.panels == (1,)


def test_what_nobody_could_translate_stays_as_it_is() -> None:
    request = DrawRequest((), (PanelRequest("[NC] 下雨", ()),))
    assert understood(request, SD15, Dictionary())[0] == request


def test_a_long_story_is_told_shortened() -> None:
    ENGLISH["长"] = "long " * 400
    request = DrawRequest((), (PanelRequest("长", ()),))
    [first, note] = understood(request, SD15, Dictionary())[1]
    assert len(note.values["words"]) <= LONGEST_NOTE
    assert first == Translated((ENGLISH["长"],))


def test_a_model_that_reads_no_chinese_gets_the_style_in_english_whatever_the_names_are() -> None:
    request, _ = understood(replace(REQUEST, style="noir"), SD15, Dictionary())
    [shot, *_] = plan_shots(request, languages=SD15.languages)
    assert "film noir" in shot.prompt
    assert "黑白电影风格" in plan_shots(request, languages=HOUSE.languages)[0].prompt
