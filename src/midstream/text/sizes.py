"""Sizes in bytes, written for people and read from people.

Used by lists, dumps, status lines, and by every option whose kind is `size`. Units are powers of 1024.
"""

from __future__ import annotations

import re

_UNITS = "bkmgt"
_SIZE = re.compile(r"(\d+)([bkmgt]?)", re.ASCII | re.IGNORECASE)
# More digits than any disk has; a longer number would only make int() slow.
_MAX_DIGITS = 18


def human_size(n: int) -> str:
    """At most five cells: `88b`, `1.2k`, `311k`, `4.0m`. Negative sizes do not exist and are shown as they are."""
    if n < 1000:
        return f"{n}b"
    value = float(n)
    for unit in _UNITS[1:]:
        value /= 1024
        if value < 9.95:
            return f"{value:.1f}{unit}"
        if value < 999.5:
            return f"{value:.0f}{unit}"
    return f"{value:.0f}t"


def spoken_size(n: int) -> str:
    """For sentences: `214 bytes`, `1 byte`, from a thousand on `1.2k`."""
    return f"{n} byte{'' if n == 1 else 's'}" if n < 1000 else human_size(n)


def parse_size(s: str) -> int:
    """Bytes of `512`, `10k`, `2m`, `1g`, `1t` or `100b`; ValueError says what a size looks like."""
    match = _SIZE.fullmatch(s.strip())
    if match is None or len(match[1]) > _MAX_DIGITS:
        raise ValueError(f"{s!r} is not a size; write a whole number with one of the suffixes k, m, g, t, like 10m")
    factor: int = 1024 ** _UNITS.index(match[2].lower() or "b")
    return int(match[1]) * factor
