"""Bodies that pass piece by piece: early answers, failures on either side, functions of addons, backpressure."""

import asyncio
from collections.abc import Iterator

import pytest

from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Response
from midstream.proxy.settings import Settings
from tests.kit.conversation import PATIENCE, Conversation, End, conversation

STREAM = Settings(stream_large_bodies=4)
GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
GET_SENT = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
POST = b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\n"
UPLOAD = POST + b"Content-Length: 10\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


async def settle() -> None:
    """Let everything happen that needs no more input."""
    for _ in range(100):
        await asyncio.sleep(0)


class Streams:
    """Streams requests, responses or both, as given."""

    def __init__(self, request: object = False, response: object = False) -> None:
        self.for_request, self.for_response = request, response

    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.request.stream = self.for_request  # type: ignore[assignment]

    def responseheaders(self, flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.stream = self.for_response  # type: ignore[assignment]


async def test_a_client_that_has_the_whole_body_may_leave_before_addons_have_heard_of_it():
    left = asyncio.Event()

    class Slow:
        async def response(self, flow: HTTPFlow) -> None:
            await left.wait()

    async with conversation(Slow(), settings=Settings(stream_large_bodies=1)) as talk:
        talk.say(GET)
        server = await talk.server()
        await server.head()
        server.say(OK)
        await talk.client.expect(OK)
        talk.client.stream.close()
        await settle()
        left.set()
        await talk.over()
        assert talk.recorder.names() == ["requestheaders", "request", "responseheaders", "response"]
        assert talk.recorder.last("response").error is None


# -- early answers --


async def test_a_client_whose_upload_turns_bad_after_an_early_answer_is_not_served_on():
    async with conversation(Streams(request=True)) as talk:
        talk.say(CHUNKED + b"3\r\nabc\r\n")
        server = await talk.server()
        await server.until(b"3\r\nabc\r\n")
        server.say(OK)
        await talk.client.expect(OK)
        talk.say(b"zz\r\n" + GET)
        await talk.client.expect_closed()
        assert len(talk.dialled) == 1
        assert [name for name in talk.recorder.names() if name in ("response", "error")] == ["response"]


async def test_the_rest_of_an_upload_is_no_request_when_the_server_is_gone():
    async with conversation(settings=STREAM) as talk:
        talk.say(POST + b"Content-Length: %d\r\n\r\n" % (4 + len(GET)))
        server = await talk.server()
        await server.head()
        server.say(OK)
        await talk.client.expect(OK)
        server.stream.abort()
        talk.say(b"1234")
        await settle()
        talk.say(GET)
        await talk.client.expect_closed()
        assert len(talk.dialled) == 1


async def test_an_early_answer_that_ends_with_the_connection_is_not_completed_by_a_bad_upload():
    async with conversation(Streams(request=True, response=True)) as talk:
        talk.say(CHUNKED + b"3\r\nabc\r\n")
        server = await talk.server()
        await server.until(b"3\r\nabc\r\n")
        server.say(b"HTTP/1.1 200 OK\r\n\r\nfirst")
        await talk.client.until(b"first")
        talk.say(b"zz\r\n")
        await talk.over()
        assert talk.client.stream._reset  # a regular end would say that this was all
        assert talk.recorder.names()[-1] == "error"
        assert "chunk size" in str(talk.recorder.last("error").error)


# -- answers by addons --


class AnswersAtOnce:
    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.response = Response.make(413, b"no")


async def test_an_answer_by_an_addon_keeps_even_a_huge_upload_from_the_server():
    async with conversation(AnswersAtOnce(), settings=Settings(body_buffer_limit=8)) as talk:
        talk.say(POST + b"Content-Length: 1000\r\n\r\n" + b"x" * 100)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 413 ")
        await talk.client.expect(b"no")
        await talk.client.expect_closed()
        assert talk.dialled == []
        assert talk.recorder.names() == ["requestheaders", "request", "responseheaders", "response"]


class StreamsThenAnswers:
    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.request.stream = True

    def request(self, flow: HTTPFlow) -> None:
        flow.response = Response.make(200, b"local")


async def test_a_request_without_a_body_is_never_streamed():
    async with conversation(StreamsThenAnswers()) as talk:
        talk.say(GET)
        await talk.client.until(b"local")
        assert talk.dialled == []
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow)
        assert flow.request.raw_content == b""


