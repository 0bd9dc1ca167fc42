"""Characters in words: what a person would write into a story's cast.

The words come from the tongues' tables, the grammar of each language from the code below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from engine.house.scenes import ANIMALS, PEOPLE, Character
from engine.house.tongues import TONGUES, Language, table_key

_EN, _ZH = TONGUES["en"], TONGUES["zh"]
_COLOURS_EN = frozenset(word for words in _EN.clothing.values() for word in words)
_DOUBLED_ZH = ("瘦瘦", "胖胖")  # not said alone: "瘦瘦的"
_VAGUE_KINDS = {"man": "adult", "woman": "adult", "boy": "child", "girl": "child"}


@dataclass(frozen=True)
class Mention:
    """Which attributes of a character the words give away; the others stay free."""

    species: bool = True
    hair: bool = True
    clothes: bool = True
    clothing_colour: bool = True
    glasses: bool = True
    hat: bool = True
    build: bool = True
    skin: bool = True
    beard: bool = True
    stickers: bool = True


def sample_mention(random: Random) -> Mention:
    species = random.random() > 0.06
    return Mention(
        species=species,
        hair=random.random() < 0.5,
        clothes=random.random() < 0.6,
        clothing_colour=random.random() < 0.5,
        glasses=random.random() < 0.85,
        hat=random.random() < 0.85,
        build=random.random() < 0.3,
        skin=random.random() < 0.15,
        beard=species and random.random() < 0.8,  # a beard would tell the species
        stickers=random.random() < 0.2,
    )


def describe(character: Character, mention: Mention, random: Random, language: Language) -> str:
    """The character as a person would write it in a story's cast, without the name."""
    return _DESCRIBERS[language](character, mention, random)


def _vague_kind(species: str) -> str:
    if species in PEOPLE:
        return _VAGUE_KINDS.get(species, "old")
    return "animal" if species in ANIMALS else "robot"


# ---------------------------------------------------------------- English
def _describe_en(character: Character, mention: Mention, random: Random) -> str:
    adjectives: list[str] = []
    traits: list[str] = []
    if mention.build:
        build = random.choice(_EN.builds[character.build])
        (traits if character.build == "average" else adjectives).append(build)
    _hair_en(character, mention, random, (adjectives, traits))
    _traits_en(character, mention, random, traits)
    worn = _worn_en(character, mention, random)
    if mention.species:
        noun = random.choice(_EN.nouns[character.species])
    else:
        noun = random.choice(_EN.vague[_vague_kind(character.species)])
    if noun in _EN.own["unnamed"]:
        head = f"{noun} {' and '.join(adjectives)}".strip()
    else:
        head = _indefinite(" ".join((*adjectives, noun)))
    return _join_en(head, traits, worn, random)


