"""Any frames in any order, from a client and from a server: nothing fails unexpectedly, and what we say is in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.flows.http import HTTPFlow, Response
from midstream.proxy.settings import Settings
from tests.kit import http2_frames as f
from tests.kit.conversation import Conversation, conversation
from tests.kit.http2_peer import ConnectionOver, Http2Peer

START = [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"a.test"), (b":path", b"/")]
FIELDS = [
    f.block(START),
    f.block([(b":status", b"200")]),
    f.block([(b":status", b"103")]),
    f.block([(b":status", b"200"), (b"content-length", b"3")]),
    f.block([*START, (b"content-length", b"3")]),
    f.block([*START, (b"X", b"1")]),
    f.block([(b"trailer", b"1")]),
    f.block([(b":method", b"CONNECT"), (b":authority", b"a.test:1")]),
    b"\x20",
    b"\xff",
    b"",
]

streams = st.sampled_from([1, 3, 5, 5, 7, 2, 0])
flags = st.one_of(st.sampled_from([0, 1, 4, 5]), st.integers(0, 255))
bodies = st.one_of(st.sampled_from([b"", b"abc", b"\x01ab", bytes(5), bytes(8), bytes(16384)]), st.binary(max_size=9))
frames = st.one_of(
    st.builds(lambda s, b, g: f.frame(f.HEADERS, b, flags=g, stream=s), streams, st.sampled_from(FIELDS), flags),
    st.builds(lambda s, b, g: f.headers(s, b, g), streams, st.sampled_from(FIELDS[:2]), st.sampled_from([0, 1])),
    st.builds(lambda s, b, g: f.data(s, b, g), streams, bodies, st.sampled_from([0, 0, 1, 8])),
    st.builds(f.reset, streams, st.integers(0, 20)),
    st.builds(f.window_update, streams, st.sampled_from([0, 1, 100, f.LARGEST])),
    st.builds(lambda k, v: f.settings((k, v)), st.integers(0, 9), st.sampled_from([0, 1, 100, 20000, f.LARGEST])),
    st.builds(lambda last, code: f.goaway(last, code), st.integers(0, 9), st.integers(0, 20)),
    st.just(f.ping()),
    st.builds(
        lambda k, b, g, s: f.frame(k, b, flags=g, stream=s), st.integers(0, 12), bodies, flags, streams
    ),
)  # fmt: skip
conversations = st.lists(frames, max_size=40)


class Answering:
    """An addon that answers by itself."""

    def request(self, flow: HTTPFlow) -> None:
        flow.response = Response.make(200, b"hello" * 1000)


@contextmanager
def no_failure() -> Iterator[None]:
    """Nothing is logged that nobody expected."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("midstream")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    assert not records, records[0].exc_text or records[0].getMessage()


def assert_in_order(peer: Http2Peer) -> None:
    """RFC 9113 §5.1: what we sent on each stream ends once."""
    over: set[int] = set()
    reset: set[int] = set()
    for one in peer.frames:
        if one.kind in (f.HEADERS, f.DATA):
            assert one.stream not in over | reset, one
            if one.flags & f.END_STREAM:
                over.add(one.stream)
        elif one.kind == f.RST_STREAM:
            assert one.stream not in reset or one.code == f.STREAM_CLOSED, one
            reset.add(one.stream)


async def client(talk: Conversation) -> Http2Peer:
    """A client inside a tunnel, which has sent its settings."""
    talk.say(b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n")
    await talk.client.head()
    peer = Http2Peer(talk.client)
    peer.say(f.PREFACE, f.settings())
    return peer


def run(addons: list[object], act: Callable[[Conversation], Awaitable[None]]) -> None:
    async def main() -> None:
        async with conversation(*addons, settings=Settings(eager=False)) as talk:
            await act(talk)
            talk.client.stream.abort()
            await talk.over()

    with no_failure():
        asyncio.run(main())


@settings(deadline=None)
@given(conversations, st.booleans())
def test_a_client_may_say_anything(said: list[bytes], stays: bool):
    async def act(talk: Conversation) -> None:
        peer = await client(talk)
        for one in said:
            peer.say(one)
        if stays:
            await peer.alive()
        else:
            talk.client.stream.write_eof()
            await peer.over()
        assert_in_order(peer)

    run([Answering()], act)


@settings(deadline=None)
@given(conversations)
def test_a_server_may_say_anything(said: list[bytes]):
    async def act(talk: Conversation) -> None:
        peer = await client(talk)
        peer.say(f.headers(1, START, f.END_STREAM), f.headers(3, START, f.END_STREAM))
        end = await talk.server()
        talk.refusing.add(("a.test", 80))  # when a request may be sent again, there is nobody to send it to
        server = Http2Peer(end, is_client=False)
        assert await end.take(len(f.PREFACE)) == f.PREFACE
        server.say(f.settings())
        try:
            await server.opened()
        except ConnectionOver:
            return
        server.say(*said)
        end.stream.write_eof()
        for stream in (1, 3):
            assert (await peer.outcome(stream)).startswith(("status ", "stream "))
        await server.over()
        assert_in_order(peer)

    run([], act)
