"""The client's side of one HTTP/2 stream: a request as it came, the response as it goes. Fulfils `Downstream`.

Made by `serve_h2.py` for each stream that a client opens. An extended CONNECT for a WebSocket (RFC 8441) is shown as
the GET with Upgrade that says the same in HTTP/1, and a 101 in answer to it goes out as what it means here.
"""

import base64
import os
import time
from functools import partial

from h2.errors import ErrorCodes

from midstream.flows.connection import Client
from midstream.flows.headers import Headers
from midstream.flows.http import Request, Response
from midstream.proxy.http.assemble import body_of
from midstream.proxy.http.downstream_h1 import connect_target, host_and_port
from midstream.proxy.http.http2_assemble import response_list, trailer_list, websocket_response
from midstream.proxy.http.http2_body import Http2Body, Http2Sink
from midstream.proxy.http.http2_stream import FieldList, Http2Stream
from midstream.proxy.http.http2_terms import ONE_WRITE
from midstream.proxy.http.http2_tunnel import Http2Tunnel
from midstream.proxy.http.pace import write_paced
from midstream.proxy.http.sides import NO_CONNECT, Destination
from midstream.proxy.settings import Settings
from midstream.proxy.streams.stream import Stream
from midstream.proxy.watch import Watch
from midstream.wire.http1 import NO_BODY, Outgoing, Refused, RequestHead, ResponseHead
from midstream.wire.http2 import HTTP_20, check_http2_response, read_http2_request


