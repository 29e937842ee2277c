"""Sends the request of a flow without a client: through the very same `exchange()`, with a client's side that listens.

`Proxy.replay` runs `send` in a task of its own. Pool, dialling, TLS, parents, limits and events are those of any other
exchange; the events of a client connection do not happen, since there is none. Which flows are sent, and when, is the
business of the addon `clientplayback`.
"""

import asyncio
import logging
import time

from midstream.flows.connection import Client, ConnectionState
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.websocket import WebSocketData
from midstream.proxy.client_context import ClientContext
from midstream.proxy.http.assemble import body_of
from midstream.proxy.http.pool import Pool
from midstream.proxy.http.serve import carry
from midstream.proxy.http.sides import Destination
from midstream.proxy.http.writer import PIECE
from midstream.proxy.streams.memory import memory_pair
from midstream.proxy.streams.stream import Stream
from midstream.proxy.watch import Watch
from midstream.proxy.websocket.play import play
from midstream.text.url import hostport
from midstream.wire.http1 import HTTP_11, NO_BODY, Fields, Framing, RequestHead, ResponseHead
from midstream.wire.http2 import HTTP_20

PROTOCOLS = (b"h2", b"http/1.1")
"""What is offered to servers over TLS."""

logger = logging.getLogger("midstream.proxy")


def stand_in(recorded: Client) -> Client:
    """Who a replay is for: the recorded client's addresses and mode, on a connection that never was."""
    return Client(
        peername=recorded.peername or ("", 0),
        sockname=recorded.sockname or ("", 0),
        timestamp_start=time.time(),
        state=ConnectionState.OPEN,
        proxy_mode=recorded.proxy_mode,
        alpn_offers=PROTOCOLS,
    )


async def send(flow: HTTPFlow, recorded: WebSocketData | None, context: ClientContext) -> None:
    """Send `flow.request` and put into the flow what comes back; a failure becomes its error. `recorded`: what was
    said on the WebSocket that it is to open again.
    """
    try:
        await _send(flow, recorded, context)
    except asyncio.CancelledError:
        if not context.watch.reason:
            raise  # the proxy itself is closing
    except Exception:
        # The border of a connection task: a mistake of ours is logged, and everything else goes on.
        logger.exception("a replay failed unexpectedly")
    finally:
        flow.live = False
        context.client.timestamp_end, context.client.state = time.time(), ConnectionState.CLOSED


async def _send(flow: HTTPFlow, recorded: WebSocketData | None, context: ClientContext) -> None:
    _prepare(flow.request)
    pool = _pool(flow, context)
    client = ReplayClient(flow, recorded, context)
    try:
        await carry(flow, client, pool, context)
    finally:
        client.close()
        await pool.close()


def _pool(flow: HTTPFlow, context: ClientContext) -> Pool:
    """Connections for this one flow. The server is called in TLS what it was called before, if it is still the same."""
    request, before = flow.request, flow.server_conn
    tunnel: Destination | None = None
    if request.scheme == "https" and before.address == (request.host, request.port) and before.sni:
        tunnel = "https", request.host, request.port
    server = context.dialler.server((request.host, request.port))
    pool = Pool(context, server, tunnel, before.sni)
    pool.prior_knowledge = request.is_http2 and request.scheme == "http"
    flow.server_conn = pool.expected(request.host, request.port)
    return pool


def _prepare(request: Request) -> None:
    """Make a request fit to be sent now, whoever made it and when."""
    request.timestamp_start, request.timestamp_end = time.time(), None
    if request.is_http2 or request.is_http3:
        request.raw_http_version = HTTP_20  # HTTP/3 names its server in the same way
    if request.raw_http_version == HTTP_11 and "host" not in request.headers and not request.raw_authority:
        # RFC 9112 §3.2 demands it; a request that a person has made from a URL has none yet.
        request.headers.insert(0, "Host", hostport(request.scheme, request.host, request.port))


