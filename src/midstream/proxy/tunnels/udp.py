"""A conversation of UDP datagrams that no protocol claims: each goes on as it came, and is a message of a UDP flow.

Used by the mode `reverse:udp://`. UDP knows no end: a conversation is over when both sides were silent for `UDP_IDLE`
seconds. A datagram that an addon empties is not sent.
"""

import errno
import logging
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar

from midstream.flows.connection import Server
from midstream.flows.udp import UDPFlow, UDPMessage
from midstream.proxy.client_context import ClientContext
from midstream.proxy.errors import Unsendable, UpstreamFailed
from midstream.proxy.streams.datagram import LARGEST
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tunnels.talk import Talk, Telling
from midstream.text.url import hostport

logger = logging.getLogger("midstream.proxy")

UDP_IDLE = 20.0
"""Seconds without a datagram in either direction, after which a conversation is over."""


class UDPTalk(Talk[UDPMessage]):
    """A conversation while it lasts."""

    __slots__ = ("_was_answered", "_was_refused")

    silence: ClassVar[str] = "no datagram passed in either direction"
    has_an_end: ClassVar[bool] = False

    def __init__(self, server: Server, context: ClientContext) -> None:
        events = context.events
        telling = Telling(events.udp_start, events.udp_message, events.udp_end, events.udp_error)
        super().__init__(UDPFlow(context.client, server, True), telling, context, UDP_IDLE)
        self._was_answered = self._was_refused = False

    def message(self, from_client: bool, data: bytes) -> UDPMessage:
        return UDPMessage(from_client, data, time.time())

    async def next(self, source: Stream, from_client: bool) -> bytes | None:
        """What `source` says next. Raises UpstreamFailed if nobody has ever answered and the system says why.

        Later, that a datagram did not arrive ends nothing: the next one may.
        """
        while True:
            try:
                data = await source.receive()
            except OSError as exc:
                self._undelivered(source, exc, from_client)
            else:
                self._was_answered |= not from_client
                return data

    def _undelivered(self, to: Stream, exc: OSError, to_client: bool) -> None:
        if self._was_refused:  # said once; each further datagram would say it again
            return
        self._was_refused = True
        reason = "nothing listens there" if exc.errno == errno.ECONNREFUSED else str(exc)
        where = hostport("", *to.peername) if to.peername else "the other side"
        text = f"a datagram to {where} was not delivered: {reason}"
        if not (self._was_answered or to_client):
            raise UpstreamFailed(text)
        logger.warning("%s", text)

    async def told(self, message: UDPMessage) -> bytes:
        content = await super().told(message)
        if len(content) > LARGEST:
            size = f"{len(content)} bytes"
            raise Unsendable(f"a message of {size} cannot be sent: a datagram holds {LARGEST} at most", message)
        return content


async def serve_udp(
    client: Stream, connect: Callable[[], Awaitable[Stream]], server: Server, context: ClientContext
) -> None:
    """Pass datagrams on until both sides are silent, with the events of a UDP flow.

    `connect` gives the stream of datagrams to `server`, or raises UpstreamFailed. Raises CancelledError at the end.
    """
    talk = UDPTalk(server, context)
    try:
        async with talk.live():
            await talk.begin()
            await talk.run(client, await connect())
    finally:
        if talk.flow.error is not None:
            client.abort()
