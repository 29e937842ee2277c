"""Hostile and clumsy clients: they are refused or timed out, and others are served meanwhile."""

import asyncio
import contextlib
import socket
import ssl
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.kit.dripping import drip
from tests.kit.origins import Heard, answering, hear, ok, origin
from tests.kit.program import middump
from tests.kit.running_master import running_master
from tests.kit.socket_end import SocketEnd, connected, tunnelled
from tests.kit.stopwatch import within
from tests.kit.waiting import PATIENCE
from tests.kit.web_client import web_client

pytestmark = pytest.mark.end2end

OTHERS_WAIT = 2.0
"""Seconds within which another client has its answer, whatever goes on (promises.md 2)."""


def hello(heard: Heard) -> bytes:
    return ok(b"hello")


SLOW_HEAD = b"GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X-More: x\r\n" * 100


async def test_slow_heads_are_closed_and_others_served(confdir: Path):
    async with (
        origin(answering(hello)) as web,
        middump(confdir, "--set", "head_timeout=1") as program,
        web_client(program.port, web, program.ca) as client,
        AsyncExitStack() as stack,
        asyncio.TaskGroup() as attack,
    ):
        drips = []
        for _ in range(20):  # each begins at once: who is silent until the time is over gets no answer
            end = await stack.enter_async_context(connected(program.port))
            drips.append(attack.create_task(drip(end, SLOW_HEAD)))
        while not all(one.done() for one in drips):
            with within(OTHERS_WAIT, clock=time.monotonic):
                client.ask("/")
                assert (await client.answer())[1] == b"hello"
            await asyncio.wait(drips, timeout=0.2)
        for one in drips:
            assert one.result().startswith(b"HTTP/1.1 408 Request Timeout\r\n")


async def test_slow_heads_in_a_tunnel_and_slow_hellos(confdir: Path):
    async with (
        origin(answering(hello)) as web,
        middump(confdir, "--set", "head_timeout=1") as program,
        tunnelled(program.port, web.authority) as http,
        tunnelled(program.port, web.authority) as tls,
        connected(program.port) as proxy_tls,
        asyncio.TaskGroup() as attack,
    ):
        inside = attack.create_task(drip(http, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100))
        record = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
        hellos = [attack.create_task(drip(end, record)) for end in (tls, proxy_tls)]
        assert (await inside).startswith(b"HTTP/1.1 408 ")
        for one in hellos:
            await one
        await program.line("the client sent no whole ClientHello within 1 s")


async def test_a_client_that_stops_in_its_upload(confdir: Path):
    async with (
        origin(answering(hello)) as web,
        middump(confdir, "--set", "tcp_timeout=1") as program,
        web_client(program.port, web, program.ca) as client,
    ):
        client.end.say(client.head("/", "Content-Length: 10", method="POST") + b"12345")
        assert (await client.answer())[0].startswith(b"HTTP/1.1 408 ")
        await program.line("    !! the client stopped sending")
        assert web.requests == []


async def test_a_client_that_stops_in_its_streamed_upload(confdir: Path):
    async def listen(end: SocketEnd) -> None:
        await end.rest()

    async with (
        origin(listen) as web,
        middump(confdir, "--set", "tcp_timeout=1", "--set", "stream_large_bodies=5") as program,
        web_client(program.port, web, program.ca) as client,
    ):
        client.end.say(client.head("/", "Content-Length: 10", method="POST") + b"12345")
        assert (await client.answer())[0].startswith(b"HTTP/1.1 408 ")
        await program.line("    !! the client stopped sending")


async def test_idle_connections_close_after_their_time(confdir: Path):
    async with (
        origin(answering(hello)) as web,
        middump(confdir, "--set", "tcp_timeout=1") as program,
        connected(program.port) as silent,
        web_client(program.port, web, program.ca) as client,
    ):
        client.ask("/")
        assert (await client.answer())[1] == b"hello"
        await client.end.expect_closed()
        await silent.expect_closed()


async def test_others_are_served_beside_300_idle_connections(
    confdir: Path, trusting: tuple[str, str], tls: ssl.SSLContext | None
):
    async with (
        origin(answering(hello), tls=tls) as web,
        middump(confdir, *trusting) as program,
        AsyncExitStack() as idle,
    ):
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(idle.enter_async_context(connected(program.port)) for _ in range(300)))
        with within(OTHERS_WAIT, clock=time.monotonic):
            async with web_client(program.port, web, program.ca) as client:
                client.ask("/")
                assert (await client.answer())[1] == b"hello"


