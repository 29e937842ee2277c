"""The names that a flow can be marked with, and the glyph that each is shown as.

A marker is `:name:`, with the names of emoji as chats and the Unicode tables know them, or a single letter or digit.
Used by the `marker` argument and by the flow list. The names come from the library `emoji`, read when somebody first
marks a flow or completes a marker.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Iterator, Mapping

DEFAULT = ":default:"
DOT = "●"

_VARIATION = "\ufe0f"  # asks for the coloured form; terminals differ in what it does to the width


def glyph(marker: str) -> str:
    """What stands for `marker` in a list: its character, a dot for the default and for names unknown here."""
    if not marker or marker == DEFAULT:
        return DOT if marker else ""
    return names().get(marker, DOT)


@functools.cache
def names() -> Mapping[str, str]:
    """Every marker with its glyph, in the order of the alphabet, the default first, letters and digits last."""
    signs = string.ascii_letters + string.digits
    return {DEFAULT: DOT} | dict(sorted(_emoji())) | dict(zip(signs, signs, strict=True))


def _emoji() -> Iterator[tuple[str, str]]:
    from emoji import EMOJI_DATA  # takes 25 ms, and few runs mark anything

    for characters, data in EMOJI_DATA.items():
        shown = characters.replace(_VARIATION, "")
        # Flags, families and the like are several characters, which terminals draw in as many ways.
        shown = shown if len(shown) == 1 and shown.isprintable() else DOT
        for name in (data["en"], *data.get("alias", ())):
            yield name.lower(), shown
