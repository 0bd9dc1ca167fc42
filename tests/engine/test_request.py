"""Requests and events come through JSON as they were; what is neither is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from engine.request import (
    CharacterRequest,
    Done,
    DrawRequest,
    EngineError,
    Event,
    Failed,
    Note,
    PanelDrawn,
    PanelRequest,
    Preview,
    Progress,
    Translated,
    event_from_line,
    event_to_line,
)

STORY = DrawRequest(
    characters=(
        CharacterRequest("汤姆", "一个年轻的程序员"),
        CharacterRequest("Lisa", "", 7, "aGk="),
    ),
    panels=(PanelRequest("[汤姆] 打字", ("汤姆",)), PanelRequest("[NC] rain", (), seed=2**70)),
    steps=3,
    guidance=2.5,
    only=(1,),
    previews=4,
)


def test_a_request_comes_through_json_as_it_was() -> None:
    assert DrawRequest.from_json(STORY.to_json()) == STORY
    assert DrawRequest.from_json(STORY.to_json().encode()) == STORY
    assert DrawRequest.from_json(replace(STORY, only=None).to_json()).only is None
    assert DrawRequest.from_json(replace(STORY, only=()).to_json()).only == ()


def test_a_request_from_before_saved_characters_and_redraws_is_still_understood() -> None:
    old = (
        '{"characters": [{"name": "Tom", "description": "a man"}],'
        ' "panels": [{"text": "[Tom] runs", "characters": ["Tom"]}], "style": "comic", "seed": 3,'
        ' "model": "house", "steps": null, "guidance": null, "rate": 0.5, "size": null,'
        ' "identity_panels": 3, "micro_batch": 8}'
    )
    tom = CharacterRequest("Tom", "a man")
    assert DrawRequest.from_json(old) == DrawRequest(
        (tom,), (PanelRequest("[Tom] runs", ("Tom",)),), seed=3
    )


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": "many"}, "steps"),
        ({"size": 10**9}, "size"),
        ({"rate": float("nan")}, "rate"),
        ({"micro_batch": 0}, "micro_batch"),
        ({"only": ["first"]}, "only.0"),
        ({"panels": None}, "panels"),
        ({"panels": [{"text": "x"}]}, "panels.0.characters"),
        ({"characters": [{"name": "Tom", "description": "x", "age": 3}]}, "characters.0.age"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_not_a_request_is_refused_and_the_place_named(
    change: dict[str, object], place: str
) -> None:
    text = json.dumps({**json.loads(STORY.to_json()), **change})
    with pytest.raises(EngineError, match=f"not a request to draw: {place}:"):
        DrawRequest.from_json(text)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", b"\xff"])
def test_what_is_not_even_an_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(EngineError, match="JSON"):
        DrawRequest.from_json(text)


@pytest.mark.parametrize(
    "event",
    [
        Progress("steps", 3, 48),
        Preview(2, b"\xff\xd8\n\x00"),
        PanelDrawn(0, b"\x89PNG\r\n\x1a\n"),
        Note("words\nof 两 lines", "too_long", (0, 3)),
        Translated(("a man", "[汤姆] types")),
        Done(7.25),
        Failed("nothing is left", "memory"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_is_one_line_and_comes_back_as_it_was(event: Event) -> None:
    line = event_to_line(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert event_from_line(line) == event


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\n",
        b"{}\n",
        b'"done"\n',
        b'{"event": "party"}\n',
        b'{"event": "done"}\n',
        b'{"event": "done", "seconds": 1, "more": 2}\n',
        b'{"event": "panel", "index": 0, "png": "not base64!"}\n',
        b'{"event": "panel", "index": 0, "png": 3}\n',
        b'{"event": "failed", "reason": "x", "kind": "bored"}\n',
        b'{"event": "progress", "stage": "steps", "do',
    ],
)
def test_a_line_that_no_engine_writes_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"not an event|fails in no such way"):
        event_from_line(line)