async def test_tiny_chunks(confdir: Path):
    count = 20_000
    chunks = b"1\r\nx\r\n" * count + b"0\r\n\r\n"

    async def chop(end: SocketEnd) -> None:
        while (heard := await hear(end)) is not None:
            assert len(heard.body) in (0, count)
            end.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)

    async with (
        origin(chop) as web,
        middump(confdir) as program,
        web_client(program.port, web, program.ca) as client,
        web_client(program.port, web, program.ca) as other,
    ):
        client.end.say(client.head("/", "Transfer-Encoding: chunked", method="POST") + chunks)
        with within(OTHERS_WAIT, clock=time.monotonic):
            other.ask("/")
            for asker in (other, client):
                assert (await asker.answer())[1] == b"x" * count


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433"])
async def test_a_request_to_the_proxy_itself_is_refused(confdir: Path, name: str):
    async with middump(confdir) as program, connected(program.port) as end:
        where = f"{name}:{program.port}"
        end.say(f"GET http://{where}/ HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
        assert (await end.head()).startswith(b"HTTP/1.1 502 ")
        await program.line("    !! ", "is this proxy itself")
        assert sum(" GET " in line for line in program.lines) == 2  # the log line and the row, once each


async def test_a_tunnel_to_the_proxy_itself_is_refused(confdir: Path):
    async with middump(confdir) as program, connected(program.port) as end:
        end.say(f"CONNECT localhost:{program.port} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert (await end.head()).startswith(b"HTTP/1.1 502 ")
        await program.line("    !! ", "is this proxy itself")


async def test_a_request_without_a_host_to_the_listener_is_told_what_a_proxy_is(confdir: Path):
    """What a browser sends that opens the proxy like a site."""
    async with middump(confdir) as program, connected(program.port) as end:
        end.say(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert (await end.head()).startswith(b"HTTP/1.1 400 ")
        assert b"this is a proxy" in await end.rest()


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: 4, 4\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: 0x4\r\n",
        b"Content-Length:\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"X: y\r\n Transfer-Encoding: chunked\r\n",
        b"X: y\nTransfer-Encoding: chunked\r\n",
        b"X: y\rTransfer-Encoding: chunked\r\n",
        b"X: \x00\r\n",
        b"Host: other\r\n",
        b"X\x01: y\r\n",
        b": y\r\n",
        b"X" * 70_000 + b": y\r\n",
        b"X: y\r\n" * 10_000,
    ],
)
async def test_what_servers_might_read_differently_reaches_none(confdir: Path, fields: bytes):
    async with running_master(confdir) as running, origin(answering(hello)) as web, connected(running.port) as end:
        head = f"POST {web.url()} HTTP/1.1\r\nHost: {web.authority}\r\n".encode()
        end.say(head + fields + b"\r\n" + b"0\r\n\r\n" + SMUGGLED)
        answer = await end.rest()
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 ", b"HTTP/1.1 501 "))
        assert answer.count(b"HTTP/1.1 ") == 1
        assert web.requests == []
        assert str(running.recorder.last("error").error).startswith("request refused: ")


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_clients_beyond_what_fits_are_turned_away_and_later_ones_served(confdir: Path, loop: str):
    """By the limit of open files, which is set low here; the log says it once."""
    limited = {"MIDSTREAM_EVENT_LOOP": loop}
    async with origin(answering(hello)) as web, middump(confdir, env=limited, files=64) as program:
        async with AsyncExitStack() as crowd:
            for _ in range(30):
                with contextlib.suppress(ConnectionResetError):  # turned away already
                    await crowd.enter_async_context(connected(program.port))
            await program.line("clients are connected, and no more fit into the open files")
        await program.line("there is room for further clients again")
        async with web_client(program.port, web, program.ca) as client:
            client.ask("/")
            assert (await client.answer())[1] == b"hello"
    assert len(program.lines) < 10, program.printed()


async def test_ports_are_free_again_after_the_end(confdir: Path):
    """A restart does not have to wait for connections of before to be forgotten by the system."""
    async with origin(answering(hello)) as web:
        port = 0
        for _ in range(2):
            async with middump(confdir, "-p", str(port)) as program:
                port = program.port
                async with web_client(port, web, program.ca) as client:
                    client.ask("/", "Connection: close")  # so that our side closes first and remembers
                    await client.answer()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
