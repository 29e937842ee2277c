"""Which protocol a connection speaks, judged by its first bytes, unless an addon knows better. Nothing is consumed.

Rules as in `parity/addons-builtin.md`, "nextlayer: decision order". Called for what CONNECT opens and again inside TLS.
"""

import asyncio
import logging
from dataclasses import dataclass
from enum import Enum

from midstream.flows.context import Context
from midstream.flows.next_layer import NextLayer
from midstream.hub.emitters import Emitter
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tls import TLS_START, looks_like_tls

# How much of a first line may come without a space before it is clear that it is no HTTP request line.
LONGEST_METHOD = 32


# How long more is waited for when the first bytes may be this or that; then they are raw, rather than held for ever.
PATIENCE = 3.0


class Protocol(Enum):
    """What `detect` tells apart; the values are what an addon may set as `layer`."""

    TLS = "tls"
    HTTP = "http"
    RAW = "tcp"
    DNS = "dns"
    UNTOUCHED = "ignore"  # raw, and without a flow; only addons say so


WAIT = "more"
"""What an addon sets as `layer` that will know with more bytes."""

logger = logging.getLogger("midstream.proxy")


@dataclass(frozen=True, slots=True)
class Asking:
    """The addons that handle `next_layer`, for one connection."""

    next_layer: Emitter[[NextLayer]]
    context: Context

    async def ask(self, data: bytes, from_server: bytes = b"") -> Protocol | None:
        """What they choose; None while they leave it to the bytes, or wait for more of them."""
        choice = NextLayer(self.context, lambda: data, lambda: from_server)
        await self.next_layer(choice)
        if choice.layer is None:
            return None
        if choice.layer == WAIT:
            raise Undecided
        try:
            return Protocol(choice.protocol)
        except ValueError:
            names = ", ".join(repr(protocol.value) for protocol in Protocol)
            logger.error("next_layer: layer was set to %r, which is none of %s", choice.layer, names)
            return None


class Undecided(Exception):
    """An addon waits for more bytes."""


async def detect(stream: Stream, addons: Asking | None = None, fixed: Protocol | None = None) -> Protocol:
    """Wait for enough bytes to tell and for no more: who sends two may be waiting for an answer. Raises OSError.

    The addons come first, again with each piece that arrives before anybody can tell. `fixed` is what is spoken if it
    is not TLS.
    """
    data = await stream.peek()
    while True:
        verdict = await _verdict(data, addons, fixed)
        if verdict is not None:
            return verdict
        try:
            async with asyncio.timeout(PATIENCE):
                more = await stream.peek(len(data) + 1)
        except TimeoutError:
            more = data
        if len(more) == len(data):
            return judge(data) or fixed or Protocol.RAW
        data = more


async def _verdict(data: bytes, addons: Asking | None, fixed: Protocol | None) -> Protocol | None:
    try:
        chosen = await addons.ask(data) if addons is not None else None
    except Undecided:
        return None
    if chosen is not None:
        return chosen
    if fixed is None or TLS_START.startswith(data):
        return judge(data)
    return Protocol.TLS if looks_like_tls(data) else fixed


def judge(data: bytes) -> Protocol | None:
    """What begins like this; None while it may still become either."""
    if data and TLS_START.startswith(data):
        return None
    if looks_like_tls(data):
        return Protocol.TLS
    verdict = looks_like_http(data)
    if verdict is None:
        return None
    return Protocol.HTTP if verdict else Protocol.RAW


def looks_like_http(data: bytes) -> bool | None:
    """Whether this begins an HTTP/1 request; None while it may still become one."""
    if not data[:3].isalpha() or not data[:3].isascii() or data[:3] == b"SSH":
        return False
    space, newline = data.find(b" "), data.find(b"\n")
    if newline >= 0 and (space < 0 or space > newline):
        return False
    if space >= 0:
        return True
    return None if len(data) <= LONGEST_METHOD else False


def looks_like_http2_server(data: bytes) -> bool:
    """Whether a server begins with a SETTINGS frame (RFC 9113 §3.4), as those of gRPC do before a client has spoken."""
    return data[3:9] == b"\x04\0\0\0\0\0" and int.from_bytes(data[:3], "big") % 6 == 0
