"""A client and a server that speak HTTP/2 in memory, with the proxy between.

The client speaks it with prior knowledge inside of a CONNECT; a server in the clear is then tried with it, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from midstream.proxy.settings import Settings
from tests.kit.conversation import Conversation, End, conversation
from tests.kit.http2_peer import Http2Peer

CONNECT = b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def get(path: str = "/", *more: tuple[bytes, bytes], method: bytes = b"GET") -> list[tuple[bytes, bytes]]:
    """The header of a request for a.test."""
    return [
        (b":method", method),
        (b":scheme", b"http"),
        (b":authority", b"a.test"),
        (b":path", path.encode()),
        *more,
    ]


OK = [(b":status", b"200"), (b"x-from", b"server")]


@asynccontextmanager
async def tunnelled(*addons: object, settings: Settings | None = None) -> AsyncIterator[tuple[Conversation, Http2Peer]]:
    """A client that speaks HTTP/2 inside a tunnel to a.test."""
    async with conversation(*addons, settings=settings) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        peer = Http2Peer(talk.client)
        await peer.begin()
        yield talk, peer


async def http2_server(talk: Conversation, *parameters: tuple[int, int]) -> Http2Peer:
    """The server that the proxy has dialled, speaking HTTP/2."""
    server = Http2Peer(await talk.server(), is_client=False)
    await server.begin(*parameters)
    return server


async def whole(server: Http2Peer, number: int) -> None:
    """The request on this stream has come to its end."""
    if not server.streams[number].ended:
        await server.until(lambda got: server.streams[number].ended)


async def http1_server(talk: Conversation) -> End:
    """The server that the proxy has dialled, speaking HTTP/1 only."""
    first = await talk.server()
    assert (await first.head()).startswith(b"PRI *")
    first.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    return await talk.server()
