"""What shall not be seen in a panel: how it is typed, shown, and asked of the engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.alt_text import panel_alt
from bot.errors import ScriptError
from bot.script import PanelLine, parse_script
from bot.stories import Panel
from bot.without import panel_request, seen_and_not
from engine.request import DrawRequest, PanelRequest
from tests.bot.talks import Talker, talk

CAST = "[Tom] a boy\n[Lisa] a girl\n\n"


def panel_of(line: str) -> PanelLine:
    (panel,) = parse_script(CAST + line).panels
    return panel


@pytest.mark.parametrize(
    ("text", "seen", "negative"),
    [
        ("[Tom] in the street --no cars, rain", "[Tom] in the street", "cars, rain"),
        ("[Tom] in the street --NO cars", "[Tom] in the street", "cars"),
        ("[Tom] in the street —no cars", "[Tom] in the street", "cars"),
        ("[Tom]--no: hats", "[Tom]", "hats"),
        ("[Tom] waves --no cars --no dogs,", "[Tom] waves", "cars, dogs"),
        ("[汤姆] 在街上--不要汽车、雨", "[汤姆] 在街上", "汽车、雨"),
        ("[汤姆] 在街上 ——不要 汽车", "[汤姆] 在街上", "汽车"),
        ("【汤姆】－－不要：雨", "【汤姆】", "雨"),
    ],
)
def test_what_follows_the_mark_shall_not_be_seen(text: str, seen: str, negative: str) -> None:
    assert seen_and_not(text) == (seen, negative)


@pytest.mark.parametrize(
    "text",
    [
        "[Tom] goes --north",
        "[Tom] says no",
        "[Tom] — no cars around",
        "a well-known street, no cars",
        "[Tom] asks why-no-one comes",
        "[汤姆] 说不要",
        "[汤姆] 想着——不要再来",
    ],
)
def test_other_dashes_and_other_words_are_a_part_of_the_picture(text: str) -> None:
    assert seen_and_not(text) == (text, "")


def test_the_plan_keeps_the_words_as_typed_and_adds_a_key_only_where_it_is_needed() -> None:
    script = parse_script(CAST + "[Tom]  waves --no  cars #Hi --no!\n[Lisa] waves #Hi --no!")
    first, second = json.loads(script.to_json())["panels"]
    assert (first["text"], first["negative"], first["caption"]) == (
        "[Tom] waves --no cars", "cars", "Hi --no!",
    )  # fmt: skip
    assert list(first)[-1] == "negative"
    assert "negative" not in second


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("[Tom] waves --no", 13, "after --no what shall not be seen"),
        ("[Tom] waves --no , #Hi", 13, "after --no what shall not be seen"),
        ("[Tom] waves --no hats, [Lisa]", 24, "[Lisa] after --no would be drawn"),
        ("[NC] --no cars", 1, "[NC] alone says nothing to draw"),
    ],
)
def test_a_mistake_after_the_mark_is_told_with_its_place(
    line: str, column: int, words: str
) -> None:
    with pytest.raises(ScriptError) as caught:
        panel_of(line)
    assert (caught.value.line, caught.value.column) == (4, column)
    assert words in str(caught.value)


def test_the_engine_gets_both_halves_apart() -> None:
    assert panel_request(panel_of("[Tom] waves --no cars #Hi"), 3) == PanelRequest(
        "[Tom] waves", ("Tom",), 3, "cars"
    )


def test_a_story_keeps_the_words_and_asks_the_engine_for_both(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(CAST + "[Tom] in the street --no cars #Late again.")
        assert "1. [Tom] in the street --no cars #Late again." in ann.text
        await ann.asks("story draw")
        request = DrawRequest.from_json((await ann.job()).request)
        assert request.panels[0].text == "[Tom] in the street"
        assert request.panels[0].negative == "cars"

    talk(tmp_path, scene)


def test_what_is_read_out_is_what_is_seen() -> None:
    panel = Panel("p", "[Tom] in the street --no cars", characters=("Tom",))
    assert panel_alt(1, panel, "en") == "Panel 1: Tom in the street."
