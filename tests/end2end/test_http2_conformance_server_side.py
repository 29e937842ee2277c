"""What RFC 9113 demands of a client, asked of the proxy by a server that sends raw frames: a case per MUST, §3 to §8.

The path of a request names the case: the server answers with its frames. Client and server speak HTTP/2 over TLS, and
each case has a connection of its own on either side; that a further request is answered afterwards is part of each.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from tests.end2end.http2_server_cases import ALL, FIELDS, HELLO, OK, TRAILERS
from tests.kit import http2_frames as f
from tests.kit.http2_frames import (
    ACK,
    CODES,
    END_STREAM,
    HEADERS,
    LARGEST,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    block,
    data,
    frame,
    goaway,
    headers,
    ping,
    reset,
    settings,
    window_update,
)
from tests.kit.http2_peer import ConnectionOver, Http2Peer, http2_client, http2_origin
from tests.kit.origins import Origin, OriginCA, origin
from tests.kit.program import Middump, middump
from tests.kit.socket_end import SocketEnd
from tests.kit.waiting import PATIENCE

pytestmark = [pytest.mark.end2end, pytest.mark.asyncio(loop_scope="module")]


@dataclass
class Running:
    """The proxy, and the server behind it."""

    program: Middump
    web: Origin
    told: defaultdict[str, asyncio.Queue[str]] = field(default_factory=lambda: defaultdict(asyncio.Queue))
    """For each case what the server was told after it."""

    @asynccontextmanager
    async def peer(self, web: Origin | None = None) -> AsyncIterator[Http2Peer]:
        """A client that has exchanged settings."""
        async with http2_client(self.program.port, web or self.web, self.program.ca) as peer:
            yield peer

    def get(self, stream: int, path: str) -> bytes:
        """A request without a body."""
        return headers(stream, request(self.web, path), END_STREAM)


def request(web: Origin, path: str, method: bytes = b"GET") -> list[tuple[bytes, bytes]]:
    """A request's pseudo fields."""
    return [
        (b":method", method),
        (b":scheme", b"https"),
        (b":authority", web.authority.encode()),
        (b":path", path.encode()),
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, origin_ca: OriginCA) -> AsyncIterator[Running]:
    told: defaultdict[str, asyncio.Queue[str]] = defaultdict(asyncio.Queue)

    async def serve(peer: Http2Peer) -> None:
        while True:
            stream = await peer.opened()
            path = peer.streams[stream].path
            if path == "/ok":
                peer.say(headers(stream, OK), data(stream, b"hello", END_STREAM))
            else:
                assert stream == 1
                peer.say(*ALL[path][1])
                told[path].put_nowait(await what_is_told(peer))

    confdir = tmp_path_factory.mktemp("h2") / "conf"
    trusting = ("--set", f"ssl_verify_upstream_trusted_ca={origin_ca.file}")
    async with http2_origin(serve, tls=origin_ca.context()) as web, middump(confdir, *trusting) as program:
        yield Running(program, web, told)


async def what_is_told(peer: Http2Peer) -> str:
    """What a server hears of its stream 1 or of its connection, before the next request if there is one."""
    seen = len(peer.frames)
    while not peer.has_new_stream:
        try:
            await peer.read()
        except ConnectionOver as end:
            return "closed" if end.code is None else f"connection {CODES[end.code]}"
        resets = [one.code for one in peer.frames[seen:] if one.kind == RST_STREAM and one.stream == 1]
        if resets:
            return f"stream {CODES[resets[0]]}"
    return "nothing"


@pytest.mark.parametrize("path", [pytest.param(path, id=case[0].replace(" ", "-")) for path, case in ALL.items()])
async def test_what_a_server_does(running: Running, path: str):
    _, _, got, told = ALL[path]
    async with running.peer() as peer, asyncio.timeout(PATIENCE):
        peer.say(running.get(1, path))
        assert await peer.outcome(1) == got
        peer.say(running.get(3, "/ok"))
        assert await peer.outcome(3) == "status 200"
        assert await running.told[path].get() in told


