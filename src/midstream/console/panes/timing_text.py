"""The timing tab of the detail pane: where the time of an exchange went, as bars on one axis, and the moments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from midstream.console.panes.facts import blank, facts, heading, sentence
from midstream.console.widgets.canvas import Run
from midstream.console.widgets.pieces import Piece
from midstream.flows.dns import DNSFlow
from midstream.flows.http import HTTPFlow
from midstream.text.times import clock, human_duration

if TYPE_CHECKING:
    from midstream.flows.flow import Flow

_NAME = 16  # cells
_NUMBER = 8
_LEAST_BAR = 10
_MOST_BAR = 120
# An axis shorter than this would show noise as differences.
_SHORTEST = 0.001
_TICKS = (1, 2, 5)
_LATEST = 1e11  # seconds; the year 5138
_HELD = "‖"


class Phase(NamedTuple):
    """A part of the exchange; `end` is None while it goes on. `sign` is what its bar is made of."""

    name: str
    start: float
    end: float | None
    sign: str
    role: str


def timing_pieces(flow: Flow, now: float, columns: int) -> list[Piece]:
    """The bars, what they leave out, and the moments one by one."""
    known = (phase for phase in phases_of(flow) if _is_time(phase.start) and _is_time(phase.end or 0.0))
    phases = sorted(known, key=lambda phase: phase.start)
    now = now if _is_time(now) else 0.0
    moments = heading("Moments")
    if not phases:
        return [sentence("Nothing is known of its times.", "dim"), blank(), moments, *facts(times(flow))]
    start = phases[0].start
    end = max(start + _SHORTEST, *(phase.end if phase.end is not None else now for phase in phases))
    room = max(min(columns - _NAME - _NUMBER - 6, _MOST_BAR), _LEAST_BAR)
    pieces = [_axis(end - start, room), *(_row(phase, start, end, now, room) for phase in phases)]
    total = [("strong", f"{human_duration(end - start):>{_NUMBER}}")]
    pieces.append(Piece([("text", "  "), ("strong", f"{'all':<{_NAME}}")], total))
    if reused := list(_reused(flow)):
        pieces += [blank(), *(sentence(text, "dim") for text in reused)]
    return [*pieces, blank(), moments, *facts(times(flow))]


def _is_time(moment: float) -> bool:
    """Whether a clock may have shown it: times of files may be anything, also NaN."""
    return abs(moment) < _LATEST


def phases_of(flow: Flow) -> Iterator[Phase]:
    """What can be told of the time that an exchange took; what happened before it, on the same connections, is left
    out.
    """
    client, server, begins = flow.client_conn, flow.server_conn, flow.timestamp_start
    if not _is_before(client, begins):
        if client.timestamp_start and client.timestamp_tls_setup:
            yield Phase("client tls", client.timestamp_start, client.timestamp_tls_setup, "#", "live")
        elif client.timestamp_start and client.timestamp_start < begins:
            yield Phase("client connect", client.timestamp_start, begins, "#", "live")
    if server.timestamp_start and not _is_before(server, begins):
        yield Phase("server connect", server.timestamp_start, server.timestamp_tcp_setup, "#", "live")
        if server.timestamp_tcp_setup and server.timestamp_tls_setup:
            yield Phase("server tls", server.timestamp_tcp_setup, server.timestamp_tls_setup, "#", "live")
    if isinstance(flow, HTTPFlow):
        yield from _exchange(flow)
    elif isinstance(flow, DNSFlow):
        answered = flow.response.timestamp if flow.response is not None else None
        yield Phase("waiting", begins, answered or _given_up(flow), "=", "dim")
    else:
        yield Phase("open", begins, _given_up(flow) or _last_message(flow), "#", "status.2xx")


def _exchange(flow: HTTPFlow) -> Iterator[Phase]:
    request, response = flow.request, flow.response
    failed = _given_up(flow)
    yield Phase("request", request.timestamp_start, request.timestamp_end or failed, "#", "status.2xx")
    if request.timestamp_end:
        answered = response.timestamp_start if response is not None else failed
        asked = request.timestamp_end
        connected = flow.server_conn.timestamp_tls_setup or flow.server_conn.timestamp_tcp_setup
        if connected and answered and asked < connected < answered:
            asked = connected  # it waited for the connection before, which has bars of its own
        if answered is None and flow.intercepted:
            yield Phase("held", asked, None, _HELD, "held")
        else:
            yield Phase("waiting (ttfb)", asked, answered, "=", "dim")
    if response is not None and response.timestamp_start:
        ends = response.timestamp_end or failed
        yield Phase("receiving", response.timestamp_start, ends, "#", "status.2xx")
        if flow.websocket is not None:
            yield Phase("messages", response.timestamp_start, flow.websocket.timestamp_end, "#", "status.1xx")


def _given_up(flow: Flow) -> float | None:
    """When it ended without being done."""
    if flow.error is not None and flow.error.timestamp:
        return flow.error.timestamp
    return None if flow.live else flow.timestamp_start


def _last_message(flow: Flow) -> float | None:
    messages = getattr(flow, "messages", ())
    return messages[-1].timestamp if messages and not flow.live else None


def _is_before(connection: object, begins: float) -> bool:
    """Whether a connection stood before the exchange began: it is used again."""
    ready = [getattr(connection, name, None) for name in ("timestamp_tls_setup", "timestamp_tcp_setup")]
    done = max((moment for moment in ready if moment), default=None)
    started = getattr(connection, "timestamp_start", None)
    if done is None:
        return bool(started and begins - started > 1)
    return bool(begins - done > 1)


def _reused(flow: Flow) -> Iterator[str]:
    for name, connection in (("client", flow.client_conn), ("server", flow.server_conn)):
        started = connection.timestamp_start
        if started and _is_before(connection, flow.timestamp_start):
            ago = human_duration(flow.timestamp_start - started)
            yield f"The {name} connection was used again: it was opened {ago} before."


def _axis(seconds: float, room: int) -> Piece:
    """The numbers above the bars, as round as they can be."""
    step = _round_step(seconds, room)
    unit, scale = ("s", 1) if seconds >= 1 else ("ms", 1000)
    line = ""
    moment = 0.0
    while moment <= seconds + step / 1000:
        label = f"{moment * scale:g}" if moment else f"0 {unit}"
        # The last one ends where the bars do: beyond that it would be wrapped.
        at = min(int(room * moment / seconds), room + 1 - len(label))
        if not line or at > len(line):
            line = line.ljust(at) + label
        moment += step
    return Piece([("title", f"  {'Timing':<{_NAME}}"), ("text", " " * (_NUMBER + 2))], [("dim", line)])


def _round_step(seconds: float, room: int) -> float:
    most = max(room // 10, 1)
    step = 0.0001
    while True:
        for factor in _TICKS:
            if seconds / (step * factor) <= most:
                return step * factor
        step *= 10


def _row(phase: Phase, start: float, end: float, now: float, room: int) -> Piece:
    goes_on = phase.end is None
    until = max(phase.end if phase.end is not None else now, phase.start)
    scale = room / (end - start)
    first = min(int((phase.start - start) * scale), room - 1)
    last = min(max(round((until - start) * scale), first + 1), room)
    bar = phase.sign * (last - first)
    if goes_on and phase.sign != _HELD:
        bar = bar[:-1] + "…"
    took = human_duration(until - phase.start)
    runs: list[Run] = [
        ("strong", f"{took:>{_NUMBER}}"),
        ("border", "  |" + " " * first),
        (phase.role, bar),
        ("border", " " * (room - last) + "|"),
    ]
    return Piece([("text", "  "), ("text", f"{phase.name:<{_NAME}}")], runs)


def times(flow: Flow) -> Iterator[tuple[str, str]]:
    """Every moment that is known, in order."""
    moments: list[tuple[str, float | None]] = [
        ("client connected", flow.client_conn.timestamp_start),
        ("client tls ready", flow.client_conn.timestamp_tls_setup),
        ("server connecting", flow.server_conn.timestamp_start),
        ("server connected", flow.server_conn.timestamp_tcp_setup),
        ("server tls ready", flow.server_conn.timestamp_tls_setup),
    ]
    if isinstance(flow, HTTPFlow):
        moments += [("request begins", flow.request.timestamp_start), ("request ends", flow.request.timestamp_end)]
        if flow.response is not None:
            moments += [
                ("response begins", flow.response.timestamp_start),
                ("response ends", flow.response.timestamp_end),
            ]
        if flow.websocket is not None:
            moments.append(("websocket closed", flow.websocket.timestamp_end))
    if flow.error is not None:
        moments.append(("failed", flow.error.timestamp))
    start = flow.timestamp_start
    for name, moment in sorted(((n, m) for n, m in moments if m), key=lambda pair: pair[1]):
        yield name, f"{clock(moment)}  {_offset(moment - start)}"


def _offset(seconds: float) -> str:
    if not seconds:
        return "the flow begins"
    return f"{human_duration(abs(seconds))} {'later' if seconds > 0 else 'before'}"
