"""A few colours for lines that a program prints, and the decision whether to print any.

Used by what writes to stdout and stderr without a screen. The console has palettes instead.
"""

from __future__ import annotations

import os
from typing import TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


def wants_colour(out: TextIO) -> bool:
    """Whether `out` is a terminal that shows colours, and nobody asked for none (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal(out)


def is_terminal(out: TextIO) -> bool:
    """Whether `out` is a terminal; a closed file is none."""
    try:
        return out.isatty()
    except ValueError:
        return False


def painted(text: str, colour: str) -> str:
    """`text` in one of the colours; the text itself must be safe already."""
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"
