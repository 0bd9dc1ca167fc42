"""Descriptions of pictures into English, by opus-mt models in a folder on this computer.

The folder has one folder a language ("zh-en", "de-en" …), as ct2-transformers-converter makes it
of a model of Helsinki-NLP: model.bin (CTranslate2's own format), config.json, vocabulary,
source.spm and target.spm. The libraries come with the extra "translation".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.prompts import BRACKETED
from engine.request import EngineError

NEEDED = ("model.bin", "config.json", "source.spm", "target.spm")
LONGEST = 256  # tokens of a translation
BEAM = 4
END = "</s>"
PLACE = re.compile(r"\b[Xx](\d)\b")  # what stands for a name while its sentence is translated

Translate = Callable[[Sequence[str]], list[str]]


class Translations:
    """The models in one folder; each is loaded when it is first needed."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder).expanduser()

    @property
    def languages(self) -> tuple[str, ...]:
        """What can be translated into English. Raises `EngineError` without a folder."""
        if not self._folder.is_dir():
            raise EngineError(f"the translations are missing: there is no folder {self._folder}")
        return tuple(sorted(path.name[:-3] for path in self._folder.glob("*-en") if path.is_dir()))

    def check(self) -> None:
        """Raises `EngineError` where there are none, or one cannot be loaded."""
        if not self.languages:
            raise EngineError(f"the folder {self._folder} has no translations, such as zh-en")
        for language in self.languages:
            load_translator(self._folder / f"{language}-en")

    def into_english(self, language: str, texts: Sequence[str]) -> list[str]:
        """Each text in English, its names in brackets as they were. Raises `EngineError`."""
        translate = load_translator(self._folder / f"{language}-en")
        return [keeping_names(text, translate) for text in texts]


def keeping_names(text: str, translate: Translate) -> str:
    """The text translated around its bracketed names.

    Short names that stay what they are in every language stand in their places. Where the model
    loses one of them, what is between the names is translated piece by piece.
    """
    names = [match[0] for match in BRACKETED.finditer(text)]
    if not names:
        return translate([text])[0]
    numbers = iter(range(len(names)))
    [whole] = translate([BRACKETED.sub(lambda _: f" X{next(numbers)} ", text)])
    found = [int(number) for number in PLACE.findall(whole)]
    if sorted(found) == list(range(len(names))):
        return PLACE.sub(lambda match: names[int(match[1])], whole)
    pieces = BRACKETED.sub("\0", text).split("\0")
    said = iter(translate([piece for piece in pieces if piece.strip()]))
    english = [next(said) if piece.strip() else "" for piece in pieces]
    parts = [part for pair in zip(english, [*names, ""], strict=True) for part in pair]
    return " ".join(filter(None, parts))


@lru_cache(maxsize=4)
def load_translator(folder: Path) -> Translate:
    """A model that translates. Raises `EngineError` where a file or a library is missing."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise EngineError(f"the translation model {folder} lacks {', '.join(missing)}")
    try:
        import ctranslate2
        from sentencepiece import SentencePieceProcessor
    except ImportError as error:
        raise EngineError(
            f"translating needs a library ({error.name}): pip install 'inkwell[translation]'"
        ) from error
    try:
        model = ctranslate2.Translator(str(folder), device="cpu", compute_type="default")
        source, target = (
            SentencePieceProcessor(model_file=str(folder / name)) for name in NEEDED[2:]
        )
        config = dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, RuntimeError, ValueError) as error:
        raise EngineError(f"the translation model {folder} cannot be read: {error}") from error
    end = [] if config.get("add_source_eos") else [END]

    def translate(texts: Sequence[str]) -> list[str]:
        pieces = [source.encode(text, out_type=str) + end for text in texts]
        results: list[Any] = model.translate_batch(
            pieces, beam_size=BEAM, max_decoding_length=LONGEST
        )
        return [target.decode(result.hypotheses[0]) for result in results]

    return translate
