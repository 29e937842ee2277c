"""What there is only so much of: open files, memory, patience. Who asks for too much of it starves nobody else."""

from __future__ import annotations

import asyncio
import time
import zlib
from contextlib import AsyncExitStack
from pathlib import Path

import brotli
import pytest
import zstandard

from tests.kit.http2_frames import END_HEADERS, headers
from tests.kit.http2_peer import Http2Peer
from tests.kit.origins import Heard, answering, hear, ok, origin
from tests.kit.other_clients import OTHERS_WAIT, open_files, others_are_served
from tests.kit.program import middump
from tests.kit.socket_end import SocketEnd, connected
from tests.kit.stopwatch import within
from tests.kit.waiting import until
from tests.kit.web_client import WebClient, web_client

pytestmark = pytest.mark.end2end

FILES = 96


async def status_of(peer: Http2Peer, number: int) -> int:
    """Of the answer on a stream, which may go on."""
    while not (status := peer.streams[number].status):
        await peer.read()
    return status


def hello(heard: Heard) -> bytes:
    return ok(b"hello")


# -- open files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_idle_connections_to_servers_are_not_kept_when_files_are_scarce(confdir: Path, loop: str):
    limited = {"MIDSTREAM_EVENT_LOOP": loop}
    async with AsyncExitStack() as stack:
        webs = [await stack.enter_async_context(origin(answering(hello))) for _ in range(8)]
        program = await stack.enter_async_context(middump(confdir, "--set", "flow_detail=0", env=limited, files=FILES))
        async with others_are_served(program, webs[0]):
            for _ in range(12):
                end = await stack.enter_async_context(connected(program.port))
                for web in webs:
                    client = WebClient(end, web)
                    client.ask("/")
                    assert (await client.answer())[1] == b"hello"
            assert open_files(program) < FILES
        assert len(program.lines) == 1, program.printed()


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_a_client_with_many_tunnels_leaves_room_for_others(confdir: Path, loop: str):
    limited = {"MIDSTREAM_EVENT_LOOP": loop}
    async with (
        origin(answering(hello)) as web,
        middump(confdir, "--set", "flow_detail=0", env=limited, files=FILES) as program,
    ):
        before = open_files(program)
        async with connected(program.port) as end:
            peer = Http2Peer(end)
            await peer.begin()
            target = [(b":method", b"CONNECT"), (b":authority", web.authority.encode())]
            async with others_are_served(program, web):
                for number in range(1, 201, 2):
                    peer.say(headers(number, target, flags=END_HEADERS))
                statuses = [await status_of(peer, number) for number in range(1, 201, 2)]
            assert {200, 502} == set(statuses)
        await until(lambda: open_files(program) <= before + 1, "the files are closed")
        async with web_client(program.port, web, program.ca) as client:
            client.ask("/")
            assert (await client.answer())[1] == b"hello"


async def test_connections_to_servers_beyond_what_fits_fail_and_later_ones_do_not(confdir: Path):
    """Each client has few of them, all together more than fit; the log says it once."""
    async with (
        origin(answering(hello)) as web,
        middump(confdir, "--set", "flow_detail=0", files=FILES) as program,
    ):
        target = [(b":method", b"CONNECT"), (b":authority", web.authority.encode())]
        statuses: set[int] = set()
        async with AsyncExitStack() as crowd:
            for _ in range(6):
                peer = Http2Peer(await crowd.enter_async_context(connected(program.port)))
                await peer.begin()
                for number in (1, 3, 5, 7, 9, 11):
                    peer.say(headers(number, target, flags=END_HEADERS))
                statuses |= {await status_of(peer, number) for number in (1, 3, 5, 7, 9, 11)}
            assert statuses == {200, 502}
            assert open_files(program) < FILES
        await program.line("there is room for further connections to servers again")
        async with web_client(program.port, web, program.ca) as client:
            client.ask("/")
            assert (await client.answer())[1] == b"hello"
    assert sum("no more fit into the open files" in line for line in program.lines) == 1


# -- bodies -------------------------------------------------------------------------------------------------------


UNPACKED = 128 * 1024 * 1024


