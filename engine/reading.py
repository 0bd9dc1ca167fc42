"""Prompts of any length and with emphasis, for CLIP encoders that read 75 tokens at a time.

As in the web UI of AUTOMATIC1111: the words are cut into chunks, at a comma if there is one near
the end; each chunk stands between a start and an end token; their states follow one another.

All prompts of a story need equally many states. A prompt has 1, 2 or 4 chunks, and one that is
shorter than another is repeated: attention over keys that all stand there twice is attention over
the keys themselves, so a long prompt changes nothing in the panels beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.emphasis import up_to, weighted

MOST_CHUNKS = 4
COMMA_SHARE = 20 / 75  # of a chunk, at its end, that is searched for a comma

Reader = tuple[Any, Any]  # tokenizer, text encoder


@dataclass(frozen=True)
class Token:
    id: int
    weight: float


Chunk = tuple[Token, ...]  # without start, end and padding


def chunks_of(reader: Reader, prompt: str) -> list[Chunk]:
    """The prompt in chunks that the encoder can read; an empty one for no words."""
    tokenizer, encoder = reader
    room = encoder.config.max_position_embeddings - 2
    commas = _ids(tokenizer, ",")
    tokens = [
        Token(i, weight) for words, weight in weighted(prompt) for i in _ids(tokenizer, words)
    ]
    chunks = []
    while len(tokens) > room:
        ends = [
            place + 1
            for place in range(room - int(COMMA_SHARE * room), room)
            if tokens[place].id in commas
        ]
        end = ends[-1] if ends else room
        chunks.append(tuple(tokens[:end]))
        tokens = tokens[end:]
    return [*chunks, tuple(tokens)]


def fits_in_chunks(readers: Sequence[Reader], prompt: str) -> bool:
    return all(len(chunks_of(reader, prompt)) <= MOST_CHUNKS for reader in readers)


def count_of(readers: Sequence[Reader], prompt: str) -> int:
    """How many chunks the prompt has: 1, 2 or 4."""
    longest = max(len(chunks_of(reader, prompt)) for reader in readers)
    return power_of_two(min(longest, MOST_CHUNKS))


def words_in_chunks(reader: Reader, prompt: str, stretches: Sequence[tuple[int, int]]) -> list[int]:
    """Positions, among a prompt's states, of its letters from start to end, both ends of words."""
    length = reader[1].config.max_position_embeddings
    places = [
        number * length + 1 + i
        for number, chunk in enumerate(chunks_of(reader, prompt)[:MOST_CHUNKS])
        for i in range(len(chunk))
    ]
    tokens_before = [
        [sum(map(len, chunks_of(reader, up_to(prompt, letter)))) for letter in stretch]
        for stretch in stretches
    ]
    return sorted({place for first, last in tokens_before for place in places[first:last]})


def read_in_chunks(
    readers: Sequence[Reader], prompts: Sequence[str], device: torch.device
) -> tuple[Tensor, Tensor | None]:
    """Token states [B, T, C] of all encoders side by side, and pooled ones [B, P] for SDXL.

    The states are those of the last layer of a single encoder, of the last but one of two; what is
    pooled is the first chunk.
    """
    cut = [[chunks_of(reader, prompt)[:MOST_CHUNKS] for prompt in prompts] for reader in readers]
    counts = [power_of_two(max(map(len, each))) for each in zip(*cut, strict=True)]
    states, pooled = [], None
    for reader, chunks in zip(readers, cut, strict=True):
        filled = [[*own, *[()] * (n - len(own))] for own, n in zip(chunks, counts, strict=True)]
        rows = [chunk for own in filled for chunk in own]
        read, summary = encode(reader, rows, device, deep=len(readers) > 1)
        emphasised = emphasise(reader, rows, read, device, deep=len(readers) > 1)
        states.append(same_length([part.flatten(0, 1) for part in emphasised.split(counts)]))
        if summary is not None:
            pooled = torch.stack([part[0] for part in summary.split(counts)])
    return torch.cat(states, -1), pooled


def encode(
    reader: Reader, chunks: Sequence[Chunk], device: torch.device, *, deep: bool
) -> tuple[Tensor, Tensor | None]:
    """States [K, L, C] of K chunks, and [K, P] where the encoder pools."""
    tokenizer, encoder = reader
    length = encoder.config.max_position_embeddings
    rows = []
    for chunk in chunks:
        ids = [tokenizer.bos_token_id, *(token.id for token in chunk), tokenizer.eos_token_id]
        rows.append(ids + [tokenizer.pad_token_id] * (length - len(ids)))
    with torch.no_grad():
        read = encoder(input_ids=torch.tensor(rows, device=device), output_hidden_states=True)
    states = read.hidden_states[-2] if deep else read.last_hidden_state
    return states.float(), getattr(read, "text_embeds", None)


def emphasise(
    reader: Reader, chunks: Sequence[Chunk], states: Tensor, device: torch.device, *, deep: bool
) -> Tensor:
    """States [K, L, C] led away from those of no words at all, each by its token's weight."""
    weights = torch.ones(states.shape[:2], device=states.device)
    for row, chunk in enumerate(chunks):
        own = [token.weight for token in chunk]
        weights[row, 1 : len(own) + 1] = torch.tensor(own, device=states.device)
    if bool((weights == 1).all()):
        return states
    empty, _ = encode(reader, [()], device, deep=deep)  # [1, L, C]
    return empty + weights[..., None] * (states - empty)


def same_length(states: Sequence[Tensor]) -> Tensor:
    """States [T_i, C] or [B_i, T_i, C] as [B, T, C]; shorter ones are repeated to the longest."""
    parts = [part if part.ndim == 3 else part[None] for part in states]
    longest = max(part.shape[1] for part in parts)
    return torch.cat([part.repeat(1, longest // part.shape[1], 1) for part in parts])


def power_of_two(count: int) -> int:
    """The next one that is not smaller."""
    return 1 << (count - 1).bit_length()


def _ids(tokenizer: Any, words: str) -> list[int]:
    ids: list[int] = tokenizer(words, add_special_tokens=False, verbose=False).input_ids
    return ids