def _indefinite(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def _hair_en(
    character: Character, mention: Mention, random: Random, into: tuple[list[str], list[str]]
) -> None:
    adjectives, traits = into
    if character.species not in PEOPLE:
        if mention.hair:
            _coat_en(character, random, into)
    elif character.hair_style == "bald":
        if mention.hair or random.random() < 0.3:
            as_trait = random.random() < 0.3
            into[as_trait].append("a bald head" if as_trait else "bald")
    elif mention.hair:
        colour = random.choice(_EN.hair[character.hair_colour])
        roll = random.random()
        if roll < 0.12:
            adjectives.append(f"{colour}-haired")
        elif roll < 0.3:
            traits.append(f"{colour} hair")
        else:
            styles = _EN.hair_styles[character.hair_style]
            traits.append(random.choice(styles).format(f"{colour} "))
    elif random.random() < 0.3:
        traits.append(random.choice(_EN.hair_styles[character.hair_style]).format(""))


def _coat_en(character: Character, random: Random, into: tuple[list[str], list[str]]) -> None:
    adjectives, traits = into
    colour = random.choice(_EN.coat[character.hair_colour])
    stuff = "metal" if character.species == "robot" else "fur"
    if random.random() < 0.7:
        adjectives.append(colour)
    else:
        traits.append(f"{colour} {stuff}")


def _traits_en(character: Character, mention: Mention, random: Random, traits: list[str]) -> None:
    if mention.glasses and character.glasses != "none":
        traits.append(random.choice(_EN.glasses[character.glasses]))
    elif mention.glasses and random.random() < 0.03:
        traits.append("no glasses")
    if mention.beard and character.beard:
        traits.append(random.choice(_EN.beards))
    if mention.skin and character.species in PEOPLE:
        traits.append(random.choice(_EN.skins[character.skin]))
    if mention.stickers and character.stickers:
        traits.append(random.choice(_EN.stickers))
    if len(traits) > 1 and random.random() < 0.4:
        random.shuffle(traits)


def _worn_en(character: Character, mention: Mention, random: Random) -> list[str]:
    worn: list[str] = []
    colour = random.choice(_EN.clothing[character.clothing_colour])
    if mention.clothes:
        kind = random.choice(_EN.clothes[table_key(character.clothes)])
        worn.append(_indefinite(f"{colour} {kind}" if mention.clothing_colour else kind))
    elif mention.clothing_colour:
        worn.append(random.choice(_EN.own["only_colour"]).format(colour))
    if mention.hat and character.hat != "none":
        worn.append(random.choice(_EN.hats[table_key(character.hat)]))
    return worn


def _join_en(head: str, traits: list[str], worn: list[str], random: Random) -> str:
    roll = random.random()
    if roll < 0.3:  # a chain of bare words
        rest = [_bare(words) for words in (*traits, *worn)]
        rest = [f"dressed in {words}" if words in _COLOURS_EN else words for words in rest]
        return ", ".join((head if roll < 0.2 else _bare(head), *rest))
    parts = [head]
    if traits:
        parts.append((" with " if roll < 0.9 else ", who has ") + _listing(traits))
    if worn:
        parts.append(random.choice(_EN.own["wearing"]) + _listing(worn))
    if random.random() < 0.06:
        parts.append(", " + random.choice(_EN.fillers))
    return "".join(parts)


def _bare(words: str) -> str:
    return words.removeprefix("a ").removeprefix("an ")


def _listing(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


# ---------------------------------------------------------------- Chinese
def _describe_zh(character: Character, mention: Mention, random: Random) -> str:
    if mention.species:
        noun = random.choice(_ZH.nouns[character.species])
    else:
        noun = random.choice(_ZH.vague[_vague_kind(character.species)])
    details = [random.choice(_ZH.builds[character.build])] if mention.build else []
    if mention.hair and character.species not in PEOPLE and random.random() < 0.5:
        noun = _coloured_noun_zh(character, noun, random)
    else:
        details += _hair_zh(character, mention, random)
    details += _traits_zh(character, mention, random)
    details += _worn_zh(character, mention, random)
    if random.random() < 0.4:
        random.shuffle(details)
    if random.random() < 0.06:
        details.append(random.choice(_ZH.fillers))
    before = min(len(details), random.choices((0, 1, 2, 9), (40, 35, 15, 10))[0])
    measure = random.choice(_measures_zh(character.species)) if random.random() < 0.88 else ""
    head = "、".join(details[:before]) + "的" if before else ""
    rest = [f"{words}的" if words in _DOUBLED_ZH else words for words in details[before:]]
    return "，".join((f"{measure}{head}{noun}", *rest))


def _coloured_noun_zh(character: Character, noun: str, random: Random) -> str:
    colour = random.choice(_ZH.coat[character.hair_colour])
    if noun in ("猫", "狗", "兔子", "熊") and random.random() < 0.6:
        return f"{colour[:-1]}{noun}"  # 橘猫
    return f"{colour}{random.choice(('的', '的', ''))}{noun}"


def _measures_zh(species: str) -> tuple[str, ...]:
    if species == "robot":
        return _ZH.own["measures_of_robots"]
    return _ZH.own["measures_of_animals" if species in ANIMALS else "measures_of_people"]


def _hair_zh(character: Character, mention: Mention, random: Random) -> list[str]:
    style = character.hair_style
    if character.species not in PEOPLE:
        colour = random.choice(_ZH.coat[character.hair_colour])
        stuff = random.choice(_ZH.own["metal" if character.species == "robot" else "fur"])
        words = (colour, colour, colour + stuff)
        return [random.choice(words)] if mention.hair else []
    if style == "bald":
        bald = mention.hair or random.random() < 0.3
        return [random.choice(_ZH.own["bald"])] if bald else []
    if not mention.hair:
        return [random.choice(_ZH.hair_styles[style])] if random.random() < 0.3 else []
    return [_coloured_hair_zh(character, random)]


def _coloured_hair_zh(character: Character, random: Random) -> str:
    colour = random.choice(_ZH.hair[character.hair_colour])
    roll = random.random()
    if roll < 0.1:
        return random.choice((f"一头{colour[:-1]}发", f"{colour[:-1]}发"))
    if roll < 0.25:
        return random.choice((f"{colour}头发", f"{colour}的头发", f"头发是{colour}"))
    verb, particle = random.choice(_ZH.own["hair_verbs"]), random.choice(("", "", "的"))
    return f"{verb}{colour}{particle}{random.choice(_ZH.hair_styles[character.hair_style])}"


def _traits_zh(character: Character, mention: Mention, random: Random) -> list[str]:
    details: list[str] = []
    wear = random.choice(_ZH.own["wearing_hats"])
    if mention.glasses and character.glasses != "none":
        details.append(wear + random.choice(_ZH.glasses[character.glasses]))
    elif mention.glasses and random.random() < 0.03:
        details.append("不戴眼镜")
    if mention.beard and character.beard:
        details.append(random.choice(_ZH.beards))
    if mention.hat and character.hat != "none":
        details.append(wear + random.choice(_ZH.hats[table_key(character.hat)]))
    if mention.skin and character.species in PEOPLE:
        details.append(random.choice(_ZH.skins[character.skin]))
    if mention.stickers and character.stickers:
        details.append(random.choice(_ZH.stickers))
    return details


def _worn_zh(character: Character, mention: Mention, random: Random) -> list[str]:
    colour = random.choice(_ZH.clothing[character.clothing_colour])
    wear = random.choice(_ZH.own["wearing_clothes"])
    if mention.clothes:
        kind = random.choice(_ZH.clothes[table_key(character.clothes)])
        if mention.clothing_colour:
            forms = (f"{colour}的{kind}", f"{colour}{kind}", f"{colour[:-1]}{kind}")
            kind = random.choice(forms)
        return [wear + kind]
    if mention.clothing_colour:
        forms = (f"{wear}{colour}衣服", f"{wear}{colour}的衣服", f"{wear}{colour[:-1]}衣服")
        return [random.choice(forms)]
    return []


_DESCRIBERS: dict[Language, Callable[[Character, Mention, Random], str]] = {
    "en": _describe_en,
    "zh": _describe_zh,
}
