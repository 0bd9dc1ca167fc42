"""The colours of the house artist by name, far enough apart to be told at a glance."""

from __future__ import annotations

from engine.house.pencil import Colour

FUR: dict[str, Colour] = {
    "black": (46, 42, 54), "brown": (126, 78, 44), "blonde": (244, 210, 100),
    "orange": (232, 112, 36), "white": (242, 242, 246), "blue": (66, 124, 226),
    "pink": (246, 140, 188), "green": (84, 176, 88),
}  # fmt: skip
CLOTHING: dict[str, Colour] = {
    "red": (216, 46, 50), "blue": (48, 92, 210), "green": (46, 158, 82), "yellow": (250, 214, 56),
    "purple": (140, 70, 186), "orange": (246, 140, 36), "black": (48, 48, 58),
    "white": (246, 246, 248), "pink": (250, 156, 198),
}  # fmt: skip
SKINS: tuple[Colour, ...] = ((255, 226, 200), (244, 198, 156), (204, 142, 98), (148, 94, 62))
TROUSERS: Colour = (66, 76, 120)
WOOD: Colour = (178, 122, 74)
PAPER: Colour = (252, 250, 240)
WHITE: Colour = (255, 255, 255)
