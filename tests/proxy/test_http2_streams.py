"""Streams of HTTP/2 that fail, stand still or end early, in memory: what becomes of them, and of the others."""

import gc

import pytest

from midstream.flows.http import HTTPFlow
from midstream.proxy.http.http2_link import Http2Link
from midstream.proxy.settings import Settings
from tests.kit.conversation import conversation
from tests.kit.http2_frames import (
    CANCEL,
    END_STREAM,
    GOAWAY,
    INTERNAL_ERROR,
    NO_ERROR,
    PING,
    PREFACE,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    RST_STREAM,
    data,
    goaway,
    headers,
    reset,
    window_update,
)
from tests.kit.http2_talk import CONNECT, ESTABLISHED, OK, get, http2_server, tunnelled, whole
from tests.kit.waiting import until

# -- failures --


async def test_the_client_resets_one_stream_and_the_others_go_on() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/1"), END_STREAM), headers(3, get("/3"), END_STREAM))
        server = await http2_server(talk)
        assert {await server.opened(), await server.opened()} == {1, 3}
        client.say(reset(1, CANCEL))
        assert (await server.until(lambda got: got.kind == RST_STREAM)).stream == 1
        server.say(headers(3, OK, END_STREAM))
        assert (await client.answer(3)).status == 200
    flow = talk.recorder.last("error")
    assert flow.error is not None
    assert flow.error.msg == "the client reset the stream (CANCEL)"


async def test_the_server_resets_one_stream_and_the_client_gets_a_502() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/1"), END_STREAM), headers(3, get("/3"), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        await server.opened()
        server.say(reset(1, INTERNAL_ERROR), headers(3, OK, END_STREAM))
        answer = await client.answer(1)
        assert answer.status == 502
        assert b"a.test:80: the server reset the stream (INTERNAL_ERROR)" in answer.body
        assert (await client.answer(3)).status == 200


async def test_a_response_that_breaks_off_is_reset() -> None:
    class Streams:
        def responseheaders(self, flow: HTTPFlow) -> None:
            assert flow.response is not None
            flow.response.stream = True

    async with tunnelled(Streams()) as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(headers(1, OK), data(1, b"half"))
        await client.until(lambda got: client.streams[1].body == b"half")
        server.say(reset(1, CANCEL))
        assert await client.outcome(1) == "stream CANCEL"


@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_a_refused_stream_is_tried_again(method: bytes) -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(method=method), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(reset(1, REFUSED_STREAM))
        assert await server.opened() == 3
        server.say(headers(3, OK, END_STREAM))
        assert (await client.answer(1)).status == 200


async def test_after_a_goodbye_streams_finish_and_new_ones_go_elsewhere() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/1"), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        client.say(headers(3, get("/3", method=b"POST"), END_STREAM))
        await server.opened()
        server.say(goaway(1))
        other = await http2_server(talk)
        assert other.streams[await other.opened()].path == "/3"
        other.say(headers(1, OK, END_STREAM))
        assert (await client.answer(3)).status == 200
        server.say(headers(1, OK, END_STREAM))
        assert (await client.answer(1)).status == 200
        await server.end.expect_closed()  # type: ignore[attr-defined]


async def test_a_server_that_ends_before_it_answers_is_asked_again_if_that_does_no_harm() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/1"), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(headers(1, OK, END_STREAM))
        await client.answer(1)
        client.say(headers(3, get("/3"), END_STREAM), headers(5, get("/5", method=b"POST"), END_STREAM))
        await server.opened()
        await server.opened()
        talk.ends[0].stream.close()
        other = await http2_server(talk)
        number = await other.opened()
        assert other.streams[number].path == "/3"
        other.say(headers(number, OK, END_STREAM))
        assert (await client.answer(3)).status == 200
        assert (await client.answer(5)).status == 502


async def test_an_early_answer_ends_the_upload() -> None:
    class Streams:
        def requestheaders(self, flow: HTTPFlow) -> None:
            flow.request.stream = True

    async with tunnelled(Streams()) as (talk, client):
        client.say(headers(1, get(method=b"POST")), data(1, b"a"))
        server = await http2_server(talk)
        await server.opened()
        server.say(headers(1, [(b":status", b"413")], END_STREAM))
        answer = await client.answer(1)
        assert answer.status == 413
        await client.until(lambda got: got.kind == RST_STREAM and got.code == NO_ERROR)
        assert (await server.until(lambda got: got.kind == RST_STREAM)).stream == 1
        assert await client.alive()


async def test_the_client_leaves_and_all_streams_end() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/1"), END_STREAM), headers(3, get("/3"), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        await server.opened()
        talk.client.stream.close()
        await talk.over()
        assert (await server.until(lambda got: got.kind == GOAWAY)).code == NO_ERROR
    errors = [flow.error and flow.error.msg for name, flow in talk.recorder.seen if name == "error"]
    assert errors == ["client disconnected", "client disconnected"]