def gzip_bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    megabyte = bytes(1024 * 1024)
    return b"".join([packer.compress(megabyte) for _ in range(UNPACKED // len(megabyte))]) + packer.flush()


@pytest.mark.parametrize("detail", [3, 4])
async def test_bombs_go_on_as_they_came_and_are_not_unpacked_to_be_printed(confdir: Path, detail: int):
    bombs = {
        "/gzip": ok(gzip_bomb(), "Content-Encoding: gzip", "Content-Type: text/html"),
        "/br": ok(brotli.compress(bytes(UNPACKED), quality=5), "Content-Encoding: br", "Content-Type: text/css"),
        "/zstd": ok(zstandard.compress(bytes(UNPACKED)), "Content-Encoding: zstd", "Content-Type: application/json"),
    }

    if detail == 4:
        del bombs["/br"], bombs["/zstd"]  # each is 40 MB of printed zeros

    def answer(heard: Heard) -> bytes:
        return bombs.get(heard.target, ok(b"hello"))

    async with (
        origin(answering(answer)) as web,
        middump(confdir, "--set", f"flow_detail={detail}") as program,
        others_are_served(program, web),
    ):
        for path, bomb in bombs.items():
            head, _, body = bomb.partition(b"\r\n\r\n")
            async with web_client(program.port, web, program.ca) as client:
                client.ask(path)
                assert await client.answer() == (head + b"\r\n\r\n", body)
                coding = path.removeprefix("/")
                if detail == 3:
                    client.ask("/", f"Content-Encoding: {coding}", method="POST", body=body)
                    assert (await client.answer())[1] == b"hello"
            await program.line(f"[decoded {coding}: the first 8.0m, there is more]")


async def test_bodies_of_many_flows_are_bounded_together(confdir: Path):
    """Each is small enough to be held; the last piece of each is held back, so that all are under way at once."""
    each, count = 6_000_000, 24
    body = bytes(range(250)) * (each // 250)

    def answer(heard: Heard) -> bytes:
        return ok(b"whole") if heard.body == body else ok(b"hello")

    async with (
        origin(answering(answer)) as web,
        middump(confdir, "--set", "flow_detail=0", "--set", "total_buffer_limit=24m") as program,
        AsyncExitStack() as crowd,
    ):
        async with others_are_served(program, web, growth=80 * 1024):
            clients = []
            for _ in range(count):
                client = await crowd.enter_async_context(web_client(program.port, web, program.ca))
                client.end.say(client.head("/", f"Content-Length: {each}", method="POST") + body[:-1])
                await client.end.writer.drain()
                clients.append(client)
            await program.line("total_buffer_limit (24")
        for client in clients:
            client.end.say(body[-1:])
            assert (await client.answer())[1] == b"whole"
        assert len(program.lines) == 2, program.printed()


async def test_messages_of_many_websockets_are_bounded_together(confdir: Path):
    """None of them comes to its end: what is there of each counts."""
    size, count = 8_000_000, 16

    async def upgrade(end: SocketEnd) -> None:
        heard = await hear(end)
        if heard is None or "upgrade" not in heard.fields:
            end.say(ok(b"hello"))
            return
        end.say(b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        if await end.take(1):  # nothing but a goodbye comes this far, and is answered
            end.say(b"\x88\x00")
            await end.rest()

    async with (
        origin(upgrade) as web,
        middump(confdir, "--set", "flow_detail=0", "--set", "total_buffer_limit=24m") as program,
        others_are_served(program, web, growth=64 * 1024),
        AsyncExitStack() as crowd,
    ):
        closed = 0
        for _ in range(count):
            client = await crowd.enter_async_context(web_client(program.port, web, program.ca))
            client.ask("/", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
            assert (await client.end.head()).startswith(b"HTTP/1.1 101 ")
            client.end.say(b"\x82\xff" + size.to_bytes(8, "big") + bytes(4) + bytes(size - 1))
            try:
                async with asyncio.timeout(0.5):
                    said = await client.end.reader.read(2)
            except TimeoutError:
                continue  # it waits for the last byte
            assert said[:1] in (b"\x88", b""), said  # a close frame, or the end since we sent on
            closed += 1
        assert closed >= count - 24 * 1024**2 // size - 1


# -- time ---------------------------------------------------------------------------------------------------------


PARSED = ["Accept", "Alt-Svc", "Connection", "Content-Disposition", "Content-Encoding", "Content-Type", "Cookie",
          "Expect", "Sec-WebSocket-Extensions", "Set-Cookie", "TE", "Upgrade"]  # fmt: skip
NASTY = ['"' + '\\"' * 30_000, '"' * 60_000, "," * 60_000, "a," * 30_000, "; a" * 20_000, '="' * 30_000,
         '="' + "[" * 60_000, "a" + " " * 60_000 + "b", "1" * 60_000, "gzip," * 12_000, "<a " * 20_000]  # fmt: skip


async def test_no_value_of_a_field_takes_long_to_read(confdir: Path):
    """Whatever stands in it, and whoever sent it: a pattern that backtracks over 60 KB would take many seconds."""
    said: list[str] = []

    def answer(heard: Heard) -> bytes:
        return ok(b"hello", *said) if heard.target == "/answer" else ok(b"hello")

    async with (
        origin(answering(answer)) as web,
        middump(confdir, "--set", "flow_detail=3", "--mode", f"reverse:{web.url('')}") as program,
    ):
        for name in PARSED:
            for value in NASTY:
                said[:] = [f"{name}: {value}"]
                upgrade = ["Connection: Upgrade", "Upgrade: websocket"] if name.startswith("Sec") else []
                for path, fields in (("/", [*upgrade, *said]), ("/answer", [])):
                    with within(OTHERS_WAIT, f"{name}: {value[:20]}", clock=time.monotonic):
                        async with connected(program.port) as end:
                            end.say("\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *fields, "", ""]).encode())
                            assert (await end.head()).startswith(b"HTTP/1.1 ")
