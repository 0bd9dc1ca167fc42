"""Captions tell the truth about a scene, tell what they claim to tell, and nothing beyond it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from random import Random

import pytest

from engine.house.captions import (
    Language,
    Mention,
    caption,
    describe,
    sample_caption,
    sample_mention,
    sample_scene_mention,
)
from engine.house.scenes import PEOPLE, STYLES, Character, Scene, sample_character, sample_single
from engine.house.tongues import TONGUES, Table

LANGUAGES: tuple[Language, ...] = ("en", "zh")
HAIR = {
    (language, person): tongue.hair if person else tongue.coat
    for language, tongue in TONGUES.items()
    for person in (True, False)
}
CLOTHING = {language: tongue.clothing for language, tongue in TONGUES.items()}
SKINS = {language: tongue.skins for language, tongue in TONGUES.items()}
# Colour words that belong to something else: names, hours, styles.
ELSEWHERE = [
    *(word for tongue in TONGUES.values() for words in tongue.styles.values() for word in words),
    *(word for table in SKINS.values() for words in table for word in words),
    *("小红", "大白菜", "白天", "大白天", "黑夜", "金属"),
]


def said(text: str, words: Iterable[str], language: Language) -> bool:
    if language == "zh":  # "金色" is also said as "金" before "发"
        return any(word[:-1] in text for word in words)
    return any(re.search(rf"\b{re.escape(word)}\b", text) for word in words)


def without_other_colours(text: str) -> str:
    text = text.lower()
    for words in sorted(ELSEWHERE, key=len, reverse=True):
        for form in (words, words.replace("，", ","), words.replace("，", ", ")):
            text = text.replace(form.lower(), "_")
    return text


def one_comma(text: str) -> str:
    return text.lower().replace(", ", ",").replace("，", ",")


def scenes(count: int, seed: int) -> Iterator[tuple[Scene, Random]]:
    random = Random(seed)
    for _ in range(count):
        yield sample_single(random), random


def hair_words(character: Character, language: Language) -> tuple[str, ...]:
    if character.hair_style == "bald":
        return ()
    return HAIR[language, character.species in PEOPLE][character.hair_colour]


def told_colours(
    scene: Scene, mentions: tuple[Mention, ...], language: Language
) -> Iterator[tuple[str, ...]]:
    """For each colour that the mentions give away: the words that may say it."""
    for actor, mention in zip(scene.actors, mentions, strict=True):
        if mention.hair and hair_words(actor.character, language):
            yield hair_words(actor.character, language)
        if mention.clothing_colour:
            yield CLOTHING[language][actor.character.clothing_colour]


def all_colours(language: Language) -> set[str]:
    tables: list[Table] = [HAIR[language, True], HAIR[language, False], CLOTHING[language]]
    return {word for table in tables for words in table.values() for word in words}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_seed_gives_the_same_words(language: Language) -> None:
    first, second = (
        [sample_caption(scene, random, language) for scene, random in scenes(50, 3)] for _ in "ab"
    )
    assert first == second


@pytest.mark.parametrize("language", LANGUAGES)
def test_colours_that_are_not_mentioned_never_appear(language: Language) -> None:
    for scene, random in scenes(1500, 5):
        text, mentions, _ = sample_caption(scene, random, language)
        told = {w for words in told_colours(scene, mentions, language) for w in words}
        plain = without_other_colours(text)
        if language == "zh":  # "金黄色" holds "黄色": what is told goes, in full and then in short
            for word in sorted(told | {word[:-1] for word in told}, key=len, reverse=True):
                plain = plain.replace(word, "_")
        for colour in all_colours(language) - told:
            assert not said(plain, [colour], language), (colour, text, scene)


@pytest.mark.parametrize("language", LANGUAGES)
def test_colours_that_are_mentioned_always_appear(language: Language) -> None:
    for scene, random in scenes(1500, 6):
        text, mentions, _ = sample_caption(scene, random, language)
        for words in told_colours(scene, mentions, language):
            assert said(text.lower(), words, language), (words, text, scene)


@pytest.mark.parametrize("language", LANGUAGES)
def test_glasses_hats_and_beards_are_told_exactly_when_mentioned(language: Language) -> None:
    random = Random(7)
    glasses = {"en": "glass|spectacles|shades", "zh": "镜"}[language]
    hats = {"en": r"\b(cap|hat|beanie)\b", "zh": "帽(?!衫|卫)"}[language]
    for _ in range(1500):
        who, mention = sample_character(random), sample_mention(random)
        text = describe(who, mention, random, language)
        text = re.sub("no glasses|不戴眼镜|连帽", "", text)
        assert bool(re.search(glasses, text)) == (mention.glasses and who.glasses != "none"), text
        text = text.replace("帽衫", "")
        assert bool(re.search(hats, text)) == (mention.hat and who.hat != "none"), text
        beard = re.search("beard|胡子", text)
        assert bool(beard) == (mention.beard and who.beard), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_species_left_out_shows_in_no_description(language: Language) -> None:
    random, mention = Random(8), Mention(species=False, beard=False)
    nouns = [noun for nouns in TONGUES[language].nouns.values() for noun in nouns]
    for _ in range(500):
        text = describe(sample_character(random), mention, random, language)
        found = [n for n in nouns if re.search(rf"\b{n}\b" if language == "en" else n, text)]
        assert not found, text


def test_captions_come_in_the_language_asked_for() -> None:
    chinese = re.compile("[\u4e00-\u9fff]")
    for scene, random in scenes(300, 9):
        assert not chinese.search(sample_caption(scene, random, "en")[0])
        assert chinese.search(sample_caption(scene, random, "zh")[0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_scenes_without_actors_name_nobody_and_say_so(language: Language) -> None:
    names = TONGUES[language].names
    nobody = {"en": "empty|nobody|no people|without people|deserted", "zh": "无人|没有人|空"}
    fillers = TONGUES[language].fillers
    for scene, random in scenes(1500, 10):
        if scene.actors:
            continue
        text = sample_caption(scene, random, language)[0]
        assert re.search(nobody[language], text.lower()), text
        for filler in fillers:
            text = text.replace(filler, "").replace(filler[0].upper() + filler[1:], "")
        for words in names.values():
            assert not [n for n in words if len(n) > 1 and re.search(rf"\b{n}\b", text)], text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_style_is_told_exactly_when_mentioned(language: Language) -> None:
    table = TONGUES[language].styles
    for scene, random in scenes(600, 11):
        text, _, mention = sample_caption(scene, random, language)
        text = one_comma(text)
        for style in STYLES:
            words = [
                w.lower().replace(", ", ",").replace("，", ",")
                for w in table[style.replace(" ", "_")]
            ]
            told = any(word in text for word in words)
            if style == scene.style:
                assert told == mention.style, text
            else:
                assert not told or mention.style, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_scene_has_thousands_of_wordings(language: Language) -> None:
    random = Random(12)
    scene = next(s for s, _ in scenes(99, 12) if len(s.actors) == 2)
    wordings = {sample_caption(scene, random, language)[0] for _ in range(3000)}
    assert len(wordings) > 2900


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_descriptions_stand_in_the_caption_left_actor_first(language: Language) -> None:
    for scene, random in scenes(600, 13):
        mention = sample_scene_mention(random, scene)
        marks = ("<<0>>", "<<1>>")[: len(scene.actors)]
        text = caption(scene, marks, mention, random, language)
        found = [text.find(mark) for mark in marks]
        assert -1 not in found, text
        assert found == sorted(found), text


def test_english_captions_stay_short() -> None:
    lengths = [len(sample_caption(s, random, "en")[0].split()) for s, random in scenes(2000, 14)]
    assert max(lengths) < 85
    assert sorted(lengths)[1900] < 60
