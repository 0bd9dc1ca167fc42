"""An uploaded picture leads the panels of its character, whichever way a model shares."""

from __future__ import annotations

import base64
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler
from PIL import Image, ImageChops

from engine.attention.consistent import Glance
from engine.drawing import StoryDrawing
from engine.identity import (
    framed,
    in_sight,
    noised,
    open_picture,
    own_rates,
    picture_latents,
)
from engine.models import HOUSE, MODELS, SD15, ModelSpec
from engine.plan import NOBODY, Shot, plan_shots
from engine.request import CharacterRequest, DrawRequest, EngineError, PanelDrawn, PanelRequest
from engine.story import draw_story, ready_artist


def png(colour: str, size: tuple[int, int] = (40, 30), mode: str = "RGB") -> str:
    file = BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


TOM = CharacterRequest("Tom", "a man", picture=png("red"))
STORY = DrawRequest(
    characters=(TOM, CharacterRequest("Lisa", "a man typing")),
    panels=(
        PanelRequest("[Tom] typing", ("Tom",)),
        PanelRequest("[Lisa] typing", ("Lisa",)),
        PanelRequest("[Tom] and [Lisa]", ("Tom", "Lisa")),
    ),
    steps=6,
    size=64,
)


@pytest.fixture(params=["leading", "sd15", "sdxl"])
def story(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> DrawRequest:
    if request.param != "leading":
        folder: Path = request.getfixturevalue(f"tiny_{request.param}")
        return replace(STORY, model=str(folder))
    spec = ModelSpec(
        "tiny-leading", str(request.getfixturevalue("tiny_sd15")), sharing="leading",
        layers="all", size=64, steps=3, guidance=3.5,
    )  # fmt: skip
    monkeypatch.setitem(MODELS, spec.name, spec)
    return replace(STORY, model=spec.name)


def pictures(request: DrawRequest) -> list[bytes]:
    drawn = {e.index: e.png for e in draw_story(request, device="cpu") if isinstance(e, PanelDrawn)}
    return [drawn[i] for i in range(len(request.panels))]


def led_by(request: DrawRequest, picture: str | None) -> DrawRequest:
    return replace(request, characters=(replace(TOM, picture=picture), request.characters[1]))


def latents(request: DrawRequest) -> list[torch.Tensor]:
    """Of the panels: random weights may change these by less than a shade of the picture."""
    artist = ready_artist(request.model, "cpu")
    drawing = StoryDrawing(artist, request, plan_shots(request, artist.fits))
    assert list(drawing.steps())
    return [drawing.latents[f"panel {i}"] for i in range(len(request.panels))]


def differ(one: DrawRequest, other: DrawRequest) -> list[bool]:
    return [not torch.equal(a, b) for a, b in zip(latents(one), latents(other), strict=True)]


def test_the_picture_reaches_every_panel_of_its_character_and_no_other(
    story: DrawRequest,
) -> None:
    assert differ(story, led_by(story, png("blue"))) == [True, False, True]


def test_its_strength_is_how_much_of_it_is_seen(story: DrawRequest) -> None:
    tom, lisa = story.characters
    loose = replace(story, characters=(replace(tom, strength=0.5), lisa))
    assert differ(story, loose) == [True, False, True]
    artist = ready_artist(story.model, "cpu")
    for request, share in ((story, 1.0), (loose, 0.5)):
        drawing = StoryDrawing(artist, request, plan_shots(request, artist.fits))
        layer = drawing.layers[-1]
        assert len(drawing.attention.chosen_tokens(layer, "picture of tom", 64)) == 64 * share
        alone = 64 if artist.spec.sharing == "leading" else 32  # Lisa's only identity panel
        assert len(drawing.attention.chosen_tokens(layer, "panel 1", 64)) == alone


def test_where_identity_leads_all_of_a_saved_characters_portraits_is_seen(
    story: DrawRequest,
) -> None:
    tom = replace(TOM, picture=None, seed=7)
    story = replace(story, characters=(tom, story.characters[1]))
    artist = ready_artist(story.model, "cpu")
    drawing = StoryDrawing(artist, story, plan_shots(story, artist.fits))
    tokens = drawing.attention.chosen_tokens(drawing.layers[-1], "portrait 1 of tom", 64)
    assert len(tokens) == (64 if artist.spec.sharing == "leading" else 32)


def test_a_weak_picture_leads_the_first_steps_only() -> None:
    shot = Shot("picture of tom", None, "", 0, NOBODY, picture="…", strength=0.2)
    sights = ((Glance(("picture of tom", "panel 0"), 0, 0.5), Glance((), 0.5, 1)),)
    assert in_sight(sights, [shot], 0.39) == sights
    assert in_sight(sights, [shot], 0.4) == ((Glance(("panel 0",), 0, 0.5), Glance((), 0.5, 1)),)
    assert in_sight(sights, [replace(shot, strength=0.5)], 0.99) == sights


def test_without_any_strength_it_is_as_if_there_were_no_picture(story: DrawRequest) -> None:
    tom, lisa = story.characters
    weak = replace(tom, strength=0.0, seed=7)
    assert plan_shots(replace(story, characters=(weak, lisa))) == plan_shots(
        replace(story, characters=(replace(tom, picture=None, seed=7), lisa))
    )


def test_without_sharing_the_picture_is_of_no_account(story: DrawRequest) -> None:
    story = replace(story, rate=0.0)
    assert pictures(story) == pictures(led_by(story, png("blue")))


def test_its_own_latents_are_what_is_seen(story: DrawRequest) -> None:
    artist = ready_artist(story.model, "cpu")
    drawing = StoryDrawing(artist, story, plan_shots(story, artist.fits))
    assert list(drawing.steps())
    expected = picture_latents(artist, TOM.picture or "", 64)
    assert torch.equal(drawing.latents["picture of tom"], expected)
    layer = drawing.layers[-1]
    assert "picture of tom" in drawing.attention.banks[layer]


@pytest.mark.parametrize("size", [(1, 1), (300, 20), (20, 300), (64, 64)])
def test_a_picture_of_any_shape_becomes_latents_of_a_panel(
    story: DrawRequest, size: tuple[int, int]
) -> None:
    artist = ready_artist(story.model, "cpu")
    latents = picture_latents(artist, png("green", size), 64)
    assert latents.shape == (4, 8, 8)
    assert torch.isfinite(latents).all()


def colours(image: Image.Image) -> set[tuple[int, ...]]:
    return {colour for _, colour in image.getcolors(1 << 16) or ()}


def test_an_upright_photo_keeps_its_head_and_a_wide_one_its_middle() -> None:
    photo = Image.new("RGB", (60, 120), "green")  # a background without any paper
    photo.paste("red", (0, 0, 60, 20))
    square = framed(photo, 60)
    assert square.getpixel((30, 5)) == (255, 0, 0)
    assert square.getpixel((30, 55)) == (0, 128, 0)
    wide = Image.new("RGB", (180, 60), "green")
    wide.paste("red", (60, 0, 120, 60))
    assert colours(framed(wide, 60)) == {(255, 0, 0)}


@pytest.mark.parametrize("size", [(400, 400), (100, 400), (900, 300)])
def test_a_figure_on_paper_is_seen_whole_and_as_large_as_can_be(size: tuple[int, int]) -> None:
    drawing = Image.new("RGB", size, "white")
    left, top = size[0] // 2 - 20, size[1] // 2 - 60
    drawing.paste("blue", (left, top, left + 40, top + 120))
    drawing.paste("red", (left, top, left + 40, top + 10))  # the head
    seen = framed(drawing, 130)
    assert {(255, 0, 0), (0, 0, 255), (255, 255, 255)} <= colours(seen)
    box = ImageChops.invert(seen).getbbox()
    assert box is not None
    assert box[3] - box[1] > 0.9 * 130
    assert abs(box[0] + box[2] - 130) <= 2  # in the middle
    assert (box[2] - box[0]) / (box[3] - box[1]) == pytest.approx(40 / 120, abs=0.03)


def test_a_bust_stands_on_the_edge_of_its_paper() -> None:
    drawing = Image.new("RGB", (200, 100), "white")
    drawing.paste("black", (80, 40, 140, 100))
    seen = framed(drawing, 64)
    assert seen.getpixel((32, 63)) == (0, 0, 0)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_paper_with_nothing_on_it_stays_paper(size: tuple[int, int]) -> None:
    assert colours(framed(Image.new("RGB", size, "white"), 16)) == {(255, 255, 255)}


def test_what_is_transparent_is_white() -> None:
    image = open_picture(png("#00000000", mode="RGBA"))
    assert (image.mode, image.getpixel((0, 0))) == ("RGB", (255, 255, 255))


def jpeg() -> str:
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    "picture", ["", "not base64!", "aGVsbG8=", jpeg(), png("red")[:40]], ids=range(5)
)
def test_what_is_no_picture_is_refused_in_words(picture: str) -> None:
    with pytest.raises(EngineError, match="not a PNG"):
        open_picture(picture)


