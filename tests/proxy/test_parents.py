"""Ways through a parent proxy: what it is asked, what it may answer, and what everybody is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from midstream.addons.upstream_auth import Adding
from midstream.flows.connection import Server
from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.modes.upstream import serve_upstream
from midstream.proxy.settings import Settings
from midstream.wire.socks5 import Credentials
from tests.kit.conversation import Conversation, conversation
from tests.kit.tls_ends import Tls, as_client, as_server

PARENT = ("parent.test", 8080)
VIA_HTTP = ("http", PARENT)
GET = b"GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CONNECT = b"CONNECT a.test:443 HTTP/1.1\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
ASKED = b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"
SECRET = Settings(parent_credentials=Credentials(b"me", b"pw"))
BASIC = b"Basic bWU6cHc="

through_http = {"serve": serve_upstream, "mode": "upstream:http://parent.test:8080"}
through_socks = {"serve": serve_upstream, "mode": "upstream:socks5://parent.test:8080"}


class Connections:
    """An addon that notes which connections it is told of."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, object]] = []

    def server_connect(self, data: ServerConnectionHookData) -> None:
        self.seen.append(("connect", data.server.address))

    def server_connected(self, data: ServerConnectionHookData) -> None:
        self.seen.append(("connected", data.server.address))

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        self.seen.append(("error", data.server.address))

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        self.seen.append(("disconnected", data.server.address))


class Upstream:
    """An addon that does something with the CONNECT to the parent."""

    def __init__(self, do: Callable[[HTTPFlow], object]) -> None:
        self.do = do
        self.flows: list[HTTPFlow] = []

    def http_connect_upstream(self, flow: HTTPFlow) -> None:
        self.flows.append(flow)
        self.do(flow)


class SetsVia:
    """An addon that sends everything through a parent, from one event on."""

    def __init__(self, event: str, via: object = VIA_HTTP) -> None:
        self.event, self.via = event, via

    def requestheaders(self, flow: HTTPFlow) -> None:
        if self.event == "requestheaders":
            flow.server_conn.via = self.via

    def request(self, flow: HTTPFlow) -> None:
        if self.event == "request":
            flow.server_conn = Server(address=flow.server_conn.address, via=self.via)

    def server_connect(self, data: ServerConnectionHookData) -> None:
        if self.event == "server_connect":
            data.server.via = self.via


async def expect_502(talk: Conversation, *texts: str) -> None:
    head = await talk.client.head()
    assert head.startswith(b"HTTP/1.1 502 "), head
    body = (await talk.client.until(b"\n")).decode()
    for text in texts:
        assert text in body


# -- plain requests --


async def test_an_http_parent_gets_plain_requests_with_whole_urls():
    told = Connections()
    async with conversation(told, **through_http) as talk:
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
    async with conversation(**through_http) as talk:
        for target in (b"http://a.test/1", b"http://b.test/2", b"http://a.test/3"):
            talk.say(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target)
            parent = talk.ends[0] if target.endswith(b"3") else await talk.server()
            assert (await parent.head()).startswith(b"GET %b HTTP/1.1\r\n" % target)
            parent.say(OK)
            await talk.client.expect(OK)
        assert talk.dialled == [PARENT, PARENT]


async def test_every_server_has_one():
    async with conversation(**through_http) as talk:
        talk.say(b"OPTIONS http://a.test:81 HTTP/1.1\r\nHost: a.test:81\r\n\r\n")
        await (await talk.server()).expect(b"OPTIONS http://a.test:81 HTTP/1.1\r\nHost: a.test:81\r\n\r\n")


async def test_where_an_addon_sends_a_request_is_what_the_parent_is_told():
    class Elsewhere:
        def request(self, flow: HTTPFlow) -> None:
            flow.request.host = "elsewhere.test"

    async with conversation(Elsewhere(), **through_http) as talk:
        talk.say(GET)
        line = await (await talk.server()).until(b"\r\n")
        assert line == b"GET http://elsewhere.test/x HTTP/1.1\r\n"


async def test_a_host_that_would_split_the_request_line():
    class Elsewhere:
        def request(self, flow: HTTPFlow) -> None:
            flow.request.host = "a.test/ HTTP/1.1\r\nX: y"

    async with conversation(Elsewhere(), **through_http) as talk:
        talk.say(GET)
        await expect_502(talk, "request target")


async def test_a_parent_that_does_not_answer_is_called_so():
    async with conversation(**through_http) as talk:
        talk.say(GET)
        (await talk.server()).stream.close()
        await expect_502(talk, "the parent proxy parent.test:8080")


