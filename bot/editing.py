"""Changes of a story: each makes a new `Story` and says nothing to any database.

A picture stays with its panel for as long as nothing that it shows has changed: `keep_pictures`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from hashlib import blake2b

from bot.characters import SavedCharacter
from bot.errors import Refusal
from bot.room import Cast, Typed, cast_of
from bot.script import MAX_PANELS, CharacterLine, PanelLine
from bot.stories import CastMember, Panel, Story
from engine.prompts import same_name

Saved = Mapping[str, SavedCharacter]  # by `same_name`
MOST_SEED = 2**32 - 1


def cast_lines(story: Story) -> Cast:
    """The story's cast as the script's grammar wants to know it."""
    return cast_of(CharacterLine(member.name, member.description) for member in story.cast)


def first_lines(
    seed: int, typed: Typed, saved: Saved
) -> tuple[tuple[CastMember, ...], tuple[Panel, ...]]:
    """Cast and panels of a story of this seed that begins with these lines."""
    seeds = new_seeds(seed, (), len(typed.panels))
    panels = [panel_from(line, own) for line, own in zip(typed.panels, seeds, strict=True)]
    return tuple(member_from(line, saved) for line in typed.characters), tuple(panels)


def with_lines(story: Story, typed: Typed, saved: Saved, at: int | None = None) -> Story:
    """The story with lines added: panels at the end, or so that the first becomes number `at`."""
    place = len(story.panels) if at is None else min(at - 1, len(story.panels))
    seeds = new_seeds(story.seed, story.panels, len(typed.panels))
    added = [panel_from(line, seed) for line, seed in zip(typed.panels, seeds, strict=True)]
    cast = (*story.cast, *(member_from(line, saved) for line in typed.characters))
    panels = (*story.panels[:place], *added, *story.panels[place:])
    return replace(story, cast=cast, panels=panels)


def with_script(
    story: Story, characters: Sequence[CharacterLine], panels: Sequence[PanelLine], saved: Saved
) -> Story:
    """The story with all of its words replaced; what stays as it was keeps seed and picture."""
    known = {same_name(member.name): member for member in story.cast}
    cast = tuple(changed_member(known, line, saved) for line in characters)
    return keep_pictures(story, replace(story, cast=cast, panels=matched(story, panels)))


def with_panel(story: Story, number: int, line: PanelLine) -> Story:
    """The story with other words for one panel, counted from 1."""
    return with_changed(story, number, panel_from(line, None), keep_seed=True)


def with_changed(story: Story, number: int, panel: Panel, *, keep_seed: bool) -> Story:
    old = panel_at(story, number)
    panel = replace(panel, id=old.id, seed=old.seed if keep_seed else panel.seed, picture=None)
    panels = (*story.panels[: number - 1], panel, *story.panels[number:])
    return keep_pictures(story, replace(story, panels=panels))


def with_caption(story: Story, number: int, line: PanelLine) -> Story:
    """The story with the caption of `line` on one panel; nothing needs to be drawn."""
    old = panel_at(story, number)
    new = replace(old, caption=line.caption, kind=line.kind, speaker=line.speaker)
    return replace(story, panels=(*story.panels[: number - 1], new, *story.panels[number:]))


def moved(story: Story, number: int, to: int) -> Story:
    """The story with one panel in another place, both counted from 1."""
    panel = panel_at(story, number)
    panel_at(story, to)
    panels = [*story.panels[: number - 1], *story.panels[number:]]
    panels.insert(to - 1, panel)
    return replace(story, panels=tuple(panels))


def drawn_by(story: Story, model: str, quality: str) -> Story:
    """The story drawn by another model or more finely: nothing of it is drawn so yet."""
    return keep_pictures(story, replace(story, model=model, quality=quality))


def with_style(story: Story, style: str) -> Story:
    """The story in another style, in which nothing is drawn yet."""
    return keep_pictures(story, replace(story, style=style))


def another_take(story: Story, number: int) -> Story:
    """The story with a new seed for one panel; its picture stays until the new one is there."""
    panel = replace(panel_at(story, number), seed=random_seed())
    return replace(story, panels=(*story.panels[: number - 1], panel, *story.panels[number:]))


def all_anew(story: Story) -> Story:
    """The story with new seeds and no pictures."""
    panels = (replace(panel, seed=random_seed(), picture=None) for panel in story.panels)
    return replace(story, panels=tuple(panels))


def next_page(story: Story) -> tuple[CastMember, ...]:
    """The cast for another page, looking as it was drawn: a picture with nobody else leads."""
    return tuple(
        member
        if member.character or member.reference
        else replace(member, reference=portrait(story, member.name))
        for member in story.cast
    )


def portrait(story: Story, name: str) -> str | None:
    """The first drawn picture that shows only this character."""
    alone = (p.picture for p in story.panels if p.picture and p.characters == (name,))
    return next(alone, None)


def keep_pictures(old: Story, new: Story) -> Story:
    """`new`, whose panels have the pictures of those panels of `old` that look the same."""
    drawn = {look(old, panel): panel.picture for panel in old.panels if panel.picture}
    panels = (replace(p, picture=drawn.get(look(new, p))) for p in new.panels)
    return replace(new, panels=tuple(panels))


def look(story: Story, panel: Panel) -> tuple[object, ...]:
    """All that a panel's picture depends on, save the other panels."""
    names = set(panel.characters)
    cast = tuple(
        (member.name, member.description, member.character, member.reference)
        for member in story.cast
        if member.name in names
    )
    drawn_by = tuple(filter(None, (story.model, story.quality)))
    return (story.style, panel.id, panel.text, panel.characters, panel.seed, cast, *drawn_by)


