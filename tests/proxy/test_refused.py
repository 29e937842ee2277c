"""Requests that are none: the answer, the row that shows as much of them as could be read, and the end."""

import asyncio

import pytest

from midstream.flows.http import HTTPFlow
from tests.kit.conversation import conversation

HOST = b"Host: a.test\r\n"


@pytest.mark.parametrize(
    ("said", "status", "method", "path", "words"),
    [
        (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", 400, "GET", "/", "full URL"),
        (b"GET ftp://a.test/x HTTP/1.1\r\n" + HOST + b"\r\n", 400, "GET", "ftp://a.test/x", "http or https"),
        (b"GET http://u:p@a.test/ HTTP/1.1\r\n" + HOST + b"\r\n", 400, "GET", "http://u:p@a.test/", "user information"),
        (b"GET http:// HTTP/1.1\r\n" + HOST + b"\r\n", 400, "GET", "http://", "no host"),
        (b"GET http://a.test/ HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400, "GET", "http://a.test/", "Host"),
        (b"GET http://a.test/ HTTP/1.1\r\nA b\r\n\r\n", 400, "GET", "http://a.test/", "A b"),
        (b"GET http://a.test/ HTTP/2.0\r\n" + HOST + b"\r\n", 505, "GET", "http://a.test/", "HTTP/2.0"),
        (b"CONNECT a.test HTTP/1.1\r\n" + HOST + b"\r\n", 400, "CONNECT", "a.test", "host:port"),
        (b"BREW http://a.test/\r\n\r\n", 400, "BREW", "http://a.test/", "request line"),
        (b"\x16\x02garbage\r\n\r\n", 400, "", "", "request line"),
        (b"GET http://a.test/ HTTP/1.1\r\nA: " + b"x" * 70_000, 431, "GET", "http://a.test/", "65536"),
        (b"x" * 70_000, 431, "", "", "65536"),
        (b"GET http://a.test/ HTTP/1.1\nHost: a.test\n\n", 400, "GET", "http://a.test/", "bare LF"),
        (b"POST http://a.test/ HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "POST", "http://a.test/", "gzip"),
    ],
)
async def test_a_row_shows_what_could_be_read(said, status, method, path, words):
    async with conversation() as talk:
        talk.say(said)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 %d " % status)
        answer = await talk.client.until(b"\n")
        assert words in answer.decode()
        await talk.client.expect_closed()
        assert talk.recorder.names() == ["error"]
        flow = talk.recorder.last("error")
        assert isinstance(flow, HTTPFlow)
        assert words in str(flow.error)
        assert not flow.live
        if method:
            assert (flow.request.method, flow.request.path) == (method, path)
        assert flow.request.url is not None
        assert flow.get_state()["type"] == "http"


@pytest.mark.parametrize(
    ("target", "more", "url"), [(b"a.test", b"", "a.test"), (b"a.test:1", b"Content-Length: 1\r\n", "a.test:1")]
)
async def test_a_row_shows_where_a_refused_tunnel_was_to_go(target, more, url):
    async with conversation() as talk:
        talk.say(b"CONNECT %b HTTP/1.1\r\n" % target + HOST + more + b"\r\n")
        await talk.client.head()
        flow = talk.recorder.last("error")
        assert isinstance(flow, HTTPFlow)
        assert flow.request.url == url


async def test_a_row_shows_the_fields_of_a_request_whose_head_was_whole():
    async with conversation() as talk:
        talk.say(b"GET / HTTP/1.0\r\nHost: a.test\r\nUser-Agent: x\r\n\r\n")
        await talk.client.head()
        flow = talk.recorder.last("error")
        assert isinstance(flow, HTTPFlow)
        assert flow.request.headers["user-agent"] == "x"
        assert flow.request.http_version == "HTTP/1.0"


@pytest.mark.parametrize(
    "status", [b"400 Bad Request", b"431 Request Header Fields Too Large", b"505 HTTP Version Not Supported"]
)
async def test_reason_phrases_fit(status):
    said = {
        b"4": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"3": b"x" * 70_000,
        b"5": b"GET http://a/ HTTP/2.0\r\n\r\n",
    }
    async with conversation() as talk:
        talk.say(said[{b"400": b"4", b"431": b"3", b"505": b"5"}[status[:3]]])
        assert (await talk.client.head()).startswith(b"HTTP/1.1 " + status + b"\r\n")


async def test_a_client_that_ends_inside_a_head_gets_no_answer():
    async with conversation() as talk:
        talk.say(b"GET http://a.test/ HTTP/1.1\r\nHo")
        talk.client.stream.write_eof()
        await talk.client.expect_closed()
        assert talk.recorder.names() == []


async def test_a_client_that_is_too_slow_with_its_head_is_told():
    async with conversation() as talk:
        talk.say(b"GET http://a.test/ HTTP/1.1\r\n")
        for _ in range(20):
            await asyncio.sleep(0)
        talk.context.watch.expire()
        assert (await talk.client.head()).startswith(b"HTTP/1.1 408 ")
        assert "no whole message head came" in (await talk.client.until(b"\n")).decode()
        await talk.client.expect_closed()


async def test_a_client_that_says_nothing_is_told_nothing():
    async with conversation() as talk:
        for _ in range(20):
            await asyncio.sleep(0)
        talk.context.watch.expire()
        await talk.client.expect_closed()
        assert talk.recorder.names() == []


async def test_a_scheme_in_capitals():
    async with conversation() as talk:
        talk.say(b"GET HTTP://A.test/ HTTP/1.1\r\nHost: A.test\r\n\r\n")
        await (await talk.server()).expect(b"GET / HTTP/1.1\r\nHost: A.test\r\n\r\n")


async def test_options_for_a_whole_server():
    # RFC 9112 §3.2.4: the last proxy turns an absolute target without a path into the asterisk.
    async with conversation() as talk:
        talk.say(b"OPTIONS http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n")
        await (await talk.server()).expect(b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n")


async def test_a_query_without_a_path():
    async with conversation() as talk:
        talk.say(b"GET http://a.test?q HTTP/1.1\r\nHost: a.test\r\n\r\n")
        await (await talk.server()).expect(b"GET /?q HTTP/1.1\r\nHost: a.test\r\n\r\n")
