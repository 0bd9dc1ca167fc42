"""In which language something is written."""

from __future__ import annotations

import pytest

from engine.languages import language_of, load_identifier


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("在办公室里打字", "zh"),
        ("オフィスでタイプしている", "ja"),
        ("会社で仕事中", "ja"),
        ("사무실에서 일하는 중", "ko"),
        ("в офисе, печатает", "ru"),
        ("в офісі", "uk"),
        ("στο γραφείο", "el"),
        ("في المكتب", "ar"),
        ("در خیابان پیاده‌روی می‌کند", "fa"),
        ("چتر و گل", "fa"),
        ("במשרד", "he"),
        ("ในสำนักงาน", "th"),
        ("कार्यालय में", "hi"),
        ("在 office 里打字，看着 T-shirt", None),
        ("in the office, typing", None),
        ("im Büro, er tippt etwas ein", None),
        ("12:30 !?", None),
        ("", None),
    ],
)
def test_the_script_tells_the_language_and_latin_is_not_guessed(
    words: str, language: str | None
) -> None:
    assert language_of(words) == language


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("ein Mann geht mit rotem Hut durch die Stadt", "de"),
        ("un hombre con sombrero rojo camina por la calle", "es"),
        ("a young man with glasses walks through the rain", "en"),
        ("im Büro tippen", None),
        ("在办公室里打字", "zh"),
    ],
)
def test_latin_languages_are_told_apart_from_four_words_on(
    words: str, language: str | None
) -> None:
    pytest.importorskip("py3langid")
    assert language_of(words, ("de", "es", "zh", "xx")) == language


def test_without_the_library_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "py3langid.langid", None)
    load_identifier.cache_clear()
    assert language_of("ein Mann geht durch die Stadt", ("de",)) is None
    load_identifier.cache_clear()
