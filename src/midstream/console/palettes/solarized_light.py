"""Solarized by Ethan Schoonover, light; some hues are darkened until they can be read."""

from __future__ import annotations

from midstream.console.palettes.derived import Scheme, derived
from midstream.console.palettes.light import IN_16, LIGHT_COLOURS
from midstream.console.palettes.roles import Palette
from midstream.console.palettes.solarized import HUES

SCHEME = Scheme(
    text="#586e75",
    dim="#657b83",
    strong="#073642",
    bar="#eee8d5",
    menu="#eee8d5",
    selected="#d9d2bd",
    idle="#eee8d5",
    on_selected="#073642",
    match="#e8c860",
    ground="#fdf6e3",
    **HUES,
)

SOLARIZED_LIGHT: Palette = derived(LIGHT_COLOURS, SCHEME, IN_16)
