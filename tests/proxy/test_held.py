"""The memory that all flows under way take together: what comes beyond it is streamed, what is over is given back."""

import pytest

from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.proxy.held import Held, Holding
from midstream.proxy.settings import Settings
from tests.kit.conversation import conversation

GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
POST = b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n"
LITTLE = Settings(total_buffer_limit=6)


def test_it_is_said_once_and_again_when_all_was_given_back(caplog: pytest.LogCaptureFixture):
    held = Held()
    one, other = Holding(held), Holding(held)
    assert one.take(5, 10) and other.take(5, 10)
    assert not one.take(1, 10) and not other.take(1, 10)
    assert len(caplog.records) == 1
    one.release()
    assert held.size == 6 and other.take(1, 10)
    other.release()
    other.release()
    assert held.size == 0
    assert not one.take(11, 10)
    assert len(caplog.records) == 2


async def test_a_request_beyond_it_is_streamed_and_its_flow_keeps_the_beginning():
    async with conversation(settings=LITTLE) as talk:
        talk.say(POST + b"1234")
        talk.say(b"567")
        server = await talk.server()
        assert (await server.until(b"1234567")).endswith(b"\r\n\r\n1234567")
        assert talk.context.holding.held.size == 7
        talk.say(b"890")
        await server.until(b"890")
        server.say(b"HTTP/1.1 204 No\r\n\r\n")
        await talk.client.head()
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow)
        assert flow.request.raw_content == b"1234567"
        assert flow.metadata["request_body_cut"] == "first 7 of 10 bytes"
        assert talk.context.holding.held.size == 0


async def test_a_response_beyond_it():
    async with conversation(settings=LITTLE) as talk:
        talk.say(GET)
        server = await talk.server()
        await server.head()
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567")
        assert (await talk.client.until(b"1234567")).startswith(b"HTTP/1.1 200 OK")
        server.say(b"890")
        await talk.client.until(b"890")
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow) and flow.response is not None
        assert flow.response.raw_content == b"1234567"
        assert talk.context.holding.held.size == 0


async def test_what_streams_by_itself_keeps_no_more_than_that():
    async with conversation(settings=LITTLE) as talk:
        talk.say(GET)
        server = await talk.server()
        await server.head()
        server.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        await talk.client.head()
        for _ in range(3):
            server.say(b"5\r\n12345\r\n")
            await talk.client.until(b"12345")
        server.say(b"0\r\n\r\n")
        await talk.client.until(b"0\r\n\r\n")
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow) and flow.response is not None
        assert flow.response.raw_content == b"1234512345"
        assert flow.metadata["response_body_cut"] == "first 10 of 15 bytes"
        assert talk.context.holding.held.size == 0


async def test_a_tunnel_keeps_its_last_messages():
    async with conversation(settings=Settings(total_buffer_limit=1000)) as talk:
        talk.say(b"CONNECT a.test:1 HTTP/1.1\r\n\r\n")
        server = await talk.server()
        await talk.client.head()
        for number in range(10):
            talk.say(b"\x00%d" % number)
            await server.expect(b"\x00%d" % number)
        talk.client.stream.write_eof()
        await server.rest()
        assert 0 < talk.context.holding.held.size <= 1000
        server.stream.close()
        await talk.over()
        flow = talk.recorder.last("tcp_end")
        assert isinstance(flow, TCPFlow)
        assert [message.content for message in flow.messages][-1] == b"\x009"
        assert len(flow.messages) + flow.metadata["messages_dropped"] == 10
        assert talk.context.holding.held.size == 0
