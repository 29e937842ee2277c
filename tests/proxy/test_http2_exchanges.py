"""Requests over HTTP/2 through the proxy, in memory: what reaches the other side, whatever version is spoken there."""

import pytest

from midstream.flows.http import HTTPFlow, Response
from midstream.proxy.settings import Settings
from tests.kit.http2_frames import END_STREAM, data, headers
from tests.kit.http2_talk import OK, get, http1_server, http2_server, tunnelled, whole

# -- both sides HTTP/2 --


async def test_a_request_and_its_response() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/x?y=1", (b"x-a", b"1"), (b"x-a", b"2")), END_STREAM))
        server = await http2_server(talk)
        asked = server.streams[await server.opened()]
        assert asked.fields == get("/x?y=1", (b"x-a", b"1"), (b"x-a", b"2"))
        assert asked.ended
        server.say(headers(1, OK), data(1, b"hello", END_STREAM))
        answer = await client.answer(1)
        assert (answer.fields, answer.body) == (OK, b"hello")
    flow = talk.recorder.last("response")
    assert isinstance(flow, HTTPFlow) and flow.response is not None
    assert flow.request.http_version == flow.response.http_version == "HTTP/2.0"
    assert (flow.request.authority, flow.request.host, flow.request.port) == ("a.test", "a.test", 80)
    assert flow.request.pretty_url == "http://a.test/x?y=1"
    assert (flow.response.reason, flow.response.raw_content) == ("", b"hello")
    assert "host" not in flow.request.headers
    assert talk.recorder.names()[2:] == ["requestheaders", "request", "responseheaders", "response"]
    assert None not in (flow.request.timestamp_end, flow.response.timestamp_end)


async def test_bodies_and_trailers_both_ways() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(method=b"POST")), data(1, b"some "), data(1, b"thing"))
        client.say(headers(1, [(b"x-late", b"yes")], END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        await whole(server, 1)
        assert server.streams[1].body == b"some thing"
        assert server.streams[1].trailers == [(b"x-late", b"yes")]
        server.say(headers(1, OK), data(1, b"more"), headers(1, [(b"grpc-status", b"0")], END_STREAM))
        answer = await client.answer(1)
        assert (answer.body, answer.trailers) == (b"more", [(b"grpc-status", b"0")])
    flow = talk.recorder.last("response")
    assert isinstance(flow, HTTPFlow) and flow.response is not None
    assert flow.request.trailers is not None and flow.request.trailers["x-late"] == "yes"
    assert flow.response.trailers is not None and flow.response.trailers["grpc-status"] == "0"


async def test_interim_responses_pass_and_100_is_sent_once() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/", (b"expect", b"100-continue"), method=b"POST")))
        await client.until(lambda got: bool(client.streams[1].interim))
        assert client.streams[1].interim == [[(b":status", b"100")]]
        client.say(data(1, b"body", END_STREAM))
        server = await http2_server(talk)
        await server.opened()
        server.say(headers(1, [(b":status", b"100")]))
        server.say(headers(1, [(b":status", b"103"), (b"link", b"</a.css>")]), headers(1, OK, END_STREAM))
        answer = await client.answer(1)
        assert answer.interim[1:] == [[(b":status", b"103"), (b"link", b"</a.css>")]]
        assert answer.status == 200


async def test_streams_share_one_connection_that_the_first_one_opens() -> None:
    async with tunnelled(settings=Settings(eager=False)) as (talk, client):
        client.say(*[headers(number, get(f"/{number}"), END_STREAM) for number in (1, 3, 5)])
        server = await http2_server(talk)
        for _ in range(3):
            number = await server.opened()
            server.say(headers(number, OK), data(number, server.streams[number].path.encode(), END_STREAM))
        for number in (5, 3, 1):
            assert (await client.answer(number)).body == b"/%d" % number
        assert talk.dialled == [("a.test", 80)]


async def test_a_stream_waits_when_the_server_takes_no_more() -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get("/1"), END_STREAM))
        server = await http2_server(talk, (3, 1))
        assert await server.opened() == 1
        client.say(headers(3, get("/3"), END_STREAM))
        assert await client.alive()
        assert not server.has_new_stream
        server.say(headers(1, OK, END_STREAM))
        assert await server.opened() == 3
        server.say(headers(3, OK, END_STREAM))
        assert (await client.answer(3)).status == 200


# -- one side HTTP/1 --


