"""Palettes made from another one: the same roles with the colours exchanged, so that each says only what is its own.

A scheme names the hues; which role has which hue is said once, in dark.py and light.py. A colour there that is in no
family stays as it is. In the end every colour is moved until it can be read (contrast.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from midstream.console.palettes.contrast import READABLE, legible
from midstream.console.palettes.roles import Look, Palette


class Scheme(NamedTuple):
    """The hues of a palette, for 256 colours and more. `selected` and the like are what stands behind text."""

    text: str
    dim: str
    strong: str
    blue: str
    cyan: str
    green: str
    red: str
    yellow: str
    magenta: str
    bar: str
    menu: str
    selected: str
    idle: str
    on_selected: str
    match: str
    on_match: str
    ground: str
    ratio: float = READABLE


_DARK_HUES: Final = {
    "blue": ("#8af",),
    "cyan": ("#6cf", "#8df", "#8cd"),
    "green": ("#9d9", "#8d8", "#9d8"),
    "red": ("#f88", "#f99"),
    "yellow": ("#fd6", "#fc6", "#fa0"),
    "magenta": ("#f8f", "#d9f"),
    "dim": ("#888", "#666", "#999"),
    "text": ("#aaa", "#bbb", "#ccc", "#ddd"),
    "strong": ("#fff", "#eee"),
}
_LIGHT_HUES: Final = {
    "blue": ("#00a", "#06a"),
    "cyan": ("#068", "#066"),
    "green": ("#060",),
    "red": ("#a00", "#a30", "#a40"),
    "yellow": ("#860",),
    "magenta": ("#a0a", "#80a"),
    "dim": ("#888", "#666", "#aaa"),
    "text": ("#222", "#444"),
    "strong": ("#000",),
}
# What is behind text in dark.py and light.py.
_BEHIND: Final = {
    "bar": ("#333", "#ddd"),
    "menu": ("#222", "#eee"),
    "selected": ("#046", "#035", "#06a", "#bdf"),
    "match": ("#a80", "#fd0", "#fd8", "#fb0", "#fc6"),
}


def derived(base: Palette, scheme: Scheme, basic: Mapping[str, str] | None = None) -> Palette:
    """The palette with the hues of a scheme; `basic` exchanges names of the 16 colours."""
    is_dark = base["strong"].foreground_high == "#fff"
    hues = _by_colour(_DARK_HUES if is_dark else _LIGHT_HUES, scheme)
    behind = _by_colour(_BEHIND, scheme)
    basic = basic or {}
    return legible(
        {role: _exchanged(role, look, (hues, behind, basic), scheme) for role, look in base.items()},
        scheme.ground,
        scheme.ratio,
    )


def in_16(palette: Palette, basic: Mapping[str, str]) -> Palette:
    """The palette with names of the 16 colours exchanged; what is behind text stays."""
    return {role: look._replace(foreground=_in_16(look.foreground, basic)) for role, look in palette.items()}


def _exchanged(role: str, look: Look, tables: tuple[Mapping[str, str], ...], scheme: Scheme) -> Look:
    hues, behind, basic = tables
    high, under = look.foreground_high or look.foreground, look.background_high or look.background
    name, comma, settings = high.partition(",")
    if role == "focus.idle":
        under, name = scheme.idle, scheme.text
    elif behind.get(under) == scheme.selected and under not in _BEHIND["bar"]:
        under, name = scheme.selected, scheme.on_selected
    elif behind.get(under) == scheme.match:
        under, name = scheme.match, scheme.on_match
    else:
        under, name = behind.get(under, under), hues.get(name, name)
    return Look(_in_16(look.foreground, basic), look.background, look.mono, f"{name}{comma}{settings}", under)


def _in_16(names: str, basic: Mapping[str, str]) -> str:
    name, comma, settings = names.partition(",")
    return f"{basic.get(name, name)}{comma}{settings}"


def _by_colour(families: Mapping[str, tuple[str, ...]], scheme: Scheme) -> dict[str, str]:
    return {colour: getattr(scheme, family) for family, colours in families.items() for colour in colours}