# -- CONNECT --


async def test_what_is_no_plain_request_goes_through_connect():
    told = Connections()
    async with conversation(told, **through_http) as talk:
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
    async with conversation(**through_http) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        await parent.expect(ASKED)
        parent.say(b"HTTP/1.1 200 Fine\r\n\r\n")
        await talk.client.expect(ESTABLISHED)
        talk.say(b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n")
        await parent.expect(b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n")


async def test_interim_answers_to_connect_are_none():
    async with conversation(**through_http) as talk:
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
        (b"HTTP/1.1 200", ["broke the connection off", "ended inside a message head"]),
        (b"", ["closed the connection without an answer to CONNECT"]),
        (b"SSH-2.0-x\r\n\r\n", ["malformed answer to CONNECT"]),
        (b"HTTP/1.1 103 Early\r\n\r\n" * 40, ["nothing but interim"]),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000, ["malformed answer to CONNECT", "longer"]),
    ],
    ids=["502", "407", "301", "cut", "nothing", "no HTTP", "interim", "endless"],
)
async def test_a_parent_that_refuses(answer, texts):
    told = Connections()
    async with conversation(told, capacity=1_000_000, **through_http) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        parent.say(answer)
        parent.stream.write_eof()
        await expect_502(talk, "the parent proxy parent.test:8080", *texts)
    assert told.seen[-1] == ("disconnected", PARENT)
    assert talk.recorder.names() == ["http_connect", "http_connect_error"]


async def test_a_parent_that_refuses_the_credentials():
    async with conversation(Adding(Credentials(b"me", b"pw")), **through_http) as talk:
        talk.say(CONNECT)
        (await talk.server()).say(b"HTTP/1.1 407 No\r\n\r\n")
        await expect_502(talk, "does not accept the credentials; check the option upstream_auth")


async def test_a_parent_that_never_answers():
    async with conversation(settings=Settings(connect_timeout=0.05), **through_http) as talk:
        talk.say(CONNECT)
        await expect_502(talk, "parent.test:8080 did not answer CONNECT within 0.05 s")


async def test_a_parent_that_is_not_there():
    told = Connections()
    async with conversation(told, **through_http) as talk:
        talk.refusing.add(PARENT)
        talk.say(CONNECT)
        await expect_502(talk, "the parent proxy cannot be used: parent.test:8080 refused the connection")
    assert told.seen == [("connect", PARENT), ("error", PARENT)]


async def test_a_client_that_leaves_while_the_parent_is_asked():
    told = Connections()
    async with conversation(told, **through_http) as talk:
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
    async with conversation(addon, **through_http) as talk:
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
    def kill(flow: HTTPFlow) -> None:
        flow.error = Error(Error.KILLED_MESSAGE)

    async with conversation(Upstream(kill), **through_http) as talk:
        talk.say(CONNECT)
        await expect_502(talk, "an addon killed the CONNECT to the parent proxy")
        assert await talk.ends[0].rest() == b""


async def test_an_addon_that_breaks_the_connect():
    def do(flow: HTTPFlow) -> None:
        flow.request.headers.fields = ((b"X", b"a\r\nb"),)

    async with conversation(Upstream(do), **through_http) as talk:
        talk.say(CONNECT)
        await expect_502(talk, "the request cannot be sent", "CR or LF")
        assert await talk.ends[0].rest() == b""


async def test_a_connect_without_host():
    async with conversation(settings=Settings(connect_with_host=False), **through_http) as talk:
        talk.say(CONNECT)
        await (await talk.server()).expect(b"CONNECT a.test:443 HTTP/1.1\r\n\r\n")


async def test_an_ipv6_target_stands_in_brackets():
    async with conversation(**through_http) as talk:
        talk.say(b"CONNECT [::1]:80 HTTP/1.1\r\n\r\n")
        await (await talk.server()).expect(b"CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n")


# -- credentials --


async def test_a_plain_request_carries_our_credentials_and_no_flow_shows_them():
    async with conversation(settings=SECRET, **through_http) as talk:
        talk.say(GET)
        parent = await talk.server()
        await parent.expect(GET[:-2] + b"Proxy-Authorization: " + BASIC + b"\r\n\r\n")
        parent.say(OK)
        await talk.client.expect(OK)
        assert "proxy-authorization" not in talk.recorder.last("response").request.headers


