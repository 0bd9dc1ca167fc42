"""The story script that people type, read into a `StoryScript`.

    [Tom] a young programmer with glasses        the cast: one character a line

    [Tom] in the office, typing #Tom: "Tabs!"    then the panels: picture # caption
    [NC] the office, papers everywhere           a panel with nobody in it

The cast goes up to the first blank line or line that does not begin with a new name; what follows a
name there is its description. A `#` other than that of C# or #10 may be in it where a blank line
ends the cast and not all of its lines have one: else these are panels whose cast was forgotten.
Every panel names somebody or says [NC]. What follows `--no` at the end of a picture (or `--不要`)
is what shall not be seen: `[Tom] in the street --no cars, rain`. `Name: words` is a speech balloon
and `(Name: words)` a thought where Name is of the cast, with quote marks around all of the words
taken off; any other caption is a box. Names are compared after NFKC and case folding, and the
full-width 【】 ［］ ＃ ： （） count as their ASCII twins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import dropwhile, islice
from typing import Literal
from unicodedata import normalize

from bot.errors import ScriptError, nearest, quoted
from bot.lines import (
    TWINS,
    Bracket,
    Line,
    bare,
    brackets,
    check_line,
    folded,
    leading_name,
    lines_of,
    trimmed,
)
from bot.without import MARK, seen_and_not
from engine.prompts import UNSEEN, same_name

MAX_CHARACTERS = 12
MAX_PANELS = 24

QUOTES = ('""', "“”", "„“", "„”", "«»", "「」", "『』", "＂＂")
CAPTION_MARK = re.compile(r"(?<![^A-Za-z][A-Za-z])#(?!\d)")  # not the # of C# or #10

Kind = Literal["box", "speech", "thought"]


@dataclass(frozen=True)
class CharacterLine:
    """Somebody of the cast; the description may be empty."""

    name: str
    description: str


@dataclass(frozen=True)
class PanelLine:
    """One panel: `text` keeps brackets as typed, `characters` are its names as the cast has them.

    What shall not be seen stands in `text` as typed, too, and is the property `negative`. Without
    caption, `caption` and `kind` are None; `speaker` is set for "speech" and "thought".
    """

    text: str
    characters: tuple[str, ...]
    caption: str | None
    kind: Kind | None
    speaker: str | None

    @property
    def negative(self) -> str:
        """What shall not be seen in the picture: "cars, rain"; "" where nothing is said."""
        return seen_and_not(self.text)[1]


@dataclass(frozen=True)
class StoryScript:
    """A whole story: 1 to 12 characters, 1 to 24 panels."""

    characters: tuple[CharacterLine, ...]
    panels: tuple[PanelLine, ...]

    def to_json(self, *, ensure_ascii: bool = False) -> str:
        """All fields; a panel has the key "negative" only where something shall not be seen."""
        plan = asdict(self)
        for shown, panel in zip(plan["panels"], self.panels, strict=True):
            if panel.negative:
                shown["negative"] = panel.negative
        return json.dumps(plan, ensure_ascii=ensure_ascii, indent=2)


Cast = Mapping[str, CharacterLine]  # by `same_name`


def parse_script(text: str, kept: Sequence[CharacterLine] = ()) -> StoryScript:
    """The story in `text`. Raises ScriptError at the first thing that is wrong.

    The characters in `kept` are of its cast, before all others, and need no introduction.
    """
    lines = lines_of(text)
    for line in lines:
        check_line(line)
    cast, panels = split_cast(lines, kept)
    if not cast and not panels:
        raise ScriptError("script.empty")
    if not cast:
        raise without_cast(panels[0])
    if not panels:
        raise ScriptError("script.no_panels", name=quoted(next(iter(cast.values())).name))
    first = panels[0]
    before = lines[first.number - 2] if first.number > 1 else first
    if not before.blank:  # else a typing error in a panel is likelier than a forgotten line
        check_introduced(first, cast)
    if len(panels) > MAX_PANELS:
        raise panels[MAX_PANELS].error(
            "script.too_many_panels", limit=MAX_PANELS, panels=len(panels)
        )
    return StoryScript(tuple(cast.values()), tuple(read_panel(line, cast) for line in panels))


def split_cast(lines: list[Line], kept: Sequence[CharacterLine] = ()) -> tuple[Cast, list[Line]]:
    """`kept` and the characters at the top, and the lines of the panels, which are not blank."""
    lines = list(dropwhile(lambda line: line.blank, lines))
    cast = {same_name(character.name): character for character in kept}
    for line in lines:
        if line.blank or begins_panels(line, cast):
            break
        character = read_character(line, cast)
        cast[same_name(character.name)] = character
    block = len(cast) - len(kept)
    introduced = count_introduced(lines[:block], lines[block:])
    panels = [line for line in lines[introduced:] if not line.blank]
    return dict(islice(cast.items(), len(kept) + introduced)), panels


def count_introduced(block: list[Line], rest: list[Line]) -> int:
    """How many lines of the block at the top are of the cast: those before the first caption.

    All are where a blank line stands between block and panels, if not all have what looks like one.
    """
    captioned = [number for number, line in enumerate(block) if CAPTION_MARK.search(line.plain)]
    set_off = bool(rest) and rest[0].blank and not all(line.blank for line in rest)
    if not captioned or (set_off and len(captioned) < len(block)):
        return len(block)
    return captioned[0]


def begins_panels(line: Line, cast: Cast) -> bool:
    """Whether the line begins with something else than a new name, so that the cast is over."""
    first = leading_name(line)
    if first is None or first.nobody:
        return True
    known = cast.get(same_name(first.name))
    if known is not None and normalize("NFC", known.name) != normalize("NFC", first.name):
        names = {"name": quoted(first.name), "known": quoted(known.name)}
        raise line.error("script.alike", first.start, **names)
    return known is not None


def read_character(line: Line, cast: Cast) -> CharacterLine:
    """A line of the cast, which begins with a name that `cast` does not have yet."""
    first = next(brackets(line))
    if len(cast) == MAX_CHARACTERS:
        raise line.error("script.too_many_characters", first.start, limit=MAX_CHARACTERS)
    in_name = line.plain.find("#", 0, first.end)
    if in_name >= 0:
        raise line.error("script.mark_in_name", in_name)
    return CharacterLine(first.name, bare(folded(line.text[first.end :])))


def check_introduced(line: Line, cast: Cast) -> None:
    """Refuses a new name at the beginning of a line that has a caption: it is no introduction."""
    first, mark = leading_name(line), CAPTION_MARK.search(line.plain)
    if first is None or first.nobody or mark is None or same_name(first.name) in cast:
        return
    name = quoted(first.name)
    if not cast:
        raise line.error("script.not_introduced", mark.start(), name=name)
    near = quoted(nearest_name(first, cast))
    raise line.error("script.not_introduced_near", mark.start(), name=name, near=near)


def without_cast(line: Line) -> ScriptError:
    """What is wrong with a story whose first line is a panel already."""
    first = leading_name(line)
    if first is None or first.nobody:
        return line.error("script.no_cast")
    return line.error("script.only_panels", first.start, name=quoted(first.name))


def read_panel(line: Line, cast: Cast) -> PanelLine:
    """A panel; every bracketed name in its picture part, before the first #, must be in `cast`."""
    length = len(line.plain.partition("#")[0])
    picture = Line(line.number, line.text[:length])
    found = list(brackets(picture))
    check_without(picture, found)
    names = [known_name(bracket, picture, cast) for bracket in found if not bracket.nobody]
    check_somebody(picture, found, cast)
    words = picture.text
    for bracket in reversed(found):
        if bracket.nobody:
            words = words[: bracket.start] + words[bracket.end :]
    words = bare(folded(words))
    caption = read_caption(line.text[length + 1 :], cast)
    if not names and not seen_and_not(words)[0]:
        raise line.error("script.nothing", found[0].start)
    return PanelLine(words, tuple(dict.fromkeys(names)), *caption)