async def test_what_a_client_says_first(running: Running, origin_ca: OriginCA):
    """RFC 9113 §3.4, §6.5.2, §8.4: preface, settings, no push; and what may be answered with settings only."""
    heard: asyncio.Queue[Http2Peer] = asyncio.Queue()

    async def serve(peer: Http2Peer) -> None:
        stream = await peer.opened()
        peer.say(headers(stream, OK, END_STREAM))
        heard.put_nowait(peer)

    async with http2_origin(serve, tls=origin_ca.context()) as web, running.peer(web) as peer:
        peer.say(headers(1, request(web, "/"), END_STREAM))
        assert await peer.outcome(1) == "status 200"
        server = await heard.get()
        assert server.frames[0].kind == SETTINGS
        assert server.settings[f.ENABLE_PUSH] == 0
        assert server.settings[f.MAX_HEADER_LIST_SIZE] == 65536
        assert not [one for one in server.frames if one.kind == HEADERS and one.stream != 1]


@pytest.mark.parametrize("first", [HELLO, frame(SETTINGS, flags=ACK), ping()], ids=["HEADERS", "ack", "PING"])
async def test_the_first_frame_is_settings(running: Running, origin_ca: OriginCA, first: bytes):
    """RFC 9113 §3.4"""
    told: asyncio.Queue[int | None] = asyncio.Queue()

    async def serve(end: SocketEnd) -> None:
        peer = Http2Peer(end, is_client=False)
        assert await end.take(len(PREFACE)) == PREFACE
        peer.say(first)
        told.put_nowait(await peer.over())

    context = origin_ca.context()
    context.set_alpn_protocols(["h2"])
    async with origin(serve, tls=context) as web, running.peer(web) as peer:
        peer.say(headers(1, request(web, "/"), END_STREAM))
        assert await peer.outcome(1) == "status 502"
        assert await told.get() == f.PROTOCOL_ERROR


async def test_what_was_not_looked_at_goes_elsewhere(running: Running, origin_ca: OriginCA):
    """RFC 9113 §8.7: after GOAWAY with a lower number, or REFUSED_STREAM, a request may be sent again."""
    refusals = [lambda peer: peer.say(goaway(0)), lambda peer: peer.say(reset(1, f.REFUSED_STREAM))]

    async def serve(peer: Http2Peer) -> None:
        while True:
            stream = await peer.opened()
            if refusals:
                refusals.pop(0)(peer)
            else:
                peer.say(headers(stream, OK), data(stream, b"hello", END_STREAM))

    async with http2_origin(serve, tls=origin_ca.context()) as web, running.peer(web) as peer:
        for stream in (1, 3):
            peer.say(headers(stream, request(web, "/"), END_STREAM))
            assert await peer.outcome(stream) == "status 200"
        assert refusals == []


async def test_no_more_streams_than_the_server_takes(running: Running, origin_ca: OriginCA):
    """RFC 9113 §5.1.2"""
    under_way: list[int] = []
    most = 0

    async def serve(peer: Http2Peer) -> None:
        nonlocal most
        while True:
            under_way.append(await peer.opened())
            most = max(most, len(under_way))
            assert await peer.alive()  # whatever else was sent at once is here
            while peer.has_new_stream:
                under_way.append(await peer.opened())
            most = max(most, len(under_way))
            while under_way:
                stream = under_way.pop(0)
                peer.say(headers(stream, OK), data(stream, b"hello", END_STREAM))

    parameters = (f.MAX_CONCURRENT_STREAMS, 2)
    async with http2_origin(serve, parameters, tls=origin_ca.context()) as web, running.peer(web) as peer:
        peer.say(headers(1, request(web, "/"), END_STREAM))  # before the settings came, nothing bounds a client
        assert await peer.outcome(1) == "status 200"
        streams = range(3, 23, 2)
        peer.say(*(headers(stream, request(web, "/"), END_STREAM) for stream in streams))
        for stream in streams:
            assert await peer.outcome(stream) == "status 200"
        assert most <= 2


