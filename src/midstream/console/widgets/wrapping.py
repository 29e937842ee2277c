"""Lines of runs laid out for a `TextViewer`: cut into rows, shifted sideways, and places in them in other roles.

The texts are prepared (cells.py) where cells are counted. Nothing here knows where a row comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import wcwidth

from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run

Place = tuple[int, int, str]
"""Start, end and role of a part of a text."""


def wrapped(runs: Line, width: int, words: bool = False) -> list[list[Run]]:
    """Prepared runs cut into rows of at most `width` cells, between `words` if they can; at least one row."""
    rows: list[list[Run]] = [[]]
    room = width
    for role, text in runs:
        if text.isascii():
            start = 0
            while start < len(text):
                if room <= 0:
                    rows.append([])
                    room = width
                part = text[start : start + room]
                start += len(part)
                room -= len(part)
                if words and not room and start < len(text) and " " in part.strip():
                    kept = part[: part.rindex(" ") + 1]
                    start -= len(part) - len(kept)
                    part = kept
                rows[-1].append((role, part))
            continue
        part = ""
        for cluster in wcwidth.iter_graphemes(text):
            size = wcwidth.width(cluster, control_codes="ignore")
            if size > room:
                rows[-1].append((role, part))
                rows.append([])
                part, room = "", width
            part += cluster
            room -= size
        if part:
            rows[-1].append((role, part))
    return rows


def skipped(runs: Line, left: int) -> list[Run]:
    """Prepared runs without their first cells."""
    kept: list[Run] = []
    for role, text in runs:
        size = cells.width(text)
        if left >= size:
            left -= size
            continue
        kept.append((role, cells.skip(text, left)))
        left = 0
    return kept


def painted_over(runs: Line, over: Sequence[Place]) -> list[Run]:
    """The same text with some places in another role. Places are in order, may go across runs, and do not overlap."""
    if not over:
        return list(runs)
    marked: list[Run] = []
    at = first = 0
    for role, text in runs:
        position = 0
        while first < len(over) and over[first][1] <= at:  # a line may have very many runs and places
            first += 1
        for start, end, other in islice(over, first, None):
            if start >= at + len(text):
                break
            low, high = max(start - at, position), min(end - at, len(text))
            if low < high:
                marked += [(role, text[position:low]), (other, text[low:high])]
                position = high
        marked.append((role, text[position:]))
        at += len(text)
    return [run for run in marked if run[1]]


def length(runs: Line) -> int:
    """Characters of all runs."""
    return sum(len(text) for _, text in runs)
