"""Colour themes. `roles.py` names what is painted, and one file per palette says how each role looks.

A palette is made when it is first asked for: a start needs one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from midstream.console.palettes.roles import Look, Palette

NAMES: Final = (
    "dark",
    "light",
    "high_contrast",
    "colour_blind",
    "mono",
    "lowdark",
    "lowlight",
    "solarized_dark",
    "solarized_light",
)
"""Each is a module of this drawer, in which the palette stands under its name in capitals."""


class _Palettes(Mapping[str, Palette]):
    def __getitem__(self, name: str) -> Palette:
        if name not in NAMES:
            raise KeyError(name)
        palette: Palette = getattr(import_module(f"{__name__}.{name}"), name.upper())
        return palette

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


PALETTES: Final[Mapping[str, Palette]] = _Palettes()

__all__ = ["NAMES", "PALETTES", "Look", "Palette"]
