"""An HTTP parent proxy: what it is asked, what it may answer, and what addons see of it."""

from __future__ import annotations

import pytest

from midstream.addons.upstream_auth import Adding
from midstream.flows.http import HTTPFlow
from midstream.proxy.settings import Settings
from midstream.wire.socks5 import Credentials
from tests.kit.parents import (
    ASKED,
    CONNECT,
    ESTABLISHED,
    GET,
    OK,
    PARENT,
    VIA_HTTP,
    Connections,
    Upstream,
    expect_502,
    through_http,
)

# -- plain requests --


async def test_an_http_parent_gets_plain_requests_with_whole_urls():
    told = Connections()
    async with through_http(told) as talk:
        talk.say(GET)
        parent = await talk.server()
        await parent.expect(GET)
        parent.say(OK)
        await talk.client.expect(OK)
        flow = talk.recorder.last("response")
        assert flow.server_conn.address == ("a.test", 80)
        assert flow.server_conn.via == VIA_HTTP
        assert flow.server_conn.timestamp_tcp_setup
    assert talk.dialled == [PARENT]
    assert told.seen == [("connect", PARENT), ("connected", PARENT), ("disconnected", PARENT)]


async def test_connections_to_the_parent_are_kept_for_each_server():
    async with through_http() as talk:
        for target in (b"http://a.test/1", b"http://b.test/2", b"http://a.test/3"):
            talk.say(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target)
            parent = talk.ends[0] if target.endswith(b"3") else await talk.server()
            assert (await parent.head()).startswith(b"GET %b HTTP/1.1\r\n" % target)
            parent.say(OK)
            await talk.client.expect(OK)
        assert talk.dialled == [PARENT, PARENT]


