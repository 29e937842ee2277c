"""Clients that go away at any moment: the server's connection closes soon, and nothing of them is left behind."""

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from midstream.flows.http import HTTPFlow
from tests.kit.origins import OriginCA, hear, ok, origin
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.socket_end import SocketEnd, connected, tunnelled
from tests.kit.waiting import until
from tests.kit.web_client import web_client

pytestmark = pytest.mark.end2end

SOON = 1.0
"""Seconds within which the server's connection has to close."""

LEAVING = [SocketEnd.close, SocketEnd.reset]


class Upstream:
    """A server's handler that notes whether and when the proxy ended the connection."""

    def __init__(self, act: Callable[[SocketEnd], Awaitable[None]]) -> None:
        self.act = act
        self.heard = asyncio.Event()
        self.ended_at = 0.0

    async def __call__(self, end: SocketEnd) -> None:
        try:
            if await hear(end) is not None:
                self.heard.set()
                await self.act(end)
                await end.rest()
        finally:
            self.ended_at = time.monotonic()


async def download_without_end(end: SocketEnd) -> None:
    end.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    while True:
        end.say(b"x" * 65536)
        await end.drain()


async def drip(end: SocketEnd) -> None:
    end.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")


async def never_answer(end: SocketEnd) -> None:
    """The request is heard, and that is all."""


@asynccontextmanager
async def nothing_left(running: RunningMaster) -> AsyncIterator[None]:
    """What the block connects is gone soon after it, with all its tasks."""
    before = asyncio.all_tasks()
    yield
    await until(lambda: not running.proxy.connections, "no connection is left", SOON)
    await until(lambda: asyncio.all_tasks() <= before, "no task is left", SOON)


def reason(running: RunningMaster) -> str:
    """Why the last flow failed."""
    flow = running.recorder.last("error")
    assert flow.error is not None
    return flow.error.msg


@pytest.mark.parametrize("leave", LEAVING)
@pytest.mark.parametrize(
    ("act", "options"),
    [
        (download_without_end, {"stream_large_bodies": "1m"}),
        (drip, {"stream_large_bodies": "10"}),
        (drip, {}),
        (never_answer, {}),
    ],
    ids=["download", "stalled download", "held download", "no answer"],
)
async def test_the_server_is_left_soon(
    confdir: Path,
    trust: dict[str, str],
    tls: ssl.SSLContext | None,
    act: Callable[[SocketEnd], Awaitable[None]],
    options: dict[str, str],
    leave: Callable[[SocketEnd], None],
):
    upstream = Upstream(act)
    async with (
        running_master(confdir, **trust, **options) as running,
        nothing_left(running),
        origin(upstream, tls=tls) as web,
        web_client(running.port, web, running.ca) as client,
    ):
        client.ask("/large")
        await asyncio.wait_for(upstream.heard.wait(), 5)
        if act is download_without_end:
            await client.end.take(2_000_000)
        left_at = time.monotonic()
        leave(client.end)
        await until(lambda: upstream.ended_at, "the server was left", SOON)
        assert upstream.ended_at - left_at < SOON
        assert reason(running) == "client disconnected"


@pytest.mark.parametrize("leave", LEAVING)
@pytest.mark.parametrize("options", [{}, {"stream_large_bodies": "1m"}], ids=["held", "streamed"])
async def test_a_client_that_leaves_its_upload(
    confdir: Path,
    trust: dict[str, str],
    tls: ssl.SSLContext | None,
    options: dict[str, str],
    leave: Callable[[SocketEnd], None],
):
    async with (
        running_master(confdir, **trust, **options) as running,
        nothing_left(running),
        origin(hear_out, tls=tls) as web,
        web_client(running.port, web, running.ca) as client,
    ):
        client.end.say(client.head("/", "Content-Length: 10000000", method="POST") + b"x" * 2_000_000)
        await client.end.drain()
        await until(lambda: running.recorder.seen, "the request began")
        if options:
            await until(lambda: web.connections, "the upload has reached the server")
        leave(client.end)
        await until(lambda: "error" in running.recorder.names(), "the request failed", SOON)
        assert reason(running) == "client disconnected"
        assert "response" not in running.recorder.names()
        if options:
            await until(lambda: web.connections[0].reader.at_eof(), "the server was left", SOON)