async def test_a_body_is_asked_for_once():
    async with conversation(settings=Settings(body_buffer_limit=4)) as talk:
        talk.say(CHUNKED.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
        await talk.client.expect(go_on)
        talk.say(b"a\r\n1234567890\r\n0\r\n\r\n")
        server = await talk.server()
        await server.until(b"1234567890\r\n0\r\n\r\n")
        server.say(go_on + OK)
        await talk.client.expect(OK)


async def test_a_body_that_is_streamed_for_its_size_is_not_kept_beyond_that():
    async with conversation(settings=Settings(stream_large_bodies=10, body_buffer_limit=1000)) as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10):
            server.say(b"a\r\n0123456789\r\n")
            await settle()
        server.say(b"0\r\n\r\n")
        await talk.client.until(b"0\r\n\r\n")
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow)
        assert flow.response is not None
        assert flow.response.raw_content == b"0123456789"
        assert flow.metadata["response_body_cut"] == "first 10 of 100 bytes"


async def test_a_request_over_the_limit_that_an_addon_answers():
    async with conversation(AnswersAtOnce(), settings=Settings(body_size_limit=4)) as talk:
        talk.say(CHUNKED + b"a\r\n0123456789\r\n")
        assert (await talk.client.head()).startswith(b"HTTP/1.1 413 ")
        assert "request refused" in str(talk.recorder.last("error").error)


# -- functions of addons --


def raises(data: bytes) -> bytes:
    raise ValueError("boom")


def gives_nothing(data: bytes) -> None:
    return None


def gives_text(data: bytes) -> str:
    return "text"


def gives_texts(data: bytes) -> list[str]:
    return ["text"]


BAD = [raises, gives_nothing, gives_text, gives_texts]


@pytest.mark.parametrize("function", BAD)
async def test_a_broken_function_cuts_the_response_visibly_and_is_named(function, caplog):
    async with conversation(Streams(response=function)) as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(OK)
        await talk.client.rest()
        await talk.over()
        assert talk.client.stream._reset
        await server.expect(GET_SENT)
        await server.expect_closed()
        assert function.__name__ in str(talk.recorder.last("error").error)
        assert "midstream" not in str(talk.recorder.last("error").error)
        assert talk.recorder.names()[-1] == "error"
        assert function.__name__ in caplog.text


@pytest.mark.parametrize("function", BAD)
async def test_a_broken_function_for_a_request_is_answered(function):
    async with conversation(Streams(request=function)) as talk:
        talk.say(CHUNKED + b"2\r\nhi\r\n0\r\n\r\n")
        server = await talk.server()
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        await server.rest()
        assert function.__name__ in str(talk.recorder.last("error").error)
        assert talk.recorder.names() == ["requestheaders", "error"]


def doubles(data: bytes) -> Iterator[bytes]:
    yield data
    yield data


async def test_a_function_may_be_a_generator():
    async with conversation(Streams(request=doubles, response=doubles)) as talk:
        talk.say(UPLOAD + b"1234567890")
        server = await talk.server()
        assert b"Transfer-Encoding: chunked\r\n" in await server.head()
        await server.expect(b"a\r\n1234567890\r\na\r\n1234567890\r\n0\r\n\r\n")
        server.say(OK)
        await talk.client.head()
        await talk.client.expect(b"2\r\nhi\r\n2\r\nhi\r\n0\r\n\r\n")
        talk.say(GET)
        await server.expect(GET_SENT)


async def test_that_a_function_makes_the_length_unknown_is_nobodys_mistake(caplog: pytest.LogCaptureFixture):
    async with conversation(Streams(request=doubles, response=doubles)) as talk:
        talk.say(UPLOAD + b"1234567890")
        server = await talk.server()
        assert b"Content-Length" not in await server.head()
        server.say(OK)
        assert b"Content-Length" not in await talk.client.head()
    assert "left out" not in caplog.text


# -- trailers --


