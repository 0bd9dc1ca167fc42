"""Which shots are drawn at the same time, and which batches a request for some panels needs.

How many others are in a batch can change the last bits of a picture. So a batch is drawn as the
whole story has it or not at all, and shots that must not depend on the story have their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.plan import Shot

Batch = tuple[Shot, ...]


def leading_batches(shots: Sequence[Shot], size: int) -> list[Batch]:
    """Identity panels are finished first, rank by rank, then come the others."""
    identities = [s for s in shots if s.identity_of is not None and not s.alone]
    ranks = sorted({shot.rank for shot in identities})
    waves = [[s for s in identities if s.rank == rank] for rank in ranks]
    waves.append([s for s in shots if s.identity_of is None and not s.alone])
    story = [batch for wave in waves for batch in cut(wave, size)]
    saved = [(s,) for s in shots if s.alone and s.identity_of is not None]
    return needed([*saved, *story, *_alone(shots)])


def noise_matched_batches(shots: Sequence[Shot], size: int) -> list[Batch]:
    """Identity panels of one character are drawn together, then come the others."""
    saved = _by_character([s for s in shots if s.alone])
    story = packed(_by_character([s for s in shots if not s.alone]), size)
    story += cut([s for s in shots if s.identity_of is None and not s.alone], size)
    return needed([*saved, *story, *_alone(shots)])


def decoding_batches(shots: Sequence[Shot], size: int) -> list[Batch]:
    """The panels in order, those alone again by themselves."""
    panels = sorted((s for s in shots if s.panel is not None), key=lambda s: s.panel or 0)
    story = cut([s for s in panels if not s.alone], size)
    batches = [*story, *_alone(panels)]
    return [batch for batch in batches if any(shot.shown for shot in batch)]


def needed(batches: Sequence[Batch]) -> list[Batch]:
    """The batches with a shot that is shown, or that another needed batch sees."""
    wanted = {shot.name for batch in batches for shot in batch if shot.shown}
    kept = []
    for batch in reversed(batches):
        if wanted.isdisjoint(shot.name for shot in batch):
            continue
        kept.append(batch)
        wanted.update(n for shot in batch for glance in shot.sight for n in glance.identities)
    return kept[::-1]


def cut(shots: Sequence[Shot], size: int) -> list[Batch]:
    """In order, `size` at a time."""
    size = max(1, size)
    return [tuple(shots[i : i + size]) for i in range(0, len(shots), size)]


def packed(groups: Sequence[Batch], size: int) -> list[Batch]:
    """Groups that must stay together, as many in a batch as fit."""
    batches: list[Batch] = []
    for group in groups:
        if batches and len(batches[-1]) + len(group) <= size:
            batches[-1] += group
        else:
            batches.append(group)
    return batches


def _alone(shots: Sequence[Shot]) -> list[Batch]:
    return [(s,) for s in shots if s.alone and s.identity_of is None]


def _by_character(shots: Sequence[Shot]) -> list[Batch]:
    groups: dict[str, Batch] = {}
    for shot in shots:
        if shot.identity_of is not None:
            groups[shot.identity_of] = (*groups.get(shot.identity_of, ()), shot)
    return list(groups.values())
