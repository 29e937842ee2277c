"""One end of an HTTP/2 connection that knows no manners: it sends the frames it is told to, and shows those that come.

async with connected(port) as end:
    peer = Http2Peer(end)
    await peer.begin()
    peer.say(headers(1, GET, END_STREAM))
    answer = await peer.answer(1)

The end may be a socket, TLS on it, or a stream in memory (`conversation`). As a server it is the handler of an
`origin` (`http2_origin`). It acknowledges settings and answers pings, unless told not to; nothing else happens by
itself.
"""

from __future__ import annotations

import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import hpack

from tests.kit.http2_frames import (
    ACK,
    CODES,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITIZED,
    RST_STREAM,
    SETTINGS,
    Frame,
    frame,
    next_frame,
    settings,
    settings_ack,
)
from tests.kit.origins import Origin, origin
from tests.kit.socket_end import Ended, SocketEnd, tunnelled


class AnyEnd(Protocol):
    """What `SocketEnd` and `conversation.End` have in common."""

    heard: bytes

    def say(self, data: bytes) -> None: ...
    async def take(self, size: int) -> bytes: ...


Fields = list[tuple[bytes, bytes]]


@dataclass
class Message:
    """What came on one stream so far. `interim` are the heads of 1xx; `code` is that of a RST_STREAM; `secret` are the
    names of fields that no compression table may hold.
    """

    fields: Fields = field(default_factory=list)
    body: bytes = b""
    trailers: Fields = field(default_factory=list)
    interim: list[Fields] = field(default_factory=list)
    code: int | None = None
    secret: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def status(self) -> int:
        """Of a response; 0 if no head came."""
        return int(dict(self.fields).get(b":status", b"0"))

    @property
    def path(self) -> str:
        """Of a request."""
        return dict(self.fields).get(b":path", b"").decode()

    def take_header(self, fields: Fields) -> None:
        """A header of any of the three kinds."""
        if dict(fields).get(b":status", b"").startswith(b"1"):
            self.interim.append(fields)
        elif self.fields:
            self.trailers = fields
        else:
            self.fields = fields


