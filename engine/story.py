"""`draw_story`: from a request to pictures, the whole way.

All panels of a batch take the same step. Identity reaches the panels in the way the model's spec
names (`ModelSpec.sharing`); both ways go through the same attention code.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from random import Random
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from engine.attention.consistent import Glance, Sight, StoryAttention
from engine.attention.hook import consistent, open_layers, self_attention_layers
from engine.loading import Artist, Conditioning, load_model, pick_device
from engine.models import find_model
from engine.plan import NOBODY, Shot, plan_shots, seed_of
from engine.prompts import find_style
from engine.request import Done, DrawRequest, EngineError, Event, Note, PanelDrawn, Progress


def draw_story(request: DrawRequest, *, device: str = "auto") -> Iterator[Event]:
    """Draw every panel of the request; yields progress, each finished panel, and `Done`.

    Closing the iterator stops at the next step. Raises `EngineError` with words for people.
    """
    begun = time.monotonic()
    plan_shots(request)  # what is wrong with the story is said before the model is loaded
    find_model(request.model)
    place = str(pick_device(device))
    yield Progress("loading", 0, 1)
    with words_for_memory():
        artist = ready_artist(request.model, place)
        yield Progress("loading", 1, 1)
        shots = plan_shots(request, artist.fits)
        yield from too_long(shots)
        drawing = StoryDrawing(artist, request, shots)
        yield from drawing.steps()
        yield from drawing.pictures()
    yield Done(time.monotonic() - begun)


def too_long(shots: Sequence[Shot]) -> Iterator[Note]:
    """Says which panels have descriptions that the model cannot read to the end."""
    panels = [str(shot.panel + 1) for shot in shots if shot.said < 1 and shot.panel is not None]
    if panels:
        numbers = ", ".join(sorted(panels, key=int))
        yield Note(
            f"the words of panel {numbers} are too long for this model:"
            " the end of the descriptions is left out there"
        )


@lru_cache(maxsize=1)
def ready_artist(model: str, device: str) -> Artist:
    """The model last used stays loaded."""
    return load_model(find_model(model), torch.device(device))


@contextmanager
def words_for_memory() -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error)
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in text:
            raise EngineError(
                "there is too little memory to draw this story;"
                " a smaller size or micro-batch needs less"
            ) from error
        raise


class StoryDrawing:
    """The state of one story being drawn; it belongs to nobody else."""

    def __init__(self, artist: Artist, request: DrawRequest, shots: Sequence[Shot]) -> None:
        self.artist, self.request, self.shots = artist, request, list(shots)
        spec = artist.spec
        self.count = request.steps or spec.steps
        self.guidance = spec.guidance if request.guidance is None else request.guidance
        self.pixels = request.size or spec.size
        self.layers = self_attention_layers(artist.unet, spec.layers)
        self.attention = StoryAttention(
            rate=request.rate, seed=request.seed, halves=2 if self.guided else 1
        )
        self.latents: dict[str, Tensor] = {}
        self._finished = 0
        negative = find_style(request.style).negative if spec.reads_negatives else ""
        self._words = artist.read([negative, *(shot.prompt for shot in self.shots)])
        self._row = {shot.name: i + 1 for i, shot in enumerate(self.shots)}

    @property
    def guided(self) -> bool:
        return self.guidance > 1

    def steps(self) -> Iterator[Progress]:
        """Draw the latents of every shot, one step of one batch at a time."""
        with self.artist.painting(), consistent(self.artist.unet, self.attention, self.layers):
            if self.artist.spec.sharing == "leading":
                yield from self._leading()
            else:
                yield from self._noise_matched()

    def pictures(self) -> Iterator[PanelDrawn | Progress]:
        """Decode the panels, a micro-batch at a time; portraits stay private."""
        panels = sorted((s for s in self.shots if s.panel is not None), key=lambda s: s.panel or 0)
        done = 0
        for batch in self._micro_batches(panels):
            with self.artist.painting():
                decoded = self.artist.decode(torch.stack([self.latents[s.name] for s in batch]))
            for shot, picture in zip(batch, decoded, strict=True):
                done += 1
                yield PanelDrawn(shot.panel or 0, png_bytes(picture))
                yield Progress("panels", done, len(panels))

    # -- the two ways of identity ---------------------------------------------------------------

    def _leading(self) -> Iterator[Progress]:
        """Identity panels are finished first, rank by rank; the bank is written once for each."""
        identities = [shot for shot in self.shots if shot.identity_of is not None]
        ranks = sorted({shot.rank for shot in identities})
        waves = [[s for s in identities if s.rank == rank] for rank in ranks]
        waves.append([s for s in self.shots if s.identity_of is None])
        batches = [batch for wave in waves for batch in self._micro_batches(wave)]
        self._total = len(batches) * self.count
        for batch in batches:
            scheduler = self._scheduler()
            latents = self._noise(batch, scheduler)
            for timestep in scheduler.timesteps:
                self._see(tuple(shot.sight for shot in batch))
                latents = self._step(scheduler, batch, latents, timestep)
                yield self._progress()
            self._keep(batch, latents)
            leaders = [shot for shot in batch if shot.identity_of is not None]
            if leaders:
                self._write_leaders(leaders, scheduler)

    def _write_leaders(self, leaders: Sequence[Shot], scheduler: Any) -> None:
        """One pass over nearly clean latents: at a fixed noise level the bank never changes."""
        clean = torch.stack([self.latents[shot.name] for shot in leaders])
        timestep = torch.tensor(self.artist.spec.leading_timestep, device=clean.device)
        noise = torch.stack(
            [self._random_latents(seed_of(shot.seed, "leading")) for shot in leaders]
        )
        nearly = scheduler.add_noise(clean, noise, timestep.repeat(len(leaders)))
        self._see(tuple(NOBODY for _ in leaders), writing=tuple(shot.name for shot in leaders))
        self._predict(leaders, nearly, timestep)

    def _noise_matched(self) -> Iterator[Progress]:
        """Every step: identity panels first, together; then the others see this step's bank."""
        identities = [shot for shot in self.shots if shot.identity_of is not None]
        together: dict[str, list[Shot]] = {}
        for shot in identities:
            together.setdefault(shot.identity_of or "", []).append(shot)
        batches = self._packed(list(together.values()))
        batches += self._micro_batches([s for s in self.shots if s.identity_of is None])
        schedulers = [self._scheduler() for _ in batches]
        latents = [self._noise(b, s) for b, s in zip(batches, schedulers, strict=True)]
        random = Random(self.request.seed)
        self._total = self.count * len(batches)
        for number in range(self.count):
            layers = open_layers(self.layers, number / self.count, random)
            self.attention.step = number
            for i, batch in enumerate(batches):
                writing = tuple(shot.name for shot in batch if shot.identity_of is not None)
                sights = tuple(self._mutual(shot, together) for shot in batch)
                self._see(sights, writing=writing, layers=layers)
                timestep = schedulers[i].timesteps[number]
                latents[i] = self._step(schedulers[i], batch, latents[i], timestep)
                yield self._progress()
        for batch, drawn in zip(batches, latents, strict=True):
            self._keep(batch, drawn)

    def _mutual(self, shot: Shot, together: dict[str, list[Shot]]) -> Sight:
        """Identity panels of one character see each other; the rest see as planned."""
        if shot.identity_of is None:
            return shot.sight
        others = (s.name for s in together[shot.identity_of] if s is not shot)
        return (Glance(tuple(others)),)

    # -- one step -------------------------------------------------------------------------------

    def _see(
        self,
        sights: tuple[Sight, ...],
        *,
        writing: tuple[str, ...] = (),
        layers: frozenset[str] | None = None,
    ) -> None:
        self.attention.sights, self.attention.writing = sights, writing
        self.attention.open_layers = frozenset(self.layers) if layers is None else layers

    def _step(
        self, scheduler: Any, batch: Sequence[Shot], latents: Tensor, timestep: Tensor
    ) -> Tensor:
        guess = self._predict(batch, scheduler.scale_model_input(latents, timestep), timestep)
        stepped: Tensor = scheduler.step(guess, timestep, latents).prev_sample
        return stepped

    def _predict(self, batch: Sequence[Shot], latents: Tensor, timestep: Tensor) -> Tensor:
        """The UNet's guess for B panels, [B, C, h, w], with classifier-free guidance."""
        rows = [self._row[shot.name] for shot in batch]
        if self.guided:
            words = self._words[[0] * len(rows) + rows]
            both = self._unet(torch.cat([latents, latents]), timestep, words)
            plain, said = both.chunk(2)
            guess = plain + self.guidance * (said - plain)
            return rescaled(guess, said, self.artist.spec.guidance_rescale)
        return self._unet(latents, timestep, self._words[rows])

    def _unet(self, latents: Tensor, timestep: Tensor, words: Conditioning) -> Tensor:
        added = None
        if words.pooled is not None:  # SDXL is told the size of the picture
            sizes = torch.tensor([self.pixels, self.pixels, 0, 0, self.pixels, self.pixels])
            ids = sizes.repeat(len(latents), 1).to(latents)
            added = {"text_embeds": words.pooled, "time_ids": ids}
        out = self.artist.unet(
            latents, timestep, encoder_hidden_states=words.states, added_cond_kwargs=added
        )
        guess: Tensor = out.sample.float()
        return guess

    # -- small things ---------------------------------------------------------------------------

    def _scheduler(self) -> Any:
        scheduler = copy.deepcopy(self.artist.scheduler)
        scheduler.set_timesteps(self.count, device=self.artist.device)
        return scheduler

    def _random_latents(self, seed: int) -> Tensor:
        """[C, h, w] of noise; from the CPU's generator, so that every device draws the same."""
        side = self.pixels // self.artist.pixels_per_latent
        shape = (self.artist.unet.config.in_channels, side, side)
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(shape, generator=generator).to(self.artist.device)

    def _noise(self, batch: Sequence[Shot], scheduler: Any) -> Tensor:
        noise = torch.stack([self._random_latents(shot.seed) for shot in batch])
        started: Tensor = noise * scheduler.init_noise_sigma
        return started

    def _keep(self, batch: Sequence[Shot], latents: Tensor) -> None:
        self.latents.update(zip((shot.name for shot in batch), latents, strict=True))

    def _micro_batches(self, shots: Sequence[Shot]) -> list[list[Shot]]:
        size = max(1, self.request.micro_batch)
        return [list(shots[i : i + size]) for i in range(0, len(shots), size)]

    def _packed(self, groups: Sequence[list[Shot]]) -> list[list[Shot]]:
        """Groups that must stay together, as many in a batch as fit."""
        batches: list[list[Shot]] = []
        for group in groups:
            if batches and len(batches[-1]) + len(group) <= self.request.micro_batch:
                batches[-1].extend(group)
            else:
                batches.append(list(group))
        return batches

    def _progress(self) -> Progress:
        self._finished += 1
        return Progress("steps", self._finished, self._total)


def rescaled(guess: Tensor, said: Tensor, share: float) -> Tensor:
    """Guidance without over-exposure (Lin et al. 2023, section 3.4)."""
    if share == 0:
        return guess
    axes = tuple(range(1, guess.ndim))
    calmed = guess * (said.std(axes, keepdim=True) / guess.std(axes, keepdim=True))
    return share * calmed + (1 - share) * guess


def png_bytes(picture: Tensor) -> bytes:
    """[3, H, W] in -1..1 as a PNG file."""
    values = picture.add(1).mul(127.5).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
    file = BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()
