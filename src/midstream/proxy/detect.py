"""Which protocol a connection speaks, judged by its first bytes, unless an addon knows better. Nothing is consumed.

Rules as in `parity/addons-builtin.md`, "nextlayer: decision order". Called for what CONNECT opens and again inside TLS.
"""

import logging
from collections.abc import Awaitable, Callable
from enum import Enum

from midstream.flows.context import Context
from midstream.flows.next_layer import NextLayer
from midstream.hub.emitters import Emitter
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tls import TLS_START, looks_like_tls

# How much of a first line may come without a space before it is clear that it is no HTTP request line.
LONGEST_METHOD = 32


class Protocol(Enum):
    """What `detect` tells apart."""

    TLS = "tls"
    HTTP = "http"
    RAW = "tcp"
    UNTOUCHED = "ignore"  # raw, and without a flow; only addons say so


logger = logging.getLogger("midstream.proxy")


Ask = Callable[[bytes], Awaitable[Protocol | None]]
"""Somebody who may know what begins like this."""


async def detect(stream: Stream, ask: Ask | None = None) -> Protocol:
    """Wait for enough bytes to tell and for no more: who sends two may be waiting for an answer. Raises OSError.

    `ask` comes first, again with each piece that arrives before anybody can tell.
    """
    data = await stream.peek()
    while True:
        verdict = await ask(data) if ask is not None else None
        verdict = verdict or judge(data)
        if verdict is not None:
            return verdict
        more = await stream.peek(len(data) + 1)
        if len(more) == len(data):
            return Protocol.RAW
        data = more


def asking(next_layer: Emitter[[NextLayer]], context: Context) -> Ask | None:
    """The addons that handle `next_layer`, if there are any."""

    async def ask(data: bytes) -> Protocol | None:
        choice = NextLayer(context, lambda: data)
        await next_layer(choice)
        if choice.layer is None:
            return None
        try:
            return Protocol(choice.protocol)
        except ValueError:
            names = ", ".join(repr(protocol.value) for protocol in Protocol)
            logger.error("next_layer: layer was set to %r, which is none of %s", choice.layer, names)
            return None

    return ask if next_layer.handlers else None


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