class ConnectionOver(Ended):
    """The other side ended the connection; `code` is that of its GOAWAY, None if there was none."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"the connection ended, GOAWAY {code}")
        self.code = code


class Http2Peer:
    """See the module. `is_client` says who sends the preface."""

    def __init__(self, end: AnyEnd, *, is_client: bool = True, polite: bool = True) -> None:
        self.end = end
        self.is_client = is_client
        self.polite = polite
        """Whether settings are acknowledged and pings answered."""
        self.frames: list[Frame] = []
        """All that came."""
        self.streams: defaultdict[int, Message] = defaultdict(Message)
        """The same, put together."""
        self.goaway: Frame | None = None
        self.settings: dict[int, int] = {}
        """What the other side has told."""
        self._decoder = hpack.Decoder(max_header_list_size=1 << 20)
        self._block = b""
        self._ends = False
        self._new: list[int] = []

    def say(self, *frames: bytes) -> None:
        """Send frames, all in one go."""
        self.end.say(b"".join(frames))

    async def begin(self, *parameters: tuple[int, int]) -> None:
        """The start of a connection, up to the other side's settings and its acknowledgement of ours."""
        if self.is_client:
            self.say(PREFACE, settings(*parameters))
        else:
            assert await self.end.take(len(PREFACE)) == PREFACE
            self.say(settings(*parameters))
        await self.until(lambda got: got.kind == SETTINGS and not got.flags & ACK)
        await self.until(lambda got: got.kind == SETTINGS and bool(got.flags & ACK))

    async def read(self) -> Frame:
        """The next frame. Raises ConnectionOver."""
        while (found := next_frame(self.end.heard)) is None:
            size = len(self.end.heard)
            try:
                heard = await self.end.take(size + 1)
            except (ConnectionError, ssl.SSLError):
                heard = b""
            self.end.heard = heard + self.end.heard
            if len(heard) <= size:
                raise ConnectionOver(self.goaway.code if self.goaway is not None else None)
        got, self.end.heard = found
        self.frames.append(got)
        self._react(got)
        return got

    def _react(self, got: Frame) -> None:
        if got.kind == GOAWAY:
            self.goaway = got
        elif got.kind == SETTINGS and not got.flags & ACK:
            self.settings |= got.settings()
            if self.polite:
                self.say(settings_ack())
        elif got.kind == PING and not got.flags & ACK and self.polite:
            self.say(frame(PING, got.payload, flags=ACK))
        elif got.kind in (HEADERS, CONTINUATION):
            self._take_block(got)
        elif got.kind == DATA:
            self.streams[got.stream].body += got.payload
            self.streams[got.stream].ended |= bool(got.flags & END_STREAM)
        elif got.kind == RST_STREAM:
            self.streams[got.stream].code = got.code
            self.streams[got.stream].ended = True

    def _take_block(self, got: Frame) -> None:
        assert not got.flags & (PADDED | PRIORITIZED), "nothing of ours pads, or sends priorities"
        if got.kind == HEADERS:
            self._block, self._ends = b"", bool(got.flags & END_STREAM)
        self._block += got.payload
        if got.flags & END_HEADERS:
            if got.stream not in self.streams:
                self._new.append(got.stream)
            message = self.streams[got.stream]
            fields = list(self._decoder.decode(self._block, raw=True))
            message.take_header([(name, value) for name, value in fields])
            message.secret += [one[0] for one in fields if isinstance(one, hpack.NeverIndexedHeaderTuple)]
            message.ended |= self._ends

    async def until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The next frame that is wanted. Raises ConnectionOver."""
        while not wanted(got := await self.read()):
            pass
        return got

    async def answer(self, stream: int) -> Message:
        """The message on a stream, once it has ended. Raises ConnectionOver."""
        while not self.streams[stream].ended:
            await self.read()
        return self.streams[stream]

    async def outcome(self, stream: int) -> str:
        """What became of a stream, or of the connection: `status 200`, `stream CANCEL`, `connection NO_ERROR`, `closed`
        (without a GOAWAY).
        """
        try:
            message = await self.answer(stream)
        except ConnectionOver as end:
            return "closed" if end.code is None else f"connection {CODES[end.code]}"
        return f"status {message.status}" if message.code is None else f"stream {CODES[message.code]}"

    @property
    def has_new_stream(self) -> bool:
        """Whether `opened` has something to tell at once."""
        return bool(self._new)

    async def opened(self) -> int:
        """The next stream that the other side opens; its header is there, and perhaps more. Raises ConnectionOver."""
        while not self._new:
            await self.read()
        return self._new.pop(0)

    async def alive(self) -> bool:
        """Whether the other side still answers, all that was said before being dealt with."""
        self.say(frame(PING, b"STILLUP?"))
        try:
            await self.until(lambda got: got.kind == PING and got.payload == b"STILLUP?" and bool(got.flags & ACK))
        except ConnectionOver:
            return False
        return self.goaway is None

    async def over(self) -> int | None:
        """Wait for the end of the connection; the code of the GOAWAY before it."""
        try:
            while True:
                await self.read()
        except ConnectionOver as end:
            return end.code


@asynccontextmanager
async def http2_client(
    proxy_port: int, web: Origin, ca: Path, *parameters: tuple[int, int]
) -> AsyncIterator[Http2Peer]:
    """A client that speaks HTTP/2 inside TLS inside a tunnel, and has exchanged settings. `ca` is whom it trusts."""
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(["h2"])
    async with tunnelled(proxy_port, web.authority, context) as end:
        assert end.tls.selected_alpn_protocol() == "h2"
        peer = Http2Peer(end)
        await peer.begin(*parameters)
        yield peer


Http2Handler = Callable[[Http2Peer], Awaitable[None]]


@asynccontextmanager
async def http2_origin(
    handler: Http2Handler, *parameters: tuple[int, int], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Origin]:
    """A server that speaks HTTP/2 only, by `handler`, once its settings (these parameters) have been acknowledged."""
    if tls is not None:
        tls.set_alpn_protocols(["h2"])

    async def serve(end: SocketEnd) -> None:
        peer = Http2Peer(end, is_client=False)
        await peer.begin(*parameters)
        await handler(peer)
        await peer.over()

    async with origin(serve, tls=tls) as running:
        yield running
