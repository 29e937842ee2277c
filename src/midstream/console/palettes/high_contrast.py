"""White and strong colours on black, 7:1 at least; the chosen row is black on yellow."""

from __future__ import annotations

from midstream.console.palettes.contrast import STRONG
from midstream.console.palettes.dark import DARK_COLOURS
from midstream.console.palettes.derived import Scheme, derived
from midstream.console.palettes.roles import Palette

SCHEME = Scheme(
    text="#fff",
    dim="#ddd",
    strong="#fff",
    blue="#9cf",
    cyan="#6ff",
    green="#8f8",
    red="#f99",
    yellow="#ff0",
    magenta="#f9f",
    bar="#222",
    menu="#000",
    selected="#ff0",
    idle="g23",
    on_selected="#000",
    match="#0ff",
    on_match="#000",
    ground="#1c1c1c",
    ratio=STRONG,
)

HIGH_CONTRAST: Palette = derived(
    DARK_COLOURS,
    SCHEME,
    {"dark gray": "light gray", "light gray": "white", "light blue": "light cyan", "dark blue": "dark blue"},
)
