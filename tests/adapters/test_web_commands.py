"""Typed commands: what is an option, what is one mistyped, and what is a value with a colon."""

from __future__ import annotations

import pytest

from adapters.web_commands import NotUnderstood, read_command
from bot.commands import COMMANDS

TABLE = [command.info for command in COMMANDS]


@pytest.mark.parametrize(
    ("typed", "unknown", "nearest"),
    [
        ("/story new titel: X", "titel", "title"),
        ("/story new titel：X", "titel", "title"),
        ("/story new Titel: X", "Titel", "title"),
        ("/story new title:Tabs styl:noir", "styl", "style"),
        ("/story new title: Tabs styl: noir", "styl", "style"),
        ("/story new Tabs layuot: strip", "layuot", "layout"),
        ("/story new colour:red", "colour", None),
        ("/story edit panle:2 line:[Tom] waves", "panle", "panel"),
        ("/story caption panel:2 wrods:Tom: hello", "wrods", "words"),
        ("/story caption panel:2 text:Hi # there", "text", None),
        ("/story edit style:noir name: Tabs", "name", None),
        ("/story add lien: [Tom] waves", "lien", "line"),
        ("/meme charcter:Tom", "charcter", "character"),
    ],
)
def test_an_unknown_option_is_named_with_the_nearest_and_all(
    typed: str, unknown: str, nearest: str | None
) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_command(typed, TABLE)
    assert caught.value.key == "no_option"
    values = caught.value.values
    assert values["option"] == unknown
    assert nearest is None or values["nearest"] == nearest
    assert str(values["nearest"]) in str(values["options"]).split(", ")


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("/meme Tom: hello", {"words": "Tom: hello"}),
        ("/meme tom:hello", {"words": "tom:hello"}),
        ("/meme 汤姆：你好", {"words": "汤姆：你好"}),
        ("/meme caption: Note: hello", {"caption": "Note: hello"}),
        ("/story new http://example.org/title: x", {"title": "http://example.org/title: x"}),
        ("/story new at 12:30", {"title": "at 12:30"}),
        ("/story new 12:30", {"title": "12:30"}),
        ("/story new Tom: a life", {"title": "Tom: a life"}),
        ("/story new Re: Tom", {"title": "Re: Tom"}),
        ('/story new "titel: X"', {"title": "titel: X"}),
        ('/story new title:"a styl:noir"', {"title": "a styl:noir"}),
        ("/story add [Tom] reads #The lines: none", {"line": "[Tom] reads #The lines: none"}),
        ("/story add [Tom] at 9:15 #Lina: hi", {"line": "[Tom] at 9:15 #Lina: hi"}),
        ("/story caption panel:2 words:Tom: hello", {"panel": 2, "words": "Tom: hello"}),
    ],
)
def test_words_with_a_colon_that_are_a_value_stay_one(
    typed: str, options: dict[str, object]
) -> None:
    assert read_command(typed, TABLE).options == options


def test_where_no_command_is_near_none_is_suggested() -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_command("/xyz", TABLE)
    assert caught.value.key == "no_such_command"


@pytest.mark.parametrize("typed", ["/stroy new", "/story nwe", "/hepl"])
def test_a_command_that_is_near_is_suggested(typed: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_command(typed, TABLE)
    assert str(caught.value.values["nearest"]).startswith(("/story", "/help"))
