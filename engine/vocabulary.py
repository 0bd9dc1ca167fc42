"""The words that CLIP's text encoders read: byte pairs, the same for SD1.5 and both of SDXL.

A model in a single .safetensors file comes without them. They are shipped here (shapes/,
MIT licence), so that nothing has to be fetched for it.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

from transformers import CLIPTokenizer

SHAPES = Path(__file__).parent / "shapes"
MERGES = SHAPES / "clip_merges.txt.gz"
LONGEST = 77  # tokens that the encoders read, start and end among them
END = "</w>"  # of a word


def clip_tokenizer(pad: str = "<|endoftext|>") -> CLIPTokenizer:
    """SD1.5 and SDXL's first encoder fill up with the end token, SDXL's second with "!"."""
    vocabulary, merges = _byte_pairs()
    return CLIPTokenizer(
        vocab=dict(vocabulary), merges=list(merges), pad_token=pad, model_max_length=LONGEST
    )


@cache
def _byte_pairs() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Numbers of all tokens, and the pairs that are merged, the most frequent first."""
    lines = gzip.decompress(MERGES.read_bytes()).decode().splitlines()
    pairs = [(left, right) for left, _, right in (line.partition(" ") for line in lines)]
    letters = _letters()
    tokens = [*letters, *(letter + END for letter in letters), *(a + b for a, b in pairs)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return {token: number for number, token in enumerate(tokens)}, pairs


def _letters() -> list[str]:
    """A printable letter for each of 256 bytes; those that print stand for themselves."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = len(set(range(256)) - set(printed))
    return [chr(byte) for byte in printed] + [chr(256 + number) for number in range(others)]
