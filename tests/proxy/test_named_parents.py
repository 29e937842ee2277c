"""Who names a parent proxy, who speaks to it in whose name, and TLS with it."""

from __future__ import annotations

import asyncio

import pytest

from midstream.addons.upstream_auth import Adding
from midstream.flows.connection import Server
from midstream.flows.http import HTTPFlow
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.modes.upstream import serve_upstream
from midstream.proxy.settings import Settings
from midstream.wire.socks5 import Credentials
from tests.kit.conversation import conversation
from tests.kit.parents import (
    ASKED,
    BASIC,
    CONNECT,
    ESTABLISHED,
    GET,
    OK,
    PARENT,
    SECRET,
    VIA_HTTP,
    Connections,
    expect_502,
    through_http,
)
from tests.kit.tls_ends import Tls, as_client, as_server

# -- credentials --


async def test_a_plain_request_carries_our_credentials_and_no_flow_shows_them():
    async with through_http(settings=SECRET) as talk:
        talk.say(GET)
        parent = await talk.server()
        await parent.expect(GET[:-2] + b"Proxy-Authorization: " + BASIC + b"\r\n\r\n")
        parent.say(OK)
        await talk.client.expect(OK)
        assert "proxy-authorization" not in talk.recorder.last("response").request.headers


@pytest.mark.parametrize("settings", [Settings(), SECRET], ids=["without ours", "with ours"])
async def test_what_a_client_says_of_itself_to_us_goes_no_further(settings):
    async with through_http(settings=settings) as talk:
        talk.say(GET[:-2] + b"Proxy-Authorization: Basic Y2xpZW50\r\n\r\n")
        assert b"Y2xpZW50" not in await (await talk.server()).head()


class Sets:
    def __init__(self, value: str) -> None:
        self.value = value

    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.request.headers["Proxy-Authorization"] = self.value


@pytest.mark.parametrize("said", [b"", b"Proxy-Authorization: Basic eDp5\r\n"], ids=["client silent", "same as client"])
async def test_what_an_addon_says_goes_to_the_parent_in_place_of_ours(said):
    async with through_http(Sets("Basic eDp5"), settings=SECRET) as talk:
        talk.say(GET[:-2] + said + b"\r\n")
        head = await (await talk.server()).head()
        assert head.count(b"Proxy-Authorization") == 1
        assert b"Proxy-Authorization: Basic eDp5\r\n" in head


async def test_connect_carries_them_by_the_event():
    async with through_http(Adding(Credentials(b"me", b"pw"))) as talk:
        talk.say(CONNECT)
        await (await talk.server()).expect(ASKED[:-2] + b"Proxy-Authorization: " + BASIC + b"\r\n\r\n")


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
    class Dialled:
        """What scripts can tell of a connection before it is there."""

        tls: list[bool] = []

        def server_connect(self, data: ServerConnectionHookData) -> None:
            self.tls.append(data.server.tls)

    tls, dialled = Tls(), Dialled()
    async with conversation(tls, dialled, serve=serve_upstream, mode="upstream:https://b.test:8443") as talk:
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
        assert dialled.tls == [True]


async def test_a_parent_whose_certificate_is_for_another_name():
    async with conversation(Tls(), serve=serve_upstream, mode="upstream:https://c.test:8443") as talk:
        talk.say(GET)
        server = await talk.server()
        with pytest.raises(OSError):
            await as_server(server)
        await expect_502(talk, "the parent proxy cannot be used", "c.test")
