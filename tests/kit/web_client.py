"""A client of one origin through the proxy, on one connection: absolute targets for http, a tunnel with TLS for https.

async with web_client(program.port, web, program.ca) as client:
    client.ask("/path")
    head, body = await client.answer()
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.kit.origins import Origin, take_chunked
from tests.kit.socket_end import SocketEnd, connected, tunnelled

_LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding: *chunked", re.IGNORECASE | re.MULTILINE)


class WebClient:
    """See the module. `end` is the connection itself, for what is said and done beyond that."""

    def __init__(self, end: SocketEnd, web: Origin) -> None:
        self.end = end
        self.web = web

    def head(self, path: str = "/", *fields: str, method: str = "GET") -> bytes:
        """A request's head."""
        target = self.web.url(path) if self.web.scheme == "http" else path
        lines = (f"{method} {target} HTTP/1.1", f"Host: {self.web.authority}", *fields, "", "")
        return "\r\n".join(lines).encode()

    def ask(self, path: str = "/", *fields: str, method: str = "GET", body: bytes = b"") -> None:
        """Send a request."""
        lengths = (f"Content-Length: {len(body)}",) if body else ()
        self.end.say(self.head(path, *fields, *lengths, method=method) + body)

    async def answer(self) -> tuple[bytes, bytes]:
        """The next response, which has a length or chunks or no body."""
        head = await self.end.head()
        if length := _LENGTH.search(head):
            return head, await self.end.take(int(length[1]))
        if _CHUNKED.search(head):
            return head, (await take_chunked(self.end))[0]
        return head, b""


@asynccontextmanager
async def web_client(proxy_port: int, web: Origin, ca: Path) -> AsyncIterator[WebClient]:
    """A client connected to the proxy. `ca` is whom it trusts."""
    if web.scheme == "http":
        async with connected(proxy_port) as end:
            yield WebClient(end, web)
    else:
        trust = ssl.create_default_context(cafile=str(ca))
        async with tunnelled(proxy_port, web.authority, trust, web.host) as end:
            yield WebClient(end, web)