def look_tag(story: Story, panel: Panel) -> str:
    """A few letters that are the same for as long as `look` is."""
    return blake2b(repr(look(story, panel)).encode(errors="replace"), digest_size=8).hexdigest()


def panel_at(story: Story, number: int) -> Panel:
    """Panel `number`, counted from 1. Raises Refusal."""
    if not story.panels:
        raise Refusal("story.no_panels_yet")
    if not 1 <= number <= len(story.panels):
        raise Refusal("story.no_panel", number=number, count=len(story.panels))
    return story.panels[number - 1]


def check_room_for(story: Story, more: int) -> None:
    """Refuses more panels than a story can have."""
    if len(story.panels) + more > MAX_PANELS:
        raise Refusal("story.full", limit=MAX_PANELS)


def matched(story: Story, lines: Sequence[PanelLine]) -> tuple[Panel, ...]:
    """Panels for `lines`; each is an old one with its id and seed where the words are alike."""
    old = [(panel.text, panel.characters) for panel in story.panels]
    new = [(line.text, line.characters) for line in lines]
    source: dict[int, Panel] = {}
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag in ("equal", "replace"):
            source.update(zip(range(j1, j2), story.panels[i1:i2], strict=False))
    seeds = iter(new_seeds(story.seed, story.panels, len(lines)))
    return tuple(
        panel_from(line, source[j].seed, source[j].id)
        if j in source
        else panel_from(line, next(seeds))
        for j, line in enumerate(lines)
    )


def panel_from(line: PanelLine, seed: int | None, panel_id: str | None = None) -> Panel:
    return Panel(
        id=panel_id or secrets.token_hex(4),
        text=line.text,
        caption=line.caption,
        kind=line.kind,
        speaker=line.speaker,
        characters=line.characters,
        seed=seed,
        picture=None,
    )


def new_seeds(story_seed: int, panels: Iterable[Panel], count: int) -> list[int]:
    """Seeds for panels beside `panels`: the same story typed again with its seed gets the same."""
    taken = {panel.seed for panel in panels}
    seeds: list[int] = []
    number = 0
    while len(seeds) < count:
        number += 1
        digest = blake2b(f"{story_seed}/{number}".encode(), digest_size=4).digest()
        seed = int.from_bytes(digest)
        if seed not in taken:
            seeds.append(seed)
            taken.add(seed)
    return seeds


def random_seed() -> int:
    return secrets.randbelow(MOST_SEED + 1)


def changed_member(
    known: Mapping[str, CastMember], line: CharacterLine, saved: Saved
) -> CastMember:
    """The member whom a line describes; an uploaded picture stays with the name."""
    old = known.get(same_name(line.name))
    if old is None:
        return member_from(line, saved)
    if old.description == line.description:
        return replace(old, name=line.name)
    return CastMember(line.name, line.description, None, old.reference)


def member_from(line: CharacterLine, saved: Saved) -> CastMember:
    """A new member; a saved character, unless the line describes somebody else of that name."""
    kept = saved.get(same_name(line.name))
    if kept is not None and line.description in ("", kept.description):
        return CastMember(line.name, kept.description, kept.id, None)
    return CastMember(line.name, line.description, None, None)


def namesakes(typed: Iterable[CharacterLine], saved: Saved) -> list[SavedCharacter]:
    """Saved characters whose names were given to somebody else."""
    keys = {same_name(line.name): line.description for line in typed}
    return [
        kept
        for key, kept in saved.items()
        if key in keys and keys[key] not in ("", kept.description)
    ]
