"""Alt texts: pages that somebody can listen to."""

from __future__ import annotations

import pytest

from bot.alt_text import MOST_ALT, page_alts, panel_alt, panels_on_pages
from bot.room import read_whole
from bot.stories import Panel
from bot.words import languages

SCRIPT = """[Tom] a young programmer
[Lisa] a woman

[Tom] in the office, typing #Tom writes a piece of code.
[Lisa] next to [Tom], angry #Lisa: "Tabs or spaces?"
[Tom][Lisa] argue #(Tom: never)
[NC] the office at night"""


def panels(script: str) -> list[Panel]:
    return [
        Panel(f"p{number}", line.text, line.caption, line.kind, line.speaker, line.characters)
        for number, line in enumerate(read_whole(script).panels)
    ]


def test_a_page_is_read_out_panel_by_panel() -> None:
    assert page_alts("Tabs", 1, panels(SCRIPT), "classic", "en") == [
        "Comic: Tabs. Panel 1: Tom in the office, typing. Caption: Tom writes a piece of code."
        " Panel 2: Lisa next to Tom, angry. Lisa says: Tabs or spaces?"
        " Panel 3: Tom Lisa argue. Tom thinks: Never."
        " Panel 4: The office at night."
    ]


def test_how_much_a_word_counts_is_not_read_out() -> None:
    [panel] = panels("[Tom] a man\n\n[Tom] in a (red hat:1.3) at noon (12:30) --no cars")
    assert panel_alt(1, panel, "en") == "Panel 1: Tom in a red hat at noon (12:30)."


def test_what_ends_in_a_bracket_or_a_quote_gets_its_full_stop_too() -> None:
    [panel] = panels('[Tom] a man\n\n[Tom] sits (alone) #He says "no"')
    assert panel_alt(1, panel, "en") == 'Panel 1: Tom sits (alone). Caption: He says "no".'


def test_it_is_read_out_in_the_readers_language() -> None:
    script = "【汤姆】程序员\n\n【汤姆】在办公室打字＃汤姆：用tab！\n【NC】夜里的办公室＃一片安静"
    assert page_alts("代码", 1, panels(script), "classic", "zh") == [
        "漫画《代码》。第1格：汤姆在办公室打字。汤姆说：用tab！"
        "第2格：夜里的办公室。旁白：一片安静。"
    ]


def test_each_page_says_which_it_is_and_reads_its_own_panels() -> None:
    many = [Panel(f"p{n}", f"[Tom] walks {n}", None, None, None, ("Tom",)) for n in range(1, 10)]
    first, second = page_alts("Tabs", 2, many, "classic", "en")
    assert first.startswith("Comic: Tabs. Page 1 of 2. Panel 1: Tom walks 1. Panel 2: ")
    assert first.endswith("Panel 5: Tom walks 5.")
    assert second.startswith("Comic: Tabs. Page 2 of 2. Panel 6: Tom walks 6.")
    assert second.endswith("Panel 9: Tom walks 9.")


@pytest.mark.parametrize(
    ("count", "pages", "layout", "each"),
    [
        (3, 3, "pictures", [1, 1, 1]),
        (5, 2, "four-panel", [4, 1]),
        (10, 2, "webtoon", [5, 5]),
        (4, 1, "", [4]),
        (5, 3, "four-panel", [5, 0, 0]),  # a high page went on as another one
        (9, 2, "no such layout", [9, 0]),
        (0, 1, "classic", [0]),
    ],
)
def test_the_layout_tells_which_panels_are_on_which_page(
    count: int, pages: int, layout: str, each: list[int]
) -> None:
    assert panels_on_pages(count, pages, layout) == each


@pytest.mark.parametrize("language", languages())
def test_what_is_too_long_ends_after_a_whole_panel(language: str) -> None:
    long = [Panel(f"p{n}", f"[Tom] {'walks ' * 30}", "Hm.", "box") for n in range(20)]
    long.append(Panel("last", "[NC] end"))  # would fit, but others before it do not
    [alt] = page_alts("Tabs", 1, long, "strip", language)
    assert MOST_ALT - 250 < len(alt) <= MOST_ALT
    [head] = page_alts("Tabs", 1, [], "strip", language)
    parts = [panel_alt(number, panel, language) for number, panel in enumerate(long, 1)]
    gap = "" if language == "zh" else " "
    assert alt in [gap.join([head, *parts[:count], "…"]) for count in range(1, 20)]


def test_a_single_panel_that_is_too_long_is_cut() -> None:
    [alt] = page_alts("Tabs", 1, [Panel("p", "[Tom] " + "runs " * 400)], "classic", "en")
    assert len(alt) == MOST_ALT
    assert alt.startswith("Comic: Tabs. Panel 1: Tom runs runs")
    assert alt.endswith("…")


def test_an_empty_picture_and_odd_letters_are_said_in_words() -> None:
    assert panel_alt(1, Panel("p", ""), "en") == "Panel 1: An empty picture."
    odd = panel_alt(1, Panel("p", "[Tom] \u202ebackwards", "a\nb", "box"), "en")
    assert odd == "Panel 1: Tom \ufffdbackwards. Caption: A b."
