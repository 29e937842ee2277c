"""Contrast as WCAG 2 measures it, and colours moved away from what is behind them until they can be read.

Palettes are made with it, once at import; a test measures every role of every palette. A colour is a name as urwid
has it; what is measured is what a terminal of 256 colours makes of it, and one of all colours.
"""

from __future__ import annotations

import urwid

from midstream.console.palettes.colours import Count
from midstream.console.palettes.roles import Look, Palette

Colour = tuple[int, int, int]

READABLE = 4.5
"""WCAG AA for text."""
STRONG = 7.0
"""WCAG AAA."""
DECORATION = frozenset({"border"})
"""Roles that no text is painted in."""


def rgb(name: str, colours: Count = 16777216) -> Colour:
    """What a terminal with so many colours shows for a name."""
    red, green, blue = urwid.AttrSpec(name, "default", colours).get_rgb_values()[:3]
    assert red is not None and green is not None and blue is not None, f"{name} is no colour"
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """From 1, the same, to 21, black on white."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def legible(palette: Palette, ground: str, ratio: float = READABLE) -> Palette:
    """The palette with its colours for 256 and more moved as far as it takes, on `ground` where nothing is behind."""
    return {role: look if role in DECORATION else _legible(look, ground, ratio) for role, look in palette.items()}


def _legible(look: Look, ground: str, ratio: float) -> Look:
    name, comma, settings = (look.foreground_high or look.foreground).partition(",")
    if name == "default":
        return look
    behind = look.background_high or look.background
    moved = readable(name, ground if behind == "default" else behind, ratio)
    return look._replace(foreground_high=f"{moved}{comma}{settings}")


def readable(name: str, behind: str, ratio: float) -> str:
    """The colour, or the nearest one to it towards white or black that has the contrast on `behind`."""
    if _least(name, behind) >= ratio:
        return name
    start, target = rgb(name), (255, 255, 255) if _luminance(rgb(behind)) < 0.18 else (0, 0, 0)
    for step in range(1, 33):
        moved = tuple(round(own + (goal - own) * step / 32) for own, goal in zip(start, target, strict=True))
        found = "#{:02x}{:02x}{:02x}".format(*moved)
        if _least(found, behind) >= ratio:
            return found
    return found


def _least(name: str, behind: str) -> float:
    counts: tuple[Count, ...] = (256, 16777216)
    return min(contrast(rgb(name, count), rgb(behind, count)) for count in counts)


def _luminance(colour: Colour) -> float:
    red, green, blue = (part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