class AddsTrailers:
    """Adds a field to the trailers of both messages."""

    def __init__(self, value: bytes) -> None:
        self.trailers = Headers(((b"X-Sum", value),))

    def request(self, flow: HTTPFlow) -> None:
        flow.request.trailers = self.trailers

    def response(self, flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.trailers = self.trailers


SPLIT = b"1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("streamed", [False, True])
async def test_trailers_of_addons_go_out(streamed):
    async with conversation(Streams(streamed, streamed), AddsTrailers(b"5")) as talk:
        talk.say(CHUNKED + b"2\r\nhi\r\n0\r\n\r\n")
        server = await talk.server()
        await server.until(b"2\r\nhi\r\n0\r\nX-Sum: 5\r\n\r\n")
        server.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
        await talk.client.until(b"2\r\nhi\r\n0\r\nX-Sum: 5\r\n\r\n")


@pytest.mark.parametrize("streamed", [False, True])
async def test_trailers_cannot_split_a_response(streamed):
    class Splits:
        def response(self, flow: HTTPFlow) -> None:
            assert flow.response is not None
            flow.response.trailers = Headers(((b"X-Sum", SPLIT),))

    async with conversation(Streams(False, streamed), Splits()) as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
        await server.head()
        await server.expect_closed()
        await settle()
        answer = talk.client.stream.take()
        assert b"Content-Length: 0" not in answer
        assert answer.startswith(b"HTTP/1.1 200 " if streamed else b"HTTP/1.1 502 ") or not answer
        assert "X-Sum" in str(talk.recorder.seen[-1][1].error)


@pytest.mark.parametrize("streamed", [False, True])
async def test_trailers_cannot_smuggle_a_request(streamed):
    class Splits:
        def request(self, flow: HTTPFlow) -> None:
            flow.request.trailers = Headers(((b"X-Sum", SPLIT),))

    async with conversation(Streams(streamed), Splits()) as talk:
        talk.say(CHUNKED + b"2\r\nhi\r\n0\r\n\r\n")
        server = await talk.server()
        assert b"Content-Length: 0" not in await server.rest()
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert "X-Sum" in str(talk.recorder.last("error").error)


# -- backpressure --


async def poured(end: End, group: asyncio.TaskGroup) -> int:
    """How many bytes go in while nobody takes them out at the other side."""
    sent = 0

    async def pour() -> None:
        nonlocal sent
        while sent < 20_000_000:
            end.say(b"x" * 10_000)
            await end.stream.drain()
            sent += 10_000

    task = group.create_task(pour())
    before = -1
    while before != sent:
        before = sent
        await settle()
    task.cancel()
    return sent


async def test_a_slow_client_holds_the_server_back():
    async with conversation(settings=STREAM) as talk, asyncio.TaskGroup() as group:
        talk.say(GET)
        server = await talk.server()
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n")
        assert await poured(server, group) < 1_000_000


async def test_a_slow_server_holds_the_client_back():
    async with conversation(settings=STREAM) as talk, asyncio.TaskGroup() as group:
        talk.say(POST + b"Content-Length: 20000000\r\n\r\n")
        await talk.server()
        assert await poured(talk.client, group) < 1_000_000


@pytest.mark.parametrize("side", ["client", "server"])
async def test_tunnels_hold_both_sides_back(side):
    async with conversation() as talk, asyncio.TaskGroup() as group:
        talk.say(b"CONNECT a.test:1 HTTP/1.1\r\nHost: a.test\r\n\r\n\x00")
        await talk.client.head()
        server = await talk.server()
        await server.expect(b"\x00")
        assert await poured(talk.client if side == "client" else server, group) < 1_000_000


async def held_back(talk: Conversation) -> int:
    """Bytes that wait for the client."""
    await settle()
    return talk.client.stream._size


async def test_a_client_that_asks_and_never_reads_is_not_answered_without_end():
    async with conversation(capacity=4096) as talk:
        talk.refusing.add(("a.test", 80))
        talk.say(GET * 20_000)
        assert await held_back(talk) < 100_000


async def test_patience_starts_anew_with_every_piece_that_the_client_takes():
    async with conversation(capacity=1000) as talk:
        talk.say(GET)
        server = await talk.server()
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        await talk.client.head()
        await settle()
        before = talk.context.watch.deadline
        await talk.client.take(200_000)
        await settle()
        assert talk.context.watch.deadline > before


async def test_patience_starts_anew_with_every_piece_that_the_server_takes():
    async with conversation(capacity=1000) as talk:
        talk.say(POST + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        server = await talk.server()
        await server.head()
        await settle()
        before = talk.context.watch.deadline
        await server.take(200_000)
        await settle()
        assert talk.context.watch.deadline > before


async def test_a_hold_of_a_streamed_request_is_not_timed():
    held: asyncio.Queue[HTTPFlow] = asyncio.Queue()

    class Holds:
        def request(self, flow: HTTPFlow) -> None:
            flow.intercept()
            held.put_nowait(flow)

    async with conversation(Holds(), settings=STREAM) as talk:
        talk.say(UPLOAD + b"1234567890")
        flow = await asyncio.wait_for(held.get(), PATIENCE)
        await settle()
        assert talk.context.watch.deadline == float("inf")
        flow.resume()
        server = await talk.server()
        server.say(OK)
        await talk.client.expect(OK)
