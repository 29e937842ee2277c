"""Datagrams for tests: two ends in memory, a client on a real socket, and a server that echoes.

async with udp_echo() as port, udp_client(port) as client: client.say(b"hello"); await client.expect(b"hello")
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from midstream.proxy.streams.datagram import DatagramStream
from tests.kit.waiting import PATIENCE


def datagram_pair(capacity: int = 0) -> tuple[DatagramStream, DatagramStream]:
    """Two ends joined in memory: what one writes, the other receives. For `conversation(pair=…)`."""
    left = DatagramStream(lambda data: right.arrive(data), lambda aborted: None)
    right = DatagramStream(lambda data: left.arrive(data), lambda aborted: None)
    for stream in (left, right):
        stream.peername, stream.sockname = ("127.0.0.1", 50000), ("127.0.0.1", 8080)
    return left, right


async def heard(stream: DatagramStream) -> bytes:
    """The next datagram that comes."""
    async with asyncio.timeout(PATIENCE):
        data = await stream.receive()
    assert data is not None
    return data


class UdpEnd(asyncio.DatagramProtocol):
    """A socket of its own; `answer` makes replies to what comes, or what comes waits to be looked at."""

    def __init__(self, answer: Callable[[bytes], bytes | None] | None = None) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.peers: list[tuple[str, int]] = []
        """Who sent what came, in order."""
        self.errors: list[Exception] = []

    @property
    def name(self) -> tuple[str, int]:
        """Its address."""
        found: tuple[Any, ...] = self._transport.get_extra_info("sockname")
        return found[0], found[1]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.peers.append(addr)
        reply = self._answer(data) if self._answer is not None else None
        if reply is not None:
            self._transport.sendto(reply, addr)
        self.inbox.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def say(self, data: bytes, to: tuple[str, int] | None = None) -> None:
        """Send a datagram."""
        self._transport.sendto(data, to)

    async def heard(self) -> bytes:
        """The next datagram that comes."""
        async with asyncio.timeout(PATIENCE):
            return await self.inbox.get()

    async def expect(self, data: bytes) -> None:
        """The next datagram is this one."""
        got = await self.heard()
        assert got == data, f"expected {data!r}, got {got!r}"

    def close(self) -> None:
        self._transport.close()


@asynccontextmanager
async def udp_client(port: int, host: str = "127.0.0.1", bind: tuple[str, int] | None = None) -> AsyncIterator[UdpEnd]:
    """A client that hears only what comes from the address that it speaks to."""
    loop = asyncio.get_running_loop()
    _, end = await loop.create_datagram_endpoint(UdpEnd, remote_addr=(host, port), local_addr=bind)
    try:
        yield end
    finally:
        end.close()


@asynccontextmanager
async def udp_server(answer: Callable[[bytes], bytes | None], host: str = "127.0.0.1") -> AsyncIterator[UdpEnd]:
    """A server on a port of its own: `answer` gives the reply to a datagram, or None."""
    loop = asyncio.get_running_loop()
    _, end = await loop.create_datagram_endpoint(lambda: UdpEnd(answer), local_addr=(host, 0))
    try:
        yield end
    finally:
        end.close()


@asynccontextmanager
async def udp_echo() -> AsyncIterator[int]:
    """A server that sends back what it gets; its port."""
    async with udp_server(lambda data: data) as end:
        yield end.name[1]
