"""CONNECT: the events of the flow, how it is refused, and what runs inside the tunnel."""

import asyncio
import ssl
import time

import pytest

from midstream.flows.connection import Server
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.tls import ClientHelloData, TlsData
from midstream.proxy.settings import Settings
from midstream.proxy.streams.memory import memory_pair
from tests.kit.connection_events import ConnectionEvents
from tests.kit.conversation import PATIENCE, Conversation, End, conversation
from tests.kit.tls_ends import Tls, as_client, as_server

CONNECT = b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
LAZY = Settings(eager=False)


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


class At:
    """Does something to the flow at one event."""

    def __init__(self, event: str, action: str) -> None:
        self._reached: asyncio.Queue[HTTPFlow] = asyncio.Queue()
        self._action = action
        setattr(self, event, self._act)

    async def reached(self) -> HTTPFlow:
        async with asyncio.timeout(PATIENCE):
            return await self._reached.get()

    def _act(self, flow: HTTPFlow) -> None:
        getattr(flow, self._action)()
        self._reached.put_nowait(flow)


# -- the flow of the CONNECT --


async def test_a_tunnel_that_is_opened():
    async with conversation() as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        await settle()
        assert talk.recorder.names() == ["http_connect", "http_connected"]
        flow = talk.recorder.last("http_connected")
        assert isinstance(flow, HTTPFlow)
        assert flow.server_conn.connected
        assert flow.response is not None
        assert flow.response.status_code == 200
        assert not flow.live
        assert flow.killed_callback is None


async def test_a_server_that_refuses():
    async with conversation() as talk:
        talk.refusing.add(("a.test", 443))
        talk.say(CONNECT)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        talk.client.stream.close()
        await talk.over()
        assert talk.recorder.names() == ["http_connect", "http_connect_error"]
        flow = talk.recorder.last("http_connect_error")
        assert isinstance(flow, HTTPFlow)
        assert flow.response is not None
        assert flow.response.status_code == 502
        assert "refused the connection" in (flow.response.text or "")
        assert "refused the connection" in str(flow.error)
        assert not flow.live


class Leads:
    """Sends tunnels elsewhere, as scripts do: by the request, or by its server."""

    def __init__(self, by: str) -> None:
        self.by = by

    def http_connect(self, flow: HTTPFlow) -> None:
        if self.by == "request":
            flow.request.host, flow.request.port = "b.test", 81
        else:
            flow.server_conn.address = ("b.test", 81)


@pytest.mark.parametrize("by", ["request", "server"])
@pytest.mark.parametrize("settings", [Settings(), LAZY], ids=["eager", "lazy"])
async def test_a_tunnel_that_an_addon_leads_elsewhere(by, settings):
    async with conversation(Leads(by), settings=settings) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        talk.say(GET)
        await (await talk.server()).expect(GET)
        assert talk.dialled == [("b.test", 81)]
        assert talk.recorder.last("request").server_conn.address == ("b.test", 81)


@pytest.mark.parametrize("address", [None, "foo", ("a.test",), ("a.test", "80"), 5])
@pytest.mark.parametrize("first", [GET, b"\x00raw"], ids=["http", "raw"])
async def test_a_tunnel_that_an_addon_leads_nowhere(address, first):
    """It must not go where it would have gone without the addon."""

    class Sets:
        def http_connected(self, flow: HTTPFlow) -> None:
            flow.server_conn.address = address

    async with conversation(Sets(), settings=LAZY) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        talk.say(first)
        if first == GET:
            assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
            assert "address" in (await talk.client.until(b"\n")).decode()
        else:
            await talk.client.expect_closed()
        assert talk.dialled == []


async def test_lists_of_addons_are_tuples():
    """As they come from JSON."""

    class Sets:
        def http_connect(self, flow: HTTPFlow) -> None:
            flow.server_conn.address = ["b.test", 81]
            flow.server_conn.via = ["http", ["parent.test", 8080]]

    async with conversation(Sets()) as talk:
        talk.say(CONNECT)
        parent = await talk.server()
        assert (await parent.head()).startswith(b"CONNECT b.test:81 ")
        parent.say(ESTABLISHED)
        await talk.client.expect(ESTABLISHED)
        talk.say(GET)
        await parent.expect(GET)


class Refuses:
    def http_connect(self, flow: HTTPFlow) -> None:
        flow.response = Response.make(407, b"who?", {"Proxy-Authenticate": "Basic"})


