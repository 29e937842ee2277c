"""How TLS ends, and what is made of it: cut bodies, clients that leave without a word, rows without a CONNECT."""

import asyncio

import pytest

from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.proxy.modes.regular import serve_regular
from midstream.proxy.modes.reverse import serve_reverse
from tests.kit.conversation import Conversation, End, conversation
from tests.kit.tls_ends import Tls, as_client, as_server
from tests.kit.waiting import until

CONNECT = b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"


async def both_tls(talk: Conversation, *, alpn: bool = True) -> tuple[End, End]:
    talk.say(CONNECT)
    await talk.client.expect(ESTABLISHED)
    async with asyncio.TaskGroup() as group:
        client = group.create_task(as_client(talk.client, alpn=alpn))
        server = group.create_task(as_server(await talk.server()))
    return client.result(), server.result()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("says_goodbye", [True, False])
async def test_a_body_that_lasts_until_the_end_of_tls(says_goodbye: bool, streamed: bool):
    class Streams:
        def responseheaders(self, flow: HTTPFlow) -> None:
            assert flow.response is not None
            flow.response.stream = streamed

    async with conversation(Tls(), Streams()) as talk:
        client, server = await both_tls(talk)
        client.say(GET)
        await server.expect(GET)
        server.say(b"HTTP/1.1 200 OK\r\n\r\nall of it?")
        if says_goodbye:
            server.stream.close()
        else:
            server.stream._below.close()  # type: ignore[attr-defined] # the carrier under TLS
        assert (await client.rest()).endswith(b"all of it?")
        flow = talk.recorder.last("response")
        cut = "perhaps: the server closed the connection without ending TLS"
        assert flow.metadata.get("response_body_cut") == (None if says_goodbye else cut)


@pytest.mark.parametrize("alpn", [True, False])
async def test_a_client_that_leaves_right_after_the_handshake(alpn: bool):
    async with conversation(Tls()) as talk:
        client, _ = await both_tls(talk, alpn=alpn)
        client.stream.close()
        await until(lambda: "http_connect_error" in talk.recorder.names(), "the client was understood")
        flow = talk.recorder.last("http_connect_error")
        assert flow.error is not None
        assert flow.error.msg.startswith("the client closed the connection right after the TLS handshake for a.test,")
        assert flow.client_conn.error == flow.error.msg


async def test_a_client_that_leaves_after_a_request():
    async with conversation(Tls()) as talk:
        client, server = await both_tls(talk)
        client.say(GET)
        await server.expect(GET)
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await client.head()
        client.stream.close()
        await talk.client.rest()
    assert "http_connect_error" not in talk.recorder.names()


async def test_a_failed_handshake_without_connect_has_a_row_of_its_own():
    async with conversation(Tls(), serve=serve_regular) as talk:
        talk.client.say(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
        await talk.client.rest()
    assert talk.recorder.names() == ["tcp_start", "tcp_error"]
    flow = talk.recorder.last("tcp_error")
    assert isinstance(flow, TCPFlow)
    assert flow.error is not None
    assert flow.error.msg == "the ClientHello cannot be read: the ClientHello is cut short"


async def test_such_a_row_names_the_server_that_a_mode_stands_for():
    async with conversation(Tls(), serve=serve_reverse, mode="reverse:https://b.test") as talk:
        talk.client.say(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
        await talk.client.rest()
    assert talk.recorder.names() == ["tcp_start", "tcp_error"]
    flow = talk.recorder.last("tcp_error")
    assert flow.server_conn.address == ("b.test", 443)
    assert flow.client_conn.error == str(flow.error)
