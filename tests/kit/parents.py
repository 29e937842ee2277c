"""Conversations in memory that go through a parent proxy, and what is said in them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from midstream.flows.http import HTTPFlow
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.proxy.modes.upstream import serve_upstream
from midstream.proxy.settings import Settings
from midstream.wire.socks5 import Credentials
from tests.kit.conversation import Conversation, conversation

PARENT = ("parent.test", 8080)
VIA_HTTP = ("http", PARENT)
GET = b"GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CONNECT = b"CONNECT a.test:443 HTTP/1.1\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
ASKED = b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"
"""What an HTTP parent gets for CONNECT."""
SECRET = Settings(parent_credentials=Credentials(b"me", b"pw"))
BASIC = b"Basic bWU6cHc="

through_http = partial(conversation, serve=serve_upstream, mode="upstream:http://parent.test:8080")
through_socks = partial(conversation, serve=serve_upstream, mode="upstream:socks5://parent.test:8080")


class Connections:
    """An addon that notes which connections it is told of."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, object]] = []

    def server_connect(self, data: ServerConnectionHookData) -> None:
        self.seen.append(("connect", data.server.address))

    def server_connected(self, data: ServerConnectionHookData) -> None:
        self.seen.append(("connected", data.server.address))

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        self.seen.append(("error", data.server.address))

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        self.seen.append(("disconnected", data.server.address))


class Upstream:
    """An addon that does something with the CONNECT to the parent."""

    def __init__(self, do: Callable[[HTTPFlow], object]) -> None:
        self.do = do
        self.flows: list[HTTPFlow] = []

    def http_connect_upstream(self, flow: HTTPFlow) -> None:
        self.flows.append(flow)
        self.do(flow)


async def expect_502(talk: Conversation, *texts: str) -> None:
    """The client is told why there is no connection."""
    head = await talk.client.head()
    assert head.startswith(b"HTTP/1.1 502 "), head
    body = (await talk.client.until(b"\n")).decode()
    for text in texts:
        assert text in body
