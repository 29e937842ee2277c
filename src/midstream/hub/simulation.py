"""The events that a recorded flow caused, to send it past the addons once more.

Used by `Master.load_flow` (reading files) and `script.run`. Nothing goes over the network here: sending a request again
is replay, another thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from midstream.flows.dns import DNSFlow
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.flows.udp import UDPFlow
from midstream.hub.events import Event


def happenings(flow: Flow) -> Iterator[Event]:
    """The events of `flow` in their order. Messages arrive one by one, so that the newest is `messages[-1]`."""
    match flow:
        case HTTPFlow():
            yield from _http(flow)
        case TCPFlow() | UDPFlow():
            yield from _raw(flow)
        case DNSFlow():
            yield Event("dns_request", (flow,))
            if flow.response is not None:
                yield Event("dns_response", (flow,))
            if flow.error is not None:
                yield Event("dns_error", (flow,))


def _http(flow: HTTPFlow) -> Iterator[Event]:
    yield Event("requestheaders", (flow,))
    yield Event("request", (flow,))
    if flow.response is not None:
        yield Event("responseheaders", (flow,))
        if flow.error is None:
            yield Event("response", (flow,))
    if flow.websocket is not None:
        with _growing(flow.websocket) as arriving:
            yield Event("websocket_start", (flow,))
            for _ in arriving:
                yield Event("websocket_message", (flow,))
        yield Event("websocket_end", (flow,))
    elif flow.error is not None:
        yield Event("error", (flow,))


def _raw(flow: TCPFlow | UDPFlow) -> Iterator[Event]:
    kind = flow.type
    with _growing(flow) as arriving:
        yield Event(f"{kind}_start", (flow,))
        for _ in arriving:
            yield Event(f"{kind}_message", (flow,))
    yield Event(f"{kind}_error" if flow.error is not None else f"{kind}_end", (flow,))


@contextmanager
def _growing(holder: Any) -> Iterator[Iterator[object]]:
    """Let `holder.messages` be empty and grow again with each step. At the end the rest is put back."""
    coming: Iterator[object] = iter(holder.messages)
    arrived: list[object] = []
    holder.messages = arrived

    def arriving() -> Iterator[object]:
        for message in coming:
            arrived.append(message)
            yield message

    try:
        yield arriving()
    finally:
        arrived.extend(coming)
