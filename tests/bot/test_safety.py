"""Words that are not drawn; and all those that only look like them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.cli import main
from bot.errors import FileError, Refusal
from bot.safety import FOLDER, LISTS, STRICTNESSES, Strictness, read_lists, safe_words
from bot.wording import WordList, Writing


def refused(strictness: Strictness, *texts: str) -> str | None:
    """The key of the sentence that refuses the texts."""
    try:
        safe_words().check(strictness, texts)
    except Refusal as refusal:
        return refusal.key
    return None


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("[Tom] watches porn", "standard"),
        ("pornographic drawing", "standard"),
        ("a beheading", "standard"),
        ("色情图片", "standard"),
        ("斬首", "standard"),
        ("[Tom] naked in bed", "strict"),
        ("a bloody corpse", "strict"),
        ("她全裸", "strict"),
        ("[Tom] in the park, kissing [Lisa]", None),
        ("war, soldiers shooting", None),
    ],
)
def test_what_is_refused_depends_on_the_strictness(text: str, least: str | None) -> None:
    for strictness in STRICTNESSES:
        strict_enough = least and STRICTNESSES.index(strictness) >= STRICTNESSES.index(least)
        assert refused(strictness, text) == ("safety.word" if strict_enough else None)


@pytest.mark.parametrize("strictness", STRICTNESSES)
@pytest.mark.parametrize(
    "texts",
    [
        ("child porn",),
        ("[Mia] a girl, 9 years old", "[Mia] naked"),
        ("a 15-year-old", "sex"),
        ("aged 12", "erotic"),
        ("a seven-year-old boy", "nude"),
        ("a schoolgirl in lingerie",),
        ("小女孩", "裸体"),
        ("她十四岁", "做爱"),
        ("她14歲", "性感"),
        ("恋童",),
    ],
)
def test_children_are_never_drawn_in_anything_sexual(
    strictness: Strictness, texts: tuple[str, ...]
) -> None:
    assert refused(strictness, *texts) == "safety.minors"


@pytest.mark.parametrize(
    "texts",
    [
        ("a woman, 21 years old", "nude"),
        ("a twenty-one-year-old woman", "nude"),
        ("a man aged 115", "nude"),
        ("二十一岁", "裸体"),
        ("十八岁", "裸体"),
        ("a child in the bath", "a duck"),
    ],
)
def test_grown_ups_and_children_apart_are_no_such_case(texts: tuple[str, ...]) -> None:
    assert refused("off", *texts) is None


@pytest.mark.parametrize(
    "text",
    [
        "PORN", "ｐｏｒｎ", "pörn", "p0rn", "P0RN0", "p o r n", "p.o.r.n", "p-o-r-n", "po-rn",
        "poooorn", "po\u200brn", "po\u00adrn", "роrn", "a p_o_r_n page", "$ex", "s e x",
        "m@sturbating", "blow-job", "色 情", "色.情", "色\u200b情", "做*爱",
    ],
)  # fmt: skip
def test_hidden_words_are_found(text: str) -> None:
    assert refused("standard", text) == "safety.word"


@pytest.mark.parametrize(
    "text",
    [
        "Scunthorpe, Essex and Sussex", "a bunch of grapes", "the therapist", "a drape, scraped",
        "Penistone station", "popcorn and a unicorn", "unisex clothes", "a sextant, a sextet",
        "a stable with hens", "the Middlesex team", "assassins in a cockpit", "saturnine",
        "I a m tall", "Al Gore gives a speech", "seen with the naked eye", "a naked mole-rat",
        "a same-sex couple at home", "a blood orange", "男性交谈", "女性，交给他", "角色情绪低落",
        "十字路口交通拥堵", "林阴道上", "亲自慰问", "流行性感冒", "赤裸裸的真相",
        "献爱心，做爱心早餐",
        "女性感动得哭了", "血腥玛丽鸡尾酒", "出口交易会", "红色情侣装",
    ],
)  # fmt: skip
def test_innocent_words_are_not(text: str) -> None:
    assert refused("strict", text) is None


def test_a_phrase_is_found_across_other_spaces_and_not_in_other_order() -> None:
    words = WordList(["severed head*", "blow job"])
    assert words.find(Writing.of("two  severed,\theads")) == "severed head"
    assert words.find(Writing.of("a job: blow")) is None


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.name)
def test_a_shipped_list_has_every_kind_and_no_word_twice(path: Path) -> None:
    lists = read_lists(path)
    assert tuple(sorted(lists)) == tuple(sorted(LISTS))
    words = [word for each in lists.values() for word in each]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.name)
def test_every_word_of_a_shipped_list_finds_itself_and_no_innocent_one_is_refused(
    path: Path,
) -> None:
    lists = read_lists(path)
    for name in set(LISTS) - {"innocent"}:
        for word in lists[name]:
            assert WordList([word]).find(Writing.of(word.removesuffix("*")))
    for phrase in lists["innocent"]:
        assert refused("strict", phrase.removesuffix("*")) is None


def test_an_operators_folder_adds_lists_and_takes_the_place_of_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "house.toml").write_text('gore = ["pineapple pizza"]', encoding="utf-8")
    (tmp_path / "en.toml").write_text('sexual = ["ankle*"]', encoding="utf-8")
    own = safe_words(tmp_path)
    for text in ("Pineapple pizza", "bare ankles", "色情"):
        with pytest.raises(Refusal):
            own.check("standard", [text])
    own.check("standard", ["porn"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("sexual = [", "cannot read"),
        ('sexaul = ["x"]', 'has a list "sexaul"; the lists are always'),
        ('gore = "x"', "must hold words in quotes"),
        ('gore = ["!"]', "with letters"),
        ("gore = [1]", "must hold words in quotes"),
    ],
)
def test_a_broken_list_is_told_by_name(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "xx.toml").write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=r"xx\.toml") as caught:
        safe_words(tmp_path)
    assert words in str(caught.value)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        safe_words(tmp_path / "none")


def test_the_command_line_draws_nothing_of_it_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    story = tmp_path / "bad.story"
    story.write_text("[Tom] a man\n\n[Tom] watches p0rn\n", encoding="utf-8")
    assert main(["draw", str(story)]) == 2
    assert "I do not draw “porn” here" in capsys.readouterr().err
    assert main(["draw", str(story), "--plan"]) == 0
    assert not (tmp_path / "out").exists()


def test_a_long_text_full_of_innocent_phrases_is_read_quickly() -> None:
    began = time.process_time()
    assert refused("strict", "naked eye " * 6000) is None
    assert time.process_time() - began < 5
