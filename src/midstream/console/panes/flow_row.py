"""One row of the flow list: what each column says, and in which role. flow_paint.py paints these.

Everything here comes from a `store.rows.Row`, never from the flow, and passes `visible` on its way. Which columns there
are is in flow_columns.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from midstream.console.panes.failure_words import failure_word, is_fault
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Run
from midstream.hub.markers import DEFAULT, glyph
from midstream.text.escape import visible
from midstream.text.sizes import human_size
from midstream.text.times import NO_CLOCK, clock, human_duration

if TYPE_CHECKING:
    from midstream.store.rows import Row

Show = Callable[[str], str]
Cell = Run | list[Run]


class Sight(NamedTuple):
    """What cells need to know beside the row: the time, what may be shown of a text, and the room for an address."""

    now: float
    show: Show = str
    url_cells: int = 80


_WIDE_URL: Final = 40  # cells
_LEAST_REASON: Final = 14
_WRITING: Final = frozenset({"POST", "PUT", "PATCH"})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
# RFC 1035 §4.1.1: no such name, a server that failed, refused, and so on.
_DNS_CODES = {0: "ok", 1: "form", 2: "fail", 3: "nx", 4: "impl", 5: "deny"}
_HELD_CODES: Final = {"request": "‖req", "response": "‖res", "message": "‖msg"}
_LONG_TYPES: Final = {
    "javascript": "js",
    "x-javascript": "js",
    "ecmascript": "js",
    "plain": "text",
    "octet-stream": "binary",
    "x-www-form-urlencoded": "form",
    "form-data": "form",
    "event-stream": "events",
    "svg+xml": "svg",
    "problem+json": "json",
    "vnd.api+json": "json",
    "manifest+json": "json",
    "x-protobuf": "proto",
    "protobuf": "proto",
    "vnd.google.protobuf": "proto",
    "msgpack": "mpack",
    "x-msgpack": "mpack",
    "vnd.msgpack": "mpack",
    "dns-message": "dns",
    "markdown": "md",
    "grpc": "grpc",
}
_SECURE: Final = {"http": "ws", "https": "wss"}
_PRESENT_NAMES: Final = {"http": "http", "ws": "ws", "tcp": "tcp", "udp": "udp", "dns": "dns"}


def marks(row: Row, focused: bool = False) -> Run:
    """The two most important signs of a row; `>` takes the place of one while the row has the focus."""
    signs = _signs(row)
    role = signs[0][1] if signs else "text"
    if focused:
        return role, (">" + "".join(sign for sign, _ in signs[:1])).ljust(2)
    if len(signs) == 1 and row.marked:
        picture = _glyph(row.marked)
        if cells.measure(picture) == 2:
            return role, picture
    return role, "".join(sign for sign, _ in signs[:2]).ljust(2)


def _signs(row: Row) -> list[tuple[str, str]]:
    signs: list[tuple[str, str]] = []
    if row.marked:
        # A name of one character is a place to go to: `'a`.
        signs.append((row.marked if len(row.marked) == 1 and row.marked.isalnum() else "*", "marked"))
    if row.held:
        signs.append(("‖", "held"))
    if has_failed(row):
        signs.append(("!", "failed"))
    if row.modified:
        signs.append(("E", "edited"))
    if row.replay:
        signs.append(("R", "replayed"))
    if row.shared.answered:
        signs.append(("A", "replayed"))
    if row.kind == "ws":
        signs.append(("W", "method.other"))
    return signs


def _glyph(marker: str) -> str:
    """The picture of a mark such as `:dog:` where the terminal has it, else a star."""
    if len(marker) < 3 or marker == DEFAULT or not cells.unicode_terminal():
        return "*"
    return glyph(marker)


def method(row: Row) -> Run:
    """GET, POST … or the name of the protocol."""
    if row.kind in ("tcp", "udp", "dns"):
        return "method.other", row.kind.upper()
    name = visible(row.method)
    if name in _READING:
        return "method", name
    if name in _WRITING:
        return "method.write", name
    return ("method.delete" if name == "DELETE" else "method.other"), name


def address(row: Row, show: Show) -> list[Run]:
    """Host, path and query."""
    path, query = _split_query(show(row.path))
    return [("host", _place(row)), ("path", visible(path)), ("query", visible(query))]


def url(row: Row, failure_room: int, show: Show) -> list[Run]:
    """Host and path; behind them the reason of a failure, for which the rest gives way."""
    runs = address(row, show)
    if not has_failed(row):
        return runs
    reason = "  " + visible(without_host(show(row.failed), row.host))
    # The reason keeps a share of a wide column; a narrow one is for the address: which request failed says more than
    # half a reason, and the column beside it has that in a word.
    share = failure_room // 3 if failure_room >= _WIDE_URL else 0
    if not share and sum(len(text) for _, text in runs) + _LEAST_REASON > failure_room:
        return runs
    room = max(failure_room - min(len(reason), share), 0)
    kept: list[Run] = []
    for role, text in runs:
        if len(text) > room:
            text = text[: max(room - 1, 0)] + "…" if room else ""
        kept.append((role, text))
        room -= len(text)
        if room <= 0:
            break
    return [*kept, ("failed", reason)]


def has_failed(row: Row) -> bool:
    """Whether its end is a fault, and no stream that was closed by who had opened it."""
    return bool(row.failed) and is_fault(row.failed, row.content_type)


def without_host(reason: str, host: str) -> str:
    """A reason that begins with the server's address, which the row shows already, without it."""
    rest = reason.removeprefix(host)
    if not host or rest == reason or not rest.startswith((":", " ")):
        return reason
    if rest.startswith(":"):
        rest = rest[1:].lstrip("0123456789")
    return rest.lstrip(": ") or reason


