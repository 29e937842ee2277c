"""The server's side of HTTP/2: one connection for many requests, and the object of one request on it.

The pool makes a `ServerLink` for each such connection, and hands out an `UpstreamH2`, which fulfils `Upstream`, for
each exchange.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from h2.errors import ErrorCodes

from midstream.flows.connection import Server
from midstream.flows.headers import Headers
from midstream.flows.http import Request, Response
from midstream.proxy.dial import Dialler
from midstream.proxy.errors import Unsendable
from midstream.proxy.http.http2_assemble import request_list, trailer_list, websocket_request
from midstream.proxy.http.http2_body import Http2Body, Http2Sink
from midstream.proxy.http.http2_link import Http2Failed, Http2Link
from midstream.proxy.http.http2_stream import Http2Stream, LinkLost
from midstream.proxy.http.http2_terms import ONE_WRITE, WINDOW
from midstream.proxy.http.http2_tunnel import Http2Tunnel
from midstream.proxy.http.sides import ServerSilent
from midstream.proxy.http.upstream_h1 import MAX_INFORMATIONAL
from midstream.proxy.settings import Settings
from midstream.proxy.streams.stream import Stream
from midstream.proxy.watch import Watch
from midstream.text.url import hostport
from midstream.wire.http1 import NO_BODY, Refused, RequestHead, ResponseHead
from midstream.wire.http2 import HTTP_20, read_http2_response

logger = logging.getLogger("midstream.proxy")

# What a frame of SETTINGS begins with, after its length: its type, no flags, the stream 0.
SETTINGS = b"\x04\x00\x00\x00\x00\x00"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3


def wants_websocket(request: Request) -> bool:
    """Whether this asks for a WebSocket."""
    return "upgrade" in request.headers and "websocket" in request.headers["upgrade"].lower()


class ServerLink:
    """A connection to a server that speaks HTTP/2; `run` is a task of its own."""

    def __init__(self, server: Server, stream: Stream, dialler: Dialler) -> None:
        self.server = server
        self.where = hostport("", *server.address) if server.address is not None else "the server"
        """What to call the server in a sentence."""
        self.did_not_answer = f"{self.where} did not answer"
        self.requests = 0
        self._dialler = dialler
        self._settings = dialler.settings
        self._link = Http2Link(stream, self._settings.limits)
        self._link.on_room = self._room
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._was_settled = False
        self._was_asked = False
        self._timer: asyncio.TimerHandle | None = None
        self._be_there()

    async def run(self) -> None:
        """Read until the connection ends."""
        try:
            await self._link.run()
        except Http2Failed as broken:
            logger.warning("%s: %s", self.where, broken)
            await self._link.hear_out()
        except OSError:
            pass  # its streams have been told
        finally:
            await self.close()

    async def answers(self) -> bool:
        """Whether the server, of which nobody knows what it speaks, begins with SETTINGS (RFC 9113 §3.4).

        To be asked before `run`.
        """
        try:
            begin = await self._link.carrier.peek(9)
        except OSError:
            return False
        return begin[3:9] == SETTINGS

    @property
    def is_open(self) -> bool:
        """Whether it takes a further request, now or later."""
        return not self._link.closing and not self._link.carrier.lost

    async def takes_websockets(self) -> bool:
        """Whether WebSockets may be opened on it (RFC 8441 §3), once the server has said what it can do."""
        while self.is_open and not self._link.settled:
            await self._turn()
        return self._link.takes_extended_connect

    async def upstream(self, watch: Watch) -> UpstreamH2 | None:
        """A stream for one request, as soon as the server takes one more; None if it never will.

        It is the caller's to `close`.
        """
        link = self._link
        while self.is_open and link.room <= 0:
            await self._turn()
        if not self.is_open:
            return None
        link.reserved += 1
        self.requests += 1
        return UpstreamH2(self, link, self._settings, watch)

    async def _turn(self) -> None:
        """Wait until something has changed."""
        turn: asyncio.Future[None] = self._link.loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._room()  # it may have been this one's turn
            raise

    def _room(self) -> None:
        """The server takes more streams, or has said what it can do, or never takes another one: as many may go on as
        there is room for, or all.
        """
        free = max(self._link.room, 0)
        if not self.is_open or not self._was_settled:
            free = len(self._waiting)
        self._was_settled = self._link.settled
        while self._waiting and free:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1

    def _be_there(self) -> None:
        """Ask a server that has been silent whether it is there, which keeps what is between us from forgetting us. One
        that says nothing to that for as long again is not there any more.
        """
        patience = self._settings.http2_ping_keepalive
        if patience <= 0:
            return
        link = self._link
        silent = link.loop.time() - link.heard
        if silent >= patience and self._was_asked and not link.is_sending:  # behind a long body a PING takes its time
            link.give_up("the server answers no more")
            return
        self._was_asked = silent >= patience
        if self._was_asked:
            link.ping()
            silent = 0
        self._timer = link.loop.call_later(patience - silent, self._be_there)

    async def close(self) -> None:
        """End it, and all its streams; harmless when repeated."""
        if self._timer is not None:
            self._timer.cancel()
        self._link.close()
        self._link.let_go()
        await self._dialler.closed(self.server, self._link.carrier)


class UpstreamH2:
    """One request to a server and its response."""

    __slots__ = (
        "_be_patient",
        "_link",
        "_patience",
        "_settings",
        "_stream",
        "_switches_for",
        "_usable",
        "_watch",
        "did_not_answer",
        "exchanges",
        "head",
        "link",
        "reader",
        "server",
        "where",
    )

    def __init__(self, link: ServerLink, http2: Http2Link, settings: Settings, watch: Watch) -> None:
        self.link = link
        self.server = link.server
        self.head: ResponseHead | None = None
        self.exchanges = link.requests
        self.where = link.where
        self.did_not_answer = link.did_not_answer
        self._link = http2
        self._stream = Http2Stream(http2, WINDOW)
        self.reader = Http2Body(self._stream, settings.limits, watch.expect_server)
        self._switches_for: str | None = None
        """The key of the WebSocket handshake of HTTP/1 that is asked for by an extended CONNECT."""
        self._usable = True
        self._settings = settings
        self._watch = watch
        self._be_patient = partial(watch.expect_server, settings.idle_timeout, f"{self.where} stopped reading")

    @property
    def usable(self) -> bool:
        """Whether the rest of a request is still wanted: a response that is complete ends its stream."""
        return self._usable and not self._stream.ended and self._stream.failure is None

    @usable.setter
    def usable(self, value: bool) -> None:
        self._usable = value

    def send_now(self, request: Request, original: RequestHead | None, body: bytes) -> Http2Sink | None:
        """Head and, if it is small, body at once; else the sink for the body. Raises Unsendable."""
        normalize = self._settings.normalize_headers
        if original is not None and original.upgrade is not None and wants_websocket(request):
            self._switches_for = request.headers.get("sec-websocket-key", "")
            outgoing = websocket_request(request, original, normalize=normalize)
            self._stream.send_head(list(outgoing.fields), end=False)
            return None
        outgoing = request_list(request, original, len(body), normalize=normalize)
        trailers = trailer_list(request)
        stream = self._stream
        stream.send_head(list(outgoing.fields), end=not body and not trailers)
        if len(body) > ONE_WRITE or (body and request.pace is not None):
            return Http2Sink(stream, outgoing.framing, self._be_patient)
        if trailers:
            stream.send(body)
            stream.finish(list(trailers))
        elif body:
            stream.send(body, end=True)
        return None

    def send_unchecked(self, data: bytes) -> None:
        """HTTP/2 has frames and no text that could be anything else."""
        raise Unsendable(f"request.send_raw cannot be sent to {self.where}: it speaks HTTP/2; set http2=false")

    def begin(self, request: Request, original: RequestHead | None) -> Http2Sink:
        """The head of a request whose body follows in pieces. Raises Unsendable."""
        normalize = self._settings.normalize_headers
        outgoing = request_list(request, original, None, normalize=normalize)
        self._stream.send_head(list(outgoing.fields), end=False)
        return Http2Sink(self._stream, outgoing.framing, self._be_patient)

    async def read_response(self, method: bytes, interim: Callable[[ResponseHead], None]) -> Response:
        """The final response; its body still unread. Raises Refused, ServerSilent, StreamReset."""
        self.head = None
        settings = self._settings
        for _ in range(MAX_INFORMATIONAL):
            try:
                fields, ends = await self._stream.read_head()
            except LinkLost as lost:
                raise ServerSilent(str(lost)) from lost
            arrived = time.time()
            try:
                head = read_http2_response(fields, method, ends, settings.limits)
            except Refused:
                self.reader.malformed = True
                raise
            if head.status >= 200:
                break
            interim(head)
            self._watch.expect_server(settings.idle_timeout, self.did_not_answer)
        else:
            raise Refused(f"the server sent more than {MAX_INFORMATIONAL} interim responses")
        if self._switches_for is not None and head.status < 300:
            head = _as_switch(head, self._switches_for)
        self.head = head
        self.reader.begin(head.framing)
        return Response(HTTP_20, head.status, b"", Headers(head.fields), None, None, arrived, None)

    def close(self) -> None:
        """The exchange is over; what is not at its end is not wanted."""
        stream = self._stream
        if not stream.id and stream.failure is None:
            self._link.give_back()  # it was never used
        elif not stream.over:
            stream.reset(ErrorCodes.PROTOCOL_ERROR if self.reader.malformed else ErrorCodes.CANCEL)

    def take_over(self) -> Stream:
        """What follows the response, and the way back, as bytes."""
        return Http2Tunnel(self._stream)


def _as_switch(head: ResponseHead, key: str) -> ResponseHead:
    """The answer that agrees to an extended CONNECT, as the one of HTTP/1 that says the same (RFC 6455 §4.2.2)."""
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    said = ((b"upgrade", b"websocket"), (b"connection", b"Upgrade"), (b"sec-websocket-accept", accept))
    return head._replace(status=101, fields=(*head.fields, *said), framing=NO_BODY, upgrade=b"websocket", hop=True)