@pytest.mark.parametrize("settings", [Settings(), SECRET], ids=["without ours", "with ours"])
async def test_what_a_client_says_of_itself_to_us_goes_no_further(settings):
    async with conversation(settings=settings, **through_http) as talk:
        talk.say(GET[:-2] + b"Proxy-Authorization: Basic Y2xpZW50\r\n\r\n")
        assert b"Y2xpZW50" not in await (await talk.server()).head()


class Sets:
    def __init__(self, value: str) -> None:
        self.value = value

    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.request.headers["Proxy-Authorization"] = self.value


@pytest.mark.parametrize("said", [b"", b"Proxy-Authorization: Basic eDp5\r\n"], ids=["client silent", "same as client"])
async def test_what_an_addon_says_goes_to_the_parent_in_place_of_ours(said):
    async with conversation(Sets("Basic eDp5"), settings=SECRET, **through_http) as talk:
        talk.say(GET[:-2] + said + b"\r\n")
        head = await (await talk.server()).head()
        assert head.count(b"Proxy-Authorization") == 1
        assert b"Proxy-Authorization: Basic eDp5\r\n" in head


async def test_connect_carries_them_by_the_event():
    async with conversation(Adding(Credentials(b"me", b"pw")), **through_http) as talk:
        talk.say(CONNECT)
        await (await talk.server()).expect(ASKED[:-2] + b"Proxy-Authorization: " + BASIC + b"\r\n\r\n")


# -- parents that addons name --


@pytest.mark.parametrize("event", ["requestheaders", "request"])
async def test_addons_may_name_a_parent_for_a_request(event):
    async with conversation(SetsVia(event)) as talk:
        talk.say(GET)
        parent = await talk.server()
        await parent.expect(GET)
        parent.say(OK)
        await talk.client.expect(OK)
        assert talk.dialled == [PARENT]


