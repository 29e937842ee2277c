"""What addons make of messages: it goes out well framed for who asked, or not at all, and the mistake is named."""

from collections.abc import Callable

import pytest

from midstream.flows.connection import Server
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.proxy.settings import Settings
from tests.kit.conversation import Conversation, End, conversation

GET = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nA: b\r\n\r\n"
GET_SENT = b"GET / HTTP/1.1\r\nHost: a.test\r\nA: b\r\n\r\n"
POST = b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

Edit = Callable[[HTTPFlow], None]


class Edits:
    """Does something to a flow once, at the request or at the response."""

    def __init__(self, *, request: Edit | None = None, response: Edit | None = None, early: Edit | None = None) -> None:
        self._edits = {"request": request, "response": response, "responseheaders": early}

    def request(self, flow: HTTPFlow) -> None:
        self._edit("request", flow)

    def responseheaders(self, flow: HTTPFlow) -> None:
        self._edit("responseheaders", flow)

    def response(self, flow: HTTPFlow) -> None:
        self._edit("response", flow)

    def _edit(self, event: str, flow: HTTPFlow) -> None:
        edit, self._edits[event] = self._edits[event], None
        if edit is not None:
            edit(flow)


def sets(part: str, name: str, value: object) -> Edit:
    """An edit that sets one attribute of the request or the response."""
    return lambda flow: setattr(getattr(flow, part), name, value)


def sets_header(part: str, name: str, value: str) -> Edit:
    return lambda flow: getattr(flow, part).headers.__setitem__(name, value)


def sets_fields(part: str, name: bytes, value: bytes) -> Edit:
    """The way around the checks of `Headers`."""
    return lambda flow: setattr(getattr(flow, part).headers, "fields", ((b"Host", b"a.test"), (name, value)))


async def ask(talk: Conversation, sent: bytes = GET_SENT) -> End:
    talk.say(GET)
    server = await talk.server()
    await server.expect(sent)
    return server


async def served_on(talk: Conversation, server: End) -> None:
    """The next exchange on both connections is in step."""
    talk.say(GET)
    await server.expect(GET_SENT)
    server.say(OK)
    await talk.client.expect(OK)


# -- the method decides how an answer is framed: the client's own for the client --


async def test_a_get_that_became_head_is_answered_as_a_get():
    async with conversation(Edits(request=sets("request", "method", "HEAD"))) as talk:
        server = await ask(talk, GET_SENT.replace(b"GET", b"HEAD"))
        server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        assert b"\r\nContent-Length: 0\r\n" in await talk.client.head()
        await served_on(talk, server)


async def test_a_head_that_became_get_gets_no_body():
    async with conversation(Edits(request=sets("request", "method", "GET"))) as talk:
        talk.say(GET.replace(b"GET", b"HEAD"))
        server = await talk.server()
        await server.expect(GET_SENT)
        server.say(OK)
        assert b"\r\nContent-Length: 2\r\n" in await talk.client.head()
        await served_on(talk, server)


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_that_have_no_body(status):
    async with conversation(
        Edits(response=lambda flow: setattr(flow, "response", Response.make(status, b"x")))
    ) as talk:
        server = await ask(talk)
        server.say(OK)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 %d " % status)
        await served_on(talk, server)


async def test_head_answered_by_an_addon_tells_the_length_of_its_body():
    async with conversation(Edits(request=lambda flow: setattr(flow, "response", Response.make(200, b"four")))) as talk:
        talk.say(GET.replace(b"GET", b"HEAD"))
        assert b"\r\ncontent-length: 4\r\n" in (await talk.client.head()).lower()
        talk.say(GET)
        await (await talk.server()).expect(GET_SENT)


# -- versions --


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/3", "HTTP/9\r\nX: y", "", "http/1.1"])
async def test_versions_that_are_not_spoken_here_become_the_one_that_is(version):
    edits = Edits(request=sets("request", "http_version", version), response=sets("response", "http_version", version))
    async with conversation(edits) as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(OK)


async def test_an_addon_may_ask_in_http10():
    async with conversation(Edits(request=sets("request", "http_version", "HTTP/1.0"))) as talk:
        server = await ask(talk, GET_SENT.replace(b"HTTP/1.1", b"HTTP/1.0"))
        server.say(b"HTTP/1.0 200 OK\r\n\r\nall")
        server.stream.close()
        assert (await talk.client.rest()).endswith(b"\r\n\r\nall")


async def test_an_addon_may_answer_in_http10():
    async with conversation(Edits(response=sets("response", "http_version", "HTTP/1.0"))) as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi")
        await served_on(talk, server)


