"""The dark palette in the 16 colours that every terminal has, whatever it could show: as its owner set them."""

from __future__ import annotations

from midstream.console.palettes.dark import DARK_COLOURS
from midstream.console.palettes.roles import Palette

LOWDARK: Palette = {
    role: look._replace(foreground_high=None, background_high=None) for role, look in DARK_COLOURS.items()
}