async def test_an_addon_that_refuses():
    watched = ConnectionEvents()
    async with conversation(Refuses(), watched) as talk:
        talk.say(CONNECT)
        assert b"\r\nproxy-authenticate: basic\r\n" in (await talk.client.head()).lower()
        await talk.client.expect(b"who?")
        await talk.client.expect_closed()
        talk.client.stream.close()
        await talk.over()
        assert talk.recorder.names() == ["http_connect", "http_connect_error"]
        assert not talk.recorder.last("http_connect_error").live
        assert "server_connect" not in watched.names


async def test_an_answer_of_an_addon_that_cannot_be_sent():
    class Breaks:
        def http_connect(self, flow: HTTPFlow) -> None:
            flow.response = Response.make(403)
            flow.response.headers.fields = ((b"X", b"a\r\nB: c"),)

    async with conversation(Breaks()) as talk:
        talk.say(CONNECT)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        talk.client.stream.close()
        await talk.over()
        assert "cannot be sent" in str(talk.recorder.last("http_connect_error").error)


async def test_a_kill_at_connect():
    async with conversation(At("http_connect", "kill")) as talk:
        talk.say(CONNECT)
        await talk.client.expect_closed()
        assert talk.dialled == []


async def test_a_kill_once_connected():
    async with conversation(At("http_connected", "kill")) as talk:
        talk.say(CONNECT + b"\x00")
        await talk.client.expect(ESTABLISHED)
        await talk.client.expect_closed()
        await (await talk.server()).expect_closed()


@pytest.mark.parametrize("event", ["http_connect", "http_connected"])
async def test_a_client_that_leaves_while_it_is_held(event):
    holds = At(event, "intercept")
    watched = ConnectionEvents()
    async with conversation(holds, watched) as talk:
        talk.say(CONNECT)
        flow = await holds.reached()
        talk.client.stream.close()
        await talk.over()
        assert not flow.live
        assert not flow.intercepted
        assert watched.names.count("server_connected") == watched.names.count("server_disconnected")


@pytest.mark.parametrize("by", ["leaving", "kill"])
async def test_the_end_of_a_client_while_its_server_is_dialled(by):
    watched = ConnectionEvents()
    async with conversation(watched) as talk:
        talk.silent.add(("a.test", 443))
        talk.say(CONNECT)
        await asyncio.wait_for(talk.dialling.get(), PATIENCE)
        if by == "kill":
            talk.recorder.last("http_connect").kill()
        else:
            talk.client.stream.close()
        await talk.over()
        assert talk.recorder.names() == ["http_connect", "http_connect_error"]
        flow = talk.recorder.last("http_connect_error")
        assert str(flow.error) == ("Connection killed." if by == "kill" else "client disconnected")
        assert watched.names[1:3] == ["server_connect", "server_connect_error"]


async def test_what_comes_right_behind_connect_is_the_tunnels():
    async with conversation() as talk:
        talk.say(CONNECT + b"\x00\x01")
        await talk.client.expect(ESTABLISHED)
        await (await talk.server()).expect(b"\x00\x01")


