"""Colour themes. `roles.py` names what is painted, and one file per palette says how each role looks."""

from midstream.console.palettes.dark import DARK
from midstream.console.palettes.light import LIGHT
from midstream.console.palettes.mono import MONO
from midstream.console.palettes.roles import Look, Palette

PALETTES: dict[str, Palette] = {"dark": DARK, "light": LIGHT, "mono": MONO}

__all__ = ["PALETTES", "Look", "Palette"]
