"""Solarized by Ethan Schoonover, dark; some hues are lightened until they can be read."""

from __future__ import annotations

from midstream.console.palettes.dark import DARK_COLOURS
from midstream.console.palettes.derived import Scheme, derived
from midstream.console.palettes.roles import Palette
from midstream.console.palettes.solarized import HUES

SCHEME = Scheme(
    text="#93a1a1",
    dim="#839496",
    strong="#fdf6e3",
    bar="#073642",
    menu="#073642",
    selected="#164c5c",
    idle="#073642",
    on_selected="#fdf6e3",
    match="#b58900",
    ground="#002b36",
    **HUES,
)

SOLARIZED_DARK: Palette = derived(DARK_COLOURS, SCHEME)
