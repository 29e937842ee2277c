"""One HTTP/2 connection over a `Stream`, as its server or as its client: frames in, frames out, windows, goodbyes.

`serve_h2.py` runs one towards each client that speaks HTTP/2, `upstream_h2.py` one towards each such server. Its task
is `run`, which reads; what is written comes from the tasks of the streams. It knows no fields and no flows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    InformationalResponseReceived,
    RemoteSettingsChanged,
    RequestReceived,
    ResponseReceived,
    TrailersReceived,
    WindowUpdated,
)
from h2.events import (
    StreamReset as StreamResetEvent,
)
from h2.exceptions import NoAvailableStreamIDError, ProtocolError, StreamClosedError

from midstream.proxy.http.http2_output import Http2Output
from midstream.proxy.http.http2_stream import FieldList, Http2Stream, LinkLost, StreamReset, left_out, reset_by
from midstream.proxy.http.http2_terms import LAST_WORDS, MAX_FRAME, WINDOW, name_of, settings
from midstream.proxy.http.http2_windows import Http2Windows
from midstream.proxy.streams.stream import Stream
from midstream.wire.http1 import Limits
from midstream.wire.http2 import FrameBudget, TooMuch, explain_fault
from midstream.wire.http2_engine import Engine
from midstream.work.slices import Budget

_FAULTS: Final = (ErrorCodes.PROTOCOL_ERROR, ErrorCodes.REFUSED_STREAM)

OnRequest = Callable[[Http2Stream, FieldList, bool], None]


class Http2Failed(ConnectionError):
    """The peer broke the protocol, or asked for too much; the connection is closed."""


class Http2Link:
    """See the module. `on_request` makes it the server's end, and is called with each stream that the client opens."""

    def __init__(self, carrier: Stream, limits: Limits, on_request: OnRequest | None = None) -> None:
        self.carrier = carrier
        self.loop = asyncio.get_running_loop()
        self.streams: dict[int, Http2Stream] = {}
        self.reserved = 0
        """Streams of ours that are promised to somebody and not open yet."""
        self.closing = False
        """No further stream may be opened: somebody has said goodbye, or the connection is gone."""
        self.on_room: Callable[[], None] | None = None
        """Called when a further stream may be opened, and when none ever will be."""
        self.settled = False
        """The peer has said what it can do."""
        self.on_read: Callable[[], None] | None = None
        """Called after each read."""
        self.heard = self.loop.time()
        """When the peer last sent something."""
        self.broken = ""
        """What the peer did wrong, if that was the end."""
        self._is_client = on_request is None
        self._peer = "server" if self._is_client else "client"
        self._left = "the server closed the connection" if self._is_client else "client disconnected"
        self._on_request = on_request
        told = settings(self._is_client, limits)
        self._engine = Engine(client_side=self._is_client, settings=told, limits=limits)
        self._output = Http2Output(carrier, self._engine)
        self._budget = FrameBudget(self.streams, self.heard, preface=not self._is_client)
        self._blocked: dict[int, Http2Stream] = {}
        self._engine.initiate_connection()
        self._windows = Http2Windows(self._engine)
        self._output.flush()

    # -- reading --

    async def run(self) -> None:
        """Read until the peer ends, or until somebody has said goodbye and all is done. Raises Http2Failed, OSError."""
        try:
            while not self._done and (data := await self.carrier.read()) and not self.broken:
                await self._take(data)
        except TooMuch as flood:
            self._give_up(flood)
        except ProtocolError as broken:
            self._output.flush()  # h2 has made the GOAWAY
            code = name_of(broken.error_code)
            self._end(f"the {self._peer} broke HTTP/2: {explain_fault(broken)} ({code})")
        except OSError:
            self.fail_all(self._left)
            raise
        self.fail_all(self._left)
        if self.broken:
            raise Http2Failed(self.broken)

    async def hear_out(self) -> None:
        """After Http2Failed: read on until the peer has ended, too, or its time is over. What nobody reads would make
        TCP reset the connection, and the goodbye would be lost with it.
        """
        try:
            while await self.carrier.read():
                pass
        except OSError:
            pass

    async def _take(self, data: bytes) -> None:
        """All that has arrived; others get their turn meanwhile, however small the frames are."""
        self.heard = self.loop.time()
        slices = Budget()
        for piece in self._budget.slices(data, self.heard):
            if self.broken or self._done:
                return
            for event in self._engine.take(piece):
                handle = _HANDLERS.get(type(event))
                if handle is not None:
                    handle(self, event)
                if self.broken:
                    return
            if self._engine.fault is not None:
                raise self._engine.fault
            await self._output.send_answers()
            if slices.spent():
                await slices.rest()
        if self.on_read is not None:
            self.on_read()

    def _give_up(self, flood: TooMuch) -> None:
        """The peer keeps us busy for nothing."""
        if not self.broken:
            self.say_goodbye(ErrorCodes(flood.code))
            self._end(f"the {self._peer} was cut off: {flood.reason} ({name_of(flood.code)})")

    def _end(self, why: str) -> None:
        self.broken = why
        self._output.ended = True
        self.carrier.write_eof()
        self.loop.call_later(LAST_WORDS, self.carrier.close)
        self.fail_all(why)

    @property
    def inside_head(self) -> bool:
        """A header has begun and not ended: nothing else can come before its end."""
        return self._budget.inside_headers

    @property
    def _done(self) -> bool:
        return self.closing and not self.streams and not self.reserved

    # -- events of h2 --

    def _request(self, event: RequestReceived) -> None:
        assert self._on_request is not None
        stream = Http2Stream(self, WINDOW, event.stream_id or 0)
        self.streams[stream.id] = stream
        ends = stream.ended = event.stream_ended is not None
        if self.closing:
            stream.reset(ErrorCodes.REFUSED_STREAM)
            return
        self._on_request(stream, event.headers or [], ends)

    def _response(self, event: ResponseReceived | InformationalResponseReceived) -> None:
        stream = self.streams.get(event.stream_id or 0)
        if stream is not None:
            ends = isinstance(event, ResponseReceived) and event.stream_ended is not None
            stream.head_arrived(event.headers or [], ends=ends)
            if ends:
                self._look_if_over(stream)

    def _data(self, event: DataReceived) -> None:
        size = event.flow_controlled_length or 0
        self._windows.arrived(size)
        stream = self.streams.get(event.stream_id or 0)
        if stream is not None:
            ends = event.stream_ended is not None
            stream.data_arrived(event.data or b"", size, ends=ends)
            if ends:
                self._look_if_over(stream)

    def _trailers(self, event: TrailersReceived) -> None:
        stream = self.streams.get(event.stream_id or 0)
        if stream is not None:
            stream.trailers_arrived(event.headers or [])
            self._look_if_over(stream)

    def _stream_reset(self, event: StreamResetEvent) -> None:
        if not event.remote_reset:
            self._count_reset()  # h2 has found a fault
        stream = self.streams.get(event.stream_id or 0)
        if stream is None:
            return
        self._over(stream)
        stream.fail(reset_by(self._peer, event.error_code))

    def _window_updated(self, event: WindowUpdated) -> None:
        if event.stream_id:
            stream = self._blocked.get(event.stream_id)
            if stream is not None:
                self.send_waiting(stream)
        else:
            self._send_blocked()

    def _settings_changed(self, _event: RemoteSettingsChanged) -> None:
        self.settled = True
        self._send_blocked()
        self._tell_room()

    def _goodbye(self, event: ConnectionTerminated) -> None:
        """RFC 9113 §6.8: what is under way may finish, what the peer did not look at may be sent elsewhere."""
        self.closing = True
        if self._is_client:
            last = event.last_stream_id or 0
            for stream in [stream for number, stream in self.streams.items() if number > last]:
                self._over(stream)
                stream.fail(left_out(event.error_code))
        self._tell_room()
        self._close_if_done()

    # -- writing: what streams call --

    def send_head(self, stream: Http2Stream, fields: FieldList, *, end: bool) -> None:
        """A header, which opens a stream of ours."""
        if not stream.id and not self._open(stream):
            return
        self._engine.send_headers(stream.id, fields, end_stream=end)
        if end:
            stream.end_sent()
            self._look_if_over(stream)
        self._output.flush_soon()

    def _open(self, stream: Http2Stream) -> bool:
        """Give a stream of ours its number; False if there is to be no further one."""
        if self.closing:
            self.give_back()
            stream.fail(StreamReset("the connection is closing", ErrorCodes.REFUSED_STREAM))
            return False
        self.reserved -= 1
        try:
            stream.id = self._engine.get_next_available_stream_id()
        except NoAvailableStreamIDError:
            self.closing = True
            stream.fail(StreamReset("the connection has no number for a further stream", ErrorCodes.REFUSED_STREAM))
            self._tell_room()
            return False
        self.streams[stream.id] = stream
        return True

    def give_back(self) -> None:
        """A stream that was reserved is not to be opened."""
        self.reserved -= 1
        self._tell_room()
        self._close_if_done()

    def send_waiting(self, stream: Http2Stream) -> None:
        """As much of what waits on a stream as there is room for."""
        try:
            self._send(stream)
        except StreamClosedError:
            self._blocked.pop(stream.id, None)  # the peer has reset it, as the next event will tell

    def _send(self, stream: Http2Stream) -> None:
        engine = self._engine
        while stream.waiting:
            window = engine.local_flow_control_window(stream.id)
            if window <= 0:
                self._blocked[stream.id] = stream
                self._output.flush_soon()
                return
            piece = stream.next_piece(min(window, engine.max_outbound_frame_size, MAX_FRAME))
            ends = not stream.waiting and stream.last is not None and not stream.last
            engine.send_data(stream.id, piece, end_stream=ends)
            self._output.flush_soon(len(piece))
            if ends:
                stream.end_sent()
            try:
                self._budget.sent_data(len(piece), cut=len(piece) == window and stream.waiting)
            except TooMuch as flood:
                self._give_up(flood)
                return
        self._blocked.pop(stream.id, None)
        if stream.last is not None and not stream.sent_end:
            if stream.last:
                engine.send_headers(stream.id, stream.last, end_stream=True)
            else:
                engine.end_stream(stream.id)
            stream.end_sent()
        if stream.sent_end:
            self._look_if_over(stream)
        self._output.flush_soon()

    def _send_blocked(self) -> None:
        """The window of the connection, or of all streams, has grown: all who wait get a part of it in turn."""
        for stream in list(self._blocked.values()):
            if self._engine.outbound_flow_control_window <= 0 or self.broken:
                break
            del self._blocked[stream.id]  # who is still blocked after this waits behind the others
            self.send_waiting(stream)

    def give_room(self, stream: Http2Stream, size: int) -> int:
        """`size` bytes of a body were consumed; what is left of them for which the peer was given no room yet."""
        left = self._windows.consumed(stream, size)
        if not left:
            self._output.flush_soon()
        return left

    def reset(self, stream: Http2Stream, code: ErrorCodes | int, *, passed_on: bool = False) -> None:
        """End a stream before its time."""
        if stream.id in self.streams:
            try:
                self._engine.reset_stream(stream.id, code)
            except StreamClosedError:
                pass  # the peer was faster, as the next event will tell
            self._over(stream)
            self._output.flush_soon()
            if code in _FAULTS and not passed_on:
                self._count_reset()
        if not stream.over:
            stream.fail(StreamReset("the stream was reset"))

    def _count_reset(self) -> None:
        try:
            self._budget.sent_reset()
        except TooMuch as flood:
            self._give_up(flood)

    def say_goodbye(self, code: ErrorCodes = ErrorCodes.NO_ERROR, why: str = "") -> None:
        """GOAWAY: no further stream is taken, those under way may finish."""
        if not self.carrier.lost:
            self._engine.close_connection(code, why.encode()[:200] or None)
            self._output.flush()
        self.closing = True

    def close(self, why: str = "") -> None:
        """Goodbye, and the end of all streams. `why` is told to the peer."""
        if not self.closing:
            self.say_goodbye(why=why)
        self._output.flush()
        self.carrier.close()
        self.fail_all(why or "the connection was closed")

    @property
    def is_sending(self) -> bool:
        """Whether a body is on its way out."""
        return any(not stream.sent_end for stream in self.streams.values())

    def give_up(self, why: str) -> None:
        """The peer is not there any more, as far as one can see; what waits for it fails."""
        self.fail_all(why)
        self.carrier.abort()

    def let_go(self) -> None:
        """No cycle: a connection that is over is freed at once."""
        self.on_read = self.on_room = self._on_request = None
        self.reserved = 0
        self._engine.let_go()

    def ping(self) -> None:
        """Ask whether the peer is there."""
        self._engine.ping(b"midstrea")
        self._output.flush()

    # -- streams come and go --

    @property
    def room(self) -> int:
        """How many further streams the server takes now."""
        return self._engine.remote_settings.max_concurrent_streams - len(self.streams) - self.reserved

    @property
    def takes_extended_connect(self) -> bool:
        """Whether the server allows `:protocol` (RFC 8441 §3)."""
        return bool(self._engine.remote_settings.enable_connect_protocol)

    def fail_all(self, why: str) -> None:
        """The connection is gone, and all its streams with it."""
        self.closing = True
        streams = list(self.streams.values())
        self.streams.clear()
        self._blocked.clear()
        for stream in streams:
            stream.fail(LinkLost(why))
        self._tell_room()

    def _look_if_over(self, stream: Http2Stream) -> None:
        if stream.ended and stream.sent_end:
            self._budget.finished_stream()
            self._over(stream)

    def _over(self, stream: Http2Stream) -> None:
        """Both directions have ended: nothing of the stream is kept here."""
        self.streams.pop(stream.id, None)
        self._blocked.pop(stream.id, None)
        self._engine.forget(stream.id)
        self._windows.over(stream)
        self._tell_room()
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._done and not self.broken:
            self._output.flush()
            self.carrier.close()

    def _tell_room(self) -> None:
        if self.on_room is not None:
            self.on_room()


_HANDLERS: Final[dict[type, Callable[[Http2Link, Any], None]]] = {
    RequestReceived: Http2Link._request,
    ResponseReceived: Http2Link._response,
    InformationalResponseReceived: Http2Link._response,
    DataReceived: Http2Link._data,
    TrailersReceived: Http2Link._trailers,
    StreamResetEvent: Http2Link._stream_reset,
    WindowUpdated: Http2Link._window_updated,
    RemoteSettingsChanged: Http2Link._settings_changed,
    ConnectionTerminated: Http2Link._goodbye,
}
