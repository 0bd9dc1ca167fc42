"""Translations into English: the names in brackets, and real, tiny models with random weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.check import look
from engine.extras import Extras
from engine.request import EngineError
from engine.translation import Translations, keeping_names

pytestmark = pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
LETTERS = "在办公室里打字的汤姆和丽莎"
ENGLISH = ["tom typing in the office", "lisa and tom argue", "X 0 1 2 a red hat, in rain"]


def upper(texts: Sequence[str]) -> list[str]:
    return [text.upper().strip() for text in texts]


def forgetful(texts: Sequence[str]) -> list[str]:
    return ["" if text.startswith(" X0") else text.upper().strip() for text in texts]


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("rain", "RAIN"),
        ("[Tom] waves at [Lisa]", "[Tom]  WAVES AT  [Lisa]"),
        ("【汤姆】 waves", "【汤姆】  WAVES"),
    ],
)
def test_names_in_brackets_stay_in_their_places(text: str, english: str) -> None:
    assert keeping_names(text, upper) == english


def test_where_a_name_gets_lost_the_pieces_between_are_translated() -> None:
    assert keeping_names("[Tom] waves at [Lisa] twice", forgetful) == (
        "[Tom] WAVES AT [Lisa] TWICE"
    )
    assert keeping_names("[Tom][Lisa]", forgetful) == "[Tom] [Lisa]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of translations with a tiny opus-mt model, converted as docs/words.md says."""
    pytest.importorskip("ctranslate2")
    spm = pytest.importorskip("sentencepiece")
    from ctranslate2.converters import TransformersConverter
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    root = tmp_path_factory.mktemp("translations")
    model = tmp_path_factory.mktemp("marian")
    for name, lines in (("source", list(LETTERS)), ("target", ENGLISH)):
        spm.SentencePieceTrainer.train(
            sentence_iterator=iter(lines * 20), model_prefix=str(model / name), vocab_size=30,
            hard_vocab_limit=False, bos_id=-1, minloglevel=9,
        )  # fmt: skip
        (model / f"{name}.model").rename(model / f"{name}.spm")
    pieces: list[str] = ["</s>", "<unk>"]
    for name in ("source", "target"):
        processor = spm.SentencePieceProcessor(model_file=str(model / f"{name}.spm"))
        pieces += [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys([*pieces, "<pad>"]))}
    (model / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    MarianTokenizer(
        source_spm=str(model / "source.spm"), target_spm=str(model / "target.spm"),
        vocab=str(model / "vocab.json"), source_lang="zh", target_lang="en",
    ).save_pretrained(model)  # fmt: skip
    pad = vocabulary["<pad>"]
    config = MarianConfig(
        vocab_size=len(vocabulary), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_ffn_dim=32, pad_token_id=pad, eos_token_id=0, decoder_start_token_id=pad,
        forced_eos_token_id=0, scale_embedding=True,
    )  # fmt: skip
    MarianMTModel(config).save_pretrained(model)
    copied = ["source.spm", "target.spm"]
    TransformersConverter(str(model), copy_files=copied).convert(str(root / "zh-en"))
    return root


def test_a_real_model_is_loaded_and_says_something(folder: Path) -> None:
    translations = Translations(str(folder))
    translations.check()
    assert translations.languages == ("zh",)
    first = translations.into_english("zh", ["[汤姆] 在办公室里打字", "打字"])
    assert first[0].startswith("[汤姆]")
    assert first == translations.into_english("zh", ["[汤姆] 在办公室里打字", "打字"])
    assert look("house", "cpu", Extras(translations=str(folder)))["problem"] is None


def test_what_is_missing_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="there is no folder"):
        Translations(str(tmp_path / "none")).check()
    with pytest.raises(EngineError, match="no translations, such as zh-en"):
        Translations(str(tmp_path)).check()
    (tmp_path / "zh-en").mkdir()
    (tmp_path / "zh-en" / "config.json").write_text("{}")
    with pytest.raises(EngineError, match=r"lacks model\.bin, source\.spm, target\.spm"):
        Translations(str(tmp_path)).check()


def test_a_broken_file_or_a_missing_library_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "de-en"
    broken.mkdir()
    for name in ("model.bin", "config.json", "source.spm", "target.spm"):
        (broken / name).write_text("{}")
    with pytest.raises(EngineError, match=r"cannot be read|inkwell\[translation\]"):
        Translations(str(tmp_path)).into_english("de", ["Hallo"])
