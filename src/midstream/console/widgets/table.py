"""Columns of a table, and which of them there is room for.

A list pane declares its columns once and asks `lay_out` at each width; `TableRow` puts cell texts under each other. It
does not scroll (that is `scroll.Scroll`) and does not know what the cells say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Run


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `width` in cells, 0 for the one column that takes the rest.

    `shown_from` is the width of the pane from which there is room for it: columns drop in a fixed order, and none jumps
    because another one grew. `gap` are the spaces before it.
    """

    name: str
    title: str
    width: int = 0
    align: str = "left"
    shown_from: int = 0
    gap: int = 1


class Placed(NamedTuple):
    """A column that is shown, and its cells."""

    name: str
    title: str
    cells: int
    align: str
    gap: int


@lru_cache(64)
def lay_out(columns: tuple[Column, ...], width: int, grown: tuple[tuple[str, int], ...] = ()) -> tuple[Placed, ...]:
    """The columns that fit into `width` cells, from the left. `grown` widens columns by name (numbers get longer)."""
    wider = dict(grown)
    shown = [column for column in columns if column.shown_from <= width]
    fixed = sum(column.gap + max(column.width, wider.get(column.name, 0)) for column in shown)
    rest = max(width - fixed, 0)
    return tuple(
        Placed(
            column.name,
            column.title,
            max(column.width, wider.get(column.name, 0)) if column.width else rest,
            column.align,
            column.gap,
        )
        for column in shown
    )


def heading(layout: Sequence[Placed], role: str = "title") -> list[Run]:
    """The row of column titles."""
    return [(role, " " * placed.gap + cells.fit(placed.title, placed.cells, placed.align, "")) for placed in layout]


def row(layout: Sequence[Placed], texts: Mapping[str, Run | Sequence[Run]], fill: str = "text") -> list[Run]:
    """The runs of one row: for each column a run, or several that share its cells."""
    runs: list[Run] = []
    gap = 0
    for placed in layout:
        gap += placed.gap
        if placed.cells <= 0:
            continue
        if gap:
            runs.append((fill, " " * gap))
            gap = 0
        cell = texts.get(placed.name, (fill, ""))
        if isinstance(cell, tuple) and isinstance(cell[0], str):
            runs.append((cell[0], cells.fit(str(cell[1]), placed.cells, placed.align)))
        else:
            runs.extend(fit_runs(cell, placed.cells, fill))  # type: ignore[arg-type]
    return runs


def fit_runs(runs: Sequence[Run], room: int, fill: str = "text") -> list[Run]:
    """Several runs clipped and padded to `room` cells together, with an ellipsis where they were cut."""
    fitted: list[Run] = []
    for number, (role, text) in enumerate(runs):
        text = cells.prepare(text)
        more = any(later for _, later in runs[number + 1 :])
        size = cells.width(text)
        if size > room or (size == room and more):
            if room == 1:  # one sign of it would look like all of it
                text = cells.prepare(cells.ELLIPSIS)
            text, size = cells.clip(text + " " if more else text, room, cells.ELLIPSIS)
            fitted.append((role, text))
            room -= size
            more = False
            break
        fitted.append((role, text))
        room -= size
    if room > 0:
        fitted.append((fill, " " * room))
    return fitted
