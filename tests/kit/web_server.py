"""A web server that we did not write (Hypercorn), serving an app of the test over HTTP/1.1, HTTP/2 and WebSocket.

async with web_server(bodies, tls=origin_ca) as server:
    … server.url("/1mb"), server.exchanges

It notes what each request and each response really was, by digest. The scripted `origins` are for what a test says byte
by byte; this one is for real clients.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.kit import pki
from tests.kit.origins import OriginCA
from tests.kit.waiting import PATIENCE

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, order=True)
class Exchange:
    """A request and its response as one end saw them; bodies by digest."""

    method: str
    path: str
    received: str
    status: int
    sent: str

    def __str__(self) -> str:
        return f"{self.method} {self.path} <{self.received[:8]} {self.status} >{self.sent[:8]}"


@dataclass
class WebServer:
    """A running server."""

    port: int
    scheme: str
    host: str = "localhost"
    exchanges: list[Exchange] = field(default_factory=list)
    """Those that are finished, in that order."""
    versions: set[str] = field(default_factory=set)
    """Of HTTP, as ASGI names them: "1.1", "2"."""
    heads: list[list[tuple[bytes, bytes]]] = field(default_factory=list)
    """Of the requests, in the order of their coming."""
    answering: set[asyncio.Task[None]] = field(default_factory=set)
    """What the app is at."""

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"

    def url(self, path: str = "/", scheme: str = "") -> str:
        """The URL of a path here; for a WebSocket say which scheme."""
        return f"{scheme or self.scheme}://{self.authority}{path}"


def digest(data: bytes) -> str:
    """How bodies are compared."""
    return hashlib.sha256(data).hexdigest()


async def whole_body(receive: Receive) -> bytes:
    """The body of a request, once all of it is there."""
    pieces, more = [], True
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


async def respond(send: Send, status: int, body: bytes = b"", *fields: tuple[str, str], pieces: int = 1) -> None:
    """A response; in several pieces one without a length."""
    lengths = [("content-length", str(len(body)))] if pieces == 1 else []
    headers = [(name.encode(), value.encode()) for name, value in (*lengths, *fields)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    size = -(-len(body) // pieces) or 1
    for at in range(0, len(body), size):
        await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _noting(app: App, server: WebServer) -> App:
    """The app, with its HTTP exchanges noted."""

    async def noted(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        server.versions.add(scope["http_version"])
        server.heads.append(scope["headers"])
        received, sent, status = hashlib.sha256(), hashlib.sha256(), 0

        async def hear() -> Message:
            message = await receive()
            received.update(message.get("body", b""))
            return message

        async def say(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            if scope["method"] != "HEAD":
                sent.update(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                # Noted before the client can know that it is over.
                server.exchanges.append(
                    Exchange(scope["method"], target, received.hexdigest(), status, sent.hexdigest())
                )
            await send(message)

        query = scope["query_string"].decode()
        target = scope["raw_path"].decode() + (f"?{query}" if query else "")
        task = asyncio.current_task()
        assert task is not None
        server.answering.add(task)
        task.add_done_callback(server.answering.discard)
        await app(scope, hear, say)

    return noted


@asynccontextmanager
async def web_server(app: App, *, tls: OriginCA | None = None, **settings: object) -> AsyncIterator[WebServer]:
    """Serve `app` on a port of 127.0.0.1 until the block ends; over TLS by a certificate of that CA."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    server = WebServer(listener.getsockname()[1], "http" if tls is None else "https")
    over = asyncio.Event()
    with TemporaryDirectory() as folder:
        config = _config(tls, Path(folder), settings)
        config.bind = [f"fd://{listener.fileno()}"]
        running = asyncio.create_task(serve(_noting(app, server), config, shutdown_trigger=over.wait))  # type: ignore[arg-type]
        try:
            yield server
        finally:
            for task in server.answering:
                task.cancel()  # or Hypercorn would wait for those that never end, and fail
            over.set()
            await asyncio.wait([running], timeout=PATIENCE)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            listener.detach()  # closed by the server


def _config(tls: OriginCA | None, folder: Path, settings: dict[str, object]) -> Config:
    config = Config.from_mapping({"graceful_timeout": 0.1, "keep_alive_timeout": 60, **settings})
    config.errorlog = logging.getLogger("hypercorn")  # pytest shows it with a failure
    if tls is not None:
        identity = tls.issue("localhost", "127.0.0.1")
        pki.write_pem(folder / "server.pem", identity)
        config.certfile = config.keyfile = str(folder / "server.pem")
    return config
