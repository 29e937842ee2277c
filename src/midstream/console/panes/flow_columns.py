"""The columns that the flow list can have, and which of them are shown at a width (option `console_columns`).

flow_paint.py asks for the columns of a list of names; the option's kind for what is wrong with a name. What a cell says
is in flow_row.py. Columns drop in a fixed order as the pane narrows, and by their declared widths, so that none jumps
because a number got longer: the timeline, columns that a person added from right to left, time, type, method, number,
and where there is room for hardly a word, ms and size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from midstream.console.widgets.table import Column
from midstream.hub.option_kinds import Kind
from midstream.text.suggest import did_you_mean


class Known(NamedTuple):
    """A column, what it shows in words, and the order that a click on its heading asks for ("" for none)."""

    column: Column
    means: str
    order: str = ""


MARKS: Final = Column("marks", "", width=2, gap=0)

_ALL: Final = (
    Known(Column("number", "#", 3, "right", gap=0), "the number of the row, in order of arrival", "time"),
    Known(Column("time", "time", 8, gap=2), "when it began", "time"),
    Known(Column("method", "method", 7, gap=2), "the method, or the protocol", "method"),
    Known(Column("url", "host and path"), "host and path, and why it failed; takes the room that is left", "url"),
    Known(Column("code", "code", 4, gap=2), "the status, or what holds the flow", "code"),
    Known(Column("type", "type", 6), "what the body is", "type"),
    Known(Column("size", "size", 5, "right"), "bytes of the body, or messages", "size"),
    Known(Column("ms", "ms", 5, "right"), "how long it took", "duration"),
    Known(Column("timeline", "timeline", 24, gap=2), "bars on a time axis; `t` changes them"),
    Known(Column("date", "date", 10), "the day on which it began", "time"),
    Known(Column("started", "started", 12), "when it began, to the millisecond", "time"),
    Known(Column("scheme", "scheme", 6), "https, ws, dns …", "url"),
    Known(Column("host", "host", 24), "the host alone", "host"),
    Known(Column("path", "path"), "the path alone; takes the room that is left, if `url` is not shown", "url"),
    Known(Column("version", "http", 8), "the version of HTTP"),
    Known(Column("client", "client", 15), "the address of the client"),
    Known(Column("server", "server", 15), "the address that was connected to"),
    Known(Column("waited", "wait", 5, "right"), "how long until the answer began"),
    Known(Column("messages", "msgs", 5, "right"), "messages of a WebSocket, TCP or UDP flow", "messages"),
    Known(Column("marker", "mark", 8), "the name of the mark"),
    Known(Column("comment", "comment", 20), "what somebody noted"),
    Known(Column("answered", "by", 8), "who answered in place of the server"),
    Known(Column("replay", "replay", 8), "whether request or answer were sent again"),
)
COLUMNS: Final = {known.column.name: known for known in _ALL}
DEFAULT: Final = ("number", "time", "method", "url", "code", "type", "size", "ms", "timeline")

# The cells that stay for the address before the next column goes: where two are left of it, time goes before type.
_LEAST: Final = {"timeline": 34, "time": 26, "type": 28, "method": 12, "number": 10, "ms": 12, "size": 12}
_OF_ANOTHER: Final = 26
_GOES_LAST: Final = ("time", "type", "method", "number", "ms", "size")
_STAYS: Final = frozenset({"url", "code"})
_FLEXIBLE: Final = ("url", "path")
_PATH_BESIDE_URL: Final = 24
WIDEST: Final = 200


def check(text: str) -> None:
    """ValueError for what is no column: `name` or `name:cells`."""
    name, colon, cells = text.strip().partition(":")
    if name not in COLUMNS:
        hint = did_you_mean(name, COLUMNS) or f"; there are {', '.join(COLUMNS)}"
        raise ValueError(f"there is no column {name!r}{hint}")
    if colon and not (cells.isascii() and cells.isdigit() and len(cells) < 4 and 1 <= int(cells) <= WIDEST):
        raise ValueError(f"{text!r}: the width of a column is a number from 1 to {WIDEST}, as in {name}:12")


def complete(text: str) -> list[str]:
    """The names that begin so."""
    return [name for name in COLUMNS if name.startswith(text)]


KIND: Final = Kind("column", check=check, complete=complete)


@lru_cache(16)
def columns_of(texts: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns in this order, signs first, each with the width of the pane from which it is shown."""
    wanted: dict[str, Column] = {}
    for text in texts or DEFAULT:
        name, _, width = text.strip().partition(":")
        column = COLUMNS[name].column
        wanted[name] = replace(column, width=int(width)) if width else column
    if "url" in wanted and "path" in wanted and not wanted["path"].width:
        wanted["path"] = replace(wanted["path"], width=_PATH_BESIDE_URL)
    columns = [MARKS, *wanted.values()]
    room = sum(column.gap + column.width for column in columns)
    shown_from: dict[str, int] = {}
    for name in _dropping(list(wanted)):
        column = wanted[name]
        least = _LEAST.get(name, _OF_ANOTHER) if any(not each.width for each in wanted.values()) else 0
        shown_from[name] = room + least
        room -= column.gap + column.width
    return tuple(replace(column, shown_from=shown_from.get(column.name, 0)) for column in columns)


def _dropping(names: Sequence[str]) -> list[str]:
    """The columns that may go, the first to go first."""
    flexible = next((name for name in _FLEXIBLE if name in names), "")
    fixed = {"timeline", *_GOES_LAST, *_STAYS, flexible}
    others = [name for name in reversed(names) if name not in fixed]
    first = [name for name in ("timeline",) if name in names]
    return [*first, *others, *(name for name in _GOES_LAST if name in names)]
