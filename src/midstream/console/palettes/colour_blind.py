"""Blue for what is well and orange for what is not, never red against green (the colours of Okabe and Ito)."""

from __future__ import annotations

from midstream.console.palettes.dark import DARK_COLOURS
from midstream.console.palettes.derived import Scheme, derived
from midstream.console.palettes.roles import Palette

SCHEME = Scheme(
    text="#ccc",
    dim="#999",
    strong="#fff",
    blue="#56b4e9",
    cyan="#9cd3f5",
    green="#56b4e9",
    red="#e69f00",
    yellow="#f0e442",
    magenta="#c9a0dc",
    bar="#333",
    menu="#222",
    selected="#005a8c",
    idle="g23",
    on_selected="#fff",
    match="#e69f00",
    on_match="#000",
    ground="#1c1c1c",
)

COLOUR_BLIND: Palette = derived(
    DARK_COLOURS,
    SCHEME,
    {"light green": "light cyan", "light red": "yellow", "dark green": "dark cyan", "dark red": "brown"},
)
