"""The timeline column of the flow list: one bar per row, by what rows say and never by flows, which may be on disk.

`=` waiting for the answer, `#` receiving, `‖` held, `x` failed, `…` not over yet. The visible rows share one axis of
time, or with `row` each bar begins at the left and only lengths compare. Long pauses, in which nothing was under way,
are short on the axis, and `:` stands there. Painted anew for each frame, because the axis follows what is visible; a
few microseconds per row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from midstream.console.panes.failure_words import is_fault
from midstream.text.times import clock, human_duration

if TYPE_CHECKING:
    from midstream.store.rows import Row

# An axis shorter than this would show noise as differences.
_SHORTEST_AXIS = 0.05

# All pauses together are at most so long, for each second in which something was under way.
_FOR_PAUSES = 0.5
_PAUSE = ":"

MODES = ("off", "row", "axis")


class Pause(NamedTuple):
    """Seconds in which nothing was under way. `cut` of them are left out, and `before` of the pauses before it."""

    begin: float
    end: float
    cut: float
    before: float


class Axis(NamedTuple):
    """The time that the column spans, in seconds since the epoch; if it is not shared, each row begins its own.

    `pauses` are those that are shown shorter than they were, each as `kept` seconds.
    """

    start: float
    end: float
    is_shared: bool = True
    pauses: tuple[Pause, ...] = ()
    kept: float = 0.0

    def at(self, moment: float) -> float:
        """How far from the start it is shown, in seconds."""
        seconds = moment - self.start
        if self.pauses and (after := bisect_right(self.pauses, moment, key=_begin)):
            begin, end, cut, before = self.pauses[after - 1]
            seconds -= before + (cut if moment >= end else cut * (moment - begin) / (end - begin))
        return seconds


def axis_of(rows: Iterable[Row], now: float, is_shared: bool = True) -> Axis:
    """From the first start to the last end of these rows; or as long as the longest of them."""
    start, end, longest = float("inf"), 0.0, 0.0
    busy: list[tuple[float, float]] = []
    for row in rows:
        over = _end(row, now)
        start, end, longest = min(start, row.created), max(end, over), max(longest, over - row.created)
        # A connection that stays open says nothing of when something happened.
        busy += [(row.created, row.created), (over, over)] if _stays_open(row) else [(row.created, over)]
    if not is_shared:
        return Axis(0.0, max(longest, _SHORTEST_AXIS), is_shared=False)
    if end <= 0.0:
        return Axis(now - _SHORTEST_AXIS, now)
    return Axis(start, max(end, start + _SHORTEST_AXIS), True, *_pauses(sorted(busy)))


def _pauses(busy: Sequence[tuple[float, float]]) -> tuple[tuple[Pause, ...], float]:
    """The pauses to shorten, and to how much: the longest ones, all to the same, so that bars have room enough."""
    gaps: list[tuple[float, float]] = []
    seconds, until = 0.0, busy[0][0]
    for begin, end in busy:
        if begin > until:
            gaps.append((until, begin))
        seconds += max(end - max(begin, until), 0.0)
        until = max(until, end)
    room = max(seconds, _SHORTEST_AXIS) * _FOR_PAUSES
    lengths = sorted(end - begin for begin, end in gaps)
    for number, length in enumerate(lengths):
        kept = room / (len(lengths) - number)
        if length > kept:
            break
        room -= length
    else:
        return (), 0.0
    pauses: list[Pause] = []
    before = 0.0
    for begin, end in gaps:
        if (cut := end - begin - kept) > 0:
            pauses.append(Pause(begin, end, cut, before))
            before += cut
    return tuple(pauses), kept


def _stays_open(row: Row) -> bool:
    return row.kind in ("ws", "tcp", "udp") or row.content_type == "text/event-stream"


def _begin(pause: Pause) -> float:
    return pause.begin


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


def bar(row: Row, axis: Axis, width: int, now: float) -> str:
    """The bar of one row, `width` cells wide, its first cell being the axis line."""
    room = width - 1
    if room < 4:
        return " " * width
    if not axis.is_shared:
        axis = Axis(row.created, row.created + axis.end)
    span = axis.at(axis.end)
    scale = room / span if span > 0 else 0.0  # times of files may be so large that a second more is the same
    begin = _cell(axis.at(row.created) * scale, room - 1)
    end = max(_cell(axis.at(_end(row, now)) * scale, room), begin + 1)
    middle = end
    if row.waited is not None:
        middle = min(max(_cell(axis.at(row.created + row.waited) * scale, room), begin), end)
    drawn = "=" * (middle - begin) + "#" * (end - middle)
    if row.held:
        drawn = drawn[:1] + "‖" * (len(drawn) - 1) if len(drawn) > 1 else "‖"
    elif row.failed and is_fault(row.failed, row.content_type):
        drawn = drawn[:1] + "x" * (len(drawn) - 1) if len(drawn) > 1 else "x"
    elif row.live and row.duration is None:
        drawn = drawn[:-1] + "…"
    cells = list("|" + " " * begin + drawn + " " * (room - end))
    if axis.kept * scale >= 1:  # else there is no room to say so
        for pause in axis.pauses:
            at = 1 + _cell((axis.at(pause.begin) + axis.kept / 2) * scale, room - 1)
            if cells[at] == " ":
                cells[at] = _PAUSE
    return "".join(cells)


def _end(row: Row, now: float) -> float:
    if row.duration is not None:
        return row.created + row.duration
    return max(now, row.created) if row.live else row.created


def _cell(cell: float, last: int) -> int:
    return int(min(cell, last)) if cell > 0 else 0  # of infinite times it may be NaN
