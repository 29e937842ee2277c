"""The client's side of an HTTP/1 connection: requests as they come, responses as they go.

`exchange` talks to this and never to a stream, so that HTTP/2 can stand in its place.
"""

import time
from functools import lru_cache

from midstream.flows.connection import Client
from midstream.flows.headers import Headers
from midstream.flows.http import Request, Response
from midstream.proxy.http.assemble import body_of, informational_head, response_head, trailers_of
from midstream.proxy.http.pace import write_paced
from midstream.proxy.http.reader import MessageReader
from midstream.proxy.http.sides import NO_CONNECT, Destination
from midstream.proxy.http.writer import BodyWriter
from midstream.proxy.settings import Settings
from midstream.proxy.streams.stream import Stream
from midstream.proxy.watch import Watch
from midstream.text import url
from midstream.wire.http1 import (
    NO_BODY,
    Fields,
    Refused,
    RequestHead,
    ResponseHead,
    parse_request_head,
    response_head_bytes,
)

# As much of a refused request line is shown in its row.
LONGEST_SHOWN = 4000
# Whole messages up to this size leave in one write; larger ones piece by piece.
ONE_WRITE = 128 * 1024

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
# Some clients ask a proxy for ws://. It is HTTP until the server agrees to the upgrade (RFC 6455 §4.1).
_SCHEMES = {b"http": b"http", b"https": b"https", b"ws": b"http", b"wss": b"https"}


class DownstreamH1:
    """One HTTP/1 connection of a client, on whatever stream; `destination` is set inside tunnels."""

    __slots__ = (
        "_continued",
        "_limits",
        "_patience",
        "_watch",
        "answering",
        "client",
        "destination",
        "first_line",
        "head",
        "keep_alive",
        "reader",
        "stream",
        "switched",
        "told",
    )

    def __init__(
        self,
        client: Client,
        stream: Stream,
        settings: Settings,
        watch: Watch,
        destination: Destination | None = None,
    ) -> None:
        self.client = client
        self.stream = stream
        self.destination = destination
        self.reader = MessageReader(stream, settings.limits, watch.expect, settings.longest_head)
        self.head: RequestHead | None = None
        self.keep_alive = True
        """Another request may come on this connection."""
        self.answering = False
        """A part of the present response is out, so that no other answer can be given."""
        self.switched = False
        """Another protocol is spoken now: its end is not that of the last flow."""
        self.told = False
        """The addons have seen the response: whatever happens now is no `error` event any more."""
        self.first_line = b""
        self._continued = False
        self._limits = settings.limits
        self._watch = watch
        self._patience = settings.idle_timeout

    # -- the request --

    async def read_request(self) -> Request | None:
        """The next request, its body still unread; None at the end. Raises Refused (nothing usable came), OSError."""
        self.head = None
        self.answering = self._continued = self.told = False
        self.first_line = b""
        try:
            raw = await self.reader.read_head()
        except Refused:
            self.first_line = _first_line(self.reader.take_surplus())
            raise
        if not raw:
            return None
        arrived = time.time()
        try:
            head = self.head = parse_request_head(raw, self._limits)
        except Refused:
            self.first_line = _first_line(raw)
            raise
        self.keep_alive = head.keep_alive
        self.reader.begin_body(head.framing)
        if head.method == b"CONNECT":
            return self._connect_request(head, arrived)
        target = head.target
        if self.destination is not None:
            return self._tunnel_request(head, self.destination, arrived)
        if target[:1] == b"/" or target == b"*":
            raise Refused(
                "this is a proxy: it needs a request with a full URL (http://host/path) or CONNECT; "
                "set it as the proxy of your client rather than opening it like a site, "
                "and then open http://midstream.internal, which tells how to trust its certificates"
            )
        scheme, authority, path = _split_absolute(target)
        host, port = host_and_port(authority, scheme)
        fields = head.fields
        if head.host != authority and not _same_authority(head.host, scheme, host, port):
            # RFC 9112 §3.2.2: the target decides, and what goes on has to agree with it.
            fields = _with_host(fields, authority)
        path = path or (b"*" if head.method == b"OPTIONS" else b"/")  # RFC 9112 §3.2.4
        return Request(
            host, port, head.method, scheme, b"", path, head.version, Headers(fields), None, None, arrived, None
        )

    def _connect_request(self, head: RequestHead, arrived: float) -> Request:
        if self.destination is not None:
            raise Refused(NO_CONNECT)
        host, port = connect_target(head.target)
        return Request(
            host,
            port,
            head.method,
            b"",
            head.target,
            b"",
            head.version,
            Headers(head.fields),
            b"",
            None,
            arrived,
            arrived,
        )

    def _tunnel_request(self, head: RequestHead, destination: Destination, arrived: float) -> Request:
        scheme, host, port = destination
        path, authority, fields = head.target, b"", head.fields
        if path[:1] != b"/" and path != b"*":
            _, authority, path = _split_absolute(path)
            path = path or b"/"
            if head.host != authority:
                fields = _with_host(fields, authority)  # RFC 9112 §3.2.2 holds for every server
        return Request(
            host,
            port,
            head.method,
            scheme.encode(),
            authority,
            path,
            head.version,
            Headers(fields),
            None,
            None,
            arrived,
            None,
        )

    # -- the response --

    def _be_patient(self) -> None:
        self._watch.expect(self._patience, "the client stopped reading")

    def send_informational(self, head: ResponseHead) -> None:
        """An interim response (1xx), which HTTP/1.0 clients do not know."""
        if head.status == 100 and self._continued:
            return  # the client has been asked for its body already
        if self.head is not None and self.head.version != b"HTTP/1.0":
            self.stream.write(informational_head(head))

    def send_continue(self) -> None:
        """Ask for the body that the client holds back (`Expect: 100-continue`)."""
        self._continued = True
        self.stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def send(self, request: Request, response: Response, original: ResponseHead | None) -> None:
        """A response whose body is in memory. Raises Unsendable, OSError."""
        body = response.raw_content or b""
        if type(body) is not bytes:
            body = body_of(response)
        head, framing = self._head(request, response, original, len(body))
        if framing >= NO_BODY and len(body) <= ONE_WRITE and response.pace is None:
            self.answering = True
            self.stream.write(head + body if framing > 0 else head)
            await self.stream.drain()
            return
        trailers = trailers_of(response)
        self.answering = True
        self.stream.write(head)
        writer = BodyWriter(self.stream, framing, self._be_patient)
        await write_paced(writer, body, response.pace)
        await writer.end(trailers)

    def begin(self, request: Request, response: Response, original: ResponseHead | None) -> BodyWriter:
        """The head of a response whose body follows in pieces. Raises Unsendable."""
        head, framing = self._head(request, response, original, None)
        self.answering = True
        self.stream.write(head)
        return BodyWriter(self.stream, framing, self._be_patient, self._watch.served)

    # -- the connection --

    async def drain(self) -> None:
        """Wait until the client takes data again. Raises OSError."""
        await self.stream.drain()

    def pass_on(self, _code: int) -> bool:
        """HTTP/1 has no streams."""
        return False

    def hang_up(self) -> None:
        """Close without an answer."""
        self.stream.close()

    def cut(self) -> None:
        """Reset in the middle of an answer."""
        self.stream.abort()

    def accept_tunnel(self) -> None:
        """The answer to a CONNECT that succeeded."""
        self.stream.write(ESTABLISHED)

    def take_over(self) -> Stream:
        """The stream, with what arrived beyond the present request in front."""
        self.stream.unread(self.reader.take_surplus())
        return self.stream

    def _head(
        self, request: Request, response: Response, original: ResponseHead | None, size: int | None
    ) -> tuple[bytes, int]:
        asked = self.head
        assert asked is not None
        answer = response_head(request, response, original, size, asked=asked, keep_alive=self.keep_alive)
        self.keep_alive = answer.keep_alive
        return answer.head, answer.framing

    def refuse(self, status: int, reason: bytes, text: str, *, close: bool) -> None:
        """An answer of our own: plain text. `close`: the last one on this connection."""
        body = text.encode("utf-8", "backslashreplace") + b"\n"
        fields: Fields = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"Content-Length", b"%d" % len(body)))
        if close or not self.keep_alive or (self.head is not None and self.head.version == b"HTTP/1.0"):
            self.keep_alive = False
            fields = (*fields, (b"Connection", b"close"))
        if self.head is not None and self.head.method == b"HEAD":
            body = b""
        self.answering = True
        self.stream.write(response_head_bytes(b"HTTP/1.1", status, reason, fields) + body)


