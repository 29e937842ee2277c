"""The timeline column of the flow list: one bar per row on the time axis that the visible rows share.

`=` waiting for the answer, `#` receiving, `‖` held, `x` failed, `…` not over yet. Painted anew for each frame, because
the axis follows what is visible; a few microseconds per row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from midstream.flows.http import HTTPFlow

if TYPE_CHECKING:
    from midstream.flows.flow import Flow
    from midstream.store.rows import Row

# An axis shorter than this would show noise as differences.
_SHORTEST_AXIS = 0.05


class Axis(NamedTuple):
    """The time that the column spans, in seconds since the epoch."""

    start: float
    end: float


def axis_of(rows: Iterable[Row], now: float) -> Axis:
    """From the first start to the last end of these rows."""
    start, end = float("inf"), 0.0
    for row in rows:
        start = min(start, row.created)
        end = max(end, _end(row, now))
    if end <= 0.0:
        return Axis(now - _SHORTEST_AXIS, now)
    return Axis(start, max(end, start + _SHORTEST_AXIS))


def bar(row: Row, flow: Flow | None, axis: Axis, cells: int, now: float) -> str:
    """The bar of one row, `cells` wide, its first cell being the axis line."""
    room = cells - 1
    if room < 4:
        return " " * cells
    span = axis.end - axis.start
    scale = room / span if span > 0 else 0.0  # times of files may be so large that a second more is the same
    begin = _cell(row.created, axis, scale, room - 1)
    end = max(_cell(_end(row, now), axis, scale, room), begin + 1)
    first_byte = _first_byte(flow)
    middle = end if first_byte is None else min(max(_cell(first_byte, axis, scale, room), begin), end)
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


def _first_byte(flow: Flow | None) -> float | None:
    if isinstance(flow, HTTPFlow) and flow.response is not None:
        return flow.response.timestamp_start
    return None
