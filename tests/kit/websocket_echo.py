"""A WebSocket server that sends back what it gets, made on wsproto: what it says is somebody else's idea of the RFCs.

async with websocket_echo() as server:
    … ws://127.0.0.1:{server.port}/
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from wsproto import ConnectionType, WSConnection
from wsproto import events as ws
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import LocalProtocolError, RemoteProtocolError


@dataclass
class EchoServer:
    """A running server, and what was said to it."""

    port: int
    closes: list[tuple[int, str]] = field(default_factory=list)
    """Code and reason of each close frame that came."""
    messages: list[str | bytes] = field(default_factory=list)
    """Each whole message, unless they are not kept."""


@asynccontextmanager
async def websocket_echo(tls: ssl.SSLContext | None = None, *, keep: bool = True) -> AsyncIterator[EchoServer]:
    """Listens on a port of its own until the block ends."""
    echo = EchoServer(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _serve(reader, writer, echo, keep)
        except (OSError, RemoteProtocolError, LocalProtocolError):
            pass  # the test sees what became of its side
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    echo.port = server.sockets[0].getsockname()[1]
    try:
        yield echo
    finally:
        server.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, echo: EchoServer, keep: bool) -> None:
    connection = WSConnection(ConnectionType.SERVER)
    parts: list[bytes] = []
    while data := await reader.read(65536):
        connection.receive_data(data)
        for event in connection.events():
            match event:
                case ws.Request():
                    writer.write(connection.send(ws.AcceptConnection(extensions=[PerMessageDeflate()])))
                case ws.Ping():
                    writer.write(connection.send(event.response()))
                case ws.TextMessage() | ws.BytesMessage():
                    is_text = isinstance(event, ws.TextMessage)
                    parts.append(event.data.encode() if isinstance(event.data, str) else bytes(event.data))
                    if event.message_finished:
                        whole = b"".join(parts)
                        parts.clear()
                        if keep:
                            echo.messages.append(whole.decode() if is_text else whole)
                        answer = ws.TextMessage(whole.decode()) if is_text else ws.BytesMessage(whole)
                        writer.write(connection.send(answer))
                case ws.CloseConnection():
                    echo.closes.append((int(event.code), event.reason or ""))
                    writer.write(connection.send(event.response()))
                    await writer.drain()
                    return
        await writer.drain()