def check_somebody(picture: Line, found: list[Bracket], cast: Cast) -> None:
    """Refuses a panel that names nobody without saying so, or that says so but names somebody."""
    named = next((bracket for bracket in found if not bracket.nobody), None)
    if not found:
        name = quoted(next(iter(cast.values())).name)
        start = len(picture.text) - len(picture.text.lstrip())
        raise picture.error("script.nobody", start, name=name)
    if named is not None and any(bracket.nobody for bracket in found):
        raise picture.error("script.somebody", named.start, name=quoted(named.name))


def check_without(picture: Line, found: list[Bracket]) -> None:
    """Refuses "--no" with nothing after it, and names there: in brackets they would be drawn."""
    mark = MARK.search(picture.text)
    if mark is None:
        return
    if not seen_and_not(picture.text)[1]:
        raise picture.error("script.without_what", mark.start())
    named = next((bracket for bracket in found if bracket.start > mark.start()), None)
    if named is not None:
        raise picture.error("script.without_name", named.start, name=quoted(named.name))


def read_caption(words: str, cast: Cast) -> tuple[str | None, Kind | None, str | None]:
    """The caption, kind and speaker that the words after the # make."""
    words = folded(words)
    seen = bare(words)
    plain = seen.translate(TWINS)
    if not seen:
        return None, None, None
    inside = re.sub(r"\([^()]*\)", "", plain[1:-1])
    two_groups = 0 <= inside.find(")") < inside.rfind("(")  # "(Tom: yes) and (Lisa: no)"
    if plain[0] == "(" and plain[-1] == ")" and not two_groups:
        thought = split_speaker(seen[1:-1], cast)
        if thought:
            return thought[1], "thought", thought[0]
    speech = split_speaker(words, cast)
    return (speech[1], "speech", speech[0]) if speech else (words, "box", None)


def split_speaker(words: str, cast: Cast) -> tuple[str, str] | None:
    """Name and words of "Name: words", if Name, which may be in brackets, is in `cast`."""
    for colon in re.finditer(":", words.translate(TWINS)):
        name = bare(words[: colon.start()])
        if name.translate(TWINS).startswith("[") and name.translate(TWINS).endswith("]"):
            name = name[1:-1]
        speaker = cast.get(same_name(name))
        spoken = trimmed(re.sub(rf"^[{UNSEEN}]+\s", "", words[colon.end() :]))
        if speaker is not None and bare(spoken):
            return speaker.name, unquoted(spoken)
    return None


def unquoted(words: str) -> str:
    """The words without the pair of quote marks around all of them."""
    seen = bare(words)
    inner = seen[1:-1]
    around = [pair for pair in QUOTES if seen[:1] + seen[-1:] == pair]
    if not around or not bare(inner) or any(mark in inner for mark in around[0]):
        return words
    return trimmed(inner)


def known_name(bracket: Bracket, line: Line, cast: Cast) -> str:
    """The bracketed name as the cast spells it."""
    character = cast.get(same_name(bracket.name))
    if character is None:
        near = quoted(nearest_name(bracket, cast))
        raise line.error("script.unknown", bracket.start, name=quoted(bracket.name), near=near)
    return character.name


def nearest_name(bracket: Bracket, cast: Cast) -> str:
    return cast[nearest(same_name(bracket.name), cast)].name
