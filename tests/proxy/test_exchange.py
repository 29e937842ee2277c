"""One request and its response over memory streams: what the server hears, what the client gets, what addons see."""

import asyncio

import pytest

from midstream.flows.http import HTTPFlow, Response
from midstream.proxy.settings import Settings
from tests.kit.conversation import Conversation, End, conversation

GET = b"GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\nX-One: 1\r\nx-one: 2\r\n\r\n"
GET_SENT = b"GET /x HTTP/1.1\r\nHost: a.test\r\nX-One: 1\r\nx-one: 2\r\n\r\n"
OK = b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-B: 1\r\nx-a: 2\r\n\r\nhi"


async def ask(talk: Conversation) -> End:
    """The client's GET, as far as the server."""
    talk.say(GET)
    server = await talk.server()
    await server.expect(GET_SENT)
    return server


async def test_order_case_and_duplicates_pass_unchanged():
    async with conversation() as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(OK)
        assert talk.recorder.names() == ["requestheaders", "request", "responseheaders", "response"]


async def test_upstream_connection_is_kept_for_the_next_request():
    async with conversation() as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(OK)
        talk.say(GET)
        await server.expect(GET_SENT)
        server.say(OK)
        await talk.client.expect(OK)
        assert talk.dialled == [("a.test", 80)]


async def test_pipelined_requests_are_answered_in_order():
    async with conversation() as talk:
        talk.say(GET * 3)
        server = await talk.server()
        for _ in range(3):
            await server.expect(GET_SENT)
            server.say(OK)
        await talk.client.expect(OK * 3)