# -- mistakes in the request --


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (sets_fields("request", b"X-Bad", b"a\r\nHost: evil"), "X-Bad"),
        (sets_fields("request", b"X-Bad", b"a\x00"), "X-Bad"),
        (sets_header("request", "X Bad", "a"), "X Bad"),
        (sets("request", "path", "/ HTTP/1.1\r\nA: b\r\n\r\n"), "target"),
        (sets("request", "path", "/a b"), "target"),
        (sets("request", "path", ""), "target"),
        (sets("request", "method", "GET /evil"), "method"),
        (sets("request", "method", ""), "method"),
        (sets("request", "raw_content", "text"), "str"),
        (sets("request", "raw_content", 5), "int"),
    ],
)
async def test_a_request_that_cannot_be_sent_is_refused_by_us_and_not_by_the_server(edit, word, caplog):
    async with conversation(Edits(request=edit)) as talk:
        talk.say(GET)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        text = str(talk.recorder.last("error").error)
        assert text.startswith("the request cannot be sent: ")
        assert word in text
        assert "midstream failed" not in caplog.text
        await talk.client.until(b"\n")
        await (await talk.server()).expect_closed()
        talk.say(GET)  # and the client's connection goes on
        await (await talk.server()).expect(GET_SENT)


# -- mistakes in the response --


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (sets_fields("response", b"X-Bad", b"a\r\nSet-Cookie: b"), "X-Bad"),
        (sets("response", "reason", "OK\r\nSet-Cookie: b"), "reason"),
        (sets("response", "status_code", 99), "99"),
        (sets("response", "status_code", 600), "600"),
        (sets("response", "raw_content", "text"), "str"),
        (sets("response", "raw_content", "hi"), "str"),
    ],
)
async def test_a_response_that_cannot_be_sent_is_a_502(edit, word, caplog):
    async with conversation(Edits(response=edit)) as talk:
        server = await ask(talk)
        server.say(OK)
        answer = await talk.client.head()
        assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert b"Set-Cookie" not in answer
        text = str(talk.recorder.last("response").error)
        assert text.startswith("the response cannot be sent: ")
        assert word in text
        assert "midstream failed" not in caplog.text
        await talk.client.until(b"\n")
        talk.say(GET)
        await (await talk.server()).expect(GET_SENT)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda flow: setattr(flow, "response", "text"), "flow.response is a Response or None, not str"),
        (lambda flow: setattr(flow, "request", None), "flow.request is a Request, not NoneType"),
        (sets("request", "headers", None), "headers are Headers, a dict or pairs"),
        (sets_header("request", "X-Bad", "a\r\nHost: evil"), "no header may hold a line break"),
    ],
)
async def test_what_the_model_refuses_is_the_addons_failure_and_the_flow_goes_on(edit, words, caplog):
    async with conversation(Edits(request=edit)) as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.expect(OK)
        assert "edits failed in request" in caplog.text
        assert words in caplog.text


# -- what can only be meant one way is mended --


@pytest.mark.parametrize("kind", [bytearray, memoryview])
async def test_other_kinds_of_bytes(kind):
    edits = Edits(
        request=sets("request", "raw_content", kind(b"ab")), response=sets("response", "raw_content", kind(b"cd"))
    )
    async with conversation(edits) as talk:
        talk.say(POST)
        server = await talk.server()
        await server.head()
        await server.expect(b"ab")
        server.say(OK)
        await talk.client.head()
        await talk.client.expect(b"cd")


@pytest.mark.parametrize(
    ("edit", "length"),
    [
        (sets("response", "raw_content", b"longer"), b"Content-Length: 6"),
        (sets("response", "raw_content", None), b"Content-Length: 0"),
        (sets("response", "content", None), b"Content-Length: 0"),
        (sets_header("response", "Content-Length", "99"), b"Content-Length: 2"),
        (sets_header("response", "Content-Length", "-1"), b"Content-Length: 2"),
        (lambda flow: flow.response.headers.pop("Content-Length"), b"Content-Length: 2"),
        (sets_header("response", "Transfer-Encoding", "gzip, chunked"), b"Content-Length: 2"),
        (sets_header("response", "Transfer-Encoding", "chunked"), b"Content-Length: 2"),
    ],
)
async def test_the_length_follows_the_body(edit, length):
    async with conversation(Edits(response=edit)) as talk:
        server = await ask(talk)
        server.say(OK)
        head = await talk.client.head()
        assert length in head
        assert b"Transfer-Encoding" not in head
        await talk.client.take(int(length.split()[1]))
        await served_on(talk, server)


async def test_a_length_that_gave_way_to_chunks():
    def edit(flow: HTTPFlow) -> None:
        assert flow.response is not None
        del flow.response.headers["Content-Length"]
        flow.response.headers["Transfer-Encoding"] = "chunked"

    async with conversation(Edits(response=edit)) as talk:
        server = await ask(talk)
        server.say(OK)
        await talk.client.head()
        await talk.client.expect(b"2\r\nhi\r\n0\r\n\r\n")
        await served_on(talk, server)


