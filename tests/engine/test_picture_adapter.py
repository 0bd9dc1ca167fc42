"""An IP-Adapter for uploaded pictures: tiny random weights, for both families, from real files."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import torch
from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
from PIL import Image

from engine.attention.consistent import Glance
from engine.attention.pictures import PictureReading, reading_pictures
from engine.attention.regions import PanelRegions
from engine.loading import Artist, load_model
from engine.models import MODELS, find_model
from engine.picture_adapter import load_picture_adapter
from engine.ready import ready_artist
from engine.request import CharacterRequest, DrawRequest, EngineError, PanelDrawn, PanelRequest
from engine.standing import Box
from engine.story import draw_story
from tests.engine.motion.tiny_animatediff import make_image_encoder, make_ip_adapter

WIDTHS = {"sd15": 16, "sdxl": 32}  # of the tiny models' cross-attention
NAME = "ip-adapter.safetensors"


def png(colour: str) -> str:
    """Somebody on white paper."""
    image = Image.new("RGB", (40, 60), "white")
    image.paste(colour, (10, 10, 30, 60))
    file = BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


TOM = CharacterRequest("Tom", "a man", picture=png("red"))
STORY = DrawRequest(
    characters=(TOM, CharacterRequest("Lisa", "a man typing")),
    panels=(
        PanelRequest("[Tom] typing", ("Tom",)),
        PanelRequest("[Lisa] typing", ("Lisa",)),
        PanelRequest("[Tom] and [Lisa]", ("Tom", "Lisa")),
    ),
    steps=4,
    size=64,
)


@pytest.fixture(params=[(f, k) for f in WIDTHS for k in ("basic", "plus", "full")], ids="-".join)
def model(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder of a tiny model whose kind has an IP-Adapter of each sort."""
    family, kind = request.param
    folder: Path = request.getfixturevalue(f"tiny_{family}")
    torch.manual_seed(4)
    make_ip_adapter(tmp_path / NAME, folder / "unet", kind, width=WIDTHS[family])
    make_image_encoder(tmp_path / "image_encoder")
    spec = replace(MODELS[family], picture_adapter=str(tmp_path / NAME))
    monkeypatch.setitem(MODELS, family, spec)
    return str(folder)


def pictures(request: DrawRequest) -> list[bytes]:
    drawn = {e.index: e.png for e in draw_story(request, device="cpu") if isinstance(e, PanelDrawn)}
    return [drawn[i] for i in range(len(request.panels))]


def differ(one: list[bytes], other: list[bytes]) -> list[bool]:
    return [a != b for a, b in zip(one, other, strict=True)]


def test_the_picture_is_read_in_the_panels_of_its_character_and_in_no_other(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = replace(STORY, model=model, rate=0.0)  # nothing but the adapter
    read = pictures(story)
    for family in WIDTHS:
        monkeypatch.setitem(MODELS, family, replace(MODELS[family], picture_adapter=""))
    assert differ(read, pictures(story)) == [True, False, True]


def test_another_picture_or_strength_makes_another_panel(model: str) -> None:
    story = replace(STORY, model=model, rate=0.0)
    red = pictures(story)
    for change in ({"picture": png("blue")}, {"strength": 0.5}):
        tom = replace(TOM, **change)  # type: ignore[arg-type]
        changed = pictures(replace(story, characters=(tom, STORY.characters[1])))
        assert differ(red, changed) == [True, False, True]


def guesses(artist: Artist, reading: PictureReading) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    latents = torch.randn(4, 4, 8, 8, generator=generator)
    words = torch.randn(4, 6, artist.unet.config.cross_attention_dim, generator=generator)
    added = {"text_embeds": torch.zeros(4, 16), "time_ids": torch.zeros(4, 6)}
    with torch.no_grad(), reading_pictures(artist.unet, reading):
        out: torch.Tensor = artist.unet(
            latents, 500, encoder_hidden_states=words, added_cond_kwargs=added
        ).sample
    return out


def test_tokens_are_read_as_the_library_reads_them(model: str) -> None:
    """Against diffusers' own IP-Adapter, for one picture over all of one panel and at scale 1."""
    artist = load_model(find_model(model), torch.device("cpu"))
    adapter = load_picture_adapter(artist)
    with torch.no_grad():
        tokens, nothing = adapter.tokens(png("red")), adapter.nothing()
    seen = (Glance(("tom",)),), (Glance(()),)
    ours = guesses(
        artist, PictureReading(adapter.readers, {"tom": tokens}, nothing, {"tom": 1.0}, sights=seen)
    )
    bare = guesses(artist, PictureReading(sights=seen))
    processors = dict(artist.unet.attn_processors)
    for layer, (to_k, to_v) in adapter.readers.items():
        theirs = IPAdapterAttnProcessor2_0(
            to_k.out_features, to_k.in_features, num_tokens=(len(tokens),), scale=1.0
        )
        theirs.to_k_ip[0], theirs.to_v_ip[0] = to_k, to_v
        processors[layer] = WithTokens(theirs, torch.stack([nothing, nothing, tokens, tokens]))
    artist.unet.set_attn_processor(processors)
    expected = guesses(artist, PictureReading())
    torch.testing.assert_close(ours[0::2], expected[0::2], atol=1e-4, rtol=1e-4)  # the first panel
    torch.testing.assert_close(ours[1::2], bare[1::2])  # nobody with a picture
    assert not torch.allclose(ours[0::2], bare[0::2])


class WithTokens:
    """The library's processor, given a picture's tokens beside the words."""

    def __init__(self, inner: IPAdapterAttnProcessor2_0, tokens: torch.Tensor) -> None:
        self.inner, self.tokens = inner, tokens

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, **rest):  # type: ignore
        return self.inner(attn, hidden_states, (encoder_hidden_states, [self.tokens[:, None]]))


