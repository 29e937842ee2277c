"""A client that speaks HTTP/2 with the proxy itself, in the clear: requests for any server, and tunnels by CONNECT."""

from midstream.flows.connection import ConnectionState
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from tests.kit.conversation import Conversation, conversation
from tests.kit.http2_frames import END_STREAM, RST_STREAM, data, headers, reset
from tests.kit.http2_peer import Http2Peer
from tests.kit.http2_talk import get

CONNECT_ERROR = 10
CONNECT = [(b":method", b"CONNECT"), (b":authority", b"b.test:7777")]


async def begun(talk: Conversation) -> Http2Peer:
    peer = Http2Peer(talk.client)
    await peer.begin()
    return peer


async def test_requests_go_where_their_authority_says() -> None:
    async with conversation() as talk:
        client = await begun(talk)
        client.say(headers(1, get("/1"), END_STREAM))
        server = await talk.server()
        assert await server.head() == b"GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\n"
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        assert (await client.answer(1)).body == b"hi"
        assert talk.dialled == [("a.test", 80)]


async def test_a_tunnel_carries_bytes_both_ways() -> None:
    async with conversation() as talk:
        client = await begun(talk)
        client.say(headers(1, CONNECT))
        server = await talk.server()
        await client.until(lambda got: client.streams[1].status == 200)
        client.say(data(1, b"\x00ping"))
        await server.expect(b"\x00ping")
        server.say(b"pong")
        await client.until(lambda got: client.streams[1].body == b"pong")
        client.say(headers(3, get("/beside"), END_STREAM))
        other = await talk.server()
        await other.head()
        other.say(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert (await client.answer(3)).status == 204
        client.say(data(1, b"", END_STREAM))
        await server.expect_closed()
        server.say(b"last")
        server.stream.close()
        assert (await client.answer(1)).body == b"ponglast"
        assert await client.alive()
    flow = talk.recorder.last("http_connected")
    assert isinstance(flow, HTTPFlow)
    assert (flow.request.method, flow.request.host, flow.request.port) == ("CONNECT", "b.test", 7777)
    raw = talk.recorder.last("tcp_end")
    assert isinstance(raw, TCPFlow)
    assert [message.content for message in raw.messages] == [b"\x00ping", b"pong", b"last"]
    assert (raw.client_conn.id, raw.client_conn.state) == (talk.context.client.id, ConnectionState.CLOSED)
    assert raw.client_conn.timestamp_end is not None


async def test_a_tunnel_that_cannot_be_opened() -> None:
    async with conversation() as talk:
        talk.refusing.add(("b.test", 7777))
        client = await begun(talk)
        client.say(headers(1, CONNECT))
        answer = await client.answer(1)
        assert answer.status == 502
        assert b"b.test:7777 refused the connection" in answer.body
        assert await client.alive()
    assert talk.recorder.names() == ["http_connect", "http_connect_error"]


async def test_a_client_that_resets_its_tunnel() -> None:
    async with conversation() as talk:
        client = await begun(talk)
        client.say(headers(1, CONNECT), data(1, b"\x00"))
        server = await talk.server()
        await server.expect(b"\x00")
        client.say(reset(1))
        await server.rest()
        assert await client.alive()
    assert talk.recorder.names()[-1] == "tcp_error"


async def test_a_server_that_resets_a_tunnel() -> None:
    async with conversation() as talk:
        client = await begun(talk)
        client.say(headers(1, CONNECT), data(1, b"\x00"))
        server = await talk.server()
        await server.expect(b"\x00")
        server.stream.abort()
        assert (await client.until(lambda got: got.kind == RST_STREAM)).stream == 1
        assert (await client.answer(1)).code == CONNECT_ERROR
        assert await client.alive()


async def test_http2_inside_a_tunnel_of_http2() -> None:
    async with conversation() as talk:
        client = await begun(talk)
        client.say(headers(1, [(b":method", b"CONNECT"), (b":authority", b"a.test:80")]))
        await client.until(lambda got: client.streams[1].status == 200)
        client.say(data(1, b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"))
        server = await talk.server()
        await server.head()
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await client.until(lambda got: client.streams[1].body.endswith(b"\r\n\r\n"))
    assert "response" in talk.recorder.names()