async def test_a_killed_flow_resets_its_stream_only() -> None:
    class Kills:
        def request(self, flow: HTTPFlow) -> None:
            if flow.request.path == "/kill":
                flow.kill()

    async with tunnelled(Kills()) as (talk, client):
        client.say(headers(1, get("/kill"), END_STREAM), headers(3, get("/3"), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(headers(1, OK, END_STREAM))
        assert await client.outcome(1) == "stream CANCEL"
        assert (await client.answer(3)).status == 200


async def test_a_malformed_request_is_reset_with_a_row() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/", (b"Upper", b"1")), END_STREAM))
        assert await client.outcome(1) == "stream PROTOCOL_ERROR"
        assert await client.alive()
    flow = talk.recorder.last("error")
    assert isinstance(flow, HTTPFlow) and flow.error is not None
    assert "upper-case" in flow.error.msg
    assert (flow.request.host, flow.request.path, flow.request.http_version) == ("a.test", "/", "HTTP/2.0")


async def test_many_malformed_requests_are_ten_lines_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with tunnelled() as (talk, client):
        for number in range(1, 101, 2):
            client.say(headers(number, get("/", (b"Upper", b"1")), END_STREAM))
            assert await client.outcome(number) == "stream PROTOCOL_ERROR"
        assert len([record for record in caplog.records if "request refused" in record.getMessage()]) == 10
        assert talk.recorder.names().count("error") == 50


@pytest.mark.parametrize("body", [b"", b"short", b"too long by far"])
async def test_a_body_unlike_its_length_is_reset_and_not_forwarded(body: bytes) -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/", (b"content-length", b"7"), method=b"POST")), data(1, body, END_STREAM))
        assert await client.outcome(1) == "stream PROTOCOL_ERROR"
        assert await client.alive()
        assert talk.dialled == [("a.test", 80)]
        talk.client.stream.close()
        await talk.over()
        assert await talk.ends[0].rest() == b""


async def test_connect_inside_a_tunnel_is_refused() -> None:
    async with tunnelled() as (_, client):
        client.say(headers(1, [(b":method", b"CONNECT"), (b":authority", b"b.test:443")]))
        assert (await client.answer(1)).status == 400


# -- windows --


async def test_a_reader_that_stands_still_stalls_its_stream_only() -> None:
    big = b"x" * 200_000
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/1"), END_STREAM), window_update(0, 1 << 24))
        server = await http2_server(talk)
        number = await server.opened()
        server.say(window_update(0, 1 << 24), headers(number, OK))
        for start in range(0, len(big), 16384):
            server.say(data(number, big[start : start + 16384]))
        server.say(data(number, b"", END_STREAM))
        await client.until(lambda got: len(client.streams[1].body) == 65535)
        client.say(headers(3, get("/3"), END_STREAM))
        number = await server.opened()
        server.say(headers(number, OK), data(number, b"y" * 16000, END_STREAM))
        assert (await client.answer(3)).body == b"y" * 16000
        assert not client.streams[1].ended
        client.say(window_update(1, 1 << 24))
        assert (await client.answer(1)).body == big


async def test_a_streamed_upload_waits_for_a_server_that_gives_no_room() -> None:
    class Streams:
        def requestheaders(self, flow: HTTPFlow) -> None:
            flow.request.stream = True

    async with tunnelled(Streams()) as (talk, client):
        client.say(headers(1, get(method=b"POST")), data(1, b"x" * 16000))
        server = await http2_server(talk, (4, 10000))
        await server.opened()
        await server.until(lambda got: len(server.streams[1].body) == 10000)
        server.say(window_update(1, 100000))
        client.say(data(1, b"end", END_STREAM))
        await whole(server, 1)
        assert server.streams[1].body == b"x" * 16000 + b"end"
        server.say(headers(1, OK, END_STREAM))
        assert (await client.answer(1)).status == 200


# -- the connection --


def links() -> list[Http2Link]:
    return [thing for thing in gc.get_objects() if isinstance(thing, Http2Link)]


async def test_a_connection_that_is_over_is_freed_at_once() -> None:
    gc.collect()
    gc.disable()
    try:
        async with tunnelled() as (talk, client):
            client.say(headers(1, get(), END_STREAM))
            server = await http2_server(talk)
            asked = await server.opened()
            server.say(headers(asked, OK), data(asked, b"x", END_STREAM))
            await client.answer(1)
            assert len(links()) == 2
            talk.client.stream.close()
            await talk.over()
            await until(lambda: not links(), "both connections are freed")
    finally:
        gc.enable()


async def test_nothing_is_kept_of_finished_streams() -> None:
    gc.collect()
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        for number in range(1, 4001, 2):
            if number > 1:
                client.say(headers(number, get(), END_STREAM))
            asked = await server.opened()
            server.say(headers(asked, OK), data(asked, b"x", END_STREAM))
            await client.answer(number)
            for peer in (client, server):
                peer.streams.clear()
                peer.frames.clear()
        assert len(links()) == 2
        for link in links():
            engine = link._engine
            assert not link.streams and not link._blocked and not engine.streams
            assert len(engine._closed_streams) <= engine.MAX_CLOSED_STREAMS
        await until(lambda: talk.context.watches <= {talk.context.watch}, "all watches are gone")


async def test_a_server_that_is_silent_gets_a_ping() -> None:
    async with tunnelled(settings=Settings(http2_ping_keepalive=0.05)) as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        await server.until(lambda got: got.kind == PING and not got.flags)
        server.say(headers(1, OK, END_STREAM))
        assert (await client.answer(1)).status == 200


async def test_pushed_responses_are_refused() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        assert server.settings[2] == 0
        server.say(b"\x00\x00\x05\x05\x04\x00\x00\x00\x01" + b"\x00\x00\x00\x02\x82")
        assert await server.over() == PROTOCOL_ERROR
        assert (await client.answer(1)).status == 502


async def test_with_http2_off_the_preface_is_a_bad_request() -> None:
    async with conversation(settings=Settings(http2=False)) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        talk.say(PREFACE)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 505 ")