def test_a_picture_of_too_many_pixels_is_refused() -> None:
    with pytest.raises(EngineError, match="too many pixels"):
        open_picture(png("white", (5000, 5000), "1"))


def test_a_broken_picture_ends_the_story_in_words(story: DrawRequest) -> None:
    with pytest.raises(EngineError, match="not a PNG"):
        pictures(led_by(story, "aGVsbG8="))


def test_noised_latents_are_those_of_the_step() -> None:
    """DDIM: sqrt(a) x + sqrt(1 - a) e. Euler: (x + s e) / sqrt(s^2 + 1)."""
    torch.manual_seed(0)
    clean, noise = torch.randn(1, 4, 8, 8), torch.randn(1, 4, 8, 8)
    ddim = DDIMScheduler(beta_schedule="scaled_linear")
    ddim.set_timesteps(10)
    euler = EulerDiscreteScheduler(beta_schedule="scaled_linear")
    euler.set_timesteps(10)
    for number in (0, 4, 9, 4):  # back again: nothing is counted
        timestep = ddim.timesteps[number]
        a = ddim.alphas_cumprod[timestep]
        expected = a.sqrt() * clean + (1 - a).sqrt() * noise
        torch.testing.assert_close(noised(ddim, clean, noise, timestep), expected)
        s = euler.sigmas[number]
        expected = (clean + s * noise) / (s**2 + 1).sqrt()
        torch.testing.assert_close(noised(euler, clean, noise, euler.timesteps[number]), expected)


def test_more_is_seen_of_who_has_few_identity_panels() -> None:
    """One or two of them have fewer tokens than the three that r = 0.5 is meant for."""
    ann, bob = CharacterRequest("Ann", "a girl"), CharacterRequest("Bob", "a boy")
    casts = [("Ann",), ("Ann",), ("Ann",), ("Bob",), ("Ann", "Bob")]
    panels = tuple(PanelRequest(" ".join(f"[{n}]" for n in names), names) for names in casts)
    shots = plan_shots(DrawRequest((ann, bob), panels))
    assert own_rates(shots, HOUSE, 0.5) == {"panel 3": 1.0}
    assert own_rates(shots, HOUSE, 0.2) == {"panel 3": 0.4}
    assert own_rates(shots, HOUSE, 0.0) == {"panel 3": 0.0}
    assert own_rates(shots, SD15, 0.5) == {}
    saved = plan_shots(
        DrawRequest((replace(ann, seed=3), replace(bob, picture=png("red"), strength=0.3)), panels)
    )
    assert own_rates(saved, HOUSE, 0.5) == {
        "portrait 0 of ann": 1.0, "portrait 1 of ann": 1.0, "picture of bob": 0.3,
    }  # fmt: skip