async def test_a_server_of_http1_gets_plain_requests() -> None:
    async with tunnelled() as (talk, client):
        fields = get("/up", (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"te", b"trailers"), method=b"POST")
        client.say(headers(1, fields), data(1, b"abc", END_STREAM))
        server = await http1_server(talk)
        head = await server.head()
        assert head == (
            b"POST /up HTTP/1.1\r\nHost: a.test\r\ncookie: a=1; b=2\r\nte: trailers\r\nContent-Length: 3\r\n\r\n"
        )
        await server.expect(b"abc")
        server.say(
            b"HTTP/1.1 201 Fine\r\nX-Case: Kept\r\nConnection: x-gone\r\nX-Gone: 1\r\nKeep-Alive: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n"
        )
        answer = await client.answer(1)
        assert answer.fields == [(b":status", b"201"), (b"x-case", b"Kept")]
        assert (answer.body, answer.trailers) == (b"abc", [(b"x-late", b"1")])


@pytest.mark.parametrize(("method", "said"), [(b"POST", b"Content-Length: 0\r\n"), (b"DELETE", b"")])
async def test_a_server_of_http1_is_told_that_there_is_no_body_where_it_expects_one(method: bytes, said: bytes) -> None:
    async with tunnelled() as (talk, client):
        client.say(headers(1, get(method=method), END_STREAM))
        server = await http1_server(talk)
        assert await server.head() == method + b" / HTTP/1.1\r\nHost: a.test\r\n" + said + b"\r\n"
        server.say(b"HTTP/1.1 204 No Content\r\n\r\n")
        await client.answer(1)
        client.say(headers(3, get("/", (b"content-length", b"0"), method=b"PUT"), END_STREAM))
        assert await server.head() == b"PUT / HTTP/1.1\r\nHost: a.test\r\ncontent-length: 0\r\n\r\n"


async def test_servers_of_http1_get_five_connections_at_most() -> None:
    async with tunnelled(settings=Settings(eager=False)) as (talk, client):
        client.say(*[headers(number, get(f"/{number}"), END_STREAM) for number in range(1, 17, 2)])
        servers = [await http1_server(talk)]
        servers += [await talk.server() for _ in range(4)]
        assert await client.alive()
        assert talk.servers.empty()
        for server in servers:
            await server.head()
        for _ in range(3):
            servers[0].say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await servers[0].head()
        for server in servers:
            server.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        for number in range(1, 17, 2):
            assert (await client.answer(number)).status == 200
        assert len(talk.dialled) == 6  # the first of which was refused


# -- what addons do --


async def test_an_addon_answers_and_edits() -> None:
    class Edits:
        def request(self, flow: HTTPFlow) -> None:
            if flow.request.path == "/own":
                flow.response = Response.make(200, b"mine", {"X-Own": "1", "Connection": "close"})
            flow.request.headers["X-Added"] = "2"

        def response(self, flow: HTTPFlow) -> None:
            assert flow.response is not None
            flow.response.text = (flow.response.text or "") + "!"

    async with tunnelled(Edits()) as (talk, client):
        client.say(headers(1, get("/own"), END_STREAM))
        own = await client.answer(1)
        assert own.fields == [(b":status", b"200"), (b"x-own", b"1"), (b"content-length", b"5")]
        assert own.body == b"mine!"
        client.say(headers(3, get("/3"), END_STREAM))
        server = await http2_server(talk)
        number = await server.opened()
        assert (b"x-added", b"2") in server.streams[number].fields
        server.say(headers(number, [*OK, (b"content-length", b"2")]), data(number, b"hi", END_STREAM))
        answer = await client.answer(3)
        assert (answer.body, answer.fields[-1]) == (b"hi!", (b"content-length", b"3"))


@pytest.mark.parametrize("normalize", [True, False])
async def test_names_that_an_addon_writes_in_upper_case(normalize: bool) -> None:
    class Adds:
        def request(self, flow: HTTPFlow) -> None:
            flow.request.headers["X-Added"] = "1"

    async with tunnelled(Adds(), settings=Settings(normalize_headers=normalize)) as (talk, client):
        client.say(headers(1, get(), END_STREAM))
        server = await http2_server(talk)
        if normalize:
            assert (b"x-added", b"1") in server.streams[await server.opened()].fields
        else:
            answer = await client.answer(1)
            assert answer.status == 502
            assert b"the header name 'X-Added' has an upper-case letter" in answer.body
