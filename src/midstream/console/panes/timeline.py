"""The timeline column of the flow list: one bar per row, by what rows say and never by flows, which may be on disk.

`=` waiting for the answer, `#` receiving, `‖` held, `x` failed, `…` not over yet. The visible rows share one axis of
time, or with `row` each bar begins at the left and only lengths compare. Painted anew for each frame, because the axis
follows what is visible; a few microseconds per row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from midstream.text.times import clock, human_duration

if TYPE_CHECKING:
    from midstream.store.rows import Row

# An axis shorter than this would show noise as differences.
_SHORTEST_AXIS = 0.05

MODES = ("off", "row", "axis")


class Axis(NamedTuple):
    """The time that the column spans, in seconds since the epoch; if it is not shared, each row begins its own."""

    start: float
    end: float
    is_shared: bool = True


def axis_of(rows: Iterable[Row], now: float, is_shared: bool = True) -> Axis:
    """From the first start to the last end of these rows; or as long as the longest of them."""
    start, end, longest = float("inf"), 0.0, 0.0
    for row in rows:
        over = _end(row, now)
        start, end, longest = min(start, row.created), max(end, over), max(longest, over - row.created)
    if not is_shared:
        return Axis(0.0, max(longest, _SHORTEST_AXIS), is_shared=False)
    if end <= 0.0:
        return Axis(now - _SHORTEST_AXIS, now)
    return Axis(start, max(end, start + _SHORTEST_AXIS))


def heading(axis: Axis, cells: int) -> str:
    """`timeline 14:02:07 .. :12`, with as much of it as fits."""
    if not axis.is_shared:
        return f"timeline 0 .. {human_duration(axis.end)}"
    start, end = clock(axis.start), clock(axis.end)
    span = axis.end - axis.start
    if span > 3600 or start == end:
        end = f"+{human_duration(span)}"
    elif start[:6] == end[:6]:
        end = end[5:]
    elif start[:3] == end[:3]:
        end = end[2:]
    words = f"{start} .. {end}"
    return f"timeline {words}" if len(words) + 9 <= cells else words


def bar(row: Row, axis: Axis, cells: int, now: float) -> str:
    """The bar of one row, `cells` wide, its first cell being the axis line."""
    room = cells - 1
    if room < 4:
        return " " * cells
    if not axis.is_shared:
        axis = Axis(row.created, row.created + axis.end)
    span = axis.end - axis.start
    scale = room / span if span > 0 else 0.0  # times of files may be so large that a second more is the same
    begin = _cell(row.created, axis, scale, room - 1)
    end = max(_cell(_end(row, now), axis, scale, room), begin + 1)
    middle = end if row.waited is None else min(max(_cell(row.created + row.waited, axis, scale, room), begin), end)
    drawn = "=" * (middle - begin) + "#" * (end - middle)
    if row.held:
        drawn = drawn[:1] + "‖" * (len(drawn) - 1) if len(drawn) > 1 else "‖"
    elif row.failed:
        drawn = drawn[:1] + "x" * (len(drawn) - 1) if len(drawn) > 1 else "x"
    elif row.live and row.duration is None:
        drawn = drawn[:-1] + "…"
    return "|" + " " * begin + drawn + " " * (room - end)


def _end(row: Row, now: float) -> float:
    if row.duration is not None:
        return row.created + row.duration
    return max(now, row.created) if row.live else row.created


def _cell(moment: float, axis: Axis, scale: float, last: int) -> int:
    cell = (moment - axis.start) * scale
    return int(min(cell, last)) if cell > 0 else 0  # of infinite times it may be NaN