@lru_cache(maxsize=4096)
def host_and_port(authority: bytes, scheme: bytes) -> tuple[str, int]:
    """Of an absolute target's authority. Raises Refused."""
    try:
        host, port = url.split_authority(authority)
    except ValueError as exc:
        raise Refused(f"the request target names no usable host: {exc}") from None
    if not host:
        raise Refused("the request target names no host")
    return host.decode("utf-8", "surrogateescape"), port or url.default_port(scheme) or 80


def _first_line(raw: bytes) -> bytes:
    """What a refused head begins with, as far as a row can show it."""
    return raw.lstrip(b"\r\n").partition(b"\n")[0].rstrip(b"\r")[:LONGEST_SHOWN]


def connect_target(target: bytes) -> tuple[str, int]:
    """Where a CONNECT wants to go. Raises Refused."""
    try:
        host, port = url.split_authority(target)
    except ValueError as exc:
        raise Refused(f"the target of CONNECT is no host:port: {exc}") from None
    if not host or not port:
        raise Refused("the target of CONNECT is no host:port")
    return host.decode("ascii", "replace"), port


def _split_absolute(target: bytes) -> tuple[bytes, bytes, bytes]:
    """Scheme, authority and path, which may be missing, of an absolute-form target; only http and https are
    forwarded.
    """
    named, separator, rest = target.partition(b"://")
    scheme = _SCHEMES.get(named.lower())
    if not separator or scheme is None:
        raise Refused("the request target is neither a path nor an http or https URL")
    for index, byte in enumerate(rest):
        if byte in b"/?#":
            authority, path = rest[:index], rest[index:]
            break
    else:
        authority, path = rest, b""
    if b"@" in authority:
        raise Refused("the request target has user information in it, which RFC 9110 §4.2.4 forbids")
    return scheme, authority, path if path[:1] == b"/" or not path else b"/" + path


def _same_authority(field: bytes | None, scheme: bytes, host: str, port: int) -> bool:
    """Whether a Host value means the same, spelled otherwise (case, default port)."""
    if field is None:
        return False
    try:
        named, number = url.split_authority(field)
    except ValueError:
        return False
    return named.lower() == host.lower().encode() and (number or url.default_port(scheme)) == port


def _with_host(fields: Fields, authority: bytes) -> Fields:
    """The fields with Host as given, in the old one's place or, if there was none, in front."""
    changed = tuple((name, authority) if name.lower() == b"host" else (name, value) for name, value in fields)
    return changed if any(name.lower() == b"host" for name, _ in fields) else ((b"Host", authority), *fields)
