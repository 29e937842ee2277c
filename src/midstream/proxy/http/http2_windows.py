"""How much room the peer of an HTTP/2 connection has for what it sends, and when it gets more.

Part of `http2_link.py`. Room for a body is given back as the body is consumed; for the connection at once, since the
windows of the streams bound it already, and streams whose readers stand still must not starve the others.
"""

from __future__ import annotations

from midstream.proxy.http.http2_stream import Http2Stream
from midstream.proxy.http.http2_terms import CONNECTION_WINDOW, FIRST_WINDOW, LARGEST_WINDOW, SPARE_ROOM, WINDOW
from midstream.wire.http2_engine import Engine


class Http2Windows:
    """One connection's."""

    __slots__ = ("_arrived", "_engine", "_spare")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._arrived = 0  # bytes for which the connection's window has not been opened again
        self._spare = SPARE_ROOM
        engine.increment_flow_control_window(CONNECTION_WINDOW - FIRST_WINDOW)

    def arrived(self, size: int) -> None:
        """A DATA frame of that size came."""
        self._arrived += size
        if self._arrived >= CONNECTION_WINDOW // 2:
            self._engine.increment_flow_control_window(self._arrived)
            self._arrived = 0

    def consumed(self, stream: Http2Stream, size: int) -> int:
        """So much of a body was read; what is left of that, for which the peer was given no room yet."""
        if stream.ended or stream.failure is not None:
            return 0
        if size < stream.window // 2:
            return size
        more = min(stream.window, LARGEST_WINDOW - stream.window, self._spare)
        stream.window += more
        self._spare -= more
        self._engine.increment_flow_control_window(size + more, stream.id)
        return 0

    def over(self, stream: Http2Stream) -> None:
        """What a stream was given beyond the usual is free for others."""
        self._spare += stream.window - WINDOW
