"""What an HTTP/2 connection sends, on its way from the engine to the carrier: gathered, bounded, in order.

Part of `http2_link.py`, which says when there is something.
"""

from __future__ import annotations

import asyncio

from midstream.proxy.http.http2_terms import MOST_ANSWERS, MOST_QUEUED
from midstream.proxy.streams.stream import Stream
from midstream.wire.http2_engine import Engine


class Http2Output:
    """One connection's."""

    __slots__ = ("_answered", "_carrier", "_engine", "_is_due", "_loop", "_queued", "ended")

    def __init__(self, carrier: Stream, engine: Engine) -> None:
        self.ended = False
        """Nothing more is sent."""
        self._carrier = carrier
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._answered = 0
        self._queued = 0
        self._is_due = False

    def flush(self) -> None:
        """Send what there is."""
        self._is_due = False
        self._queued = 0
        data = self._engine.data_to_send()
        if data and not self.ended:
            self._carrier.write(data)

    def flush_soon(self, size: int = 0) -> None:
        """Send what there is, `size` bytes of a body and perhaps more, with what else comes up in this turn of the
        loop: one record of TLS for all of it.
        """
        self._queued += size
        if self._queued > MOST_QUEUED:
            self.flush()
        elif not self._is_due:
            self._is_due = True
            self._loop.call_soon(self.flush)

    async def send_answers(self) -> None:
        """What the frames that came were answered with. A peer that takes no answers is not listened to, either; but
        bodies on their way out never keep us from reading.
        """
        data = self._engine.data_to_send()
        if data:
            self._carrier.write(data)
            self._answered += len(data)
            if self._answered > MOST_ANSWERS:
                self._answered = 0
                await self._carrier.drain()
