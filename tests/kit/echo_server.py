"""A WebSocket server that we did not write (`websockets`), which answers each message by the same.

async with echo_server(tls) as (url, heard):
    …
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

ECHO = Subprotocol("echo.test")
"""What it wants to speak; clients have to offer it."""


@asynccontextmanager
async def echo_server(tls: ssl.SSLContext | None) -> AsyncIterator[tuple[str, list[str | bytes]]]:
    """Its URL, and what it heard. It answers each message by the same and leaves after "bye"."""
    heard: list[str | bytes] = []

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            if message == "bye":
                await connection.close(4001, "so long")
                return
            heard.append(message)
            await connection.send(message)

    async with serve(echo, "127.0.0.1", 0, ssl=tls, subprotocols=[ECHO]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"{'ws' if tls is None else 'wss'}://localhost:{port}/echo?x=1", heard
