"""What RFC 9113 demands of a server, asked of the proxy by a client that sends raw frames: a case per MUST, §3 to §8.

Each case is a new connection (HTTP/2 with prior knowledge, inside a tunnel) to one proxy; behind it is a server that
speaks HTTP/1 only, which no malformed request may reach.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.end2end.http2_client_cases import ALL, BIG_SIZE, MALFORMED, POST, PROBE, START, get
from tests.kit import http2_frames as f
from tests.kit.http2_frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    LARGEST,
    PING,
    PREFACE,
    SETTINGS,
    WINDOW_UPDATE,
    block,
    data,
    frame,
    headers,
    ping,
    settings,
    window_update,
)
from tests.kit.http2_peer import Http2Peer, Message
from tests.kit.origins import Origin, hear, ok, origin
from tests.kit.program import Middump, middump
from tests.kit.socket_end import SocketEnd, tunnelled

pytestmark = [pytest.mark.end2end, pytest.mark.asyncio(loop_scope="module")]


@dataclass
class Running:
    """The proxy, and the server behind it."""

    program: Middump
    web: Origin

    @asynccontextmanager
    async def peer(self, *parameters: tuple[int, int]) -> AsyncIterator[Http2Peer]:
        """A client that has exchanged settings."""
        async with self.end() as end:
            peer = Http2Peer(end)
            await peer.begin(*parameters)
            yield peer

    @asynccontextmanager
    async def end(self) -> AsyncIterator[SocketEnd]:
        """A client that has said nothing yet."""
        async with tunnelled(self.program.port, self.web.authority) as end:
            yield end


async def speaks_http1(end: SocketEnd) -> bool:
    """Whether the other side does not try HTTP/2, which is refused."""
    start = PREFACE[:4]
    while len(end.heard) < len(start) and (more := await end.reader.read(65536)):  # without a deadline: it may be idle
        end.heard += more
    if end.heard.startswith(start):
        end.say(ok(status="400 Bad Request"))
    return not end.heard.startswith(start)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    confdir: Path = tmp_path_factory.mktemp("h2") / "conf"

    async def serve(end: SocketEnd) -> None:
        if not await speaks_http1(end):
            return
        while (heard := await hear(end)) is not None:
            web.requests.append(heard)
            end.say(ok(b"x" * BIG_SIZE) if heard.target == "/big" else ok(heard.body or b"hello"))

    async with origin(serve) as web, middump(confdir) as program:
        yield Running(program, web)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [pytest.param(steps, expected, id=name.replace(" ", "-")) for name, steps, expected in ALL],
)
async def test_what_a_client_does(running: Running, steps: tuple[bytes | int, ...], expected: set[str]):
    heard = len(running.web.requests)
    async with running.peer() as peer:
        for step in steps:
            if isinstance(step, bytes):
                peer.say(step)
            else:
                assert await peer.outcome(step) == "status 200"
                peer.streams[step] = Message()
        if expected == {"alive"}:
            assert await peer.alive()
            return
        found = await peer.outcome(1)
        assert found in expected
        if found.startswith("stream") or found == "status 400":
            peer.say(get(PROBE))  # the others live on
            assert await peer.outcome(PROBE) == "status 200"
            if expected & MALFORMED:
                assert [one.target for one in running.web.requests[heard:]] == ["/"]
        elif found.startswith("connection"):
            assert peer.goaway is not None


@pytest.mark.parametrize(
    "first",
    [get(1), frame(SETTINGS, flags=ACK), ping(), window_update(0, 1)],
    ids=["HEADERS", "an acknowledgement", "PING", "WINDOW_UPDATE"],
)
async def test_the_first_frame_is_settings(running: Running, first: bytes):
    """RFC 9113 §3.4"""
    async with running.end() as end:
        peer = Http2Peer(end)
        peer.say(PREFACE, first, ping())
        assert await peer.over() == f.PROTOCOL_ERROR


async def test_a_preface_that_is_none(running: Running):
    """RFC 9113 §3.4: the connection ends, with or without a GOAWAY."""
    async with running.end() as end:
        peer = Http2Peer(end)
        peer.say(PREFACE[:-2] + b"xx", settings(), get(1))
        assert await peer.over() in (None, f.PROTOCOL_ERROR)
        assert peer.streams == {}


async def test_a_preface_in_pieces(running: Running):
    async with running.end() as end:
        peer = Http2Peer(end)
        for byte in PREFACE + settings() + get(1):
            peer.say(bytes([byte]))
            await end.drain()
        assert await peer.outcome(1) == "status 200"
        assert peer.frames[0].kind == SETTINGS  # RFC 9113 §3.4: the server's first frame


async def test_settings_are_acknowledged_and_pings_answered(running: Running):
    """RFC 9113 §6.5.3, §6.7"""
    async with running.peer() as peer:
        peer.say(settings((f.INITIAL_WINDOW_SIZE, 70000)))
        await peer.until(lambda got: got.kind == SETTINGS and bool(got.flags & ACK))
        peer.say(ping(b"12345678"), frame(PING, b"unasked!", flags=ACK), ping(b"87654321"))
        for payload in (b"12345678", b"87654321"):
            answer = await peer.until(lambda got: got.kind == PING)
            assert (answer.flags & ACK, answer.payload) == (ACK, payload)


async def test_what_we_tell(running: Running):
    """Bounds that are told can be kept: streams at once, headers, frames; no push is announced by a server."""
    async with running.peer() as peer:
        assert peer.settings[f.MAX_CONCURRENT_STREAMS] >= 100  # RFC 9113 §6.5.2 recommends it
        assert peer.settings[f.MAX_HEADER_LIST_SIZE] == 65536
        assert peer.settings.get(f.ENABLE_PUSH, 0) == 0
        assert peer.settings.get(f.MAX_FRAME_SIZE, 16384) == 16384


async def test_more_streams_than_allowed(running: Running):
    """RFC 9113 §5.1.2: a stream error for the newest."""
    async with running.peer() as peer:
        most = peer.settings[f.MAX_CONCURRENT_STREAMS]
        peer.say(*(headers(2 * n + 1, POST) for n in range(most + 1)))
        assert await peer.outcome(2 * most + 1) in ("stream REFUSED_STREAM", "stream PROTOCOL_ERROR")
        peer.say(data(1, b"x", END_STREAM))
        assert (await peer.answer(1)).body == b"x"
        peer.say(get(2 * most + 3))  # there is room again
        assert await peer.outcome(2 * most + 3) == "status 200"


async def test_windows_of_ours_are_kept_to(tmp_path: Path):
    """RFC 9113 §6.9.1: what a client sends beyond its window, while the server takes nothing, is an error of the
    stream or of the connection.
    """

    async def stall(end: SocketEnd) -> None:
        if await speaks_http1(end):
            await end.closed()

    settings = ("--set", "stream_large_bodies=1")
    async with (
        origin(stall) as web,
        middump(tmp_path / "conf", *settings) as program,
        Running(program, web).peer() as peer,
    ):
        window = peer.settings.get(f.INITIAL_WINDOW_SIZE, 65535)
        length = [(b"content-length", b"99999999")]  # it is streamed because it says how long it is
        peer.say(headers(1, [(b":method", b"POST"), *START[1:], *length]))
        # As much as the buffers of sockets take on the way, then as much as we allow, then more.
        pieces = (window + 16 * 1024 * 1024) // 16384
        for _ in range(pieces):
            peer.say(data(1, bytes(16384)))
        assert await peer.outcome(1) in ("stream FLOW_CONTROL_ERROR", "connection FLOW_CONTROL_ERROR")


async def test_windows_of_the_client_are_kept_to(running: Running):
    """RFC 9113 §6.9.1 and §6.9.2: for each stream, for the connection, changed under way, also to below zero."""
    async with running.peer((f.INITIAL_WINDOW_SIZE, 100)) as peer:
        message = peer.streams[1]
        peer.say(get(1, b"/big"))

        async def has(size: int) -> None:
            while len(message.body) < size:
                await peer.read()
            assert await peer.alive()
            assert len(message.body) == size

        await has(100)
        peer.say(window_update(1, 50))
        await has(150)
        peer.say(settings((f.INITIAL_WINDOW_SIZE, 300)))
        await has(350)
        peer.say(settings((f.INITIAL_WINDOW_SIZE, 0)))  # 300 below zero now
        assert await peer.alive()
        peer.say(window_update(1, 300))
        await has(350)
        peer.say(window_update(1, 1))
        await has(351)
        peer.say(settings((f.INITIAL_WINDOW_SIZE, 7), (f.INITIAL_WINDOW_SIZE, 9)))  # §6.5.3: in order
        await has(360)
        peer.say(settings((f.INITIAL_WINDOW_SIZE, LARGEST - 1000)))
        await has(65535)  # the window of the connection
        peer.say(window_update(0, BIG_SIZE))
        assert (await peer.answer(1)).body == b"x" * BIG_SIZE


async def test_frames_are_no_larger_than_the_client_takes(running: Running):
    """RFC 9113 §4.2"""
    async with running.peer((f.INITIAL_WINDOW_SIZE, LARGEST)) as peer:
        peer.say(window_update(0, LARGEST - 65535), get(1, b"/big"))
        assert (await peer.answer(1)).status == 200
        assert max(len(one.payload) for one in peer.frames) <= 16384


async def test_the_table_is_no_larger_than_the_client_takes(running: Running):
    """RFC 7541 §4.2: told at the start of the next header; without a table nothing is kept."""
    async with running.peer((f.HEADER_TABLE_SIZE, 0)) as peer:
        peer._decoder.max_allowed_table_size = 0
        for stream in (1, 3):
            peer.say(get(stream))
            assert (await peer.answer(stream)).status == 200
        first, second = [one.payload for one in peer.frames if one.kind == HEADERS]
        assert first[0] == 0x20
        assert not any(byte & 0xC0 == 0x40 for byte in second[:1])


async def test_a_goodbye_says_which_streams_were_taken(running: Running):
    """RFC 9113 §6.8"""
    async with running.peer() as peer:
        peer.say(get(1), get(7))
        await peer.answer(7)
        peer.say(data(0, b"x"))
        assert await peer.over() == f.PROTOCOL_ERROR
        assert peer.goaway is not None
        assert int.from_bytes(peer.goaway.payload[:4], "big") == 7


async def test_a_header_list_that_is_too_long(running: Running):
    """RFC 9113 §10.5.1: 431, while the compression stays whole; the connection lives on."""
    async with running.peer() as peer:
        long = [(b"x-%d" % n, b"y" * 1000) for n in range(70)]
        first = block([*START, *long])
        peer.say(frame(HEADERS, first[:16000], flags=END_STREAM, stream=1))
        cuts = range(16000, len(first), 16000)
        for at in cuts:
            flags = END_HEADERS if at == cuts[-1] else 0
            peer.say(frame(CONTINUATION, first[at : at + 16000], flags=flags, stream=1))
        assert await peer.outcome(1) in ("status 431", "stream PROTOCOL_ERROR", "stream REFUSED_STREAM")
        peer.say(get(PROBE))
        assert await peer.outcome(PROBE) == "status 200"


async def test_what_reaches_the_server_is_plain_http1(running: Running):
    heard = len(running.web.requests)
    async with running.peer() as peer:
        fields = [(b"cookie", b"a=1"), (b"x", b"1"), (b"cookie", b"b=2"), (b"te", b"trailers"), (b"x", b"2")]
        peer.say(headers(1, [(b":method", b"POST"), *START[1:], *fields]), data(1, b"ab"), data(1, b"c", END_STREAM))
        assert (await peer.answer(1)).body == b"abc"
    (request,) = running.web.requests[heard:]
    lines = request.head.split(b"\r\n")
    assert lines[:6] == [b"POST / HTTP/1.1", b"Host: a.test", b"cookie: a=1; b=2", b"x: 1", b"te: trailers", b"x: 2"]
    assert request.body == b"abc"


async def test_who_names_no_host_is_given_one(running: Running):
    """RFC 9112 §3.2: HTTP/1 demands what HTTP/2 may leave out."""
    async with running.peer() as peer:
        peer.say(headers(1, [field for field in START if field[0] != b":authority"], END_STREAM))
        assert await peer.outcome(1) == "status 200"
    host = running.web.authority.encode()
    assert running.web.requests[-1].head == b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"


async def test_no_stray_frames_for_an_untroubled_client(running: Running):
    """Nothing pushed, nothing reset, no window given for streams that are over."""
    async with running.peer() as peer:
        for stream in range(1, 21, 2):
            peer.say(headers(stream, POST), data(stream, b"abc", END_STREAM))
            assert (await peer.answer(stream)).body == b"abc"
        assert await peer.alive()
        allowed = {SETTINGS, HEADERS, DATA, PING, WINDOW_UPDATE}
        assert {one.kind for one in peer.frames} <= allowed
        assert all(one.stream == 0 for one in peer.frames if one.kind == WINDOW_UPDATE)
