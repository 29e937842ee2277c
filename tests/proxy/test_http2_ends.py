"""How HTTP/2 connections end while streams are under way, in memory: what still counts, and what is said of it."""

import pytest

from midstream.flows.http import HTTPFlow
from midstream.proxy.settings import Settings
from tests.kit.http2_frames import (
    CANCEL,
    CONTINUATION,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    HEADERS,
    HTTP_1_1_REQUIRED,
    NO_ERROR,
    REFUSED_STREAM,
    block,
    data,
    frame,
    goaway,
    headers,
    reset,
)
from tests.kit.http2_talk import OK, get, http2_server, tunnelled
from tests.kit.waiting import until

NONSENSE = data(0, b"no stream has this number")


class Streamed:
    """Nothing is held."""

    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.request.stream = True

    def responseheaders(self, flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.stream = True


async def test_an_answer_counts_that_came_right_before_nonsense() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(), END_STREAM), headers(3, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        await server.opened()
        server.say(headers(1, OK), data(1, b"whole", END_STREAM), headers(3, OK), data(3, b"cut"), NONSENSE)
        answer = await client.answer(1)
        assert (answer.status, answer.body) == (200, b"whole")
        assert (await client.answer(3)).status == 502


async def test_a_goodbye_counts_that_came_right_before_nonsense() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(method=b"POST"), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(goaway(0), NONSENSE)
        other = await http2_server(talk)
        other.say(headers(await other.opened(), OK, END_STREAM))
        assert (await client.answer(1)).status == 200


async def test_a_head_that_never_ends_is_told_to_client_and_log(caplog: pytest.LogCaptureFixture) -> None:
    async with tunnelled() as (talk, client):
        begin = block(get())
        client.say(frame(HEADERS, begin[:3], stream=1), frame(CONTINUATION, begin[3:], stream=1))
        await until(lambda: "message head" in talk.context.watch._why, "a head has begun")
        talk.context.watch.expire()
        await client.over()
        assert client.goaway is not None
        assert b"no whole message head came within" in client.goaway.payload
    assert [record.getMessage() for record in caplog.records] == ["closed: no whole message head came within 30 s"]


@pytest.mark.parametrize("says_so", [reset(1, HTTP_1_1_REQUIRED), goaway(0, HTTP_1_1_REQUIRED)])
async def test_a_server_that_demands_http1_is_obeyed_by_the_client(says_so: bytes) -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(says_so)
        assert await client.outcome(1) == "stream HTTP_1_1_REQUIRED"
        assert await client.alive()
    flow = talk.recorder.last("error")
    assert flow.error is not None
    assert "HTTP_1_1_REQUIRED" in flow.error.msg


async def test_a_server_that_cancels_a_request_is_heard_by_the_client() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(reset(1, CANCEL))
        assert await client.outcome(1) == "stream CANCEL"


@pytest.mark.parametrize("says_so", [reset(1, REFUSED_STREAM), goaway(0)])
async def test_a_client_comes_again_with_a_body_that_was_streamed(says_so: bytes) -> None:
    async with tunnelled(Streamed()) as (talk, client):
        client.say(headers(1, get(method=b"POST")), data(1, b"a part"))
        server = await http2_server(talk)
        await server.opened()
        server.say(says_so)
        assert await client.outcome(1) == "stream REFUSED_STREAM"
        assert await client.alive()


@pytest.mark.parametrize(
    ("code", "passed_on"),
    [(CANCEL, "CANCEL"), (ENHANCE_YOUR_CALM, "ENHANCE_YOUR_CALM"), (NO_ERROR, "INTERNAL_ERROR")],
)
async def test_a_streamed_answer_is_cut_by_the_code_of_the_server(code: int, passed_on: str) -> None:
    async with tunnelled(Streamed()) as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(headers(1, OK), data(1, b"a part"))
        await client.until(lambda got: client.streams[1].body == b"a part")
        server.say(reset(1, code))
        assert await client.outcome(1) == f"stream {passed_on}"


async def test_a_server_that_answers_no_ping_is_given_up() -> None:
    async with tunnelled(settings=Settings(http2_ping_keepalive=0.05)) as (talk, client):
        client.say(headers(1, get("/1"), END_STREAM))
        server = await http2_server(talk)
        server.say(headers(await server.opened(), OK, END_STREAM))
        assert (await client.answer(1)).status == 200
        client.say(headers(3, get("/3"), END_STREAM), headers(5, get("/5", method=b"POST"), END_STREAM))
        await server.opened()
        server.polite = False
        other = await http2_server(talk)
        number = await other.opened()
        assert other.streams[number].path == "/3"
        other.say(headers(number, OK, END_STREAM))
        assert (await client.answer(3)).status == 200
        assert b"a.test:80: the server answers no more" in (await client.answer(5)).body
        assert await client.alive()