def code(row: Row) -> Run:
    """The status, what holds the flow, or that it failed or is still on its way."""
    if row.held:
        return "held", _HELD_CODES[row.held]
    if has_failed(row):
        # The 200 of a CONNECT is ours: it says nothing about what failed afterwards.
        return "failed", "ERR" if row.status is None or row.method == "CONNECT" else str(row.status)
    if row.status is None:
        if row.live:
            return "live", "…"
        return "dim", "-"
    if row.kind == "dns":
        return ("status.2xx" if row.status == 0 else "status.4xx"), _DNS_CODES.get(row.status, str(row.status))
    family = row.status // 100
    return (f"status.{family}xx" if 1 <= family <= 5 else "status.5xx"), str(row.status)


def kind(row: Row) -> Run:
    """What the body is, what DNS was asked for, or why there is none, in at most six cells."""
    if row.kind == "dns" and row.content_type:
        return "dim", visible(row.content_type)
    if row.kind != "http":
        return "dim", _PRESENT_NAMES[row.kind]
    if row.failed and not row.content_type:
        return "failed", failure_word(row.failed)
    media = row.content_type.partition("/")[2]
    if row.refused:
        return "failed", f"grpc{row.refused:>2}"
    short = _LONG_TYPES.get(media)
    if short is None:
        short = media.rpartition("+")[2].removeprefix("x-").removeprefix("vnd.")
    return "dim", visible(short)


def size(row: Row) -> Run:
    """Bytes of the body, messages of a websocket; a plus while it may grow."""
    if row.kind == "ws":
        return "dim", f"{row.messages}msg" if row.messages < 100 else f"{row.messages}"
    if row.shared.unkept:
        # It passed through and was not kept: all that is known is what was announced.
        return "dim", "~" + (human_size(row.size) if row.size else "")
    if not row.size:
        return "dim", "-"
    text = human_size(row.size)
    return "dim", text + "+" if _grows(row) and len(text) < 5 else text


def _grows(row: Row) -> bool:
    """Whether more may come: not to a request that waits for its answer, nor to what is held as a whole."""
    if not row.live or row.duration is not None or row.held in ("request", "response"):
        return False
    return row.waited is not None or row.kind in ("tcp", "udp")


def duration(row: Row, now: float) -> Run:
    """Milliseconds without a unit, longer times with one; for a flow in flight the time until now."""
    seconds = row.duration
    if seconds is None:
        if not row.live:
            return "dim", "-"
        seconds = max(now - row.created, 0.0)
    return ("live" if row.duration is None else "dim"), human_duration(seconds).removesuffix("ms")


def texts(row: Row, names: Iterable[str], sight: Sight) -> dict[str, Cell]:
    """The cells of these columns."""
    return {name: CELLS[name](row, sight) for name in names}


def is_ticking(row: Row) -> bool:
    """Whether the row changes by itself, since its flow is in flight."""
    return row.live and row.duration is None


def _split_query(path: str) -> tuple[str, str]:
    at = path.find("?")
    return (path, "") if at < 0 else (path[:at], path[at:])


def _date(moment: float) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.localtime(moment))
    except (OverflowError, OSError, ValueError):
        return "-"


def _to_the_millisecond(moment: float) -> str:
    shown = clock(moment)
    return f"{shown}.{int(moment % 1 * 1000):03}" if shown != NO_CLOCK else shown


def _marker(row: Row) -> Run:
    if not row.marked:
        return "text", ""
    picture = _glyph(row.marked)
    name = visible(row.marked).strip(":")
    return "marked", "*" if row.marked == DEFAULT else name if picture == "*" else f"{picture} {name}"


def _place(row: Row) -> str:
    host = visible(row.host)
    return f"{host}:{row.port}" if row.port else host


def _dim(text: str) -> Run:
    return "dim", visible(text)


CELLS: Final[dict[str, Callable[[Row, Sight], Cell]]] = {
    "marks": lambda row, sight: marks(row),
    "number": lambda row, sight: ("dim", str(row.number)),
    "time": lambda row, sight: ("dim", clock(row.created)),
    "date": lambda row, sight: ("dim", _date(row.created)),
    "started": lambda row, sight: ("dim", _to_the_millisecond(row.created)),
    "method": lambda row, sight: method(row),
    "url": lambda row, sight: url(row, sight.url_cells, sight.show),
    "scheme": lambda row, sight: _dim(_SECURE.get(row.scheme, row.scheme) if row.kind == "ws" else row.scheme),
    "host": lambda row, sight: ("host", _place(row)),
    "path": lambda row, sight: ("path", visible(sight.show(row.path))),
    "code": lambda row, sight: code(row),
    "type": lambda row, sight: kind(row),
    "size": lambda row, sight: size(row),
    "ms": lambda row, sight: duration(row, sight.now),
    "waited": lambda row, sight: ("dim", "-" if row.waited is None else human_duration(row.waited).removesuffix("ms")),
    "messages": lambda row, sight: ("dim", str(row.messages) if row.messages else "-"),
    "version": lambda row, sight: _dim(row.shared.version[:40]),
    "client": lambda row, sight: _dim(row.shared.client),
    "server": lambda row, sight: _dim(row.shared.server),
    "marker": lambda row, sight: _marker(row),
    "comment": lambda row, sight: ("text", visible(sight.show(row.shared.comment))),
    "answered": lambda row, sight: ("replayed", visible(row.shared.answered)),
    "replay": lambda row, sight: ("replayed", visible(row.replay)),
}
