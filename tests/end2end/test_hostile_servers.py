"""Responses that clients and caches might read differently reach no client as they came, nor the next request.

The other direction is `test_limits.test_what_servers_might_read_differently_reaches_none`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.kit.origins import Heard, Origin, hear, ok, origin
from tests.kit.other_clients import others_are_served
from tests.kit.program import Middump, middump
from tests.kit.socket_end import SocketEnd
from tests.kit.web_client import web_client

pytestmark = [pytest.mark.end2end, pytest.mark.asyncio(loop_scope="module")]

OK = b"HTTP/1.1 200 OK\r\n"
FIVE = b"Content-Length: 5\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"\r\n"
SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"


@dataclass
class Running:
    """The proxy, and a server that answers with whatever it is told to."""

    program: Middump
    web: Origin
    answers: dict[str, bytes]
    heard: list[Heard]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    answers: dict[str, bytes] = {}
    requests: list[Heard] = []

    async def serve(end: SocketEnd) -> None:
        while (heard := await hear(end)) is not None:
            requests.append(heard)
            end.say(answers.get(heard.target, ok(b"hello")))
            await end.drain()

    async with (
        origin(serve) as web,
        middump(tmp_path_factory.mktemp("conf"), "--set", "head_timeout=1", "--set", "flow_detail=1") as program,
    ):
        yield Running(program, web, answers, requests)


@pytest.mark.parametrize(
    "answer",
    [
        # two framings, or one that can be read in two ways
        OK + FIVE + CHUNKED + END + b"0\r\n\r\n",
        OK + CHUNKED + FIVE + END + b"0\r\n\r\n",
        OK + FIVE + b"Content-Length: 6\r\n" + END + b"hello",
        OK + b"Content-Length: 5, 5\r\n" + END + b"hello",
        OK + b"Content-Length: +5\r\n" + END + b"hello",
        OK + b"Content-Length: 5.0\r\n" + END + b"hello",
        OK + b"Content-Length: 0x5\r\n" + END + b"hello",
        OK + b"Content-Length:\r\n" + END + b"hello",
        OK + b"Content-Length: 99999999999999999999\r\n" + END + b"hello",
        OK + b"Transfer-Encoding: xchunked\r\n" + END + b"0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked, identity\r\n" + END + b"0\r\n\r\n",
        OK + b"Transfer-Encoding : chunked\r\n" + END + b"0\r\n\r\n",
        OK + b"Transfer-Encoding:\x0bchunked\r\n" + END + b"0\r\n\r\n",
        # lines that are not what they look like
        OK + FIVE + b"X: y\r\n Transfer-Encoding: chunked\r\n" + END + b"hello",
        OK + FIVE + b"X: y\nSet-Cookie: a=b\r\n" + END + b"hello",
        OK + FIVE + b"X: y\rSet-Cookie: a=b\r\n" + END + b"hello",
        OK + FIVE + b"X: \x00\r\n" + END + b"hello",
        OK + FIVE + b"X\x01: y\r\n" + END + b"hello",
        OK + FIVE + b": y\r\n" + END + b"hello",
        b"HTTP/1.1 200 O\x00K\r\n" + FIVE + END + b"hello",
        b"HTTP/1.1 200 O\rK\r\n" + FIVE + END + b"hello",
        b"HTTP/1.1 099 No\r\n" + FIVE + END + b"hello",
        b"HTTP/1.1 600 No\r\n" + FIVE + END + b"hello",
        b"HTTP/1.1 20 No\r\n" + FIVE + END + b"hello",
        b"HTTP/1.1 2000 No\r\n" + FIVE + END + b"hello",
        b"HTTP/3.0 200 OK\r\n" + FIVE + END + b"hello",
        # chunks
        OK + CHUNKED + END + b"-1\r\n",
        OK + CHUNKED + END + b"+5\r\nhello\r\n0\r\n\r\n",
        OK + CHUNKED + END + b"fffffffffffffffff\r\n",
        OK + CHUNKED + END + b"5\nhello\r\n0\r\n\r\n",
        OK + CHUNKED + END + b"5\r\nhello!\r\n0\r\n\r\n",
        OK + CHUNKED + END + b"5\r\nhello\r\n0\r\nX: y\nZ: z\r\n\r\n",
        # without end
        OK + b"X" * 70_000 + b": y\r\n" + END,
        OK + b"X: y\r\n" * 300 + FIVE + END + b"hello",
        b"HTTP/1.1 103 Early\r\n\r\n" * 40 + SMUGGLED,
        # nobody asked for another protocol
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    ],
)
async def test_what_clients_might_read_differently_reaches_none(running: Running, answer: bytes):
    running.answers["/hostile"] = answer + SMUGGLED
    async with web_client(running.program.port, running.web, running.program.ca) as client:
        seen = len(running.program.lines)
        client.ask("/hostile")
        head = await client.end.head()
        while head.startswith(b"HTTP/1.1 103 "):
            head = await client.end.head()
        assert head.startswith(b"HTTP/1.1 502 "), head
        await running.program.line("    !! ", after=seen)  # its row
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        assert b"smuggled" not in await client.end.take(length)
        client.ask("/next")
        assert (await client.answer())[1] == b"hello"


async def test_what_is_behind_a_response_is_nobodys(running: Running):
    running.answers["/hostile"] = ok(b"first") + SMUGGLED
    async with web_client(running.program.port, running.web, running.program.ca) as client:
        client.ask("/hostile")
        assert (await client.answer())[1] == b"first"
        client.ask("/next")
        assert (await client.answer())[1] == b"hello"


async def test_fields_about_the_connection_end_here(running: Running):
    running.answers["/hop"] = (
        OK + FIVE + b"Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Foo: 1\r\nX-End: 1\r\n\r\nhello"
    )
    async with web_client(running.program.port, running.web, running.program.ca) as client:
        client.ask("/hop", "Connection: X-Mine", "X-Mine: 1", "Keep-Alive: 5", "Proxy-Foo: 1", "TE: gzip", "X-End: 1")
        head, _ = await client.answer()
        for field in (b"X-Hop", b"Keep-Alive", b"Proxy-Foo", b"Connection"):
            assert field not in head
        assert b"X-End: 1" in head
        assert running.heard[-1].fields.keys() == {"host", "x-end"}


async def test_slow_heads_of_servers(running: Running):
    """Each drips for longer than a head may take; the clients that wait for them are told, others are served."""

    async def dripping(end: SocketEnd) -> None:
        await hear(end)
        for byte in OK + b"X: y\r\n" * 1000:
            end.say(bytes([byte]))
            try:
                async with asyncio.timeout(0.1):
                    await end.reader.read(1)  # the other side ends
                    return
            except TimeoutError:
                continue

    async def ask(web: Origin) -> None:
        async with web_client(running.program.port, web, running.program.ca) as client:
            client.ask("/")
            head, body = await client.answer()
            assert head.startswith(b"HTTP/1.1 502 ")
            assert b"no whole message head came within 1 s" in body

    async with (
        origin(dripping) as slow,
        others_are_served(running.program, running.web),
        asyncio.TaskGroup() as asking,
    ):
        for _ in range(20):
            asking.create_task(ask(slow))
