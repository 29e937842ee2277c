"""One end of a real connection, a client's or an origin's: say bytes, expect bytes, leave in any manner.

    async with connected(port) as client:
        client.say(b"GET …")
        await client.expect(b"HTTP/1.1 200 OK\r\n")

Made on asyncio's own streams, so that what the proxy's streams do is seen by somebody else's eyes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.kit.waiting import PATIENCE

LIMIT = 1024 * 1024
"""What is read ahead at most, so that a test can be a slow reader."""


class Ended(AssertionError):
    """The other side left although more was expected of it."""


class SocketEnd:
    """See the module."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.heard = b""

    @property
    def tls(self) -> ssl.SSLObject:
        """What was agreed on in the TLS handshake."""
        found = self.writer.get_extra_info("ssl_object")
        assert isinstance(found, ssl.SSLObject | ssl.SSLSocket)
        return found  # type: ignore[return-value]

    @property
    def port(self) -> int:
        """The port of this end, by which the other side's log calls it."""
        name: tuple[str, int] = self.writer.get_extra_info("sockname")
        return name[1]

    def say(self, data: bytes) -> None:
        """Send bytes, without waiting for them to leave."""
        self.writer.write(data)

    async def drain(self) -> None:
        """Wait until most of what was said has left. Raises ConnectionError when the other side is gone."""
        async with asyncio.timeout(PATIENCE):
            await self.writer.drain()
            await asyncio.sleep(0)  # asyncio's own TLS may neither wait nor raise, for ever
        if self.writer.transport.is_closing():
            raise ConnectionResetError("the other side is gone")

    async def read(self) -> bytes:
        """The next bytes, `b""` at the end."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read(65536)

    async def take(self, size: int) -> bytes:
        """The next `size` bytes; fewer at the end."""
        pieces, have = [self.heard], len(self.heard)
        while have < size and (more := await self.read()):
            pieces.append(more)
            have += len(more)
        heard = b"".join(pieces)
        got, self.heard = heard[:size], heard[size:]
        return got

    async def expect(self, data: bytes) -> None:
        """The next bytes that come are exactly these."""
        got = await self.take(len(data))
        assert got == data, f"expected {data!r}, got {got!r} then {self.heard!r}"

    async def until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`."""
        while mark not in self.heard:
            more = await self.read()
            if not more:
                raise Ended(f"the connection ended before {mark!r}; got {self.heard!r}")
            self.heard += more
        got, _, self.heard = self.heard.partition(mark)
        return got + mark

    async def head(self) -> bytes:
        """A whole message head."""
        return await self.until(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """Everything until the other side ends, resets included."""
        pieces = [self.heard]
        self.heard = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while more := await self.read():
                pieces.append(more)
        return b"".join(pieces)

    async def expect_closed(self) -> None:
        """The other side ended without another byte."""
        got = await self.rest()
        assert got == b"", f"expected the end, got {got!r}"

    async def start_tls(self, context: ssl.SSLContext, name: str | None = None) -> None:
        """Shake hands as the client, inside what this connection is so far."""
        await self.writer.start_tls(context, server_hostname=name, ssl_handshake_timeout=PATIENCE)

    def end(self) -> None:
        """Say no more, but listen on (half-close)."""
        self.writer.write_eof()

    def close(self) -> None:
        """Leave politely."""
        self.writer.close()

    def reset(self) -> None:
        """Leave with a TCP reset, what is unsent lost."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def closed(self) -> None:
        """Wait until the transport of this end is closed, by whomever."""
        with contextlib.suppress(OSError):
            async with asyncio.timeout(PATIENCE):
                await self.writer.wait_closed()

    async def gone(self) -> None:
        """Close at once, and wait until the transport has done so."""
        self.writer.transport.abort()
        await self.closed()


@asynccontextmanager
async def connected(port: int, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[SocketEnd]:
    """A client's connection to a port of this machine."""
    async with asyncio.timeout(PATIENCE):
        end = SocketEnd(*await asyncio.open_connection(host, port, limit=LIMIT, ssl=tls))
    try:
        yield end
    finally:
        await end.gone()


@asynccontextmanager
async def tunnelled(
    proxy_port: int, target: str, tls: ssl.SSLContext | None = None, name: str | None = None
) -> AsyncIterator[SocketEnd]:
    """A client's connection through CONNECT to `target` (host:port), and TLS inside it if a context is given."""
    async with connected(proxy_port) as end:
        end.say(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        await end.expect(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if tls is not None:
            await end.start_tls(tls, name or target.rpartition(":")[0].strip("[]"))
        yield end
