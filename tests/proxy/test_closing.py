"""How connections of clients end: the last answer arrives, and those who take nothing are not waited for."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from midstream.flows.http import HTTPFlow, Response
from midstream.flows.proxy_mode import ProxyMode
from midstream.hub.background import Background
from midstream.hub.events import Events
from midstream.proxy import connection, server
from midstream.proxy.server import Proxy
from midstream.proxy.settings import Settings
from midstream.proxy.streams import tcp
from tests.kit.conversation import PATIENCE, conversation

GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
CLOSE = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
POST = b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\n"


async def test_an_answer_given_before_the_end_of_an_upload_is_not_lost_in_a_reset():
    async with conversation(settings=Settings(body_size_limit=10), capacity=1000) as talk:
        talk.say(POST + b"Content-Length: 100000\r\n\r\n")
        talk.say(b"x" * 50_000)
        async with asyncio.timeout(PATIENCE):
            await talk.client.stream.drain()  # it is read, for nothing
        assert (await talk.client.head()).startswith(b"HTTP/1.1 413 ")
        await talk.client.until(b"\n")
        talk.client.stream.close()
        await talk.over()


async def test_a_refused_client_that_goes_on_sending_is_left_in_the_end(monkeypatch):
    monkeypatch.setattr(connection, "LINGER_BYTES", 10_000)
    async with conversation(capacity=1000) as talk:
        talk.say(b"nonsense\r\n\r\n")
        await talk.client.head()
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(PATIENCE):
                while True:
                    talk.say(b"x" * 1000)
                    await talk.client.stream.drain()
        await talk.over()


async def test_a_refused_client_that_stays_is_left_in_the_end(monkeypatch):
    monkeypatch.setattr(connection, "LINGER_TIME", 0)
    async with conversation() as talk:
        talk.say(b"nonsense\r\n\r\n")
        await talk.over()


class Answers:
    """Answers with a large body."""

    def __init__(self, size: int) -> None:
        self.size = size

    def request(self, flow: HTTPFlow) -> None:
        flow.response = Response.make(200, b"x" * self.size)


@asynccontextmanager
async def listening(addon: object, settings: Settings | None = None) -> AsyncIterator[tuple[Proxy, tuple[str, int]]]:
    """A proxy with one addon, on a port of its own."""
    events = Events(Background())
    events.bind([addon])
    async with Proxy(events, None) as proxy:
        proxy.settings = settings or Settings()
        proxy.servers.change({"regular": (ProxyMode.parse("regular"), "127.0.0.1", 0)})
        await proxy.start()
        yield proxy, proxy.listen_addrs[0]


async def asking(address: tuple[str, int], request: bytes) -> socket.socket:
    """A client that has sent a request and takes only what it must."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, address)
    await loop.sock_sendall(client, request)
    return client


async def received(client: socket.socket) -> int:
    """How many bytes come until the end."""
    size = 0
    async with asyncio.timeout(PATIENCE):
        while data := await asyncio.get_running_loop().sock_recv(client, 65536):
            size += len(data)
    return size


async def test_a_slow_client_gets_all_of_a_last_answer(monkeypatch):
    monkeypatch.setattr(connection, "LINGER_TIME", 0)
    monkeypatch.setattr(tcp, "WRITE_HIGH_WATER", 100_000_000)
    size = 20_000_000
    async with listening(Answers(size)) as (proxy, address):
        with await asking(address, CLOSE) as client:
            async with asyncio.timeout(PATIENCE):
                while not proxy.connections:
                    await asyncio.sleep(0)
            for _ in range(1000):
                await asyncio.sleep(0)
            assert await received(client) > size


async def test_a_client_that_takes_nothing_is_not_waited_for():
    ended = asyncio.Event()

    class Ends(Answers):
        def client_disconnected(self, client: object) -> None:
            ended.set()

    async with listening(Ends(20_000_000)) as (proxy, address):
        with await asking(address, CLOSE):
            async with asyncio.timeout(PATIENCE):
                while not any(context.watch.deadline < float("inf") for context in proxy.connections):
                    await asyncio.sleep(0)
                for context in proxy.connections:
                    context.watch.expire()
                await ended.wait()


async def test_a_proxy_that_stops_as_soon_as_it_has_accepted():
    async with listening(Answers(1)) as (proxy, address):
        with await asking(address, b"") as client:
            async with asyncio.timeout(PATIENCE):
                while not proxy.connections:
                    await asyncio.sleep(0)
                await proxy.close()
                assert not proxy.connections
                assert await asyncio.get_running_loop().sock_recv(client, 1) == b""


async def test_a_port_that_was_left_can_be_taken_again_at_once():
    async with listening(Answers(1)) as (proxy, address):
        for host in ("", "127.0.0.1", ""):
            proxy.servers.change({})
            proxy.servers.change({"regular": (ProxyMode.parse("regular"), host, address[1])})
            await proxy.start()
            assert address[1] in {port for _, port in proxy.listen_addrs}


async def test_silent_connections_are_swept_away(monkeypatch):
    monkeypatch.setattr(server, "SWEEP_INTERVAL", 0.01)
    async with listening(Answers(1), Settings(idle_timeout=0.0)) as (_, address):
        with await asking(address, b"") as client:
            assert await received(client) == 0
