"""WebSockets where HTTP/2 is spoken on one side or both (RFC 8441), in memory."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from midstream.flows.connection import Server
from midstream.flows.http import HTTPFlow
from midstream.flows.tls import TlsData
from midstream.proxy.settings import Settings
from tests.kit.conversation import Conversation, End, conversation
from tests.kit.http2_frames import ENABLE_CONNECT_PROTOCOL, END_STREAM, data, headers
from tests.kit.http2_peer import Http2Peer
from tests.kit.http2_talk import ESTABLISHED, get, http1_server, http2_server, tunnelled, whole
from tests.kit.tls_ends import Tls, as_client, as_server, client_context

ASK = [
    (b":method", b"CONNECT"),
    (b":protocol", b"websocket"),
    (b":scheme", b"http"),
    (b":authority", b"a.test"),
    (b":path", b"/chat"),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-protocol", b"talk"),
]
AGREE = [(b":status", b"200"), (b"sec-websocket-protocol", b"talk")]
# A masked text frame with "hi", and the same without a mask.
FROM_CLIENT = b"\x81\x82\x00\x00\x00\x00hi"
FROM_SERVER = b"\x81\x02hi"
UPGRADE = (
    b"GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def unmasked(frame: bytes) -> bytes:
    """The payload of a short frame of a client."""
    mask, payload = frame[2:6], frame[6:]
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


async def test_http2_on_both_sides() -> None:
    async with tunnelled() as (talk, client):
        assert client.settings[ENABLE_CONNECT_PROTOCOL] == 1
        client.say(headers(1, ASK))
        server = await http2_server(talk, (ENABLE_CONNECT_PROTOCOL, 1))
        number = await server.opened()
        assert sorted(server.streams[number].fields) == sorted(ASK)
        server.say(headers(number, AGREE))
        await client.until(lambda got: bool(client.streams[1].fields))
        assert client.streams[1].fields == AGREE
        client.say(data(1, FROM_CLIENT))
        await server.until(lambda got: len(server.streams[number].body) == len(FROM_CLIENT))
        assert unmasked(server.streams[number].body) == b"hi"
        server.say(data(number, FROM_SERVER))
        await client.until(lambda got: client.streams[1].body == FROM_SERVER)
        client.say(headers(3, get("/beside"), END_STREAM))
        beside = await server.opened()
        server.say(headers(beside, [(b":status", b"204")], END_STREAM))
        assert (await client.answer(3)).status == 204
    flow = talk.recorder.last("response")
    assert isinstance(flow, HTTPFlow)
    opened = next(flow for name, flow in talk.recorder.seen if name == "requestheaders")
    assert isinstance(opened, HTTPFlow) and opened.websocket is not None
    assert [(message.from_client, message.content) for message in opened.websocket.messages] == [
        (True, b"hi"),
        (False, b"hi"),
    ]
    assert opened.request.headers["upgrade"] == "websocket"


@pytest.mark.parametrize("normalize", [True, False])
async def test_a_client_of_http2_and_a_server_of_http1(normalize: bool) -> None:
    async with tunnelled(settings=Settings(normalize_headers=normalize)) as (talk, client):
        client.say(headers(1, ASK))
        server = await http1_server(talk)
        head = await server.head()
        assert head.startswith(b"GET /chat HTTP/1.1\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        assert fields[b"upgrade"] == b"websocket"
        key = fields[b"sec-websocket-key"]
        assert len(base64.b64decode(key)) == 16
        server.say(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: talk\r\n\r\n" + FROM_SERVER
        )
        await client.until(lambda got: client.streams[1].body == FROM_SERVER)
        assert client.streams[1].fields == AGREE
        client.say(data(1, FROM_CLIENT))
        assert unmasked(await server.take(len(FROM_CLIENT))) == b"hi"


async def test_a_server_that_declines() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, ASK))
        server = await http2_server(talk, (ENABLE_CONNECT_PROTOCOL, 1))
        number = await server.opened()
        server.say(headers(number, [(b":status", b"403")], END_STREAM))
        assert (await client.answer(1)).status == 403
        assert await client.alive()


async def test_another_protocol_is_not_served() -> None:
    async with tunnelled() as (_, client):
        client.say(headers(1, [ASK[0], (b":protocol", b"connect-udp"), *ASK[2:]]))
        assert (await client.answer(1)).status == 501


# -- a client of HTTP/1 and a server of HTTP/2 --


class OffersBoth(Tls):
    """Servers are offered HTTP/2, whatever the client speaks, unless the proxy wants something else."""

    def tls_start_server(self, data: TlsData) -> None:
        assert isinstance(data.conn, Server)
        context = client_context()
        context.set_alpn_protocols([offer.decode() for offer in data.conn.alpn_offers] or ["h2", "http/1.1"])
        data.wrap(context, data.conn.sni)


@asynccontextmanager
async def http1_client() -> AsyncIterator[tuple[Conversation, End]]:
    async with conversation(OffersBoth(), settings=Settings(eager=False)) as talk:
        talk.say(b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n")
        await talk.client.expect(ESTABLISHED)
        yield talk, await as_client(talk.client)


async def http2_behind_tls(talk: Conversation, *parameters: tuple[int, int]) -> Http2Peer:
    server = Http2Peer(await as_server(await talk.server(), "h2"), is_client=False)
    await server.begin(*parameters)
    return server


async def test_requests_of_http1_become_streams() -> None:
    async with http1_client() as (talk, client):
        client.say(
            b"POST /1 HTTP/1.1\r\nHost: A.test\r\nX-Case: Kept\r\nConnection: x-gone\r\nX-Gone: 1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n"
        )
        server = await http2_behind_tls(talk)
        number = await server.opened()
        await whole(server, number)
        asked = server.streams[number]
        assert asked.fields == [
            (b":method", b"POST"),
            (b":scheme", b"https"),
            (b":authority", b"A.test"),
            (b":path", b"/1"),
            (b"x-case", b"Kept"),
        ]
        assert (asked.body, asked.trailers) == (b"abc", [(b"x-late", b"1")])
        server.say(headers(number, [(b":status", b"103"), (b"link", b"<a>")]))
        server.say(headers(number, [(b":status", b"200"), (b"content-length", b"3")]), data(number, b"abc"))
        server.say(headers(number, [(b"x-end", b"2")], END_STREAM))
        assert await client.head() == b"HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n"
        assert await client.head() == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        await client.expect(b"3\r\nabc\r\n0\r\nx-end: 2\r\n\r\n")
        client.say(b"HEAD /2 HTTP/1.1\r\nHost: a.test\r\n\r\n")
        number = await server.opened()
        server.say(headers(number, [(b":status", b"200"), (b"content-length", b"5")], END_STREAM))
        assert await client.head() == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
        assert talk.dialled == [("a.test", 443)]


async def test_an_upgrade_becomes_an_extended_connect() -> None:
    async with http1_client() as (talk, client):
        client.say(UPGRADE)
        server = await http2_behind_tls(talk, (ENABLE_CONNECT_PROTOCOL, 1))
        number = await server.opened()
        assert server.streams[number].fields == [
            (b":method", b"CONNECT"),
            (b":scheme", b"https"),
            (b":authority", b"a.test"),
            (b":path", b"/chat"),
            (b":protocol", b"websocket"),
            (b"sec-websocket-version", b"13"),
        ]
        server.say(headers(number, [(b":status", b"200")]), data(number, FROM_SERVER))
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
        await client.expect(FROM_SERVER)
        client.say(FROM_CLIENT)
        await server.until(lambda got: len(server.streams[number].body) == len(FROM_CLIENT))
        assert unmasked(server.streams[number].body) == b"hi"


async def test_a_server_without_websockets_over_http2_gets_a_connection_of_http1() -> None:
    async with http1_client() as (talk, client):
        client.say(UPGRADE)
        await http2_behind_tls(talk)
        server = await as_server(await talk.server())
        assert (await server.head()).startswith(b"GET /chat HTTP/1.1\r\n")
        server.say(b"HTTP/1.1 101 Fine\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + FROM_SERVER)
        assert (await client.head()).startswith(b"HTTP/1.1 101 Fine\r\n")
        await client.expect(FROM_SERVER)
