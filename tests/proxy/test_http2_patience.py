"""Limits of time and size on streams of HTTP/2, and requests without bodies, in memory."""

import pytest

from midstream.flows.http import HTTPFlow
from midstream.proxy.settings import Settings
from midstream.proxy.watch import now
from tests.kit.conversation import Conversation
from tests.kit.http2_frames import END_STREAM, NO_ERROR, RST_STREAM, block, data, frame, goaway, headers, reset
from tests.kit.http2_talk import OK, get, http2_server, tunnelled
from tests.kit.waiting import until

HEADERS, CONTINUATION = 1, 9


def expire(talk: Conversation) -> None:
    """The patience of all streams ends now."""
    for watch in list(talk.context.watches):
        if watch.deadline < now() + 10_000:
            watch.expire()


async def test_an_upload_that_stops_is_answered_with_408() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/1", method=b"POST")), data(1, b"x"), headers(3, get("/3"), END_STREAM))
        server = await http2_server(talk)
        assert server.streams[await server.opened()].path == "/3"
        waiting = [watch for watch in talk.context.watches if not watch.server_due and watch is not talk.context.watch]
        waiting[0].expire()
        answer = await client.answer(1)
        assert (answer.status, answer.body) == (408, b"the client stopped sending\n")
        await client.until(lambda got: got.kind == RST_STREAM and got.code == NO_ERROR)
        server.say(headers(1, OK, END_STREAM))
        assert (await client.answer(3)).status == 200


async def test_a_server_that_does_not_answer_is_a_502() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        await until(lambda: any(watch.server_due for watch in talk.context.watches), "the server is due")
        expire(talk)
        answer = await client.answer(1)
        assert (answer.status, answer.body) == (502, b"a.test:80 did not answer\n")
        assert (await server.until(lambda got: got.kind == RST_STREAM)).stream == 1
        assert await client.alive()


async def test_a_head_has_so_long_however_slowly_its_frames_come() -> None:
    async with tunnelled() as (talk, client):
        first, *rest = [block(get())[index : index + 1] for index in range(len(block(get())))]
        client.say(frame(HEADERS, first, stream=1))
        await until(lambda: "message head" in talk.context.watch._why, "a head has begun")
        deadline = talk.context.watch.deadline
        assert deadline < now() + 31
        client.say(frame(CONTINUATION, rest[0], stream=1))
        await until(lambda: not talk.context.watch.reason and talk.client.stream.at_eof is False, "it was read")
        assert talk.context.watch.deadline == deadline
        talk.context.watch.expire()
        assert await client.over() == NO_ERROR


async def test_an_idle_connection_is_closed_with_a_goodbye() -> None:
    async with tunnelled() as (talk, client):
        assert await client.alive()
        talk.context.watch.expire()
        assert await client.over() == NO_ERROR


async def test_the_end_of_the_proxy_is_told_to_streams_and_client() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        talk.context.watch.end("midstream is shutting down")
        assert await client.over() == NO_ERROR
        assert await server.over() == NO_ERROR
    flow = talk.recorder.last("error")
    assert flow.error is not None and flow.error.msg == "midstream is shutting down"


async def test_streams_finish_after_the_goodbye_of_the_client() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        client.say(goaway())
        client.say(headers(3, get(), END_STREAM))
        assert await client.outcome(3) == "stream REFUSED_STREAM"
        server.say(headers(1, OK, END_STREAM))
        assert (await client.answer(1)).status == 200
        assert await client.over() is None
        await talk.over()


@pytest.mark.parametrize("announced", [True, False])
async def test_a_request_beyond_the_limit_is_answered_with_413(announced: bool) -> None:
    async with tunnelled(settings=Settings(body_size_limit=10)) as (talk, client):
        length = ((b"content-length", b"100"),) if announced else ()
        client.say(headers(1, get("/", *length, method=b"POST")), data(1, b"x" * 50))
        answer = await client.answer(1)
        assert answer.status == 413
        await client.until(lambda got: got.kind == RST_STREAM and got.code == NO_ERROR)
        assert await client.alive()
        assert len(talk.dialled) == 1


async def test_a_response_beyond_the_limit_is_a_502() -> None:
    async with tunnelled(settings=Settings(body_size_limit=10)) as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(headers(1, OK), data(1, b"x" * 50))
        assert (await client.answer(1)).status == 502
        assert (await server.until(lambda got: got.kind == RST_STREAM)).stream == 1


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", b"200"), (b"GET", b"304"), (b"GET", b"204")])
async def test_responses_without_bodies(method: bytes, status: bytes) -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(method=method), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        length = [] if status == b"204" else [(b"content-length", b"5")]
        server.say(headers(1, [(b":status", status), *length]), data(1, b"", END_STREAM))
        answer = await client.answer(1)
        assert (answer.fields, answer.body) == ([(b":status", status), *length], b"")
        assert await client.alive()


async def test_a_body_where_none_may_be_is_a_502() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(method=b"HEAD"), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(headers(1, OK), data(1, b"body", END_STREAM))
        answer = await client.answer(1)
        assert (answer.status, answer.body) == (502, b"")


async def test_a_held_flow_ends_when_its_stream_is_reset() -> None:
    class Holds:
        def request(self, flow: HTTPFlow) -> None:
            flow.intercept()

    async with tunnelled(Holds()) as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        await until(lambda: "request" in talk.recorder.names(), "it is held")
        client.say(reset(1))
        await until(lambda: "error" in talk.recorder.names(), "it has ended")
        flow = talk.recorder.last("error")
        assert not flow.intercepted
        assert await client.alive()
