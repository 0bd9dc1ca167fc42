"""The story script: what is read from it, and how its mistakes are told."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from bot.errors import ScriptError
from bot.script import CharacterLine, PanelLine, StoryScript, parse_script

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.story"))
CAST = "[Tom] a boy\n[Lisa] a girl\n\n"


def panel_of(line: str, cast: str = CAST) -> PanelLine:
    (panel,) = parse_script(cast + line).panels
    return panel


def error_of(text: str) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        parse_script(text)
    return caught.value


def test_a_story_is_its_cast_and_its_panels() -> None:
    script = parse_script("[Tom] a boy, \t 9 years old\n\n[Tom] in the  park #Tom is late.\n")
    assert script == StoryScript(
        (CharacterLine("Tom", "a boy, 9 years old"),),
        (PanelLine("[Tom] in the park", ("Tom",), "Tom is late.", "box", None),),
    )


def test_the_plan_is_readable_json_with_the_fields_in_their_order() -> None:
    script = parse_script("[汤姆] 程序员\n\n[汤姆] 打字 #汤姆：你好")
    assert "汤姆" in script.to_json()
    assert script.to_json(ensure_ascii=True).isascii()
    plan = json.loads(script.to_json())
    assert plan["characters"] == [{"name": "汤姆", "description": "程序员"}]
    assert list(plan["panels"][0].items()) == [
        ("text", "[汤姆] 打字"),
        ("characters", ["汤姆"]),
        ("caption", "你好"),
        ("kind", "speech"),
        ("speaker", "汤姆"),
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_in_order_and_its_speakers_can_be_seen(path: Path) -> None:
    panels = parse_script(path.read_text(encoding="utf-8")).panels
    assert 4 <= len(panels) <= 12
    for panel in panels:
        assert panel.caption
        assert len(panel.characters) <= 2, "the house artist draws two at most"
        assert panel.speaker is None or panel.speaker in panel.characters


def test_the_chinese_example_and_its_english_twin_have_the_same_panels() -> None:
    both = [
        parse_script((EXAMPLES[0].parent / f"tab-or-space.{language}.story").read_text("utf-8"))
        for language in ("zh", "en")
    ]
    names = [{c.name: i for i, c in enumerate(script.characters)} for script in both]
    who = [
        [[names[i][name] for name in panel.characters] for panel in script.panels]
        for i, script in enumerate(both)
    ]
    assert who[0] == who[1] == [[0], [1], [0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("caption", "read"),
    [
        ("Tom is late.", ("Tom is late.", "box", None)),
        ("Tom: late!", ("late!", "speech", "Tom")),
        ("Tom : late!", ("late!", "speech", "Tom")),
        ("TOM: late!", ("late!", "speech", "Tom")),
        ("Ｔｏｍ：late!", ("late!", "speech", "Tom")),
        ("[Tom]: late!", ("late!", "speech", "Tom")),
        ("Tom: it is 8:30", ("it is 8:30", "speech", "Tom")),
        ("(Tom: late)", ("late", "thought", "Tom")),
        ("（lisa：late）", ("late", "thought", "Lisa")),
        ("(Tom: late (again) :))", ("late (again) :)", "thought", "Tom")),
        ("(Tom: yes) and (Lisa: no)", ("(Tom: yes) and (Lisa: no)", "box", None)),
        ("Tom: (whispers) late", ("(whispers) late", "speech", "Tom")),
        ("Note: late", ("Note: late", "box", None)),
        ("(Note: late)", ("(Note: late)", "box", None)),
        ("[Bob] and [Tom", ("[Bob] and [Tom", "box", None)),
        ("one # two", ("one # two", "box", None)),
        ("  wide \t space　here ", ("wide space here", "box", None)),
        ("Tom:", ("Tom:", "box", None)),
        ("", (None, None, None)),
        (" \t ", (None, None, None)),
    ],
)
def test_a_caption_is_speech_thought_or_box(
    caption: str, read: tuple[str | None, str | None, str | None]
) -> None:
    panel = panel_of(f"[Tom] waves #{caption}")
    assert (panel.caption, panel.kind, panel.speaker) == read


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ('"Hi."', "Hi."),
        ("“Hi.”", "Hi."),
        ("「Hi.」", "Hi."),
        ("«Hi.»", "Hi."),
        ('"Yes" and "no"', '"Yes" and "no"'),
        ('He said "no"', 'He said "no"'),
        ('""', '""'),
        ('"', '"'),
    ],
)
def test_a_balloon_stands_for_the_quote_marks_around_its_words(typed: str, words: str) -> None:
    assert panel_of(f"[Tom] waves #Tom: {typed}").caption == words


def test_quote_marks_in_a_box_stay() -> None:
    assert panel_of('[Tom] waves #"Hi."').caption == '"Hi."'


def test_a_panel_without_hash_has_no_caption() -> None:
    assert panel_of("[Tom] waves") == PanelLine("[Tom] waves", ("Tom",), None, None, None)


@pytest.mark.parametrize("mark", ["[NC]", "[nc]", "【NC】", "［ＮＣ］", "[ NC ]"])
def test_nc_is_a_panel_with_nobody(mark: str) -> None:
    panel = panel_of(f"{mark} an empty  street #Tom: (off) Help!")
    assert (panel.text, panel.characters, panel.speaker) == ("an empty street", (), "Tom")


def test_names_count_in_order_once_each_and_in_the_spelling_of_the_cast() -> None:
    panel = panel_of("near 【LISA】, ［tom］ and [lisa】 #[Bob] is only a word here")
    assert panel.characters == ("Lisa", "Tom")
    assert panel.text == "near 【LISA】, ［tom］ and [lisa】"


@pytest.mark.parametrize(
    "name", ["汤姆", "Анна", "علي", "José", "R2: D2", "👩‍🚀", "Tom (5)", "N C"]
)
def test_a_name_may_be_in_any_script(name: str) -> None:
    panel = panel_of(f"[{name}] waves #{name}: hello", cast=f"[{name}] somebody\n\n")
    assert (panel.characters, panel.speaker, panel.caption) == ((name,), name, "hello")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n\n", "\ufeff \t\n"])
def test_byte_order_mark_line_ends_and_blank_lines_do_no_harm(start: str, line_end: str) -> None:
    text = start + "\t[Tom]\ta boy\n[Lisa] a girl\n \t\n\n\t[Tom]\twaves\n\n\n[Lisa] waves\n\n"
    script = parse_script(text.replace("\n", line_end))
    assert [c.description for c in script.characters] == ["a boy", "a girl"]
    assert [p.text for p in script.panels] == ["[Tom] waves", "[Lisa] waves"]


@pytest.mark.parametrize("mark", ["\u200f", "\u200c", "\u200d", "\u061c", "\u202b", "\u2069"])
def test_marks_that_nobody_sees_may_stand_around_names(mark: str) -> None:
    said = PanelLine("[علي] يمشي", ("علي",), "مرحبا", "speech", "علي")
    cast = "[علي] رجل\n\n"
    assert panel_of(f"[علي] يمشي #علي{mark}: مرحبا", cast) == said
    assert panel_of(f"{mark}[علي] يمشي{mark} #{mark}[علي{mark}]{mark}: مرحبا", cast) == said
    assert panel_of(f"[علي] يمشي #علي:{mark} مرحبا", cast) == said
    assert panel_of(f"[علي] يمشي #علي:{mark} «مرحبا»{mark}", cast) == said
    assert (
        panel_of("[علي] يمشي #مرحبا", f"{mark}[{mark}علي{mark}]{mark} رجل\n{mark}\n").speaker
        is None
    )
    assert panel_of(f"[علي] يمشي #{mark}(علي: مرحبا){mark}", cast).kind == "thought"
    assert panel_of(f"[علي] يمشي #{mark}", cast).caption is None
    assert parse_script(f"[Tom{mark}] a boy\n[Tom] waves").characters == (
        CharacterLine("Tom", "a boy"),
    )


@pytest.mark.parametrize("words", ["می\u200cروم", "👩\u200d🚀", "ه\u200d", "\u200fOK, علي"])
def test_joiners_and_direction_marks_stay_in_captions(words: str) -> None:
    assert panel_of(f"[Tom] waves #{words}").caption == words
    assert panel_of(f"[Tom] waves #Tom: {words}").caption == words


@pytest.mark.parametrize("first_panel", ["[Tom] waves", "[NC] rain", "Behind [Lisa], rain"])
def test_the_cast_ends_without_blank_line_where_no_new_name_begins(first_panel: str) -> None:
    script = parse_script(f"[Tom] a boy\n[Lisa] a girl\n{first_panel}\n[Lisa] waves")
    assert [c.name for c in script.characters] == ["Tom", "Lisa"]
    assert [p.text for p in script.panels] == [first_panel.removeprefix("[NC] "), "[Lisa] waves"]


def test_a_description_may_be_missing_name_others_and_speak_of_c_sharp() -> None:
    script = parse_script("[Tom]\n[Lisa] sister of [Tom], in a C# T-shirt\n\n[Tom] waves")
    assert [c.description for c in script.characters] == ["", "sister of [Tom], in a C# T-shirt"]


@pytest.mark.parametrize(
    "description", ["wears jersey #10, likes C#", "likes F#", "＃7 of the team", "穿＃１０号球衣"]
)
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_the_hash_of_a_number_or_a_sharp_is_part_of_a_description(
    description: str, between: str
) -> None:
    script = parse_script(f"[Tom] {description}{between}[Tom] waves #Hi!")
    assert script.characters == (CharacterLine("Tom", description),)
    assert script.panels[0].caption == "Hi!"


def test_any_hash_is_part_of_a_description_in_a_cast_that_a_blank_line_ends() -> None:
    script = parse_script("[Tom] a boy\n[Lisa] in a #MeToo shirt\n\n[Lisa] waves #Hi!")
    assert script.characters[1] == CharacterLine("Lisa", "in a #MeToo shirt")
    assert [panel.caption for panel in script.panels] == ["Hi!"]


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("[Tim] waves", 1, "nobody is called [Tim]; the nearest known name is [Tom]"),
        (
            "  [Tom] and [Liza] wave",
            13,
            "nobody is called [Liza]; the nearest known name is [Lisa]",
        ),
        ("\t【莉莎】 waves", 2, "nobody is called [莉莎]"),
        ("😀 [tim] waves", 3, "nobody is called [tim]"),
        ("[Tom] and [Lisa", 11, "never closed"),
        ("[Tom #said: hi]", 1, "never closed"),
        ("[Tom] and [[Lisa]]", 12, "inside of another"),
        ("[Tom] and Lisa]", 15, "none is open"),
        ("[Tom] and [ ]", 11, "no name"),
        ("  Tom waves", 3, "names nobody"),
        ("#Only words", 1, "names nobody"),
        ("[NC] and [Tom]", 10, "without characters"),
        (" [NC]", 2, "[NC] alone says nothing to draw"),
        ("【ＮＣ】 \u200b #Later …", 1, "[NC] alone says nothing to draw"),
        ("[Tom]\x1b[31m", 6, "U+001B"),
        ("[Tom] waves #\x00", 14, "U+0000"),
        ("[Tom] waves #\ud800", 14, "U+D800"),
    ],
)
def test_a_wrong_panel_is_told_with_line_and_column(line: str, column: int, words: str) -> None:
    error = error_of(f"{CAST}{line}\n[Tom] waves")
    assert (error.line, error.column) == (4, column)
    assert str(error).startswith(f"line 4, column {column}: ")
    assert words in str(error)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", None, None, "the story is empty"),
        ("\ufeff \n\t\n\u200b\n", None, None, "the story is empty"),
        ("[Tom] a boy\n[Lisa] a girl\n", None, None, "no panels"),
        ("the office\nthe park\n", 1, None, "first introduce all characters"),
        ("\n[NC] the office\n", 2, None, "first introduce all characters"),
        ("[Tom] waves", None, None, "has characters but no panels"),
        ("[Tom] waves #Hi!", 1, 1, "has panels but no characters: no line introduces [Tom]"),
        ("[Tom] waves #Hi!\n[Tom] runs #Bye!", 1, 1, "no line introduces [Tom]"),
        ("[Tom] waves #Hi!\n\n[Tom] runs #Bye!", 1, 1, "no line introduces [Tom]"),
        ("\n[Tom] types #a\n[Lisa] sits #b\n\n[Tom] runs #c", 2, 1, "no line introduces [Tom]"),
        ("[汤姆] 打字＃你好\n[汤姆] 打字", 1, 1, "no line introduces [汤姆]"),
        (
            "[Tom] a boy\n[Lisa] in a #MeToo shirt\n[Tom] waves",
            2,
            13,
            "[Lisa] is not introduced yet",
        ),
        ("[Tom] a boy\n[Lisa] in a #MeToo shirt\n\n", 2, 13, "[Lisa] is not introduced yet"),
        ("[Tom] a boy\n\n[Tim] waves #Hi!", 3, 1, "nobody is called [Tim]"),
        ("[Tom] a boy\n[Lsia] waves #Hi!", 2, 14, "[Lsia] is not introduced yet"),
        ("[Tom] a boy\n[TOM] a man\n\n[Tom] waves", 2, 1, "differ only in case or width"),
        ("[Tom] a boy\n[Ｔom] a man\n\n[Tom] waves", 2, 1, "differ only in case or width"),
        ("[straße] 1\n[STRASSE] 2\n\n[straße] 3", 2, 1, "differ only in case or width"),
        ("[Tom] a boy\n\n[Lisa] a girl\n\n[Tom] waves", 3, 1, "nobody is called [Lisa]"),
        ("[Tom a boy\n\n[Tom] waves", 1, 1, "never closed"),
        ("[] a boy\n\n[Tom] waves", 1, 1, "no name"),
        ("[T#m] a boy\n\n[Tom] waves", 1, 3, "cannot have #"),
        ("[Tom] a boy\nwith glasses\n\n[Tom] waves", 2, 1, "names nobody"),
    ],
)
def test_a_wrong_story_is_told_in_one_sentence(
    text: str, line: int | None, column: int | None, words: str
) -> None:
    error = error_of(text)
    assert (error.line, error.column) == (line, column)
    assert words in str(error)
    assert "\n" not in str(error)


def test_an_accent_typed_in_two_ways_is_one_name() -> None:
    assert panel_of("[Jose\u0301] waves", cast="[Jos\u00e9] a man\n").characters == ("Jos\u00e9",)


def test_twelve_characters_are_allowed_and_the_thirteenth_is_told() -> None:
    cast = [f"[c{number}] a cat" for number in range(1, 14)]
    assert len(parse_script("\n".join([*cast[:12], "", "[c1] waves"])).characters) == 12
    error = error_of("\n".join([*cast, "", "[c1] waves"]))
    assert (error.line, str(error)) == (13, "line 13, column 1: a story has at most 12 characters")


def test_twenty_four_panels_are_allowed_and_the_next_one_is_told() -> None:
    assert len(parse_script(CAST + "[Tom] waves\n" * 24).panels) == 24
    error = error_of(CAST + "[Tom] waves\n" * 30)
    assert (error.line, "24" in str(error), "30" in str(error)) == (28, True, True)


@pytest.mark.parametrize("letter", ["a", "字", "😀"])
def test_two_thousand_characters_a_line_are_allowed_and_one_more_is_told(letter: str) -> None:
    line = "[Tom] " + letter * 1994
    assert len(panel_of(line).text) == 2000
    error = error_of(CAST + line + letter)
    assert (error.line, "2,001" in str(error), "2,000" in str(error)) == (4, True, True)


def test_a_long_name_is_shortened_in_the_message_only() -> None:
    name = "ab" * 900
    assert panel_of(f"[{name}] waves", cast=f"[{name}] a cat\n\n").characters == (name,)
    assert len(str(error_of(f"[{name}] a cat\n\n[{name}c] waves"))) < 400


HOSTILE = [
    *"[]【】［］#＃:：()（） \t\n\r\"“”「」",
    *("[Tom]", "[tom]", "[NC]", "[C#]", "\n[Tom] x\n", "#Tom: hi", "(Tom: hi)", "\r\n", "\n\n"),
    *("--no", "--no cars", "—no", "--不要", "－－不要雨"),
    *("\ufeff", "\u200b", "\u202e", "\u2028", "\0", "\x1b", "\x85", "\ud800", "ß", "İ"),
    *("ﷺ", "e\u0301"),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_typed_gives_a_story_or_a_sentence(seed: int) -> None:
    random = Random(seed)
    for _ in range(300):
        start = random.choice(["", CAST, CAST + "[Tom] x "])
        text = start + "".join(random.choices(HOSTILE, k=random.randrange(20)))
        try:
            script = parse_script(text)
        except ScriptError as error:
            assert str(error).isprintable() or "\u0301" in str(error)  # noqa: PT017
            continue
        names = {character.name for character in script.characters}
        for panel in script.panels:
            assert names.issuperset(panel.characters)
            assert (panel.kind is None) == (panel.caption is None)
            assert (panel.kind in ("speech", "thought")) == (panel.speaker in names)
