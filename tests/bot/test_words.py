"""The catalogues: nothing is missing, and nothing that the code says is unknown to them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from bot import words
from bot.announce import STAGES
from bot.chat import CommandInfo, Right
from bot.commands import COMMANDS
from bot.commands.keep import SHARES
from bot.errors import Refusal, ScriptError, UnknownChoice
from bot.sentences import as_sentence, duration
from bot.words import Sentence, catalogue, flat, known_language, languages, say
from engine.prompts import load_styles

ROOT = Path(__file__).parents[2]
OTHERS = [name for name in languages() if name != "en"]
SPEAKERS = {"say", "reply", "Refusal", "ScriptError", "StoreTrouble", "error", "fail", "try_later"}
KEY = re.compile(r"[a-z]+(\.[a-z_]+)+")


def forms(sentence: Sentence) -> list[str]:
    return [sentence] if isinstance(sentence, str) else list(sentence.values())


def values_of(sentence: Sentence) -> set[str]:
    """The names in braces, of all plural forms."""
    return {name for form in forms(sentence) for _, name, _, _ in Formatter().parse(form) if name}


def spoken() -> Iterator[tuple[str, str, set[str] | None]]:
    """Where a key is used, the key, and the values that are given there (None: not to be seen)."""
    for path in sorted([*(ROOT / "bot").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name not in SPEAKERS or "web_words" in ast.unparse(node.func):
                continue
            given = {keyword.arg for keyword in node.keywords}
            for argument in node.args:
                is_direct = isinstance(argument, ast.Constant) and None not in given
                seen = {arg for arg in given if arg} if is_direct else None
                for key in constants(argument):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", key, seen


def constants(argument: ast.expr) -> list[str]:
    """What looks like a key in there, also on both sides of an "if", but not in calls inside."""
    if isinstance(argument, ast.IfExp):
        return [*constants(argument.body), *constants(argument.orelse)]
    value = argument.value if isinstance(argument, ast.Constant) else None
    return [value] if isinstance(value, str) and KEY.fullmatch(value) else []


def test_english_and_chinese_are_there() -> None:
    assert languages()[0] == "en"
    assert "zh" in languages()


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_missing_and_none_is_left_over(language: str) -> None:
    assert catalogue(language).keys() == catalogue("en").keys()


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_same_values(language: str) -> None:
    english = catalogue("en")
    wrong = [
        key
        for key, sentence in catalogue(language).items()
        if values_of(sentence) != values_of(english[key])
    ]
    assert not wrong


@pytest.mark.parametrize("language", languages())
def test_no_key_stands_in_two_files_and_no_sentence_is_empty(language: str) -> None:
    keys = Counter(
        key
        for path in (words.FOLDER / language).glob("*.toml")
        for key, _ in flat(tomllib.loads(path.read_text(encoding="utf-8")))
    )
    assert [key for key, count in keys.items() if count > 1] == []
    assert [k for k, s in catalogue(language).items() if not all(map(str.strip, forms(s)))] == []


@pytest.mark.parametrize("language", languages())
def test_plural_forms_have_a_form_for_all_other_numbers(language: str) -> None:
    plural = [s for s in catalogue(language).values() if not isinstance(s, str)]
    assert all("other" in sentence for sentence in plural)


def test_every_sentence_that_the_code_says_is_in_the_catalogues() -> None:
    assert [(place, key) for place, key, _ in spoken() if key not in catalogue("en")] == []


def test_the_code_gives_every_value_that_a_sentence_needs() -> None:
    short = [
        (place, key)
        for place, key, given in spoken()
        if given is not None and not values_of(catalogue("en")[key]) <= given
    ]
    assert short == []


@pytest.mark.parametrize(
    "key",
    [
        *(f"button.share_{name}" for name in SHARES),
        *(f"character.shared_{name}" for name in SHARES),
        *(f"job.line_{state}" for state in ("waiting", "drawing", "drawn")),
        *(f"job.stage_{stage}" for stage in STAGES),
        *(f"settings.{who}" for who in ("everyone", "managers", "blocked", "unblocked")),
        *(f"right.{right}" for right in get_args(Right)),
        *(f"story.which_{kind}" for kind in ("style", "layout")),
        *(f"style.{style}" for style in load_styles()),
        *(f"choice.{kind}" for kind in ("style", "layout", "format", "command", "language")),
    ],
)
def test_keys_that_are_put_together_are_in_the_catalogues(key: str) -> None:
    assert key in catalogue("en")


@pytest.mark.parametrize("info", [command.info for command in COMMANDS], ids=lambda i: str(i.name))
def test_a_command_and_its_options_are_explained(info: CommandInfo) -> None:
    for key in (info.help, *(option.help for option in info.options)):
        for language in languages():
            assert key in catalogue(language)
            assert 1 <= len(say(language, key)) <= 100, "Discord's limit of a description"


@pytest.mark.parametrize(
    ("asked", "known"),
    [("zh", "zh"), ("zh-CN", "zh"), ("zh_TW", "zh"), ("ZH", "zh"), ("en-GB", "en"), ("xx", "en"),
     (None, "en"), ("", "en")],
)  # fmt: skip
def test_a_language_is_found_by_what_platforms_call_it(asked: str | None, known: str) -> None:
    assert known_language(asked) == known


def test_a_language_says_in_english_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language, text in (("en", '[a]\nb = "hello {n}"\nc = "bye"'), ("xx", '[a]\nc = "tschau"')):
        (tmp_path / language).mkdir()
        (tmp_path / language / "some.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(words, "FOLDER", tmp_path)
    languages.cache_clear()
    catalogue.cache_clear()
    try:
        assert languages() == ("en", "xx")
        assert (say("xx", "a.c"), say("xx", "a.b", n=3), say("xx", "a.d")) == (
            "tschau", "hello 3", "a.d",
        )  # fmt: skip
    finally:
        languages.cache_clear()
        catalogue.cache_clear()


@pytest.mark.parametrize(("count", "word"), [(1, "1 minute"), (2, "2 minutes"), (0, "0 minutes")])
def test_english_counts_one_and_others(count: int, word: str) -> None:
    assert say("en", "time.minutes", count=count) == word


def test_chinese_does_not_count() -> None:
    assert say("zh", "time.minutes", count=1) == "1分钟"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "10 seconds"), (44, "40 seconds"), (55, "1 minute"), (150, "2 minutes"),
     (3600, "60 minutes"), (7300, "2 hours")],
)  # fmt: skip
def test_a_time_is_said_in_round_numbers(seconds: float, words: str) -> None:
    assert duration("en", seconds) == words


def test_somebodys_own_words_are_never_a_pattern() -> None:
    assert "{limit}" in Refusal("commands.unknown", command="{limit} {0.__class__}").say("zh")


def test_a_refusal_is_english_as_a_string_and_can_be_said_in_chinese() -> None:
    error = Refusal("queue.too_many", limit=3)
    assert "3" in str(error)
    assert str(error) == error.say("en") != error.say("zh")


def test_a_script_error_knows_its_place_in_both_languages() -> None:
    assert str(ScriptError("script.bracket_open", 4, 2)).startswith("line 4, column 2: ")
    assert ScriptError("script.bracket_open", 4, 2).say("zh").startswith("第4行第2列：")
    assert str(ScriptError("script.empty", 4)).startswith("line 4: the story")
    assert str(ScriptError("script.empty")).startswith("the story")


def test_an_unknown_choice_names_its_kind_in_both_languages() -> None:
    error = UnknownChoice("style", "comix", ["comic", "noir"])
    assert "no style “comix”; the nearest is “comic”" in str(error)
    assert "画风" in error.say("zh")


def test_what_is_like_nothing_gets_no_suggestion() -> None:
    for name in ("", "!!", "nonsense"):
        error = UnknownChoice("style", name, ["comic", "noir"])
        assert str(error) == f"there is no style “{name}”; there are: comic, noir"


@pytest.mark.parametrize(
    ("error", "language", "sentence"),
    [("no such thing", "en", "No such thing."), ("没有", "zh", "没有。"), ("what?", "en", "What?"),
     ("[Tom] is gone", "en", "[Tom] is gone."), ("it is off (by now)", "en", "It is off (by now)."),
     ("he said “no”", "en", "He said “no”."), ("he said “no!”", "en", "He said “no!”"),
     ('he said "no." (twice?)', "en", 'He said "no." (twice?)'), ("oh ;)", "en", "Oh ;)"),
     ("没有（现在）", "zh", "没有（现在）。"), ("他说“好”", "zh", "他说“好”。"),
     ("他说“好。”", "zh", "他说“好。”"), ("see `inkwell run`", "en", "See `inkwell run`")],
)  # fmt: skip
def test_an_error_is_shown_as_a_sentence(error: str, language: str, sentence: str) -> None:
    assert as_sentence(error, language) == sentence
