"""Failed TLS with clients: one line in the log and one row, which count, however often a client tries again.

An app that pins certificates tries for hours. The first failure is a flow as any other; it counts those like it, whose
own flows carry the mark FOLDED in their metadata. Whoever lists or prints flows passes those by, and takes the mark off
one whose first is no longer there: the next are folded into that one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.hub import ctx
from midstream.hub.repeats import MOST, QUIET, is_news
from midstream.text.url import hostport

logger = logging.getLogger("midstream.tls")

FOLDED = "folded_into"


def is_folded(flow: Flow) -> bool:
    """Whether the flow is counted by an earlier one, which is there in its place."""
    return FOLDED in flow.metadata


@dataclass(slots=True)
class _Repeated:
    first: Flow
    last: Flow
    count: int
    at: float


class TlsFailures:
    """The addon; see the module."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._now = clock
        self._known: dict[tuple[str, str, str], _Repeated] = {}

    def http_connect_error(self, flow: HTTPFlow) -> None:
        """In a tunnel."""
        self._note(flow, hostport("", flow.request.host, flow.request.port))

    def tcp_start(self, flow: TCPFlow) -> None:
        """Where there is no CONNECT: such a flow begins with its error."""
        if flow.error is not None:
            address = flow.server_conn.address
            self._note(flow, hostport("", *address) if address is not None else "")

    def _note(self, flow: Flow, target: str) -> None:
        client, error = flow.client_conn, flow.error
        if error is None or client.error != error.msg:
            return  # something else went wrong
        key = (client.peername[0], target, error.msg)
        now = self._now()
        known = self._known.pop(key, None)
        about = f"{target}: {error.msg}" if target else error.msg
        if known is not None and known.last is not known.first and not is_folded(known.last):
            known.first, known.count = known.last, 1
        if known is None or now - known.at > QUIET:
            known = _Repeated(flow, flow, 1, now)
            logger.warning("%s", about, extra={"client": client.peername})
        else:
            self._fold(flow, known, now, about)
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[key] = known

    def _fold(self, flow: Flow, known: _Repeated, now: float, about: str) -> None:
        assert flow.error is not None
        known.last, known.at, known.count = flow, now, known.count + 1
        flow.metadata[FOLDED] = known.first.id
        known.first.error = Error(f"{known.count} times: {flow.error.msg}")
        ctx.master.addons.trigger("update", [known.first])
        if is_news(known.count):
            logger.warning(
                "%d times by now: %s", known.count, about, extra={"client": flow.client_conn.peername, "flow": flow.id}
            )