async def test_addons_may_name_a_parent_for_a_connection():
    told = Connections()
    async with conversation(SetsVia("server_connect"), told) as talk:
        talk.say(GET)
        parent = await talk.server()
        await parent.expect(b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n")
        parent.say(b"HTTP/1.1 200 Go\r\n\r\n")
        await parent.expect(b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n")
        parent.say(OK)
        await talk.client.expect(OK)
        assert talk.dialled == [PARENT]
    server = ("a.test", 80)
    assert told.seen == [
        ("connect", server), ("connect", PARENT), ("connected", PARENT), ("connected", server),
        ("disconnected", PARENT), ("disconnected", server),
    ]  # fmt: skip


@pytest.mark.parametrize("via", [("ftp", PARENT), ("http", "parent.test:8080"), "parent.test", ("http", (b"x", 1))])
async def test_what_is_no_parent(via):
    async with conversation(SetsVia("request", via)) as talk:
        talk.say(GET)
        await expect_502(talk, "`via`", "names no parent proxy")
        assert talk.dialled == []


async def test_a_kept_connection_is_only_used_the_way_it_goes():
    addon = SetsVia("no event yet")
    async with conversation(addon) as talk:
        for event, dialled in (("", [("a.test", 80)]), ("request", [("a.test", 80), PARENT])):
            addon.event = event
            talk.say(GET)
            server = await talk.server()
            await server.head()
            server.say(OK)
            await talk.client.expect(OK)
            assert talk.dialled == dialled


async def test_udp_goes_through_no_parent():
    async with conversation() as talk:
        with pytest.raises(UpstreamFailed, match="UDP cannot go through a parent proxy"):
            await talk.context.dialler.open_udp(Server(address=("a.test", 53), via=VIA_HTTP))
        assert talk.dialled == []


# -- TLS --


async def test_tls_with_the_parent_and_then_with_the_server():
    tls = Tls()
    async with conversation(tls, serve=serve_upstream, mode="upstream:https://b.test:8443") as talk:
        talk.say(CONNECT)
        parent = await as_server(await talk.server())
        await parent.expect(ASKED)
        parent.say(b"HTTP/1.1 200 OK\r\n\r\n")
        await talk.client.expect(ESTABLISHED)
        async with asyncio.TaskGroup() as group:
            shaking = group.create_task(as_client(talk.client))
            server = await as_server(parent)
        shaking.result().say(b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n")
        await server.expect(b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert tls.names == ["b.test", "a.test"]
        assert talk.dialled == [("b.test", 8443)]


async def test_a_parent_whose_certificate_is_for_another_name():
    async with conversation(Tls(), serve=serve_upstream, mode="upstream:https://c.test:8443") as talk:
        talk.say(GET)
        server = await talk.server()
        with pytest.raises(OSError):
            await as_server(server)
        await expect_502(talk, "the parent proxy cannot be used", "c.test")


# -- SOCKS5 --

NO_AUTH = b"\x05\x01\x00"
ASKED_SOCKS = b"\x05\x01\x00\x03\x06a.test\x01\xbb"
DONE = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


async def test_a_socks_parent_is_asked_by_name():
    async with conversation(**through_socks) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        await parent.expect(NO_AUTH)
        parent.say(b"\x05\x00")
        await parent.expect(ASKED_SOCKS)
        parent.say(DONE + b"early")
        await talk.client.expect(ESTABLISHED + b"early")


async def test_a_socks_parent_gets_plain_requests_as_a_server_does():
    async with conversation(**through_socks) as talk:
        talk.say(GET)
        parent = await talk.server()
        parent.say(b"\x05\x00" + DONE)
        await parent.expect(
            NO_AUTH + b"\x05\x01\x00\x03\x06a.test\x00\x50" + b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n"
        )


@pytest.mark.parametrize(
    ("target", "address"),
    [(b"127.0.0.1:1", b"\x01\x7f\x00\x00\x01\x00\x01"), (b"[::1]:1", b"\x04" + bytes(15) + b"\x01\x00\x01")],
)
async def test_addresses_are_sent_as_such(target, address):
    async with conversation(**through_socks) as talk:
        talk.say(b"CONNECT %b HTTP/1.1\r\n\r\n" % target)
        parent = await talk.server()
        parent.say(b"\x05\x00")
        await parent.expect(NO_AUTH + b"\x05\x01\x00" + address)


async def test_user_name_and_password():
    async with conversation(settings=SECRET, **through_socks) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        await parent.expect(b"\x05\x02\x00\x02")
        parent.say(b"\x05\x02")
        await parent.expect(b"\x01\x02me\x02pw")
        parent.say(b"\x01\x00")
        await parent.expect(ASKED_SOCKS)
        parent.say(DONE)
        await talk.client.expect(ESTABLISHED)


async def test_a_parent_that_does_not_want_them_does_not_get_them():
    async with conversation(settings=SECRET, **through_socks) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        parent.say(b"\x05\x00")
        await parent.expect(b"\x05\x02\x00\x02" + ASKED_SOCKS)


async def test_credentials_of_a_reverse_mode_are_for_its_server():
    async with conversation(settings=SECRET, mode="reverse:http://a.test") as talk:
        assert talk.context.dialler.fields_for_parent() == ()


@pytest.mark.parametrize(
    ("answers", "settings", "texts"),
    [
        (b"\x05\xff", Settings(), ["accepts no way", "by the option upstream_auth"]),
        (b"\x05\xff", SECRET, ["accepts no way"]),
        (b"\x05\x02", Settings(), ["accepts no way"]),
        (b"\x05\x02\x01\x01", SECRET, ["does not accept user name and password; check the option upstream_auth"]),
        (b"\x05\x00\x05\x05\x00\x01" + bytes(6), Settings(), ["cannot connect: the connection was refused"]),
        (b"\x05\x00\x05\x7b\x00\x01" + bytes(6), Settings(), ["cannot connect: error 123"]),
        (b"HTTP/1.1 400 What\r\n", Settings(), ["does not speak SOCKS5"]),
        (b"\x05", Settings(), ["broke the connection off"]),
    ],
    ids=["no way", "no way with password", "password", "wrong", "refused", "unknown", "no SOCKS", "cut"],
)
async def test_a_socks_parent_that_refuses(answers, settings, texts):
    async with conversation(settings=settings, **through_socks) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        parent.say(answers)
        parent.stream.write_eof()
        await expect_502(talk, "the parent proxy parent.test:8080", *texts)


async def test_a_socks_parent_that_never_answers():
    settings = replace(SECRET, connect_timeout=0.05)
    async with conversation(settings=settings, **through_socks) as talk:
        talk.say(CONNECT)
        await expect_502(talk, "the parent proxy parent.test:8080 did not answer within 0.05 s")


async def test_a_name_that_does_not_fit():
    async with conversation(**through_socks) as talk:
        talk.say(b"CONNECT %b.test:1 HTTP/1.1\r\n\r\n" % b".".join([b"a" * 60] * 5))
        (await talk.server()).say(b"\x05\x00")
        await expect_502(talk, "cannot be asked", "does not fit")