async def test_no_body_in_place_of_one_that_came():
    async with conversation(Edits(request=sets("request", "raw_content", None))) as talk:
        talk.say(POST)
        server = await talk.server()
        assert b"Content-Length: 0\r\n" in await server.head()
        server.say(OK)
        await talk.client.expect(OK)
        await served_on(talk, server)


async def test_a_chunked_request_whose_body_was_taken_away():
    async with conversation(Edits(request=sets("request", "raw_content", None))) as talk:
        talk.say(
            b"POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        )
        server = await talk.server()
        await server.head()
        await server.expect(b"0\r\n\r\n")
        server.say(OK)
        await talk.client.expect(OK)
        await served_on(talk, server)


# -- other destinations --


async def test_a_request_goes_where_an_addon_sends_it():
    def edit(flow: HTTPFlow) -> None:
        flow.request.host = "b.test"
        flow.request.port = 81

    async with conversation(Edits(request=edit)) as talk:
        talk.say(GET)
        server = await talk.server()
        assert talk.dialled == [("b.test", 81)]
        assert b"Host: b.test:81\r\n" in await server.head()
        server.say(OK)
        await talk.client.expect(OK)
        flow = talk.recorder.last("response")
        assert flow.server_conn.address == ("b.test", 81)
        talk.say(GET)  # the next one goes to its own server again
        await (await talk.server()).expect(GET_SENT)


class NamesAProxy:
    """Wants to go through another proxy, as scripts do that choose one for each request."""

    def __init__(self, event: str) -> None:
        self.event = event

    def request(self, flow: HTTPFlow) -> None:
        if self.event == "request":
            flow.server_conn = Server(address=flow.server_conn.address, via=("http", ("proxy.test", 8080)))

    def server_connect(self, data: ServerConnectionHookData) -> None:
        if self.event == "server_connect":
            data.server.via = ("http", ("proxy.test", 8080))


@pytest.mark.parametrize("event", ["request", "server_connect"])
async def test_nothing_goes_past_a_proxy_that_an_addon_names(event):
    """To go directly would show the server who asks."""
    async with conversation(NamesAProxy(event)) as talk:
        talk.refusing.add(("proxy.test", 8080))
        talk.say(GET)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert "the parent proxy cannot be used: proxy.test:8080 refused" in str(talk.recorder.last("error").error)
        assert talk.dialled == []


@pytest.mark.parametrize("port", [-1, 0, 70000])
async def test_ports_that_are_none(port):
    async with conversation(Edits(request=sets("request", "port", port))) as talk:
        talk.overflowing.add(("a.test", port))
        talk.say(GET)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert str(port) in str(talk.recorder.last("error").error)


# -- switching protocols --

UPGRADE = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: tea/1\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: tea/1\r\n\r\n"


async def test_a_switch_that_an_addon_refuses():
    async with conversation(Edits(early=sets("response", "status_code", 403))) as talk:
        talk.say(UPGRADE)
        server = await talk.server()
        server.say(SWITCH + b"hello")
        head = await talk.client.head()
        assert head.startswith(b"HTTP/1.1 403 ")
        assert b"Upgrade" not in head
        await server.head()
        await server.expect_closed()
        assert "tcp_start" not in talk.recorder.names()
        talk.say(GET)
        await (await talk.server()).expect(GET_SENT)


@pytest.mark.parametrize("request_bytes", [GET, UPGRADE.replace(b"tea/1", b"h2c")])
async def test_a_switch_that_nobody_asked_for(request_bytes):
    async with conversation() as talk:
        talk.say(request_bytes)
        server = await talk.server()
        await server.head()
        server.say(SWITCH + b"hello")
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        await server.expect_closed()
        assert "tcp_start" not in talk.recorder.names()


async def test_a_switch_before_the_request_has_ended():
    async with conversation(settings=Settings(stream_large_bodies=1)) as talk:
        talk.say(UPGRADE.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 10\r\n\r\n12345"))
        server = await talk.server()
        await server.until(b"12345")
        server.say(SWITCH + b"hello")
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert "tcp_start" not in talk.recorder.names()


# -- HTTP/1.0 --


async def test_answers_of_our_own_say_to_old_clients_that_they_are_the_last():
    async with conversation() as talk:
        talk.refusing.add(("a.test", 80))
        talk.say(GET.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"A: b", b"Connection: keep-alive"))
        assert b"\r\nConnection: close\r\n" in await talk.client.head()
        await talk.client.until(b"\n")
        await talk.client.expect_closed()