class ReplayClient:
    """The client's side of an exchange that has no client; fulfils `Downstream`."""

    __slots__ = ("_answer", "_context", "_flow", "_recorded", "answering", "client", "head", "keep_alive", "reader",
                 "switched", "told")  # fmt: skip

    def __init__(self, flow: HTTPFlow, recorded: WebSocketData | None, context: ClientContext) -> None:
        self.client = context.client
        self.reader = RecordedBody(flow.request, context.watch)
        self.head: RequestHead | None = _head(flow.request, self.reader)
        self.keep_alive = self.answering = self.switched = self.told = False
        self._flow = flow
        self._recorded = recorded
        self._context = context
        self._answer: Stream | None = None

    def send_informational(self, head: ResponseHead) -> None:
        """Nobody has to have it."""

    def send_continue(self) -> None:
        """The body is here."""

    async def send(self, request: Request, response: Response, original: ResponseHead | None) -> None:
        """The flow has it."""
        self.answering = True

    def begin(self, request: Request, response: Response, original: ResponseHead | None) -> "Nowhere":
        """The flow keeps of the body what the options say."""
        self.answering = True
        return Nowhere()

    def refuse(self, status: int, reason: bytes, text: str, *, close: bool) -> None:
        """The flow's error says it."""

    async def drain(self) -> None:
        """Nothing is on its way."""

    def pass_on(self, code: int) -> bool:
        """There is no stream to reset."""
        return False

    def hang_up(self) -> None:
        """There is nothing to close."""

    def cut(self) -> None:
        """There is nothing to cut."""

    def accept_tunnel(self) -> None:
        """A replay asks for none."""
        raise NotImplementedError("a CONNECT is not replayed")

    def take_over(self) -> Stream:
        """What a client would go on with: the recorded messages of a WebSocket; of any other protocol nothing."""
        ours, theirs = memory_pair()
        self._answer = theirs
        if self._flow.websocket is None:
            theirs.write_eof()
            self._context.spawn(_discard(theirs))
        else:
            self._context.spawn(play(theirs, self._flow, self._recorded, self._context.settings))
        return ours

    def close(self) -> None:
        """The exchange is over."""
        if self._answer is not None:
            self._answer.close()


async def _discard(stream: Stream) -> None:
    """Read to the end; a stream in memory does not fail."""
    while await stream.read():
        pass


class RecordedBody:
    """The body of a request that is in memory already; fulfils `BodyReader`."""

    __slots__ = ("_at", "_request", "expect", "trailers")

    truncated = False

    def __init__(self, request: Request, watch: Watch) -> None:
        self.expect = watch.expect
        self.trailers: Fields = ()  # the request has them already
        self._request = request
        self._at = 0

    @property
    def size(self) -> int:
        """Bytes of it, as it is now."""
        return len(self._request.raw_content or b"")

    @property
    def body_done(self) -> bool:
        """Whether it was read to its end."""
        return self._at >= self.size

    def body_now(self, framing: Framing) -> bytes | None:
        """All of it: an addon may have given it another one at `requestheaders`."""
        body = body_of(self._request)
        self._at = len(body)
        return body

    async def read_piece(self) -> bytes:
        """The next part of a body that streams, since it is so large or an addon wants it so."""
        piece = body_of(self._request)[self._at : self._at + PIECE]
        self._at += len(piece)
        return piece


class Nowhere:
    """Takes a body that the flow has kept as much of as it shall; fulfils `BodySink`."""

    __slots__ = ()

    async def write(self, data: bytes) -> None:
        """Let go of it."""

    async def end(self, trailers: Fields) -> None:
        """That was all."""


def _head(request: Request, body: RecordedBody) -> RequestHead:
    """The head as a client would have sent it. What ends at a proxy is in it, too, and does not go on."""
    headers = request.headers
    options = ",".join(headers.get_all("connection")).lower()
    upgrade = headers.get("upgrade") if "upgrade" in [option.strip() for option in options.split(",")] else None
    host = headers.get("host")
    return RequestHead(
        method=request.raw_method,
        target=request.raw_path,
        # Other objects than those of the request, so that none of it passes unchecked, as what a parser has read does:
        # nobody knows who made it.
        version=bytes(bytearray(request.raw_http_version)),
        fields=(*headers.fields,),
        block=b"",
        framing=body.size or NO_BODY,
        keep_alive=False,
        expects_continue=False,
        upgrade=upgrade.encode("utf-8", "surrogateescape") if upgrade is not None else None,
        hop=True,
        host=host.encode("utf-8", "surrogateescape") if host is not None else None,
    )
