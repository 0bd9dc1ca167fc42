"""One story being drawn: the steps of its batches, and its pictures.

All panels of a batch take the same step. Identity reaches the panels in the way the model's spec
names (`ModelSpec.sharing`); both ways go through the same attention code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from random import Random
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from engine.apart import panel_regions, sight_in
from engine.attention.consistent import Glance, Sight, StoryAttention
from engine.attention.hook import consistent, open_layers, self_attention_layers
from engine.attention.pictures import reading_pictures
from engine.batches import Batch, decoding_batches, leading_batches, noise_matched_batches
from engine.guidance import led_away, negative_words
from engine.heap import release_heap
from engine.identity import in_sight, noised, own_rates, picture_latents
from engine.loading import Artist, Conditioning
from engine.photomaker import FUSED_BELOW, PhotoMaker, knowing_pictures, worn_for
from engine.picture_adapter import PictureAdapter, read_pictures
from engine.plan import NOBODY, Shot, seed_of
from engine.preview import preview_jpegs
from engine.request import DrawRequest, Event, PanelDrawn, Preview, Progress
from engine.schedulers import scheduler_for, takes_generators


class StoryDrawing:
    """The state of one story being drawn; it belongs to nobody else."""

    def __init__(
        self,
        artist: Artist,
        request: DrawRequest,
        shots: Sequence[Shot],
        adapter: PictureAdapter | None = None,
        photomaker: PhotoMaker | None = None,
    ) -> None:
        spec = artist.spec
        self.artist, self.request = artist, request
        self.shots = [replace(shot, sight=sight_in(spec, shot)) for shot in shots]
        self.way = spec.way(request.preset)
        artist.wardrobe.wear((*self.way.loras, *worn_for(self.shots, photomaker)))
        self.count = request.steps or self.way.steps
        self.guidance = self.way.guidance if request.guidance is None else request.guidance
        self.pixels = request.size or spec.size
        self.layers = self_attention_layers(artist.unet, spec.layers)
        self.attention = StoryAttention(
            rate=request.rate,
            seed=request.seed,
            halves=2 if self.guided else 1,
            perturbed=1 if self.guided and spec.guides_attention else 0,
            seeds={s.name: s.seed for s in self.shots if s.alone},
            rates=own_rates(self.shots, spec, request.rate),
        )
        self.latents: dict[str, Tensor] = {}
        self.reading = read_pictures(artist, self.shots, adapter, self.attention.regions)
        self.regions = panel_regions(artist, self.shots) if request.rate > 0 else {}
        self._dice = {  # of schedulers that add noise
            shot.name: torch.Generator().manual_seed(seed_of(shot.seed, "steps")) for shot in shots
        }
        self._finished = 0
        self._read_words()
        self._fused = knowing_pictures(artist, self.shots, photomaker, self._words, self._row)

    @property
    def guided(self) -> bool:
        return self.guidance > 1

    def events(self) -> Iterator[Event]:
        yield from self.steps()
        yield from self.pictures()

    def steps(self) -> Iterator[Progress | Preview]:
        """Draw the latents of every shot, one step of one batch at a time."""
        apart = bool(self.regions)
        with (
            self.artist.painting(),
            consistent(self.artist.unet, self.attention, self.layers, regions=apart),
            reading_pictures(self.artist.unet, self.reading),
        ):
            if self.artist.spec.sharing == "leading":
                yield from self._leading()
            else:
                yield from self._noise_matched()

    def pictures(self) -> Iterator[PanelDrawn | Progress]:
        """Decode the panels that are wanted, a micro-batch at a time; portraits stay private."""
        self.artist.make_room()
        batches = decoding_batches(self.shots, self.request.micro_batch)
        total = sum(shot.shown for batch in batches for shot in batch)
        done = 0
        for batch in batches:
            for panel, png in self._decoded(batch):
                done += 1
                yield PanelDrawn(panel, png)
                yield Progress("panels", done, total)

    def _decoded(self, batch: Batch) -> list[tuple[int, bytes]]:
        """The panels of a batch that are wanted, as PNG files.

        Its tensors are gone when this returns, before the next batch has its own.
        """
        self._release()
        blank = torch.zeros_like(next(self.latents[s.name] for s in batch if s.shown))
        with self.artist.painting():
            decoded = self.artist.decode(
                torch.stack([self.latents.get(s.name, blank) for s in batch])
            )
        shown = zip(batch, decoded, strict=True)
        return [(s.panel or 0, png_bytes(picture)) for s, picture in shown if s.shown]

    # -- the two ways of identity ---------------------------------------------------------------

    def _leading(self) -> Iterator[Progress | Preview]:
        """Identity panels are finished first, rank by rank; the bank is written once for each."""
        batches = leading_batches(self.shots, self.request.micro_batch)
        self._total = self.count * sum(batch[0].picture is None for batch in batches)
        for batch in batches:
            scheduler = self._scheduler()
            if batch[0].picture is not None:
                self._keep(batch, self._start(batch, scheduler))
            else:
                yield from self._draw(batch, scheduler)
            leaders = [shot for shot in batch if shot.identity_of is not None]
            if leaders:
                self._write_leaders(leaders, scheduler)

    def _draw(self, batch: Batch, scheduler: Any) -> Iterator[Progress | Preview]:
        """All steps of one batch, which sees the finished batches before it."""
        self._release()
        latents = self._start(batch, scheduler)
        for number, timestep in enumerate(scheduler.timesteps):
            sights = [shot.sight for shot in batch]
            self._see(in_sight(sights, self.shots, number / self.count))
            latents, foreseen = self._step(scheduler, batch, latents, timestep)
            yield self._progress()
            yield from self._previews(batch, number, foreseen)
        self._keep(batch, latents)

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

    def _noise_matched(self) -> Iterator[Progress | Preview]:
        """Every step: identity panels first, together; then the others see this step's bank."""
        batches = noise_matched_batches(self.shots, self.request.micro_batch)
        schedulers = [self._scheduler() for _ in batches]
        latents = [self._start(b, s) for b, s in zip(batches, schedulers, strict=True)]
        randoms = {seed: Random(seed) for seed in map(self._seed_of_layers, batches)}
        randoms.setdefault(self.request.seed, Random(self.request.seed))
        count = len(
            schedulers[0].timesteps
        )  # PNDM, for one, takes a step more than it is asked for
        self._total = count * len(batches)
        for number in range(count):
            layers = {
                seed: open_layers(self.layers, number, count, r) for seed, r in randoms.items()
            }
            self.attention.step = number
            self.attention.written_layers = layers[self.request.seed]
            for i, batch in enumerate(batches):
                writing = tuple(shot.name for shot in batch if shot.identity_of is not None)
                mutual = [self._mutual(shot) for shot in batch]
                sights = in_sight(mutual, self.shots, number / count)
                self._see(sights, writing=writing, layers=layers[self._seed_of_layers(batch)])
                timestep = schedulers[i].timesteps[number]
                if batch[0].picture is not None:
                    self._look(schedulers[i], batch, latents[i], timestep)
                    yield self._progress()
                    continue
                latents[i], foreseen = self._step(schedulers[i], batch, latents[i], timestep)
                yield self._progress()
                yield from self._previews(batch, number, foreseen)
        for batch, drawn in zip(batches, latents, strict=True):
            self._keep(batch, drawn)

    def _mutual(self, shot: Shot) -> Sight:
        """Identity panels of one character see each other; the rest see as planned."""
        if shot.identity_of is None:
            return shot.sight
        others = (s.name for s in self.shots if s.identity_of == shot.identity_of and s is not shot)
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
        self.reading.sights = sights
        self.attention.open_layers = frozenset(self.layers) if layers is None else layers

    def _step(
        self, scheduler: Any, batch: Sequence[Shot], latents: Tensor, timestep: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The latents after this step, and those that it foresees at the end."""
        guess = self._predict(batch, scheduler.scale_model_input(latents, timestep), timestep)
        dice = [self._dice[shot.name] for shot in batch]
        drawn = {"generator": dice} if takes_generators(scheduler) else {}
        stepped = scheduler.step(guess, timestep, latents, **drawn)
        foreseen = getattr(stepped, "pred_original_sample", None)
        return stepped.prev_sample, stepped.prev_sample if foreseen is None else foreseen

    def _look(self, scheduler: Any, batch: Batch, clean: Tensor, timestep: Tensor) -> None:
        """A pass over pictures that are there already, for what it writes into the bank."""
        self._predict(batch, noised(scheduler, clean, self._noise(batch), timestep), timestep)

    def _predict(self, batch: Sequence[Shot], latents: Tensor, timestep: Tensor) -> Tensor:
        """The UNet's guess for B panels, [B, C, h, w], with classifier-free guidance."""
        rows = [self._row[shot.name] for shot in batch]
        level = float(timestep) / self.artist.scheduler.config.num_train_timesteps
        fused = level <= FUSED_BELOW or self.count == 1  # a single step knows the pictures, too
        said = self._fused if fused else self._words
        with self.attention.regions.standing([self.regions.get(s.name) for s in batch], level):
            if not self.guided:
                return self._unet(latents, timestep, said[rows])
            words = said[[self._plain_row[shot.name] for shot in batch] + rows]
            both = self._unet(torch.cat([latents, latents]), timestep, words)
        return led_away(both, self.guidance, self.artist.spec, timestep)

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

    def _read_words(self) -> None:
        """One row of words a shot and one of words to keep away from, for panels with own ones two.

        All words of the story are read together; those of portraits alone are read alone, and so
        are panels' own words to keep away from: they change no other panel.
        """
        negative = negative_words(self.request, self.artist.spec)
        story = [shot for shot in self.shots if not shot.alone]
        prompts = [[negative, *(shot.prompt for shot in story)]]
        self._row = {shot.name: row for row, shot in enumerate(story, start=1)}
        self._plain_row = dict.fromkeys((shot.name for shot in self.shots), 0)
        rows = 1 + len(story)
        for shot in self.shots:
            if shot.alone and shot.panel is not None:  # the same words as in its first drawing
                self._row[shot.name] = self._row[f"panel {shot.panel}"]
            elif shot.alone:
                prompts.append([negative, shot.prompt])
                self._plain_row[shot.name], self._row[shot.name] = rows, rows + 1
                rows += 2
            own = negative_words(self.request, self.artist.spec, shot.panel)
            if own != negative:
                prompts.append([own])
                self._plain_row[shot.name] = rows
                rows += 1
        self._words = Conditioning.joined([self.artist.read(each) for each in prompts])

    def _scheduler(self) -> Any:
        artist = self.artist
        return scheduler_for(artist.scheduler, self.way.scheduler, self.count, artist.device)

    def _random_latents(self, seed: int) -> Tensor:
        """[C, h, w] of noise; from the CPU's generator, so that every device draws the same."""
        side = self.pixels // self.artist.pixels_per_latent
        shape = (self.artist.unet.config.in_channels, side, side)
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(shape, generator=generator).to(self.artist.device)

    def _noise(self, batch: Batch) -> Tensor:
        return torch.stack([self._random_latents(shot.seed) for shot in batch])

    def _start(self, batch: Batch, scheduler: Any) -> Tensor:
        """Latents to begin with: noise at the first step's level, or a picture that is there."""
        if batch[0].picture is None:
            noisy: Tensor = self._noise(batch) * scheduler.init_noise_sigma
            return noisy
        pictures = [shot.picture or "" for shot in batch]
        return torch.stack([picture_latents(self.artist, p, self.pixels) for p in pictures])

    def _seed_of_layers(self, batch: Batch) -> int:
        """Portraits alone choose the open layers by their own seed, others by the story's."""
        saved = batch[0].alone and batch[0].identity_of is not None
        return batch[0].seed if saved else self.request.seed

    def _previews(self, batch: Batch, number: int, foreseen: Tensor) -> Iterator[Preview]:
        every, done = self.request.previews, number + 1
        rows = [row for row, shot in enumerate(batch) if shot.shown]
        if every and rows and done % every == 0 and done < self.count:
            jpegs = preview_jpegs(self.artist, foreseen[rows])
            for row, jpeg in zip(rows, jpegs, strict=True):
                yield Preview(batch[row].panel or 0, jpeg)

    def _keep(self, batch: Sequence[Shot], latents: Tensor) -> None:
        self.latents.update(zip((shot.name for shot in batch), latents, strict=True))

    def _release(self) -> None:
        """What one batch took is there for the next, whose tensors have other sizes."""
        if self.artist.device.type == "cpu":
            release_heap()

    def _progress(self) -> Progress:
        self._finished += 1
        return Progress("steps", self._finished, self._total)


def png_bytes(picture: Tensor) -> bytes:
    """[3, H, W] in -1..1 as a PNG file."""
    values = picture.add(1).mul(127.5).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
    return png_file(Image.fromarray(values))


def png_file(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
