"""One row of the flow list: which column says what, and in which role. The flow list pane paints these.

Everything here comes from a `store.rows.Row`, never from the flow, and passes `visible` on its way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from midstream.console.widgets.canvas import Run
from midstream.console.widgets.table import Column
from midstream.text.escape import visible
from midstream.text.sizes import human_size
from midstream.text.times import clock, human_duration

if TYPE_CHECKING:
    from midstream.store.rows import Row

# console.md §3.1: columns drop from the right in a fixed order; code, size and ms stay to the end.
COLUMNS: Final = (
    Column("marks", "", width=2, gap=0),
    Column("number", "#", width=3, align="right", gap=0),
    Column("time", "time", width=8, shown_from=76, gap=2),
    Column("method", "method", width=7, gap=2),
    Column("url", "host and path", gap=1),
    Column("code", "code", width=4, gap=2),
    Column("type", "type", width=6, shown_from=68),
    Column("size", "size", width=5, align="right"),
    Column("ms", "ms", width=5, align="right"),
    Column("timeline", "timeline", width=24, shown_from=110, gap=2),
)

Show = Callable[[str], str]

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
_PRESENT_NAMES: Final = {"http": "http", "ws": "ws", "tcp": "tcp", "udp": "udp", "dns": "dns"}


def marks(row: Row) -> Run:
    """The two most important signs of a row; the first alone while `>` takes the first cell."""
    signs: list[tuple[str, str]] = []
    if row.marked:
        signs.append(("*", "marked"))
    if row.held:
        signs.append(("‖", "held"))
    if row.failed:
        signs.append(("!", "failed"))
    if row.modified:
        signs.append(("E", "edited"))
    if row.replay:
        signs.append(("R", "replayed"))
    if row.kind == "ws":
        signs.append(("W", "method.other"))
    if not signs:
        return "text", "  "
    return signs[0][1], "".join(sign for sign, _ in signs[:2])


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


def url(row: Row, failure_room: int, show: Show) -> list[Run]:
    """Host and path; behind them the reason of a failure, for which the rest gives way."""
    host, path, query = visible(row.host), *_split_query(show(row.path))
    runs: list[Run] = [
        ("host", f"{host}:{row.port}" if row.port else host),
        ("path", visible(path)),
        ("query", visible(query)),
    ]
    if not row.failed:
        return runs
    reason = "  " + visible(_without_host(show(row.failed), row.host))
    # The reason keeps its share of the column; a long path gives way, since the detail pane has all of it. In a narrow
    # column the share is smaller: which request failed says more than half a reason.
    share = failure_room // (2 if failure_room >= 40 else 3)
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


def _without_host(reason: str, host: str) -> str:
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
    if row.failed:
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
    """What the body is, or what DNS was asked for, in at most six cells."""
    if row.kind == "dns" and row.content_type:
        return "dim", visible(row.content_type)
    if row.kind != "http":
        return "dim", _PRESENT_NAMES[row.kind]
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
    if not row.size:
        return "dim", "-"
    text = human_size(row.size)
    return "dim", text + "+" if row.live and row.duration is None and len(text) < 5 else text


def duration(row: Row, now: float) -> Run:
    """Milliseconds without a unit, longer times with one; for a flow in flight the time until now."""
    seconds = row.duration
    if seconds is None:
        if not row.live:
            return "dim", "-"
        seconds = max(now - row.created, 0.0)
    return ("live" if row.duration is None else "dim"), human_duration(seconds).removesuffix("ms")


def texts(row: Row, url_cells: int, now: float, show: Show = str) -> dict[str, Run | list[Run]]:
    """All cells of a row but the timeline, by column name; `show` is what may be shown of a text."""
    return {
        "marks": marks(row),
        "number": ("dim", str(row.number)),
        "time": ("dim", clock(row.created)),
        "method": method(row),
        "url": url(row, url_cells, show),
        "code": code(row),
        "type": kind(row),
        "size": size(row),
        "ms": duration(row, now),
    }


def is_ticking(row: Row) -> bool:
    """Whether the row changes by itself, since its flow is in flight."""
    return row.live and row.duration is None


def _split_query(path: str) -> tuple[str, str]:
    at = path.find("?")
    return (path, "") if at < 0 else (path[:at], path[at:])
