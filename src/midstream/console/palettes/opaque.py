"""A palette on a background of its own, for who does not want the terminal's (console_palette_transparent off)."""

from __future__ import annotations

from typing import NamedTuple

from midstream.console.palettes.roles import Look, Palette


class Ground(NamedTuple):
    """Ordinary text and what is behind it, for 16 colours and for more."""

    text: str
    text_high: str
    behind: str
    behind_high: str


# Without colours there is no background either: mono has none.
GROUNDS = {
    "dark": Ground("light gray", "#ccc", "black", "#111"),
    "light": Ground("black", "#000", "white", "#fff"),
    "high_contrast": Ground("white", "#fff", "black", "#000"),
    "colour_blind": Ground("light gray", "#ccc", "black", "#111"),
    "lowdark": Ground("light gray", "light gray", "black", "black"),
    "lowlight": Ground("black", "black", "white", "white"),
    "solarized_dark": Ground("light gray", "#93a1a1", "black", "#002b36"),
    "solarized_light": Ground("black", "#586e75", "white", "#fdf6e3"),
}


def opaque(palette: Palette, ground: Ground) -> dict[str | None, Look]:
    """The palette with `ground` wherever the terminal's own colours would show; None is what has no role."""
    looks: dict[str | None, Look] = {role: _filled(look, ground) for role, look in palette.items()}
    return {**looks, None: _filled(Look(), ground)}


def transparent(palette: Palette) -> dict[str | None, Look]:
    """The palette as it is, and nothing behind what has no role."""
    looks: dict[str | None, Look] = {None: Look()}
    for role, look in palette.items():
        looks[role] = look
    return looks


def _filled(look: Look, ground: Ground) -> Look:
    high = look.foreground_high or look.foreground
    behind_high = look.background_high or look.background
    return Look(
        look.foreground.replace("default", ground.text),
        ground.behind if look.background == "default" else look.background,
        look.mono,
        high.replace("default", ground.text_high),
        ground.behind_high if behind_high == "default" else behind_high,
    )
