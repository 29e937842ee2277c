"""A SOCKS5 proxy that we did not write with our own codec: enough of one to be somebody's parent.

async with socks_parent(credentials=("me", "pw")) as parent: … parent.port, parent.asked
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class SocksParent:
    """Where it listens, and where clients wanted to go: host and port as they were asked for."""

    credentials: tuple[str, str] | None
    port: int = 0
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        try:
            if await self._authenticate(reader, writer):
                await self._connect(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass  # somebody left
        finally:
            writer.close()

    async def _authenticate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        assert version == 5
        wanted = 0 if self.credentials is None else 2
        if wanted not in methods:
            writer.write(b"\x05\xff")
            return False
        writer.write(bytes([5, wanted]))
        if self.credentials is None:
            return True
        assert await reader.readexactly(1) == b"\x01"
        said = tuple([(await reader.readexactly((await reader.readexactly(1))[0])).decode() for _ in range(2)])
        writer.write(b"\x01\x00" if said == self.credentials else b"\x01\x01")
        return said == self.credentials

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(3) == b"\x05\x01\x00"
        kind = (await reader.readexactly(1))[0]
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly({1: 4, 4: 16}[kind])))
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append((host, port))
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.write(b"\x05\x05\x00\x01" + bytes(6))
            return
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def socks_parent(credentials: tuple[str, str] | None = None) -> AsyncIterator[SocksParent]:
    """It serves until the block ends."""
    parent = SocksParent(credentials)
    tasks: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await parent.serve(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    parent.port = server.sockets[0].getsockname()[1]
    try:
        yield parent
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