async def test_windows_of_the_server_are_kept_to(running: Running, origin_ca: OriginCA):
    """RFC 9113 §6.9.1 and §6.9.2, for an upload."""
    sizes: list[int] = []
    size = 100_000

    async def serve(peer: Http2Peer) -> None:
        stream = await peer.opened()
        message = peer.streams[stream]

        async def has(expected: int) -> None:
            while len(message.body) < expected:
                await peer.read()
            assert await peer.alive()
            sizes.append(len(message.body))

        await has(10)
        peer.say(window_update(stream, 5))
        await has(15)
        peer.say(settings((f.INITIAL_WINDOW_SIZE, 0)))
        assert await peer.alive()
        peer.say(window_update(stream, 10))
        await has(15)
        peer.say(settings((f.INITIAL_WINDOW_SIZE, LARGEST - 100)))
        await has(65535)
        peer.say(window_update(0, size))
        await peer.answer(stream)
        sizes.append(max(len(one.payload) for one in peer.frames))
        peer.say(headers(stream, OK, END_STREAM))

    parameters = (f.INITIAL_WINDOW_SIZE, 10)
    async with http2_origin(serve, parameters, tls=origin_ca.context()) as web, running.peer(web) as peer:
        peer.say(headers(1, request(web, "/", b"POST")))
        for at in range(0, size, 10_000):
            peer.say(data(1, bytes(10_000), END_STREAM if at + 10_000 == size else 0))
        assert await peer.outcome(1) == "status 200"
        assert sizes[:-1] == [10, 15, 15, 65535]
        assert sizes[-1] <= 16384


async def test_windows_of_ours_are_kept_to(tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    """RFC 9113 §6.9.1: a server that sends more than it was given room for, to a client that takes nothing."""
    told: asyncio.Queue[str] = asyncio.Queue()

    async def serve(peer: Http2Peer) -> None:
        await peer.opened()
        window = peer.settings.get(f.INITIAL_WINDOW_SIZE, 65535)
        long = [*FIELDS, (b"content-length", b"99999999")]  # it is streamed because it says how long it is
        peer.say(headers(1, long), *(data(1, bytes(16384)) for _ in range(3 * window // 16384)))
        told.put_nowait(await what_is_told(peer))

    async with (
        http2_origin(serve, tls=origin_ca.context()) as web,
        middump(tmp_path / "conf", *trusting, "--set", "stream_large_bodies=1") as program,
        http2_client(program.port, web, program.ca, (f.INITIAL_WINDOW_SIZE, 0)) as peer,
    ):
        peer.say(headers(1, request(web, "/"), END_STREAM))
        assert await told.get() in ("stream FLOW_CONTROL_ERROR", "connection FLOW_CONTROL_ERROR")
        peer.say(window_update(0, 1 << 30), window_update(1, 1 << 30))
        assert (await peer.outcome(1)).startswith("stream ")


async def test_requests_as_they_go_out(running: Running, origin_ca: OriginCA):
    """RFC 9113 §8.2 and §8.3, RFC 7541 §6.2.3: as they came, crumbs and order included."""
    heard: list[Http2Peer] = []

    async def serve(peer: Http2Peer) -> None:
        heard.append(peer)
        stream = await peer.opened()
        await peer.answer(stream)
        peer.say(headers(stream, OK, END_STREAM))

    async with http2_origin(serve, tls=origin_ca.context()) as web, running.peer(web) as peer:
        start = request(web, "/", b"POST")
        fields = [(b"cookie", b"a=1"), (b"x", b""), (b"cookie", b"b=2"), (b"te", b"trailers"), (b"priority", b"u=1, i")]
        secret = b"\x10" + f.string(b"x-secret") + f.string(b"1234")
        peer.say(headers(1, block([*start, *fields]) + secret), data(1, b"ab"), headers(1, TRAILERS, END_STREAM))
        assert await peer.outcome(1) == "status 200"
        message = heard[0].streams[1]
        assert message.fields == [*start, *fields, (b"x-secret", b"1234")]
        assert (message.body, message.trailers) == (b"ab", TRAILERS)
        assert message.secret == [b"x-secret"]


async def test_a_table_of_the_server_that_changes(running: Running, origin_ca: OriginCA):
    """RFC 7541 §4.2"""
    heard: list[Http2Peer] = []

    async def serve(peer: Http2Peer) -> None:
        heard.append(peer)
        peer.say(settings((f.HEADER_TABLE_SIZE, 100)), settings((f.HEADER_TABLE_SIZE, 50)), settings((1, 4096)))
        while True:
            stream = await peer.opened()
            peer.say(headers(stream, OK, END_STREAM))

    async with http2_origin(serve, tls=origin_ca.context()) as web, running.peer(web) as peer:
        for stream in (1, 3, 5):
            peer.say(headers(stream, [*request(web, "/"), (b"x", b"y" * 100)], END_STREAM))
            assert await peer.outcome(stream) == "status 200"
        assert all(message.fields[-1] == (b"x", b"y" * 100) for message in heard[0].streams.values())