async def test_a_request_body_arrives_however_it_is_split():
    head = b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n"
    async with conversation() as talk:
        for byte in head + b"hello":
            talk.say(bytes([byte]))
            await asyncio.sleep(0)
        server = await talk.server()
        await server.expect(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello")


async def test_chunked_bodies_keep_their_trailers():
    async with conversation() as talk:
        talk.say(
            b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"
        )
        server = await talk.server()
        await server.expect(
            b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\nX-Sum: 5\r\n\r\n"
        )
        server.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nEnd: 1\r\n\r\n")
        await talk.client.expect(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nEnd: 1\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_a_body(status):
    async with conversation() as talk:
        server = await ask(talk)
        server.say(b"HTTP/1.1 %d X\r\nETag: 1\r\n\r\n" % status)
        await talk.client.expect(b"HTTP/1.1 %d X\r\nETag: 1\r\n\r\n" % status)
        talk.say(GET)
        await server.expect(GET_SENT)


async def test_head_has_a_length_and_no_body():
    async with conversation() as talk:
        talk.say(GET.replace(b"GET", b"HEAD"))
        server = await talk.server()
        await server.expect(GET_SENT.replace(b"GET", b"HEAD"))
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        await talk.client.expect(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        talk.say(GET)
        await server.expect(GET_SENT)


async def test_interim_responses_pass():
    async with conversation() as talk:
        server = await ask(talk)
        early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        server.say(early + OK)
        await talk.client.expect(early + OK)


async def test_continue_is_sent_when_the_body_is_wanted():
    async with conversation() as talk:
        talk.say(b"PUT http://a.test/ HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        await talk.client.expect(b"HTTP/1.1 100 Continue\r\n\r\n")
        talk.say(b"ab")
        server = await talk.server()
        assert (await server.head()).startswith(b"PUT / HTTP/1.1\r\n")
        await server.expect(b"ab")
        server.say(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
        await talk.client.expect(OK)


async def test_a_body_until_close_ends_both_connections():
    async with conversation() as talk:
        server = await ask(talk)
        server.say(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        server.stream.close()
        await talk.client.expect(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it")
        await talk.client.expect_closed()


async def test_http10_clients_get_what_they_understand():
    async with conversation() as talk:
        talk.say(b"GET http://a.test/ HTTP/1.0\r\nHost: a.test\r\n\r\n")
        server = await talk.server()
        await server.expect(b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n")
        server.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        answer = await talk.client.rest()
        assert b"chunked" not in answer
        assert answer.endswith(b"\r\n\r\nabc")


async def test_connection_fields_end_here():
    async with conversation() as talk:
        talk.say(
            b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nProxy-Connection: keep-alive\r\nX-Mine: 1\r\n"
            b"Connection: x-mine, keep-alive\r\nKeep-Alive: timeout=5\r\n"
            b"Proxy-Authorization: Basic eDp5\r\nA: b\r\n\r\n"
        )
        server = await talk.server()
        await server.expect(b"GET / HTTP/1.1\r\nHost: a.test\r\nA: b\r\n\r\n")
        server.say(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n")
        await talk.client.expect(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def test_connection_close_of_the_client_is_honoured():
    async with conversation() as talk:
        talk.say(GET.replace(b"X-One: 1", b"Connection: close"))
        server = await talk.server()
        await server.head()
        server.say(OK)
        assert (await talk.client.head()).endswith(b"Connection: close\r\n\r\n")
        await talk.client.expect(b"hi")
        await talk.client.expect_closed()


async def test_host_follows_the_absolute_target():
    async with conversation() as talk:
        talk.say(b"GET http://a.test/ HTTP/1.1\r\nA: 1\r\nHost: evil.test\r\n\r\n")
        server = await talk.server()
        await server.expect(b"GET / HTTP/1.1\r\nA: 1\r\nHost: a.test\r\n\r\n")


async def test_the_url_of_a_websocket_is_asked_for_by_http():
    # aiohttp and others ask a proxy for ws://, which is HTTP until the server agrees to the upgrade (RFC 6455 §4.1).
    async with conversation() as talk:
        talk.say(b"GET WS://a.test:81/chat?x=1 HTTP/1.1\r\nHost: a.test:81\r\n\r\n")
        server = await talk.server()
        await server.expect(b"GET /chat?x=1 HTTP/1.1\r\nHost: a.test:81\r\n\r\n")
        server.say(OK)
        await talk.client.expect(OK)
        assert talk.recorder.last("response").request.url == "http://a.test:81/chat?x=1"


async def test_a_request_is_repeated_when_the_kept_connection_had_closed():
    async with conversation() as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(OK)
        talk.say(GET)
        await server.expect(GET_SENT)
        server.stream.close()  # before a byte of an answer
        again = await talk.server()
        await again.expect(GET_SENT)
        again.say(OK)
        await talk.client.expect(OK)


async def test_a_post_is_not_repeated():
    post = b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\nx"
    async with conversation() as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(OK)
        talk.say(post)
        await server.head()
        server.stream.close()
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert talk.dialled == [("a.test", 80)]


class Answers:
    """Answers without a server."""

    def request(self, flow: HTTPFlow) -> None:
        flow.response = Response.make(418, b"tea", {"X-Kind": "pot"})


async def test_an_addon_answers():
    async with conversation(Answers()) as talk:
        talk.say(GET)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 418 I'm a teapot\r\n")
        await talk.client.expect(b"tea")
        assert talk.dialled == []
        assert talk.recorder.names() == ["requestheaders", "request", "responseheaders", "response"]


class Edits:
    """Changes both messages."""

    def request(self, flow: HTTPFlow) -> None:
        flow.request.headers["X-Added"] = "1"
        flow.request.path = "/other"
        flow.request.text = "body"

    def response(self, flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.text = "changed"


async def test_what_an_addon_changes_is_what_goes_out():
    async with conversation(Edits()) as talk:
        talk.say(GET)
        server = await talk.server()
        head = await server.head()
        assert head.startswith(b"GET /other HTTP/1.1\r\n")
        assert b"X-Added: 1\r\n" in head
        assert b"content-length: 4\r\n" in head.lower()
        await server.expect(b"body")
        server.say(OK)
        assert b"Content-Length: 7\r\n" in await talk.client.head()
        await talk.client.expect(b"changed")


class Splits:
    """Tries to smuggle a header."""

    def response(self, flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.headers.fields = ((b"X-Bad", b"a\r\nSet-Cookie: b"),)


async def test_an_addon_cannot_split_a_response():
    async with conversation(Splits()) as talk:
        server = await ask(talk)
        server.say(OK)
        answer = await talk.client.head()
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert b"Set-Cookie" not in answer


class Holds:
    """Holds each flow at its request."""

    def __init__(self) -> None:
        self.held: asyncio.Queue[HTTPFlow] = asyncio.Queue()

    def request(self, flow: HTTPFlow) -> None:
        flow.intercept()
        self.held.put_nowait(flow)


async def test_a_held_request_waits_for_its_release():
    holds = Holds()
    async with conversation(holds) as talk:
        talk.say(GET)
        flow = await holds.held.get()
        assert talk.dialled == []
        flow.resume()
        await (await talk.server()).expect(GET_SENT)


async def test_a_client_that_leaves_during_a_hold_ends_the_exchange():
    holds = Holds()
    async with conversation(holds) as talk:
        talk.say(GET)
        flow = await holds.held.get()
        talk.client.stream.close()
        await talk.over()
        assert flow.error is not None
        assert flow.error.msg == "client disconnected"
        assert not flow.live
        assert talk.recorder.names()[-1] == "error"
        assert talk.dialled == []


async def test_a_killed_flow_closes_without_an_answer():
    holds = Holds()
    async with conversation(holds) as talk:
        talk.say(GET)
        flow = await holds.held.get()
        flow.kill()
        await talk.client.expect_closed()
        assert talk.recorder.names()[-1] == "error"


async def test_killing_a_flow_in_flight_closes_both_sides():
    async with conversation() as talk:
        server = await ask(talk)
        talk.recorder.last("request").kill()
        await talk.client.expect_closed()
        await server.expect_closed()


async def test_a_server_that_cannot_be_reached():
    async with conversation() as talk:
        talk.refusing.add(("a.test", 80))
        talk.say(GET)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        flow = talk.recorder.last("error")
        assert flow.error is not None
        assert flow.error.msg == "a.test:80 refused the connection: nothing listens there"


async def test_a_server_that_breaks_off_before_the_end_of_the_body():
    async with conversation() as talk:
        server = await ask(talk)
        server.say(OK[:-1])
        server.stream.close()
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert "1 bytes before the end of the body" in str(talk.recorder.last("error").error)


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
        b"HTTP/1.1 600 No\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
    ],
)
async def test_malformed_responses_are_a_502_and_the_connection_is_not_used_again(response):
    async with conversation() as talk:
        server = await ask(talk)
        server.say(response)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert "malformed response" in str(talk.recorder.last("error").error)
        await server.expect_closed()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (
            b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        (b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
        (b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nA: b\r c\r\n\r\n", 400),
        (b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nA: b\x00\r\n\r\n", 400),
        (b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nA: " + b"x" * 70000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", 400),
        (b"GET ftp://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 400),
        (b"CONNECT a.test HTTP/1.1\r\nHost: a.test\r\n\r\n", 400),
    ],
)
async def test_malformed_requests_are_refused_with_a_row_and_a_closed_connection(request_bytes, status):
    async with conversation() as talk:
        talk.say(request_bytes)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 %d " % status)
        await talk.client.until(b"\n")
        await talk.client.expect_closed()
        assert talk.recorder.names() == ["error"]
        assert str(talk.recorder.last("error").error).startswith("request refused: ")
        assert talk.dialled == []


async def test_bad_chunks_in_a_request_are_refused():
    async with conversation() as talk:
        talk.say(b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n")
        assert (await talk.client.head()).startswith(b"HTTP/1.1 400 ")
        assert talk.recorder.names()[-1] == "error"
        assert talk.dialled == []


async def test_a_body_over_the_limit():
    async with conversation(settings=Settings(body_size_limit=4)) as talk:
        talk.say(b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n")
        assert (await talk.client.head()).startswith(b"HTTP/1.1 413 ")
    async with conversation(settings=Settings(body_size_limit=1)) as talk:
        server = await ask(talk)
        server.say(OK)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")


# -- streamed bodies --

STREAM = Settings(stream_large_bodies=4)
UPLOAD = b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n"
UPLOAD_SENT = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n"


async def test_a_streamed_upload_goes_through_as_it_comes():
    async with conversation(settings=STREAM) as talk:
        talk.say(UPLOAD)
        server = await talk.server()
        await server.expect(UPLOAD_SENT)
        talk.say(b"12345")
        await server.expect(b"12345")
        talk.say(b"67890")
        await server.expect(b"67890")
        server.say(OK)
        await talk.client.expect(OK)
        assert talk.recorder.names() == ["requestheaders", "request", "responseheaders", "response"]
        talk.say(GET)
        await server.expect(GET_SENT)


async def test_an_early_answer_to_a_streamed_upload():
    early = b"HTTP/1.1 413 Too Big\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
    async with conversation(settings=STREAM) as talk:
        talk.say(UPLOAD)
        server = await talk.server()
        await server.expect(UPLOAD_SENT)
        server.say(early)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 413 Too Big\r\n")
        await talk.client.expect(b"no")
        await server.expect_closed()


async def test_an_upload_goes_on_after_an_early_answer_if_the_server_reads_on():
    async with conversation(settings=STREAM) as talk:
        talk.say(UPLOAD)
        server = await talk.server()
        await server.expect(UPLOAD_SENT)
        server.say(OK)
        await talk.client.expect(OK)
        talk.say(b"1234567890")
        await server.expect(b"1234567890")
        talk.say(GET)
        await server.expect(GET_SENT)


async def test_two_full_buffers_do_not_deadlock():
    size = 1_000_000
    async with conversation(settings=STREAM, capacity=1024) as talk:
        talk.say(b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % size)
        server = await talk.server()
        await server.head()
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)

        async def send(end: End) -> None:
            for _ in range(size // 1000):
                end.say(b"x" * 1000)
                await end.stream.drain()

        async def receive_all() -> tuple[bytes, bytes]:
            await talk.client.head()
            return await talk.client.take(size), await server.take(size)

        # Neither end reads before it has written everything; the proxy holds both back, then lets both through.
        async with asyncio.TaskGroup() as group:
            group.create_task(send(talk.client))
            group.create_task(send(server))
            got = await receive_all()
        assert [len(part) for part in got] == [size, size]


async def test_a_body_of_unknown_length_that_outgrows_memory_is_streamed_on():
    settings = Settings(body_buffer_limit=8)
    async with conversation(settings=settings) as talk:
        server = await ask(talk)
        server.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n")
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        await talk.client.expect(head + b"a\r\n0123456789\r\n")
        server.say(b"3\r\nend\r\n0\r\n\r\n")
        await talk.client.expect(b"3\r\nend\r\n0\r\n\r\n")
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow)
        assert flow.response is not None
        assert flow.response.raw_content == b"01234567"
        assert flow.metadata["response_body_cut"] == "first 8 of 13 bytes"


class StreamsUpper:
    """Rewrites the response piece by piece."""

    def responseheaders(self, flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.stream = lambda data: [data.upper(), b"!"] if data else b"END"


async def test_a_stream_function_changes_the_length_safely():
    async with conversation(StreamsUpper()) as talk:
        server = await ask(talk)
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        head = await talk.client.head()
        assert b"Content-Length" not in head
        assert b"chunked" in head
        await talk.client.expect(b"2\r\nHI\r\n1\r\n!\r\n3\r\nEND\r\n0\r\n\r\n")


async def test_a_client_that_leaves_a_streamed_download_closes_the_server():
    async with conversation(settings=STREAM, capacity=100) as talk:
        server = await ask(talk)
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000)
        await talk.client.head()
        talk.client.stream.abort()
        await server.rest()
        await talk.over()
        assert str(talk.recorder.last("error").error) == "client disconnected"


# -- upgrades and CONNECT --


async def test_after_101_the_bytes_go_through_as_a_raw_flow():
    async with conversation() as talk:
        talk.say(b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: tea/1\r\n\r\nfirst")
        server = await talk.server()
        sent = await server.head()
        assert b"Upgrade: tea/1\r\n" in sent
        assert b"Connection: Upgrade\r\n" in sent
        server.say(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: tea/1\r\n\r\nhello")
        assert (await talk.client.head()).startswith(b"HTTP/1.1 101 Switching\r\n")
        await server.expect(b"first")
        await talk.client.expect(b"hello")
        server.stream.close()
        talk.client.stream.write_eof()
        await talk.over()
        assert talk.recorder.names()[-1] == "tcp_end"


async def test_h2c_is_not_offered():
    async with conversation() as talk:
        talk.say(
            b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        )
        await (await talk.server()).expect(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")


CONNECT = b"CONNECT a.test:8000 HTTP/1.1\r\nHost: a.test:8000\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


async def test_plain_http_inside_a_tunnel():
    async with conversation() as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        talk.say(b"GET /in HTTP/1.1\r\nHost: other\r\n\r\n")
        server = await talk.server()
        await server.expect(b"GET /in HTTP/1.1\r\nHost: other\r\n\r\n")
        server.say(OK)
        await talk.client.expect(OK)
        assert talk.dialled == [("a.test", 8000)]
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow)
        assert flow.request.url == "http://a.test:8000/in"
        assert flow.request.pretty_host == "other"


async def test_raw_bytes_inside_a_tunnel():
    async with conversation() as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        talk.say(b"\x00\x01\x02")
        server = await talk.server()
        await server.expect(b"\x00\x01\x02")
        server.say(b"\x03")
        await talk.client.expect(b"\x03")
        talk.client.stream.write_eof()
        await server.expect_closed()
        server.say(b"late")
        server.stream.close()
        await talk.client.expect(b"late")
        await talk.over()
        assert talk.recorder.names()[-1] == "tcp_end"


async def test_a_server_that_speaks_first_inside_a_tunnel():
    async with conversation() as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        server = await talk.server()
        server.say(b"220 mail.test ready\r\n")
        await talk.client.expect(b"220 mail.test ready\r\n")


async def test_connect_to_a_server_that_refuses():
    async with conversation() as talk:
        talk.refusing.add(("a.test", 8000))
        talk.say(CONNECT)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert talk.recorder.names() == ["http_connect", "http_connect_error"]


class RefusesConnect:
    """Answers CONNECT itself."""

    def http_connect(self, flow: HTTPFlow) -> None:
        flow.response = Response.make(407, b"who?", {"Proxy-Authenticate": "Basic"})


async def test_an_addon_refuses_connect():
    async with conversation(RefusesConnect()) as talk:
        talk.say(CONNECT)
        head = await talk.client.head()
        assert head.startswith(b"HTTP/1.1 407 Proxy Authentication Required\r\n")
        await talk.client.expect(b"who?")
        await talk.client.expect_closed()