@pytest.mark.parametrize("extra", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_connect_with_a_body_is_refused(extra):
    async with conversation() as talk:
        talk.say(CONNECT[:-2] + extra + b"\r\n12345")
        assert (await talk.client.head()).startswith(b"HTTP/1.1 400 ")
        assert talk.dialled == []


async def test_a_tunnel_that_nobody_uses():
    watched = ConnectionEvents()
    async with conversation(watched) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        server = await talk.server()
        talk.client.stream.close()
        await server.expect_closed()
        server.stream.close()
        await talk.over()
        assert watched.names[-2:] == ["server_disconnected", "client_disconnected"]


async def test_the_patience_of_a_tunnel_that_nobody_uses():
    async with conversation() as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        server = await talk.server()
        await settle()
        talk.context.watch.expire()
        await talk.client.expect_closed()
        await server.expect_closed()


# -- raw bytes --


async def test_a_lazy_tunnel_starts_before_its_server_is_dialled():
    watched = ConnectionEvents()
    order: list[str] = []

    class Orders:
        def tcp_start(self, flow: object) -> None:
            order.extend(watched.names)

    async with conversation(watched, Orders(), settings=LAZY) as talk:
        talk.say(CONNECT + b"\x00\x01")
        await (await talk.server()).expect(b"\x00\x01")
        assert order == ["client_connected"]


async def test_a_lazy_tunnel_whose_server_refuses_is_a_row_with_the_reason():
    async with conversation(settings=LAZY) as talk:
        talk.refusing.add(("a.test", 443))
        talk.say(CONNECT + b"\x00\x01")
        await talk.client.expect(ESTABLISHED)
        await talk.client.expect_closed()
        assert talk.recorder.names()[2:] == ["tcp_start", "tcp_error"]
        assert "refused the connection" in str(talk.recorder.last("tcp_error").error)


# -- TLS --


async def both_tls(talk: Conversation, *, alpn: bool = True) -> tuple[End, End]:
    """CONNECT, then TLS on both sides."""
    talk.say(CONNECT)
    await talk.client.expect(ESTABLISHED)
    async with asyncio.TaskGroup() as group:
        client = group.create_task(as_client(talk.client, alpn=alpn))
        server = group.create_task(as_server(await talk.server()))
    return client.result(), server.result()


async def test_an_intercepted_exchange():
    watched, tls = ConnectionEvents(), Tls()
    async with conversation(tls, watched) as talk:
        client, server = await both_tls(talk)
        client.say(GET)
        await server.expect(GET)
        server.say(OK)
        await client.expect(OK)
        flow = talk.recorder.last("response")
        assert isinstance(flow, HTTPFlow)
        assert flow.request.url == "https://a.test/"
        assert flow.client_conn.sni == "a.test"
        assert flow.server_conn.sni == "a.test"
        assert flow.server_conn.certificate_list
        assert flow.client_conn.tls_established
        assert flow.server_conn.tls_established
        assert watched.names == [
            "client_connected",
            "server_connect",
            "server_connected",
            "tls_clienthello",
            "tls_start_server",
            "tls_established_server",
            "tls_start_client",
            "tls_established_client",
        ]
        client.stream.close()
        await talk.over()
        assert watched.names[8:] == ["server_disconnected", "client_disconnected"]


async def test_raw_bytes_inside_tls():
    async with conversation(Tls()) as talk:
        client, server = await both_tls(talk, alpn=False)
        client.say(b"\x00\x01")
        await server.expect(b"\x00\x01")
        server.say(b"\x02")
        await client.expect(b"\x02")
        assert talk.recorder.names()[2:] == ["tcp_start", "tcp_message", "tcp_message"]


async def test_raw_bytes_inside_tls_with_a_lazy_server():
    async with conversation(Tls(), settings=LAZY) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        client = await as_client(talk.client)
        client.say(b"\x00\x01")
        server = await as_server(await talk.server())
        await server.expect(b"\x00\x01")
        server.say(b"\x02")
        await client.expect(b"\x02")


async def test_raw_bytes_for_a_server_that_cannot_be_verified():
    class Distrusts(Tls):
        def tls_start_server(self, data: TlsData) -> None:
            pass

    async with conversation(Distrusts()) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        server = await talk.server()
        client = await as_client(talk.client)
        await server.expect_closed()
        client.say(b"\x00\x01")
        await client.expect_closed()
        assert talk.recorder.names()[2:] == ["tcp_start", "tcp_error"]
        assert "tls_start_server" in str(talk.recorder.last("tcp_error").error)


async def test_the_row_of_a_request_shows_the_server_that_could_not_be_verified():
    class Distrusts(Tls):
        def tls_start_server(self, data: TlsData) -> None:
            assert isinstance(data.conn, Server)
            data.wrap(ssl.create_default_context(), data.conn.sni)

    async with conversation(Distrusts()) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        shaking = asyncio.ensure_future(as_server(await talk.server()))
        client = await as_client(talk.client, alpn=True)
        with pytest.raises(ssl.SSLError):
            await shaking
        client.say(GET)
        assert (await client.head()).startswith(b"HTTP/1.1 502 ")
        flow = talk.recorder.last("error")
        assert isinstance(flow, HTTPFlow)
        assert flow.server_conn.error is not None
        assert str(flow.error) == flow.server_conn.error
        assert flow.server_conn.certificate_list
        assert len(talk.dialled) == 1


async def test_a_request_that_an_addon_sends_elsewhere_asks_for_that_name():
    class Redirects(Tls):
        def request(self, flow: HTTPFlow) -> None:
            flow.request.host = "b.test"

    tls = Redirects()
    async with conversation(tls, settings=LAZY) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        client = await as_client(talk.client, alpn=True)
        client.say(GET)
        server = await as_server(await talk.server())
        assert b"Host: b.test\r\n" in await server.head()
        assert talk.dialled == [("b.test", 443)]
        assert tls.names == ["b.test"]


async def test_a_request_that_an_addon_sends_on_in_the_clear():
    class Clears(Tls):
        def request(self, flow: HTTPFlow) -> None:
            flow.request.scheme = "http"
            flow.request.port = 80

    async with conversation(Clears(), settings=LAZY) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        client = await as_client(talk.client, alpn=True)
        client.say(GET)
        assert (await (await talk.server()).head()).startswith(b"GET / HTTP/1.1\r\n")


async def test_a_plain_request_that_an_addon_sends_on_in_tls():
    class Secures(Tls):
        def request(self, flow: HTTPFlow) -> None:
            flow.request.scheme = "https"
            flow.request.port = 443

    tls = Secures()
    async with conversation(tls) as talk:
        talk.say(b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n")
        server = await as_server(await talk.server())
        assert b"Host: a.test\r\n" in await server.head()
        assert tls.names == ["a.test"]
        server.say(OK)
        await talk.client.expect(OK)


async def test_a_client_that_is_passed_on_untouched():
    class Ignores(Tls):
        def tls_clienthello(self, data: ClientHelloData) -> None:
            data.ignore_connection = True

    async with conversation(Ignores(), settings=LAZY) as talk:
        client, server = await both_tls(talk)
        client.say(b"secret")
        await server.expect(b"secret")
        assert talk.recorder.names() == ["http_connect", "http_connected"]


async def test_a_client_that_leaves_while_its_servers_tls_is_set_up():
    watched = ConnectionEvents()
    async with conversation(Tls(), watched, settings=LAZY) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        client = await as_client(talk.client, alpn=True)
        client.say(GET)
        server = await talk.server()
        await server.take(5)  # the hello is out, and no answer comes
        talk.client.stream.abort()
        await talk.over()
        await server.rest()
        assert watched.names.count("server_disconnected") == 1
        assert watched.names.count("tls_failed_server") == 1
        assert talk.recorder.names()[-1] == "error"


async def test_a_client_that_leaves_in_its_own_handshake():
    watched = ConnectionEvents()
    async with conversation(Tls(), watched, settings=LAZY) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        async with asyncio.TaskGroup() as group:
            shaking = group.create_task(as_client(talk.client))
            while "tls_start_client" not in watched.names:
                await asyncio.sleep(0)
            shaking.cancel()
        talk.client.stream.close()
        await talk.over()
        assert watched.names[-2:] == ["tls_failed_client", "client_disconnected"]
        assert talk.recorder.names()[-1] == "http_connect_error"


async def test_a_client_that_nobody_has_a_certificate_for():
    watched = ConnectionEvents()
    async with conversation(watched, settings=LAZY) as talk:
        talk.say(CONNECT)
        await talk.client.expect(ESTABLISHED)
        with pytest.raises(ssl.SSLEOFError):
            await as_client(talk.client)
        talk.client.stream.close()
        await talk.over()
        assert watched.names[-3:] == ["tls_start_client", "tls_failed_client", "client_disconnected"]
        assert "no addon configured TLS" in str(talk.recorder.last("http_connect_error").error)


async def test_tls_whose_first_bytes_come_one_by_one():
    async with conversation(Tls()) as talk:
        near, far = memory_pair()
        async with asyncio.TaskGroup() as group:
            shaking = group.create_task(as_client(End(near)))
            for _ in range(5):
                talk.client.stream.write((await far.peek())[:1])
                far.unread((await far.read())[1:])
                await settle()
            talk.client.stream.write(await far.read())
            far.write(await talk.client.stream.read())
            talk.client.stream.write(await far.read())
        shaking.result().say(b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n")
        talk.client.stream.write(await far.read())
        await (await talk.server()).expect(GET)


@pytest.mark.parametrize("said", [b"GE", b"\x16\x03", CONNECT + b"GE", CONNECT + b"\x16"])
async def test_first_words_have_the_time_of_a_head(said):
    async with conversation(settings=Settings(head_timeout=1, idle_timeout=1000)) as talk:
        talk.say(said)
        await settle()
        assert talk.context.watch.deadline < time.monotonic() + 2


async def test_a_url_inside_a_tunnel_decides_the_host():
    async with conversation() as talk:
        talk.say(CONNECT + b"GET http://b.test/x HTTP/1.1\r\nA: 1\r\nHost: a.test\r\n\r\n")
        server = await talk.server()
        await server.expect(b"GET http://b.test/x HTTP/1.1\r\nA: 1\r\nHost: b.test\r\n\r\n")


async def test_tls_to_the_proxy_itself():
    watched = ConnectionEvents()
    async with conversation(Tls(), watched) as talk:
        client = await as_client(talk.client)
        client.say(b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n")
        server = await talk.server()
        await server.expect(GET)
        server.say(OK)
        await client.expect(OK)
        assert watched.names[:4] == [
            "client_connected",
            "tls_clienthello",
            "tls_start_client",
            "tls_established_client",
        ]
        client.say(CONNECT.replace(b":443", b":80"))
        await client.expect(ESTABLISHED)
        client.say(GET)
        await (await talk.server()).expect(GET)
