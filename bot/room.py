"""The script of a story's own room, where lines come one by one, and back from a story to lines.

The grammar is that of `bot.script`, with one difference: a line that begins with a new name
introduces that character at any time, so a cast need not stand at the top. Names in `saved`, of
characters that a person keeps, need no introduction at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Protocol

from bot.errors import Refusal, nearest, quoted
from bot.lines import Line, check_line, leading_name, lines_of
from bot.script import (
    MAX_CHARACTERS,
    MAX_PANELS,
    CharacterLine,
    Kind,
    PanelLine,
    check_introduced,
    parse_script,
    read_character,
    read_panel,
    split_cast,
)
from engine.prompts import same_name

HAN = re.compile("[\u4e00-\u9fff]")
Cast = Mapping[str, CharacterLine]  # by `same_name`
NO_CAST: Cast = {}
ALIKE = 0.5  # of the letters of two names: as many as 汤姆 and 汤母 share


@dataclass(frozen=True)
class Doubt:
    """A new name that is perhaps a known one, mistyped; `panels` of the text stand before it."""

    name: str
    known: str
    panels: int


@dataclass(frozen=True)
class Typed:
    """What lines added: characters and panels, both in the order of the text.

    `newcomers` are names that came late and are like no other: perhaps a panel was meant.
    """

    characters: tuple[CharacterLine, ...] = ()
    panels: tuple[PanelLine, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    newcomers: tuple[str, ...] = ()


def read_lines(text: str, cast: Cast, panels: int = 0, saved: Cast = NO_CAST) -> Typed:
    """Lines typed in a room whose story has `cast` and so many `panels`; all are read, or none.

    A name that is new once there are panels is in `doubts` or, like no known one, in `newcomers`
    too. Raises ScriptError, which knows the line, also for more than 12 characters or 24 panels.
    """
    known = dict(cast)
    doubts: list[Doubt] = []
    newcomers: list[str] = []
    introduced: list[CharacterLine] = []
    added: list[PanelLine] = []
    for line in written_lines(text):
        for character in called(line, known, saved):
            known[same_name(character.name)] = character
            introduced.append(character)
        if introduces(line, known):
            check_introduced(line, known)
            character = read_character(line, known)
            if panels + len(added) and same_name(character.name) not in saved:
                meant = alike(character.name, known)
                if meant is None:
                    newcomers.append(character.name)
                else:
                    doubts.append(Doubt(character.name, meant, len(added)))
            known[same_name(character.name)] = character
            introduced.append(character)
        elif not known:
            raise line.error("script.no_cast")
        elif panels + len(added) == MAX_PANELS:
            raise line.error("story.full", limit=MAX_PANELS)
        else:
            added.append(read_panel(line, known))
    drawn = {name for panel in added for name in panel.characters}  # more than once: no slip
    doubts = [doubt for doubt in doubts if doubt.name not in drawn]
    newcomers = [name for name in newcomers if name not in drawn]
    return Typed(tuple(introduced), tuple(added), tuple(doubts), tuple(newcomers))


def alike(name: str, known: Cast) -> str | None:
    """The known name that somebody may have meant with a new one."""
    if not known:
        return None
    near = nearest(same_name(name), known)
    share = SequenceMatcher(None, same_name(name), near).ratio()
    return known[near].name if share >= ALIKE else None


def read_whole(text: str, saved: Cast = NO_CAST) -> Typed:
    """A whole script; of names in `saved` it need not introduce any. Raises ScriptError."""
    script = parse_script(text, not_introduced(text, saved))
    return Typed(script.characters, script.panels)


def read_cast(text: str) -> tuple[CharacterLine, ...]:
    """A form's field: one character a line. Raises Refusal."""
    cast: dict[str, CharacterLine] = {}
    for line in written_lines(text):
        first = leading_name(line)
        if first is None or first.nobody:
            raise line.error("story.not_a_character")
        if same_name(first.name) in cast:
            raise line.error("story.twice", first.start, name=quoted(first.name))
        cast[same_name(first.name)] = read_character(line, cast)
    if not cast:
        raise Refusal("story.nobody_left")
    return tuple(cast.values())


def read_panels(text: str, cast: Cast) -> tuple[PanelLine, ...]:
    """A form's field: one panel a line. Raises ScriptError."""
    lines = written_lines(text)
    if len(lines) > MAX_PANELS:
        raise lines[MAX_PANELS].error("script.too_many_panels", limit=MAX_PANELS, panels=len(lines))
    return tuple(read_panel(line, cast) for line in lines)


def cast_of(characters: Iterable[CharacterLine]) -> Cast:
    """The characters by what their spellings have in common."""
    return {same_name(character.name): character for character in characters}


def written_lines(text: str) -> list[Line]:
    """The lines that are not blank. Raises ScriptError for one too long or with controls."""
    lines = lines_of(text)
    for line in lines:
        check_line(line)
    return [line for line in lines if not line.blank]


def named(line: Line) -> list[str]:
    """What is in brackets before the caption, as `same_name` has it; nothing is refused here."""
    picture = line.plain.partition("#")[0]
    return [same_name(match[1]) for match in re.finditer(r"\[([^\[\]]*)\]", picture)]


def introduces(line: Line, known: Cast) -> bool:
    """Whether the line begins with a name that is new here."""
    first = leading_name(line)
    return first is not None and not first.nobody and same_name(first.name) not in known


def called(line: Line, known: Cast, saved: Cast) -> list[CharacterLine]:
    """Saved characters that the line names and the story does not have yet.

    A name that stands alone on its line is left to be introduced as any other.
    """
    if re.fullmatch(r"\s*\[[^\[\]]*\]\s*", line.plain):
        return []
    new = [name for name in dict.fromkeys(named(line)) if name in saved and name not in known]
    if new and len(known) + len(new) > MAX_CHARACTERS:
        raise line.error("script.too_many_characters", limit=MAX_CHARACTERS)
    return [saved[name] for name in new]


def not_introduced(text: str, saved: Cast) -> list[CharacterLine]:
    """The saved characters that a script names in its pictures but does not introduce.

    Raises ScriptError.
    """
    lines = lines_of(text) if saved else []
    introduced, _ = split_cast(lines)
    used = dict.fromkeys(name for line in lines for name in named(line))
    return [saved[name] for name in used if name in saved and name not in introduced]


def character_words(name: str, description: str) -> str:
    """The line that introduces a character."""
    return f"[{name}] {description}".rstrip()


class Worded(Protocol):
    """A panel as it was read, or as a story keeps it."""

    @property
    def text(self) -> str: ...
    @property
    def characters(self) -> tuple[str, ...]: ...
    @property
    def caption(self) -> str | None: ...
    @property
    def kind(self) -> Kind | None: ...
    @property
    def speaker(self) -> str | None: ...


def panel_words(panel: Worded) -> str:
    """The line that a panel is read from."""
    picture = panel.text if panel.characters else f"[NC] {panel.text}".rstrip()
    words = caption_words(panel.caption, panel.kind, panel.speaker)
    return f"{picture} #{words}" if words else picture


def caption_words(caption: str | None, kind: Kind | None, speaker: str | None) -> str:
    """The caption as it is typed after the #; "" without one."""
    if caption is None:
        return ""
    if speaker is None or kind not in ("speech", "thought"):
        return caption
    chinese = HAN.search(speaker + caption) is not None  # has marks of full width
    words = f"{speaker}：{caption}" if chinese else f"{speaker}: {caption}"
    if kind == "speech":
        return words
    return f"（{words}）" if chinese else f"({words})"