async def hear_out(end: SocketEnd) -> None:
    await end.rest()


@pytest.mark.parametrize("leave", LEAVING)
async def test_a_client_that_leaves_in_its_head(confdir: Path, leave: Callable[[SocketEnd], None]):
    async with running_master(confdir) as running, nothing_left(running):
        async with connected(running.port) as client:
            client.say(b"GET http://127.0.0.1:1/ HTTP/1.1\r\nHos")
            await until(lambda: running.proxy.connections, "it is connected")
            leave(client)
        assert running.recorder.seen == []


@pytest.mark.parametrize("leave", LEAVING)
async def test_a_client_that_leaves_after_connect(confdir: Path, leave: Callable[[SocketEnd], None]):
    async with (
        running_master(confdir) as running,
        nothing_left(running),
        origin(hear_out) as web,
        tunnelled(running.port, web.authority) as client,
    ):
        leave(client)
        await until(lambda: web.connections and web.connections[0].reader.at_eof(), "the server was left", SOON)


@pytest.mark.parametrize("leave", LEAVING)
async def test_a_client_that_leaves_while_connect_waits_for_the_server(
    confdir: Path, leave: Callable[[SocketEnd], None]
):
    class Slow:
        """Keeps the connection to the server from being made."""

        def __init__(self) -> None:
            self.waiting = asyncio.Event()

        async def server_connect(self, data: object) -> None:
            self.waiting.set()
            await asyncio.Event().wait()

    slow = Slow()
    async with running_master(confdir, slow) as running, nothing_left(running), connected(running.port) as client:
        client.say(b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n")
        await asyncio.wait_for(slow.waiting.wait(), 5)
        leave(client)


@pytest.mark.parametrize("leave", LEAVING)
@pytest.mark.parametrize("sent", ["part of its hello", "its hello"])
async def test_a_client_that_leaves_its_tls_handshake(
    confdir: Path, origin_ca: OriginCA, trust: dict[str, str], sent: str, leave: Callable[[SocketEnd], None]
):
    hello = client_hello()
    async with (
        running_master(confdir, **trust) as running,
        nothing_left(running),
        origin(hear_out, tls=origin_ca.context()) as web,
        tunnelled(running.port, web.authority) as client,
    ):
        if sent == "its hello":
            client.say(hello)
            await client.take(100)  # our part of the handshake
        else:
            client.say(hello[:100])
            await until(lambda: "http_connected" in running.recorder.names(), "the tunnel stands")
        leave(client)
        await until(lambda: "http_connect_error" in running.recorder.names(), "the tunnel failed", SOON)
        flow = running.recorder.last("http_connect_error")
        assert flow.error is not None
        assert re.match("the client (closed|reset) the connection (during|in the middle of)", flow.error.msg)
        assert running.logged(web.authority, flow.error.msg)


def client_hello() -> bytes:
    """The first bytes of a client that speaks TLS."""
    outgoing = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("leave", LEAVING)
@pytest.mark.parametrize("event", ["request", "response"])
async def test_a_client_that_leaves_while_its_flow_is_held(
    confdir: Path, event: str, leave: Callable[[SocketEnd], None]
):
    class Holds:
        """What a person does who holds flows and thinks."""

        def request(self, flow: HTTPFlow) -> None:
            if event == "request":
                flow.intercept()

        def response(self, flow: HTTPFlow) -> None:
            if event == "response":
                flow.intercept()

    async def answer(end: SocketEnd) -> None:
        await hear(end)
        end.say(ok(b"late"))
        await end.rest()

    async with (
        running_master(confdir, Holds()) as running,
        nothing_left(running),
        origin(answer) as web,
        web_client(running.port, web, running.ca) as client,
    ):
        client.ask("/")
        await until(lambda: event in running.recorder.names(), "the flow is held")
        flow = running.recorder.last(event)
        assert flow.intercepted
        leave(client.end)
        await until(lambda: not flow.intercepted, "the hold ended", SOON)
        # Whoever saw the response has seen the flow's end; a second one would count it twice.
        assert running.recorder.names()[-1] == ("error" if event == "request" else "response")
