"""Balloons hold their words, and their tails point at who speaks."""

import pytest
from PIL import Image, ImageChops

from bot.page.balloons import Body, balloon_body
from bot.page.inking import draw_speech, draw_thought, outline, tail
from bot.page.layouts import LAYOUTS
from bot.page.lettering import draw_text
from bot.page.page import compose_pages
from bot.page.placing import Kind, PagePanel
from bot.page.plan import PanelPlan, plan_pages
from bot.page.writing import cjk_language, clean

PICTURE = Image.new("RGB", (256, 256), (90, 140, 90))
TYPESET = [name for name, layout in LAYOUTS.items() if layout.typeset]
SAYINGS = [
    "Hi!",
    "Tabs, of course. Everybody uses tabs!",
    "空格，永远是空格。",
    "もちろんタブだよ！みんなタブを使ってるじゃないか。",
    "المسافات، دائمًا المسافات!",
    "👍🏽👨‍👩‍👧‍👦",
    "A sentence that goes on. " * 12,
]


def body_of(text: str, is_thought: bool, limit: float = 520) -> Body:
    tidy = clean(text)
    return balloon_body(tidy, cjk_language(tidy), limit, 28.0, is_thought)


def only_panel(panel: PagePanel, layout: str = "four-panel") -> PanelPlan:
    return plan_pages([panel], LAYOUTS[layout])[0].panels[0]


@pytest.mark.parametrize("is_thought", [False, True])
@pytest.mark.parametrize("text", SAYINGS)
def test_a_balloon_is_as_wide_as_allowed_at_most_and_holds_all_of_its_ink(
    text: str, is_thought: bool
) -> None:
    body = body_of(text, is_thought)
    assert body.width <= 520
    size = (int(body.width) + 40, int(body.height) + 140)
    centre = (size[0] / 2, body.height / 2 + 20)
    balloon, letters = Image.new("RGB", size, "black"), Image.new("RGB", size, "white")
    (draw_thought if is_thought else draw_speech)(balloon, body, centre, (20, size[1] - 10))
    corner = (centre[0] - body.block.width / 2, centre[1] - body.block.height / 2)
    draw_text(letters, body.block, *corner)
    outside = ImageChops.multiply(ImageChops.invert(balloon), ImageChops.invert(letters))
    assert max(outside.convert("L").tobytes()) < 16


def test_the_lines_of_a_balloon_are_longest_in_the_middle() -> None:
    lines = body_of("I wonder whether anybody will ever read the code we fight about", False)
    widths = [line.shaped.width for line in lines.block.lines]
    assert len(widths) >= 3
    assert max(widths) not in (widths[0], widths[-1])


@pytest.mark.parametrize("kind", ["speech", "thought"])
@pytest.mark.parametrize("layout", TYPESET)
@pytest.mark.parametrize("side", [0.1, 0.27, 0.5, 0.73, 0.9])
def test_a_tail_ends_over_the_speaker_between_balloon_and_head(
    side: float, layout: str, kind: Kind
) -> None:
    plan = only_panel(PagePanel(PICTURE, "Spaces. Always spaces.", kind, side), layout)
    assert plan.words is not None
    assert plan.words.tip is not None
    at = (plan.words.tip[0] - plan.picture.left) / plan.picture.width
    assert at == pytest.approx(side, abs=0.08)
    assert plan.words.box.bottom < plan.words.tip[1] < plan.picture.top + plan.picture.height / 2


@pytest.mark.parametrize("side", [0.2, 0.8])
def test_a_tail_leans_towards_the_speaker(side: float) -> None:
    body = body_of("Spaces!", False)
    tip = (300 + (side - 0.5) * 400, 300.0)
    points = tail(body, (300, 100), tip)
    roots = [points[0][0], points[-1][0]]
    assert tip in points
    assert (sum(roots) / 2 - 300) * (side - 0.5) > 0


def test_a_balloon_stands_on_its_speakers_side() -> None:
    left = only_panel(PagePanel(PICTURE, "Tabs!", "speech", 0.2)).words
    right = only_panel(PagePanel(PICTURE, "Tabs!", "speech", 0.8)).words
    assert left is not None
    assert right is not None
    assert left.box.left < right.box.left


@pytest.mark.parametrize("kind", ["speech", "thought"])
def test_a_voice_from_outside_the_panel_has_no_tail(kind: Kind) -> None:
    panel = PagePanel(PICTURE, "Who is there?", kind)
    plan = only_panel(panel)
    assert plan.words is not None
    assert plan.words.tip is None
    assert compose_pages([panel], "strip")


def test_an_outline_lies_within_the_width_and_height_it_claims() -> None:
    body = body_of("Tabs, of course.", False)
    points = outline(body, (0, 0))
    assert max(x for x, _ in points) <= body.width / 2 + 1e-6
    assert max(y for _, y in points) <= body.height / 2 + 1e-6
