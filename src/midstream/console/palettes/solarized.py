"""The hues that both palettes of Solarized have; solarized_dark.py and solarized_light.py say what is their own."""

from __future__ import annotations

from typing import Final, TypedDict


class Hues(TypedDict):
    """The part of a `Scheme` that does not depend on the ground."""

    blue: str
    cyan: str
    green: str
    red: str
    yellow: str
    magenta: str
    on_match: str


HUES: Final[Hues] = {
    "blue": "#268bd2",
    "cyan": "#2aa198",
    "green": "#859900",
    "red": "#dc322f",
    "yellow": "#b58900",
    "magenta": "#d33682",
    "on_match": "#000",
}
