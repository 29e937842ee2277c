"""No colour at all: bold, underline and reverse video carry what the other palettes do by colour (also NO_COLOR)."""

from __future__ import annotations

from midstream.console.palettes.dark import DARK
from midstream.console.palettes.roles import Look, Palette


def without_colour(palette: Palette) -> Palette:
    """The same roles with their monochrome settings on every terminal."""
    looks = {}
    for role, look in palette.items():
        settings = "" if look.mono == "default" else look.mono
        foreground = f"default,{settings}" if settings else "default"
        looks[role] = Look(foreground, "default", look.mono, foreground, "default")
    return looks


MONO: Palette = without_colour(DARK)