def test_the_unet_is_left_as_it_was_also_after_an_error(model: str) -> None:
    artist = ready_artist(model, "cpu")
    before = artist.unet.attn_processors
    adapter = load_picture_adapter(artist)
    with (
        pytest.raises(ValueError, match="a fault"),
        reading_pictures(artist.unet, PictureReading(adapter.readers)),
    ):
        raise ValueError("a fault")
    assert artist.unet.attn_processors == before


def test_two_characters_are_read_where_each_of_them_stands(model: str) -> None:
    """In a layer, what Tom's picture changes stays on his side, or in his region, of the panel."""
    artist = load_model(find_model(model), torch.device("cpu"))
    adapter = load_picture_adapter(artist)
    layer, (to_k, to_v) = next(iter(adapter.readers.items()))
    attention = artist.unet.get_submodule(layer.removesuffix(".processor"))
    hidden = torch.randn(1, 64, attention.inner_dim)
    words = torch.randn(1, 6, artist.unet.config.cross_attention_dim)
    tokens = {name: torch.randn(4, to_k.in_features) for name in ("tom", "lisa")}
    sight = (Glance(("tom",), 0, 0.5), Glance(("lisa",), 0.5, 1))

    def seen(regions: PanelRegions | None = None, **strengths: float) -> torch.Tensor:
        nothing = torch.zeros(4, to_k.in_features)
        readers = {layer: (to_k, to_v)}
        reading = PictureReading(readers, tokens, nothing, strengths, sights=(sight,))
        standing = reading.regions.standing([regions], 1.0)
        with torch.no_grad(), reading_pictures(artist.unet, reading), standing:
            return attention(hidden, words).unflatten(1, (8, 8))

    none, toms = seen(tom=0, lisa=0), seen(tom=1, lisa=0)
    torch.testing.assert_close(toms[:, :, 4:], none[:, :, 4:])
    assert not torch.isclose(toms[:, :, :4], none[:, :, :4]).all(-1).any()
    above, below = Box(0, 0, 1, 0.5), Box(0, 0.5, 1, 1)
    toms = seen(PanelRegions((above, below), ((), ()), 6), tom=1, lisa=0)
    torch.testing.assert_close(toms[:, 4:], none[:, 4:])
    assert not torch.isclose(toms[:, :4], none[:, :4]).all(-1).any()


# -- what can be wrong -------------------------------------------------------------------------

BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "none": (lambda f: (f / NAME).unlink(), "is missing: there is no such file or folder"),
    "broken": (lambda f: (f / NAME).write_bytes(b"nonsense"), "cannot be read: "),
    "no encoder": (lambda f: shutil.rmtree(f / "image_encoder"), 'image_encoder" is missing'),
    "another encoder": (
        lambda f: make_image_encoder(f / "image_encoder", projection_dim=20, hidden_size=36),
        "is not the one that",
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_an_adapter_that_cannot_be_used_ends_the_story_in_a_sentence(
    broken: str, tiny_sd15: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_ip_adapter(tmp_path / NAME, tiny_sd15 / "unet", "basic")
    make_image_encoder(tmp_path / "image_encoder")
    change, said = BREAKS[broken]
    change(tmp_path)
    monkeypatch.setitem(
        MODELS, "sd15", replace(MODELS["sd15"], picture_adapter=str(tmp_path / NAME))
    )
    with pytest.raises(EngineError, match=said):
        pictures(replace(STORY, model=str(tiny_sd15)))


def test_an_adapter_of_another_family_is_refused(
    tiny_sd15: Path, tiny_sdxl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_ip_adapter(tmp_path / NAME, tiny_sdxl / "unet", "basic", width=32)
    make_image_encoder(tmp_path / "image_encoder")
    monkeypatch.setitem(
        MODELS, "sd15", replace(MODELS["sd15"], picture_adapter=str(tmp_path / NAME))
    )
    with pytest.raises(EngineError, match="does not fit the model"):
        pictures(replace(STORY, model=str(tiny_sd15)))


def test_a_story_without_pictures_needs_no_adapter(
    tiny_sd15: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS, "sd15", replace(MODELS["sd15"], picture_adapter="/nowhere"))
    cast = (replace(TOM, picture=None), STORY.characters[1])
    assert pictures(replace(STORY, characters=cast, model=str(tiny_sd15)))
