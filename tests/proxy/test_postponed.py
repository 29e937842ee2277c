"""Servers that an addon wants dialled only once a request needs them, or never: `data.postponed` of server_connect."""

from __future__ import annotations

import pytest

from midstream.flows.http import HTTPFlow, Response
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.proxy.modes.reverse import serve_reverse
from midstream.proxy.modes.socks5 import serve_socks5
from midstream.proxy.modes.upstream import serve_upstream
from midstream.proxy.settings import Settings
from tests.kit.connection_events import ConnectionEvents
from tests.kit.conversation import Conversation, conversation

CONNECT = b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test\r\n\r\n"
SOCKS = b"\x05\x01\x00" + b"\x05\x01\x00\x03\x06a.test\x00\x50"
GET = b"GET %b HTTP/1.1\r\nHost: a.test\r\n\r\n"
EAGER = Settings(eager=True)


class Host:
    """Answers /ours itself; the rest goes to the server once `is_open`."""

    is_open = False

    def server_connect(self, data: ServerConnectionHookData) -> None:
        if not self.is_open:
            data.postponed = "nobody is to know"

    def request(self, flow: HTTPFlow) -> None:
        if flow.request.path == "/ours":
            flow.response = Response.make(200, b"own")


async def inside(talk: Conversation, host: Host) -> None:
    """What has to hold once there is a tunnel."""
    talk.say(GET % b"/ours")
    assert b"200 OK" in await talk.client.head()
    await talk.client.expect(b"own")
    assert talk.dialled == []
    host.is_open = True
    talk.say(GET % b"/theirs")
    server = await talk.server()
    assert b"GET /theirs " in await server.head()


@pytest.mark.parametrize("settings", [EAGER, Settings(eager=False)])
async def test_a_tunnel(settings: Settings):
    host, events = Host(), ConnectionEvents()
    async with conversation(host, events, settings=settings) as talk:
        talk.say(CONNECT)
        assert b" 200 " in await talk.client.head()
        await inside(talk, host)
    assert "server_connect_error" not in events.names


async def test_socks():
    host = Host()
    async with conversation(host, settings=EAGER, serve=serve_socks5, mode="socks5") as talk:
        talk.say(SOCKS)
        assert (await talk.client.take(12))[:5] == b"\x05\x00\x05\x00\x00"
        await inside(talk, host)


async def test_a_reverse_mode():
    host = Host()
    async with conversation(host, settings=EAGER, serve=serve_reverse, mode="reverse:http://a.test") as talk:
        await inside(talk, host)


async def test_a_parent_is_not_dialled_either():
    async with conversation(Host(), settings=EAGER, serve=serve_upstream, mode="upstream:http://p.test") as talk:
        talk.say(CONNECT)
        assert b" 200 " in await talk.client.head()
        talk.say(GET % b"/ours")
        await talk.client.until(b"own")
        assert talk.dialled == []


async def test_what_nobody_answers_is_refused():
    async with conversation(Host(), settings=EAGER) as talk:
        talk.say(CONNECT)
        assert b" 200 " in await talk.client.head()
        talk.say(GET % b"/theirs")
        assert b"502" in await talk.client.head()
        await talk.client.until(b"nobody is to know")
        assert talk.dialled == []


async def test_what_is_no_http_is_refused():
    async with conversation(Host(), settings=EAGER) as talk:
        talk.say(CONNECT)
        assert b" 200 " in await talk.client.head()
        talk.say(b"\x00\x01")
        await talk.client.expect_closed()
        assert talk.dialled == []
    flow = talk.recorder.last("tcp_error")
    assert flow.error is not None and flow.error.msg == "nobody is to know"
