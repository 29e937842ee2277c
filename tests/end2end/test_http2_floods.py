"""Peers that keep the proxy busy for nothing, over HTTP/2: cut off with a reason, while others are served.

CVE-2019-9511 to 9518, CVE-2023-44487 (rapid reset), CVE-2024-27316 (CONTINUATION), CVE-2025-8671 (resets that the
attacker makes us send), HPACK bombs.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.end2end.http2_client_cases import POST, START, get
from tests.kit import http2_frames as f
from tests.kit.http2_frames import (
    CONTINUATION,
    DATA,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    HEADERS,
    LARGEST,
    PADDED,
    PREFACE,
    PRIORITY,
    UNKNOWN,
    block,
    data,
    frame,
    goaway,
    headers,
    integer,
    ping,
    reset,
    settings,
    string,
    window_update,
)
from tests.kit.http2_peer import ConnectionOver, Http2Peer, http2_client, http2_origin
from tests.kit.origins import Origin, OriginCA, hear, ok, origin
from tests.kit.program import Middump, middump
from tests.kit.socket_end import SocketEnd, tunnelled
from tests.kit.stopwatch import within
from tests.kit.waiting import until
from tests.kit.web_client import web_client

pytestmark = [pytest.mark.end2end, pytest.mark.asyncio(loop_scope="module")]

OTHERS_WAIT = 1.0
"""Seconds within which another client has its answer, whatever goes on."""
GROWTH = 32 * 1024
"""KiB by which the process may have grown after a flood; what it was sent would be far more, unfolded."""
BIG_SIZE = 500_000


@dataclass
class Running:
    """The proxy, and the server behind it."""

    program: Middump
    web: Origin

    def memory(self) -> int:
        """Resident, in KiB."""
        status = Path(f"/proc/{self.program.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


async def serve(end: SocketEnd) -> None:
    """HTTP/1 only."""
    while len(end.heard) < 4 and (more := await end.reader.read(65536)):
        end.heard += more
    if end.heard.startswith(PREFACE[:4]):
        end.say(ok(status="400 Bad Request"))
        return
    while (heard := await hear(end)) is not None:
        if heard.target == "/never":
            await end.closed()
        end.say(ok(b"x" * BIG_SIZE if heard.target == "/big" else b"hello"))
        await end.drain()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    confdir = tmp_path_factory.mktemp("h2") / "conf"
    async with origin(serve) as web, middump(confdir, "--set", "flow_detail=0") as program:
        yield Running(program, web)


@contextlib.asynccontextmanager
async def others_are_served(running: Running) -> AsyncIterator[None]:
    """Meanwhile, and once more afterwards, another client is answered in time, and memory stays bounded."""
    over = asyncio.Event()

    async def ask() -> None:
        async with web_client(running.program.port, running.web, running.program.ca) as client:
            last = False
            while not last:
                last = over.is_set()
                with within(OTHERS_WAIT, clock=time.monotonic):
                    client.ask("/")
                    assert (await client.answer())[1] == b"hello"

    before = running.memory()
    async with asyncio.TaskGroup() as group:
        group.create_task(ask())
        try:
            yield
        finally:
            over.set()
    await until(lambda: running.memory() - before < GROWTH, "memory is given back")


def each(count: int, make: Callable[[int], bytes]) -> bytes:
    """The same for many streams."""
    return b"".join(make(2 * n + 1) for n in range(count))


# One entry of 4,000 bytes in the table, and many references to it: 16 KiB that stand for 64 MB.
BOMB = block(START) + b"\x40" + string(b"x-bomb") + string(b"b" * 4000) + integer(62, 7, 0x80) * 8000
UPPER = block([*START, (b"X", b"1")])
HALF_OPEN = frame(HEADERS, block(START), flags=END_STREAM, stream=1)

FLOODS: list[tuple[str, bytes, str]] = [
    # what comes, and what the log says
    ("PING", ping() * 5000, "PING frames"),
    ("SETTINGS", settings() * 3000, "SETTINGS frames"),
    ("large SETTINGS", settings(*[(n, 1) for n in range(0x100, 0xA00)]) * 30, "SETTINGS frames"),
    ("tables", settings((f.HEADER_TABLE_SIZE, 0), (f.HEADER_TABLE_SIZE, 4096)) * 3000, "SETTINGS frames"),
    ("PRIORITY", frame(PRIORITY, bytes(5), stream=1) * 5000, "PRIORITY frames"),
    ("WINDOW_UPDATE", window_update(0, 1) * 5000, "WINDOW_UPDATE frames"),
    ("unknown frames", frame(UNKNOWN) * 5000, "frames of unknown types"),
    ("GOAWAY", headers(1, POST) + goaway() * 2000, "GOAWAY frames"),
    ("empty DATA", headers(1, POST) + data(1) * 5000, "DATA frames without data"),
    ("padding", headers(1, POST) + frame(DATA, b"\x05" + bytes(5), flags=PADDED, stream=1) * 5000, "DATA frames"),
    ("DATA for streams that are over", headers(1, POST) + reset(1) + data(1, b"x") * 5000, "DATA frames"),
    ("rapid reset", each(2000, lambda n: get(n) + reset(n)), "RST_STREAM frames"),
    ("rapid reset of uploads", each(2000, lambda n: headers(n, POST) + reset(n)), "RST_STREAM frames"),
    ("resets of ours, by bad requests", each(2000, lambda n: headers(n, UPPER, END_STREAM)), "streams because of its"),
    (
        "resets of ours, by windows",
        each(2000, lambda n: headers(n, POST) + window_update(n, LARGEST)),
        "streams because of its",
    ),
    ("DATA after the end", get(1, b"/never") + data(1, b"x") * 5000, "DATA frames"),
    ("HEADERS after the end", get(1, b"/never") * 3000, "HEADERS frames for streams"),
    ("HEADERS after a reset", headers(1, POST) + reset(1) + get(1) * 3000, "HEADERS frames for streams"),
    ("more streams than allowed", each(2000, lambda n: headers(n, POST)), "streams because of its"),
    ("empty CONTINUATION", HALF_OPEN + frame(CONTINUATION, stream=1) * 5000, "CONTINUATION frames for one header"),
    ("long CONTINUATION", HALF_OPEN + frame(CONTINUATION, bytes(16384), stream=1) * 200, "a header block of more than"),
    ("HPACK bomb", headers(1, BOMB, END_STREAM), "Oversized header block"),
]


@pytest.mark.parametrize(("flood", "reason"), [pytest.param(*case[1:], id=case[0]) for case in FLOODS])
async def test_floods_of_clients(running: Running, flood: bytes, reason: str):
    seen = len(running.program.lines)
    async with others_are_served(running), tunnelled(running.program.port, running.web.authority) as end:
        peer = Http2Peer(end)
        await peer.begin()
        peer.say(flood)
        assert await peer.over() == ENHANCE_YOUR_CALM
        await running.program.line("] the client ", reason, "(ENHANCE_YOUR_CALM)", after=seen)


@pytest.mark.parametrize("name", ["PING", "rapid reset"])
async def test_floods_inside_tls(tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str], name: str):
    """The goodbye arrives there, too."""
    flood, reason = next(case[1:] for case in FLOODS if case[0] == name)

    async def wait(peer: Http2Peer) -> None:
        await peer.over()

    async with (
        http2_origin(wait, tls=origin_ca.context()) as web,
        middump(tmp_path / "conf", *trusting, "--set", "flow_detail=0") as program,
        http2_client(program.port, web, program.ca) as peer,
    ):
        peer.say(flood)
        assert await peer.over() == ENHANCE_YOUR_CALM
        await program.line("] the client was cut off: ", reason)


async def test_many_attackers_at_once(running: Running):
    """Each sends for as long as it is let."""

    async def attack() -> None:
        async with tunnelled(running.program.port, running.web.authority) as end:
            end.say(PREFACE + settings())
            first = 1
            with contextlib.suppress(ConnectionError):
                while True:
                    end.say(b"".join(get(n) + reset(n) for n in range(first, first + 2000, 2)))
                    await end.drain()
                    first += 2000

    async with others_are_served(running), asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(attack())


async def test_who_reads_nothing(running: Running):
    """Answers to frames wait to a bound, then the client is not read either."""
    async with others_are_served(running), tunnelled(running.program.port, running.web.authority) as end:
        end.writer.transport.pause_reading()  # type: ignore[attr-defined]
        end.say(PREFACE + settings())
        for _ in range(50):  # fewer than a flood, but each is answered
            end.say(ping() * 30)
        for n in range(1, 201, 2):
            end.say(get(n, b"/big"))
        async with web_client(running.program.port, running.web, running.program.ca) as client:
            for _ in range(20):
                client.ask("/")
                assert (await client.answer())[1] == b"hello"


async def test_windows_of_one_byte(running: Running):
    seen = len(running.program.lines)
    async with others_are_served(running), tunnelled(running.program.port, running.web.authority) as end:
        peer = Http2Peer(end)
        await peer.begin((f.INITIAL_WINDOW_SIZE, 1))
        peer.say(get(1, b"/big"))
        with pytest.raises(ConnectionOver) as over:
            while True:
                await peer.until(lambda got: got.kind == DATA)
                peer.say(window_update(1, 1))
        assert over.value.code == ENHANCE_YOUR_CALM
        await running.program.line("the client was cut off: ", after=seen)
        assert len(peer.streams[1].body) < 5000


async def test_windows_never_opened(tmp_path: Path):
    """100 answers that nobody takes: others are served, and these are given up after their time."""
    async with (
        origin(serve) as web,
        middump(tmp_path / "conf", "--set", "tcp_timeout=2", "--set", "flow_detail=0") as program,
        tunnelled(program.port, web.authority) as end,
    ):
        running = Running(program, web)
        peer = Http2Peer(end)
        await peer.begin((f.INITIAL_WINDOW_SIZE, 0))
        before = running.memory()
        peer.say(each(100, lambda n: get(n, b"/big")))
        async with web_client(program.port, web, program.ca) as client:
            while sum(one.ended for one in peer.streams.values()) < 100:
                with within(OTHERS_WAIT, clock=time.monotonic):
                    client.ask("/")
                    assert (await client.answer())[1] == b"hello"
                assert running.memory() - before < GROWTH + 100 * BIG_SIZE // 1024
                with contextlib.suppress(TimeoutError, ConnectionOver):
                    async with asyncio.timeout(0.1):  # the pace at which the other client asks
                        await peer.read()
        assert {one.code for one in peer.streams.values()} <= {f.CANCEL, f.INTERNAL_ERROR, f.NO_ERROR}
        await program.line("the client stopped reading")


async def test_a_server_that_opens_no_window(tmp_path: Path):
    """An upload that nobody takes is given up after its time; the answer says why."""

    async def take_nothing(peer: Http2Peer) -> None:
        await peer.opened()

    async with (
        http2_origin(take_nothing, (f.INITIAL_WINDOW_SIZE, 0)) as web,
        middump(tmp_path / "conf", "--set", "tcp_timeout=1") as program,
        tunnelled(program.port, web.authority) as end,
    ):
        peer = Http2Peer(end)
        await peer.begin()
        peer.say(headers(1, POST), *[data(1, bytes(10_000))] * 20, data(1, flags=END_STREAM))
        answer = await peer.answer(1)
        assert answer.status in (502, 504)
        await program.line(f"!! {web.authority} stopped reading")


HEAD_BEGUN = frame(HEADERS, block(START), flags=END_STREAM, stream=3)
SLOW_HEADS: list[list[bytes]] = [
    [HEAD_BEGUN],  # and then silence
    [HEAD_BEGUN, *[frame(CONTINUATION, stream=3)] * 30],
    [bytes([byte]) for byte in headers(3, START, END_STREAM)],
]


async def test_headers_that_never_end(tmp_path: Path):
    """From its first byte a header has its time, however slowly the others drip in."""

    async def drip(drops: list[bytes]) -> None:
        async with tunnelled(program.port, web.authority) as end:
            peer = Http2Peer(end)
            await peer.begin()
            peer.say(get(1))
            await peer.answer(1)
            for drop in drops:
                peer.say(drop)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):  # the pace
                        await peer.over()
                        break
            await peer.over()
            assert peer.streams[3].fields == []

    async with origin(serve) as web, middump(tmp_path / "conf", "--set", "head_timeout=1") as program:
        await asyncio.gather(*[drip(drops) for drops in SLOW_HEADS])


SERVER_FLOODS: list[tuple[str, bytes, str]] = [
    ("PING", ping() * 5000, "PING frames"),
    ("SETTINGS", settings() * 3000, "SETTINGS frames"),
    ("WINDOW_UPDATE", window_update(0, 1) * 5000, "WINDOW_UPDATE frames"),
    ("empty DATA", headers(1, [(b":status", b"200")]) + data(1) * 5000, "DATA frames without data"),
    ("unknown frames", frame(UNKNOWN) * 5000, "frames of unknown types"),
    (
        "empty CONTINUATION",
        frame(HEADERS, b"\x88", stream=1) + frame(CONTINUATION, stream=1) * 5000,
        "CONTINUATION frames for one header",
    ),
    (
        "HPACK bomb",
        headers(1, b"\x88\x40" + string(b"x-bomb") + string(b"b" * 4000) + integer(62, 7, 0x80) * 8000),
        "Oversized header block",
    ),
    (
        "interim answers",
        headers(1, [(b":status", b"103")]) * 1000,
        "the server sent more than 32 interim responses",
    ),
]


@dataclass
class Flooding:
    """The proxy between floods and those who ask for them."""

    running: Running
    flood: Origin


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def flooding(running: Running) -> AsyncIterator[Flooding]:
    async def answer(peer: Http2Peer) -> None:
        await peer.opened()
        (number,) = [int(one.path[1:]) for one in peer.streams.values()]
        peer.say(SERVER_FLOODS[number][1])

    async with http2_origin(answer) as web:
        yield Flooding(running, web)


@pytest.mark.parametrize("number", [pytest.param(n, id=case[0]) for n, case in enumerate(SERVER_FLOODS)])
async def test_floods_of_servers(flooding: Flooding, number: int):
    running = flooding.running
    seen = len(running.program.lines)
    async with others_are_served(running), tunnelled(running.program.port, flooding.flood.authority) as end:
        peer = Http2Peer(end)
        await peer.begin()
        peer.say(get(1, b"/%d" % number))
        assert await peer.outcome(1) in ("status 502", "stream INTERNAL_ERROR")
        await running.program.line(SERVER_FLOODS[number][2], after=seen)
