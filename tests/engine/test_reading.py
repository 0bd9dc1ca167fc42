"""Prompts longer than an encoder reads, and emphasised ones; tiny random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from engine.loading import Artist, Conditioning, load_model
from engine.models import find_model
from engine.reading import MOST_CHUNKS, chunks_of, power_of_two
from engine.request import CharacterRequest, DrawRequest, Note, PanelDrawn, PanelRequest
from engine.story import draw_story

CPU = torch.device("cpu")
LONG = "tom typing a park , a man typing , a park tom a man typing park"  # 15 words, 14 fit


@pytest.fixture(params=["sd15", "sdxl"])
def artist(request: pytest.FixtureRequest) -> Artist:
    folder: Path = request.getfixturevalue(f"tiny_{request.param}")
    return load_model(find_model(str(folder)), CPU)


def words_of(artist: Artist, prompt: str) -> list[list[str]]:
    tokenizer = artist.readers[0][0]
    chunks = chunks_of(artist.readers[0], prompt)
    return [tokenizer.convert_ids_to_tokens([token.id for token in chunk]) for chunk in chunks]


def attended(queries: Tensor, states: Tensor) -> Tensor:
    return scaled_dot_product_attention(queries, states, states)


def test_a_short_prompt_is_read_as_the_encoder_reads_it_to_the_bit(artist: Artist) -> None:
    plain = replace(artist, spec=replace(artist.spec, long_prompts=False))
    prompts = ["", "tom, a man typing", "park"]
    read, expected = artist.read(prompts), plain.read(prompts)
    assert torch.equal(read.states, expected.states)
    if expected.pooled is not None:
        assert read.pooled is not None
        assert torch.equal(read.pooled, expected.pooled)


def test_a_long_prompt_is_cut_at_a_comma_near_the_end_of_a_chunk(artist: Artist) -> None:
    first, second = words_of(artist, "a " * 11 + ", park park park")
    assert first == ["a"] * 11 + [","]
    assert second == ["park"] * 3
    early = words_of(artist, "a , " + "man " * 14)
    assert list(map(len, early)) == [14, 2]


def test_words_beyond_the_first_chunk_are_read(artist: Artist) -> None:
    there, not_there = (artist.read([LONG + end]).states for end in (" lisa", ""))
    assert there.shape[1] == 2 * 16
    assert not torch.allclose(there[:, 16:], not_there[:, 16:])
    assert torch.allclose(there[:, :16], not_there[:, :16])


def test_a_long_prompt_changes_nothing_for_a_short_one_beside_it(artist: Artist) -> None:
    alone = artist.read(["tom"])
    beside = artist.read([LONG, "tom"])
    queries = torch.randn(1, 5, alone.states.shape[-1], generator=torch.Generator().manual_seed(0))
    expected = attended(queries, alone.states)
    torch.testing.assert_close(attended(queries, beside.states[1:]), expected)
    joined = Conditioning.joined([artist.read([LONG]), alone])
    assert torch.allclose(joined.states, beside.states, atol=1e-6)


@pytest.mark.parametrize(("count", "power"), [(1, 1), (2, 2), (3, 4), (4, 4)])
def test_chunks_come_in_powers_of_two(count: int, power: int) -> None:
    assert power_of_two(count) == power


def test_emphasis_moves_only_the_words_it_is_around_and_in_their_direction(artist: Artist) -> None:
    plain, strong = artist.read(["tom typing"]).states, artist.read(["tom (typing:1.5)"]).states
    nothing = artist.read([""]).states
    changed = (plain - strong).abs().amax(-1)[0] > 1e-6
    assert changed.nonzero().flatten().tolist() == [2]  # after start and "tom"
    expected = nothing[0, 2] + 1.5 * (plain - nothing)[0, 2]
    torch.testing.assert_close(strong[0, 2], expected)


def test_what_is_longer_than_all_chunks_is_told_and_drawn_all_the_same(tiny_sd15: Path) -> None:
    tom = CharacterRequest("Tom", "a man, " * 20 * MOST_CHUNKS)
    panels = (PanelRequest("[Tom] typing", ("Tom",)), PanelRequest("[NC] " + "park " * 40, ()))
    request = DrawRequest((tom,), panels, model=str(tiny_sd15), steps=1, size=64)
    events = list(draw_story(request, device="cpu"))
    assert [e.panels for e in events if isinstance(e, Note)] == [(0,)]
    assert sum(isinstance(event, PanelDrawn) for event in events) == 2


def test_the_states_of_a_prompts_words_are_known_also_in_later_chunks_and_with_emphasis(
    artist: Artist,
) -> None:
    prompt = "tom, (a man:1.2), typing a park, a man typing, a park, lisa, a park"
    start = prompt.index("lisa")
    stretches = ((0, len("tom, (a man:1.2)")), (start, start + len("lisa, a park")))
    first, second = words_of(artist, prompt)
    found = artist.words_at(prompt, stretches)
    assert [first[place - 1] for place in found if place < 16] == ["tom", ",", "a", "man"]
    assert [second[place - 17] for place in found if place > 16] == ["lisa", ",", "a", "park"]
    inside = "tom, (a man typing:1.2), a park"
    start = inside.index("man")
    (found,) = artist.words_at(inside, ((start, start + len("man")),))
    assert words_of(artist, inside)[0][found - 1] == "man"
    assert artist.states_of(prompt) == artist.read([prompt]).states.shape[1] == 32
    assert artist.states_of("tom") == 16
    plain = replace(artist, spec=replace(artist.spec, long_prompts=False))
    assert plain.words_at("a park, tom, a man", ((8, 18),)) == [4, 5, 6, 7]
