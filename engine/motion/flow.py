"""Where in two pictures everything that a picture between them shows comes from.

The straight path between two pictures is a dissolve: somebody who goes from left to right fades out
here and in there. What moves is better carried. For every place of the frame at the moment t a
network says where it is in the start (flow f_s), where in the end (f_e), how far the start is to be
believed there (m), and what neither shows (r), which makes of the pictures S and E

    frame(x) = m S(x + t f_s(x)) + (1 - m) E(x + (1 - t) f_e(x)) + 4 t (1 - t) r(x)

as in Super SloMo (Jiang et al. 2018, arXiv 1712.00080, section 3.2). The network is of the kind of
IFRNet (Kong et al. 2022, arXiv 2205.14620, section 3): features of both pictures at several sizes;
from small to large each stage looks at them where the last one said they come from, and corrects
it. At the smallest size, where one feature sees a large part of the picture, a transformer reads
both pictures, so that somebody can be found again on the other side. Untrained it is the dissolve.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers.models.embeddings import get_timestep_embedding
from torch import Tensor, nn
from torch.nn import functional as F

from engine.motion.predictor import place_embedding, transformer

SIDE = 128  # pixels of the pictures that are compared
WIDTHS = (32, 64, 96, 160)  # of the features, at 1/2, 1/4, 1/8 and 1/16 of that
LAYERS, HEADS, WIDTH = 4, 4, 192  # of the transformer
ESTIMATE = 5  # numbers a place: both flows, in sides of the picture, and the belief in the start
CALM = 0.1  # of what the last layers say, so that no step of learning throws everything about
TOLD = 16  # channels in which a stage reads these and the moment: processors like round numbers


@dataclass(frozen=True)
class Carried:
    """For each of N frames, at one size: both flows [N, 2, 2, h, w] (start or end; x, y) in sides
    of the picture, and the share of the start [N, 1, h, w], 0..1."""

    flows: Tensor
    share: Tensor

    def resized(self, size: tuple[int, int]) -> Carried:
        flows = F.interpolate(self.flows.flatten(1, 2), size, mode="bilinear")
        share = F.interpolate(self.share, size, mode="bilinear")
        return Carried(flows.unflatten(1, (2, 2)), share)

    def each(self, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """What comes of each picture [N, C, h, w], carried to its place."""
        return warped(start, self.flows[:, 0]), warped(end, self.flows[:, 1])

    def mixture(self, start: Tensor, end: Tensor) -> Tensor:
        """The frames as both pictures [N, C, h, w] have them."""
        here, there = self.each(start, end)
        return there + self.share * (here - there)

    def doubt(self, start: Tensor, end: Tensor) -> Tensor:
        """Where both pictures are believed and yet differ, by how much they do: [N, 1, h, w]."""
        here, there = self.each(start, end)
        return 4 * self.share * (1 - self.share) * (here - there).abs().amax(1, keepdim=True)


class IntermediateFlow(nn.Module):
    """From two pictures to `Carried` and to what neither of them shows."""

    def __init__(self) -> None:
        super().__init__()
        first, *others = WIDTHS
        steps = zip(WIDTHS, others, strict=False)
        self.first = _layers(12, first)
        self.smaller = nn.ModuleList(_layers(a, b, stride=2) for a, b in steps)
        smallest, cells = WIDTHS[-1], SIDE // 2 ** len(WIDTHS)
        self.read = nn.Conv2d(2 * smallest, WIDTH, 1)
        self.places = nn.Parameter(place_embedding(cells**2, WIDTH))
        self.blocks = transformer(LAYERS, WIDTH, HEADS)
        self.write = nn.Conv2d(WIDTH, smallest, 1)
        sizes = [*reversed(WIDTHS)]  # from small to large
        self.stages = nn.ModuleList(
            Stage(width, next_width)
            for width, next_width in zip(sizes, [*sizes[1:], sizes[-1]], strict=True)
        )
        self.finish = nn.Conv2d(first, 4 * (ESTIMATE + 3), 3, padding=1)
        nn.init.zeros_(self.finish.weight)
        assert self.finish.bias is not None
        nn.init.zeros_(self.finish.bias)

    def forward(
        self, start: Tensor, end: Tensor, moments: Tensor
    ) -> tuple[Carried, Tensor, list[Carried]]:
        """Pictures [B, 3, SIDE, SIDE], -1..1, and moments [B, M], 0..1, to B * M frames.

        Returns how they are carried, what neither picture shows [B * M, 3, SIDE, SIDE], and the
        coarser estimates, from small to large.
        """
        count = moments.shape[1]
        time = moments.reshape(-1, 1, 1, 1)
        pyramids = [
            [level.repeat_interleave(count, 0) for level in self._pyramid(picture)]
            for picture in (start, end)
        ]
        here, there = (pyramid[-1] for pyramid in pyramids)
        x = self._found(here, there, time)
        estimate = x.new_zeros(len(x), ESTIMATE, *x.shape[-2:])
        coarse = []
        levels = zip(self.stages, *(reversed(pyramid) for pyramid in pyramids), strict=True)
        for number, (stage, start_level, end_level) in enumerate(levels):
            if number:
                estimate = F.interpolate(estimate, scale_factor=2, mode="bilinear")
                x = F.interpolate(x, scale_factor=2)
            seen = carried(estimate, time).each(start_level, end_level)
            x, change = stage(torch.cat([x, *seen], 1), estimate, time)
            estimate = estimate + change
            coarse.append(carried(estimate, time))
        estimate = F.interpolate(estimate, scale_factor=2, mode="bilinear")
        last = CALM * F.pixel_shuffle(self.finish(x).float(), 2)
        result = carried(estimate + last[:, :ESTIMATE], time)
        return result, 4 * time * (1 - time) * last[:, ESTIMATE:], coarse

    @torch.no_grad()
    def between(self, pictures: Tensor, moments: Tensor) -> tuple[Carried, Tensor]:
        """Two pictures [2, 3, H, W], -1..1, at the moments [M]: how they are carried, at their
        size, and the frames [M, 3, H, W]."""
        size = (pictures.shape[-2], pictures.shape[-1])
        small = F.interpolate(pictures.float(), (SIDE, SIDE), mode="area")
        found, unseen, _ = self(small[:1], small[1:], moments[None].to(small))
        found = found.resized(size)
        start, end = (p.float().expand(len(moments), -1, -1, -1) for p in pictures.split(1))
        unseen = F.interpolate(unseen, size, mode="bilinear")
        return found, (found.mixture(start, end) + unseen).clamp(-1, 1)

    def _pyramid(self, picture: Tensor) -> list[Tensor]:
        """Features of the pictures [B, 3, SIDE, SIDE], from large to small."""
        levels = [self.first(F.pixel_unshuffle(picture, 2))]
        for smaller in self.smaller:
            levels.append(smaller(levels[-1]))
        return levels

    def _found(self, here: Tensor, there: Tensor, time: Tensor) -> Tensor:
        """The smallest features, every place having read all others."""
        x = self.read(torch.cat([here, there], 1))
        told = get_timestep_embedding(1000 * time.flatten(), WIDTH).to(x)[:, None]
        tokens = x.flatten(2).transpose(1, 2) + self.places + told
        tokens = self.blocks(tokens)
        found: Tensor = self.write(tokens.transpose(1, 2).unflatten(2, x.shape[-2:]))
        return found


class Stage(nn.Module):
    """Corrects the estimate at one size; its features go to the next larger one."""

    def __init__(self, width: int, next_width: int) -> None:
        super().__init__()
        self.look = _layers(3 * width + TOLD, width + width // 2)
        self.change = nn.Conv2d(width + width // 2, ESTIMATE, 3, padding=1)
        self.hand_on = nn.Conv2d(width + width // 2, next_width, 1)
        nn.init.zeros_(self.change.weight)
        assert self.change.bias is not None
        nn.init.zeros_(self.change.bias)

    def forward(self, x: Tensor, estimate: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        moment = time.expand(-1, TOLD - ESTIMATE, *x.shape[-2:])
        looked = self.look(torch.cat([x, estimate.to(x), moment.to(x)], 1))
        return self.hand_on(looked), CALM * self.change(looked).float()


def _layers(width: int, out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, out, 3, stride, padding=1), nn.SiLU(),
        nn.Conv2d(out, out, 3, padding=1), nn.SiLU(),
    )  # fmt: skip


def carried(estimate: Tensor, time: Tensor) -> Carried:
    """What the numbers [N, ESTIMATE, h, w] say at the moments [N, 1, 1, 1]; noughts: a dissolve."""
    flows = torch.cat([time * estimate[:, :2], (1 - time) * estimate[:, 2:4]], 1)
    share = torch.sigmoid(estimate[:, 4:] + torch.logit(1 - time))
    return Carried(flows.unflatten(1, (2, 2)), share)


def warped(pictures: Tensor, flow: Tensor) -> Tensor:
    """[N, C, h, w], each place filled with what is `flow` [N, 2, h, w] away, in sides."""
    height, width = pictures.shape[-2:]
    y = (torch.arange(height, device=flow.device) + 0.5) / height
    x = (torch.arange(width, device=flow.device) + 0.5) / width
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"))
    grid = (2 * (places + flow.float()) - 1).permute(0, 2, 3, 1)
    moved = F.grid_sample(
        pictures.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return moved.to(pictures)