async def test_an_upgrade_goes_through_a_tunnel():
    """A parent that gets it with a whole URL may take it to be about the connection with itself."""
    upgrade = b"Host: a.test\r\nConnection: Upgrade\r\nUpgrade: tea/1\r\n\r\n"
    switch = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: tea/1\r\n\r\n"
    async with through_http() as talk:
        talk.say(GET)
        first = await talk.server()
        await first.expect(GET)
        first.say(OK)
        await talk.client.expect(OK)
        talk.say(b"GET http://a.test/tea HTTP/1.1\r\n" + upgrade)
        parent = await talk.server()
        await parent.expect(b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n")
        parent.say(b"HTTP/1.1 200 OK\r\n\r\n")
        await parent.expect(b"GET /tea HTTP/1.1\r\n" + upgrade)
        parent.say(switch + b"hot")
        await talk.client.expect(switch + b"hot")
        assert talk.recorder.last("response").request.url == "http://a.test/tea"


async def test_every_server_has_one():
    async with through_http() as talk:
        talk.say(b"OPTIONS http://a.test:81 HTTP/1.1\r\nHost: a.test:81\r\n\r\n")
        await (await talk.server()).expect(b"OPTIONS http://a.test:81 HTTP/1.1\r\nHost: a.test:81\r\n\r\n")


async def test_where_an_addon_sends_a_request_is_what_the_parent_is_told():
    class Elsewhere:
        def request(self, flow: HTTPFlow) -> None:
            flow.request.host = "elsewhere.test"

    async with through_http(Elsewhere()) as talk:
        talk.say(GET)
        line = await (await talk.server()).until(b"\r\n")
        assert line == b"GET http://elsewhere.test/x HTTP/1.1\r\n"


async def test_a_host_that_would_split_the_request_line():
    class Elsewhere:
        def request(self, flow: HTTPFlow) -> None:
            flow.request.host = "a.test/ HTTP/1.1\r\nX: y"

    async with through_http(Elsewhere()) as talk:
        talk.say(GET)
        await expect_502(talk, "request target")


async def test_a_parent_that_does_not_answer_is_called_so():
    async with through_http() as talk:
        talk.say(GET)
        (await talk.server()).stream.close()
        await expect_502(talk, "the parent proxy parent.test:8080")


# -- CONNECT --


async def test_what_is_no_plain_request_goes_through_connect():
    told = Connections()
    async with through_http(told) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        await parent.expect(ASKED)
        parent.say(b"HTTP/1.1 200 Fine\r\nX: y\r\n\r\nearly")
        await talk.client.expect(ESTABLISHED + b"early")
        talk.say(b"\x00\x01")
        await parent.expect(b"\x00\x01")
        flow = talk.recorder.last("tcp_start")
        assert (flow.server_conn.address, flow.server_conn.via) == (("a.test", 443), VIA_HTTP)
    assert told.seen == [("connect", PARENT), ("connected", PARENT), ("disconnected", PARENT)]


async def test_plain_http_inside_a_tunnel_stays_there():
    async with through_http() as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        await parent.expect(ASKED)
        parent.say(b"HTTP/1.1 200 Fine\r\n\r\n")
        await talk.client.expect(ESTABLISHED)
        talk.say(b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n")
        await parent.expect(b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n")


async def test_interim_answers_to_connect_are_none():
    async with through_http() as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        parent.say(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.0 200 OK\r\n\r\n")
        await talk.client.expect(ESTABLISHED)


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno\n", ["with 502 Bad Gateway"]),
        (
            b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n\r\n",
            ["407 Who?: it wants credentials", "upstream_auth"],
        ),
        (b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", ["with 301 Moved"]),
        (b"HTTP/1.1 101 Switching\r\n\r\n", ["with 101 Switching"]),
        (b"HTTP/1.1 200", ["broke the connection off", "ended inside a message head"]),
        (b"", ["closed the connection without an answer to CONNECT"]),
        (b"SSH-2.0-x\r\n\r\n", ["malformed answer to CONNECT"]),
        (b"HTTP/1.1 103 Early\r\n\r\n" * 40, ["nothing but interim"]),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000, ["malformed answer to CONNECT", "longer"]),
    ],
    ids=["502", "407", "301", "101", "cut", "nothing", "no HTTP", "interim", "endless"],
)
async def test_a_parent_that_refuses(answer, texts):
    told = Connections()
    async with through_http(told, capacity=1_000_000) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        parent.say(answer)
        parent.stream.write_eof()
        await expect_502(talk, "the parent proxy parent.test:8080", *texts)
    assert told.seen[-1] == ("disconnected", PARENT)
    assert talk.recorder.names() == ["http_connect", "http_connect_error"]


async def test_a_parent_that_refuses_the_credentials():
    async with through_http(Adding(Credentials(b"me", b"pw"))) as talk:
        talk.say(CONNECT)
        (await talk.server()).say(b"HTTP/1.1 407 No\r\n\r\n")
        await expect_502(talk, "does not accept the credentials; check the option upstream_auth")


async def test_a_parent_that_never_answers():
    async with through_http(settings=Settings(connect_timeout=0.05)) as talk:
        talk.say(CONNECT)
        await expect_502(talk, "parent.test:8080 did not answer CONNECT within 0.05 s")


async def test_a_parent_that_is_not_there():
    told = Connections()
    async with through_http(told) as talk:
        talk.refusing.add(PARENT)
        talk.say(CONNECT)
        await expect_502(talk, "the parent proxy cannot be used: parent.test:8080 refused the connection")
    assert told.seen == [("connect", PARENT), ("error", PARENT)]


async def test_a_client_that_leaves_while_the_parent_is_asked():
    told = Connections()
    async with through_http(told) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        await parent.expect(ASKED)
        talk.client.stream.abort()
        await parent.expect_closed()
        await talk.over()
    assert told.seen[-1] == ("disconnected", PARENT)


# -- the event --


async def test_addons_see_the_connect_before_it_is_sent():
    addon = Upstream(lambda flow: flow.request.headers.add("X-Why", "so"))
    async with through_http(addon) as talk:
        talk.say(CONNECT)
        await (await talk.server()).expect(ASKED[:-2] + b"X-Why: so\r\n\r\n")
        [flow] = addon.flows
        request = flow.request
        assert (request.method, request.host, request.port, request.authority) == (
            "CONNECT",
            "a.test",
            443,
            "a.test:443",
        )
        assert (request.http_version, request.content, flow.response) == ("HTTP/1.1", b"", None)
        assert flow.server_conn.address == PARENT
        assert not flow.live


async def test_an_addon_that_kills_the_connect():
    async with through_http(Upstream(HTTPFlow.kill)) as talk:
        talk.say(CONNECT)
        await expect_502(talk, "an addon killed the CONNECT to the parent proxy")
        assert await talk.ends[0].rest() == b""


async def test_an_addon_that_breaks_the_connect():
    def do(flow: HTTPFlow) -> None:
        flow.request.headers.fields = ((b"X", b"a\r\nb"),)

    async with through_http(Upstream(do)) as talk:
        talk.say(CONNECT)
        await expect_502(talk, "the request cannot be sent", "CR or LF")
        assert await talk.ends[0].rest() == b""


async def test_a_connect_without_host():
    async with through_http(settings=Settings(connect_with_host=False)) as talk:
        talk.say(CONNECT)
        await (await talk.server()).expect(b"CONNECT a.test:443 HTTP/1.1\r\n\r\n")


async def test_an_ipv6_target_stands_in_brackets():
    async with through_http() as talk:
        talk.say(b"CONNECT [::1]:80 HTTP/1.1\r\n\r\n")
        await (await talk.server()).expect(b"CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n")