class DownstreamH2:
    """One stream of a client; `destination` is set inside tunnels."""

    __slots__ = (
        "_be_patient",
        "_continued",
        "_limits",
        "_normalize",
        "_stream",
        "_tunnel",
        "_watch",
        "answering",
        "client",
        "destination",
        "head",
        "keep_alive",
        "protocol",
        "reader",
        "switched",
        "told",
    )

    def __init__(
        self, client: Client, stream: Http2Stream, settings: Settings, watch: Watch, destination: Destination | None
    ) -> None:
        self.client = client
        self.destination = destination
        self.reader = Http2Body(stream, settings.limits, watch.expect)
        self.head: RequestHead | None = None
        self.protocol: bytes | None = None
        """What an extended CONNECT asks for."""
        self.keep_alive = True
        self.answering = False
        self.switched = False
        self.told = False
        self._continued = False
        self._stream = stream
        self._tunnel: Http2Tunnel | None = None
        self._watch = watch
        self._limits = settings.limits
        self._normalize = settings.normalize_headers
        self._be_patient = partial(watch.expect, settings.idle_timeout, "the client stopped reading")

    # -- the request --

    def read_request(self, fields: FieldList, *, ends: bool) -> Request:
        """The request, its body still unread. Raises Refused."""
        arrived = time.time()
        head, pseudo = read_http2_request(fields, ends, self._limits, extended_connect=True)
        if pseudo.protocol is not None:
            head = _as_upgrade(head, pseudo.protocol)
            self.protocol = pseudo.protocol
        self.head = head
        self.reader.begin(head.framing)
        self.reader.body_done = self.protocol is not None  # what follows is no body
        authority = pseudo.authority or b""
        if head.method == b"CONNECT":
            return self._connect_request(head, authority, arrived)
        scheme, path = pseudo.scheme or b"", pseudo.path or b""
        if self.destination is not None:
            name, host, port = self.destination
            scheme = name.encode()
        elif head.host:
            host, port = host_and_port(head.host, scheme)
        else:
            raise Refused("the request names no host: this is a proxy")
        return Request(
            host, port, head.method, scheme, authority, path, HTTP_20, Headers(head.fields), None, None, arrived, None
        )

    def _connect_request(self, head: RequestHead, authority: bytes, arrived: float) -> Request:
        if self.destination is not None:
            raise Refused(NO_CONNECT)
        host, port = connect_target(authority)
        fields = Headers(head.fields)
        return Request(host, port, head.method, b"", authority, b"", HTTP_20, fields, b"", None, arrived, arrived)

    # -- the response --

    def send_informational(self, head: ResponseHead) -> None:
        """An interim response (1xx)."""
        if head.status == 100 and self._continued:
            return  # the client has been asked for its body already
        method = self.head.method if self.head is not None else b""
        try:
            outgoing = check_http2_response(head.status, head.fields, head.framing, method, head)
        except Refused:
            return  # nobody has to have it
        self._stream.send_head(list(outgoing.fields), end=False)

    def send_continue(self) -> None:
        """Ask for the body that the client holds back (`Expect: 100-continue`)."""
        self._continued = True
        self._stream.send_head([(b":status", b"100")], end=False)

    async def send(self, request: Request, response: Response, original: ResponseHead | None) -> None:
        """A response whose body is in memory. Raises Unsendable, StreamReset, OSError."""
        body = response.raw_content or b""
        if type(body) is not bytes:
            body = body_of(response)
        if self.protocol is not None and response.status_code == 101:
            self.answering = True
            outgoing = websocket_response(response, original, normalize=self._normalize)
            self._stream.send_head(list(outgoing.fields), end=False)
            return
        outgoing = self._assemble(request, response, original, len(body))
        trailers = trailer_list(response)
        self.answering = True
        stream = self._stream
        if outgoing.framing < 0:
            body = b""
        stream.send_head(list(outgoing.fields), end=not body and not trailers)
        if trailers or len(body) > ONE_WRITE or response.pace is not None:
            sink = Http2Sink(stream, outgoing.framing, self._be_patient)
            await write_paced(sink, body, response.pace)
            await sink.end(trailers)
        else:
            if body:
                stream.send(body, end=True)
            await stream.drain()

    def begin(self, request: Request, response: Response, original: ResponseHead | None) -> Http2Sink:
        """The head of a response whose body follows in pieces. Raises Unsendable."""
        outgoing = self._assemble(request, response, original, None)
        self.answering = True
        self._stream.send_head(list(outgoing.fields), end=False)
        return Http2Sink(self._stream, outgoing.framing, self._be_patient)

    def _assemble(
        self, request: Request, response: Response, original: ResponseHead | None, size: int | None
    ) -> Outgoing:
        assert self.head is not None
        method = self.head.method
        return response_list(request, response, original, size, method=method, normalize=self._normalize)

    def refuse(self, status: int, reason: bytes, text: str, *, close: bool) -> None:
        """An answer of our own: plain text; a request that is malformed gets none (RFC 9113 §8.1.1)."""
        self.answering = True
        if self.reader.malformed:
            self._stream.reset(ErrorCodes.PROTOCOL_ERROR)
            return
        body = text.encode("utf-8", "backslashreplace") + b"\n"
        fields = [
            (b":status", b"%d" % status),
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
        ]
        is_head = self.head is not None and self.head.method == b"HEAD"
        self._stream.send_head(fields, end=is_head)
        if not is_head:
            self._stream.send(body, end=True)

    # -- the stream --

    async def drain(self) -> None:
        """Wait until the client takes data again. Raises StreamReset, OSError."""
        await self._stream.drain()

    def pass_on(self, code: int) -> bool:
        """Reset the stream as the server did."""
        self._stream.reset(code, passed_on=True)
        return True

    def hang_up(self) -> None:
        """End without an answer."""
        self._stream.reset(ErrorCodes.CANCEL)

    def cut(self) -> None:
        """Reset in the middle of an answer."""
        self._stream.reset(ErrorCodes.INTERNAL_ERROR)

    def close(self) -> None:
        """The exchange is over. What the client still sends is not wanted (RFC 9113 §8.1)."""
        if self._tunnel is not None:
            self._tunnel.close()
        elif not self._stream.over:
            self._stream.reset(ErrorCodes.NO_ERROR if self._stream.finished else ErrorCodes.INTERNAL_ERROR)

    def accept_tunnel(self) -> None:
        """The answer to a CONNECT that succeeded."""
        self.answering = True
        self._stream.send_head([(b":status", b"200")], end=False)

    def take_over(self) -> Stream:
        """What follows the request, and the way back, as bytes."""
        if self._tunnel is None:
            self._tunnel = Http2Tunnel(self._stream)
            self._tunnel.peername, self._tunnel.sockname = self.client.peername, self.client.sockname
            self._tunnel.on_lost = self._watch.client_left
        return self._tunnel


def _as_upgrade(head: RequestHead, protocol: bytes) -> RequestHead:
    """An extended CONNECT as the request of HTTP/1 that asks for the same. Raises Refused."""
    if protocol.lower() != b"websocket":
        raise Refused("only WebSockets can be asked for by :protocol", 501)
    fields = [*head.fields, (b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    if not any(name == b"sec-websocket-key" for name, _ in fields):
        fields.append((b"sec-websocket-key", base64.b64encode(os.urandom(16))))
    return head._replace(method=b"GET", fields=tuple(fields), framing=NO_BODY, upgrade=b"websocket", hop=True)
