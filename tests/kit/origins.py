"""Servers that do what a test tells them, on real ports, in the clear or over TLS with a CA of their own.

async with origin(answering(lambda request: ok(b"hello"))) as web:
    … web.url("/path"), web.requests, web.connections
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from midstream.certs.authority import Authority
from tests.kit import pki
from tests.kit.socket_end import LIMIT, Ended, SocketEnd


@dataclass
class Heard:
    """A request as it arrived. `fields` has lower case names; of a repeated one the last value."""

    head: bytes
    body: bytes
    method: str
    target: str
    fields: dict[str, str]
    trailers: bytes = b""


@dataclass
class Origin:
    """A running server."""

    host: str
    port: int
    scheme: str
    connections: list[SocketEnd] = field(default_factory=list)
    """Every connection that was accepted (over TLS: whose handshake succeeded), first one first."""
    requests: list[Heard] = field(default_factory=list)
    """What `answering` heard."""

    @property
    def authority(self) -> str:
        """host:port, as it stands in URLs and CONNECT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, path: str = "/") -> str:
        """The URL of a path here."""
        return f"{self.scheme}://{self.authority}{path}"


Handler = Callable[[SocketEnd], Awaitable[None]]
Answer = Callable[[Heard], bytes]


@asynccontextmanager
async def origin(
    handler: Handler | Callable[[Origin], Handler], *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Origin]:
    """Serve every connection by `handler` (or what `answering` made). What a handler raises fails the test."""
    failures: list[BaseException] = []
    tasks: set[asyncio.Task[None]] = set()
    serve: Handler

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        end = SocketEnd(reader, writer)
        running.connections.append(end)
        try:
            await serve(end)
        except (Ended, ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass  # the peer left, or the test is over
        except BaseException as exc:
            failures.append(exc)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(accepted, host, 0, ssl=tls, limit=LIMIT)
    running = Origin(host, server.sockets[0].getsockname()[1], "http" if tls is None else "https")
    serve = handler(running) if isinstance(handler, _Answering) else handler  # type: ignore[assignment]
    try:
        yield running
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for end in running.connections:
            end.writer.transport.abort()
    if failures:
        raise failures[0]


class _Answering:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __call__(self, running: Origin) -> Handler:
        async def serve(end: SocketEnd) -> None:
            while (heard := await hear(end)) is not None:
                running.requests.append(heard)
                reply = self._answer(heard)
                end.say(reply)
                await end.drain()
                if b"\r\nConnection: close\r\n" in reply[:4096]:
                    return

        return serve


def answering(answer: Answer) -> Callable[[Origin], Handler]:
    """A handler that answers each request of a connection with the bytes that `answer` gives for it."""
    return _Answering(answer)


async def hear(end: SocketEnd) -> Heard | None:
    """The next request with its body; None at the end."""
    while b"\r\n\r\n" not in end.heard:
        more = await _read_for_long(end)
        if not more:
            return None
        end.heard += more
    head = await end.head()
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    heard = Heard(head, b"", method, target, fields)
    if fields.get("expect", "").lower() == "100-continue":
        end.say(b"HTTP/1.1 100 Continue\r\n\r\n")
    if fields.get("transfer-encoding", "").lower() == "chunked":
        heard.body, heard.trailers = await take_chunked(end)
    else:
        heard.body = await end.take(int(fields.get("content-length", 0)))
    return heard


async def _read_for_long(end: SocketEnd) -> bytes:
    # Between requests nobody owes anything: the test's own deadlines decide.
    return await end.reader.read(65536)


async def take_chunked(end: SocketEnd) -> tuple[bytes, bytes]:
    """A chunked body and its trailer lines."""
    pieces = []
    while size := int(await end.until(b"\r\n"), 16):
        pieces.append(await end.take(size))
        await end.expect(b"\r\n")
    trailers = b""
    while (line := await end.until(b"\r\n")) != b"\r\n":
        trailers += line
    return b"".join(pieces), trailers


def ok(body: bytes = b"", *fields: str, status: str = "200 OK") -> bytes:
    """A response with a length."""
    lines = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}"))
    return lines.encode() + b"\r\n" + body


class OriginCA:
    """A certificate authority for origins. `file` is what clients, and our proxy, may be told to trust."""

    def __init__(self, folder: Path) -> None:
        self.authority = pki.issue([], None, is_ca=True, common_name="CA of the origins")
        self.file = folder / "origin-ca.pem"
        self.file.write_bytes(self.authority.public_pem())

    def issue(self, *names: str, start: float = -1, end: float = 30) -> Authority:
        """A server's certificate."""
        return pki.issue(names or ["127.0.0.1", "localhost"], self.authority, start=start, end=end)

    def context(self, *names: str, start: float = -1, end: float = 30) -> ssl.SSLContext:
        """How a server with a certificate for these names (127.0.0.1 and localhost) speaks TLS."""
        return pki.server_context(self.issue(*names, start=start, end=end))
