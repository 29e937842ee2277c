"""The reverse modes over memory streams: one server, TLS or not on either side, and who speaks first."""

from __future__ import annotations

import asyncio

import pytest

from midstream.addons.target_host import Rewriting as HostRewriting
from midstream.addons.update_alt_svc import Rewriting as AltSvcRewriting
from midstream.addons.upstream_auth import Adding
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.next_layer import NextLayer
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.tls import ClientHelloData
from midstream.proxy.modes.reverse import serve_reverse
from midstream.proxy.settings import Settings
from midstream.wire.socks5 import Credentials
from tests.kit.conversation import Conversation, conversation
from tests.kit.tls_ends import Tls, as_client, as_server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
GET = b"GET /x HTTP/1.1\r\nHost: us.test:8080\r\n\r\n"
LAZY = Settings(eager=False)


def reverse(target: str, *addons: object, settings: Settings | None = None):
    """A client of a reverse mode."""
    return conversation(*addons, settings=settings, serve=serve_reverse, mode=f"reverse:{target}")


async def exchange(talk: Conversation, client, server, expected: bytes) -> None:
    client.say(GET)
    await server.expect(expected)
    server.say(OK)
    await client.expect(OK)


# -- HTTP --


@pytest.mark.parametrize("settings", [None, LAZY], ids=["eager", "lazy"])
async def test_requests_go_to_the_one_server(settings):
    async with reverse("http://a.test:81", settings=settings) as talk:
        talk.say(GET * 2)
        server = await talk.server()
        for _ in range(2):
            await server.expect(GET)
            server.say(OK)
            await talk.client.expect(OK)
        assert talk.dialled == [("a.test", 81)]
        request = talk.recorder.last("request").request
        assert (request.host, request.port, request.scheme, request.authority) == ("a.test", 81, "http", "")


async def test_a_client_that_has_said_all_before_its_server_is_there():
    dialling, said = asyncio.Event(), asyncio.Event()

    class Dawdles:
        async def server_connect(self, data: ServerConnectionHookData) -> None:
            dialling.set()
            await said.wait()

    async with reverse("tcp://a.test:1", Dawdles()) as talk:
        await dialling.wait()
        talk.say(b"\x00all")
        talk.client.stream.write_eof()
        for _ in range(20):
            await asyncio.sleep(0)
        said.set()
        server = await talk.server()
        assert await server.rest() == b"\x00all"
        server.say(b"answer")
        server.stream.write_eof()
        assert await talk.client.rest() == b"answer"


async def test_scripts_know_of_tls_before_it_is_there():
    known = []

    class Looks:
        def request(self, flow: HTTPFlow) -> None:
            known.append((flow.server_conn.tls, flow.server_conn.connected))

    async with reverse("https://a.test", Tls(), Looks(), settings=LAZY) as talk:
        talk.say(GET)
        server = await as_server(await talk.server())
        await server.expect(GET)
        assert known == [(True, False)]
        server.say(OK)
        await talk.client.expect(OK)


async def test_eager_dials_before_the_client_says_anything():
    async with reverse("http://a.test"):
        pass
    async with reverse("http://a.test") as talk:
        await talk.server()
        assert talk.dialled == [("a.test", 80)]


async def test_a_server_of_http_that_speaks_first_is_no_raw_one():
    async with reverse("http://a.test") as talk:
        server = await talk.server()
        server.say(b"HTTP/1.1 408 Too slow\r\nConnection: close\r\n\r\n")
        server.stream.close()
        talk.say(GET)
        await exchange(talk, talk.client, await talk.server(), GET)


async def test_a_dial_that_fails_is_told_to_the_first_request_and_tried_again_for_the_next():
    async with reverse("http://a.test") as talk:
        talk.refusing.add(("a.test", 80))
        talk.say(GET)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 502 ")
        assert "a.test:80 refused the connection" in (await talk.client.until(b"\n")).decode()
        talk.refusing.clear()
        await exchange(talk, talk.client, await server_after(talk, GET), GET)


async def server_after(talk: Conversation, data: bytes):
    talk.say(data)
    server = await talk.server()
    await server.expect(data)
    server.say(OK)
    await talk.client.expect(OK)
    return server


@pytest.mark.parametrize("data", [b"SSH-2.0-x\r\n\r\n", b"\x00\x01\x02\r\n\r\n"])
async def test_what_is_no_http_is_refused(data):
    async with reverse("http://a.test") as talk:
        talk.say(data)
        assert (await talk.client.head()).startswith(b"HTTP/1.1 400 ")


async def test_connect_is_refused():
    async with reverse("http://a.test") as talk:
        talk.say(b"CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n")
        assert (await talk.client.head()).startswith(b"HTTP/1.1 400 ")
        assert "CONNECT" in str(talk.recorder.last("error").error)


# -- names --


@pytest.mark.parametrize(("target", "name"), [("http://a.test:81", b"a.test:81"), ("http://a.test", b"a.test")])
async def test_the_server_is_called_by_its_own_name(target, name):
    async with reverse(target, HostRewriting()) as talk:
        await exchange(talk, talk.client, await talk.server(), b"GET /x HTTP/1.1\r\nHost: %b\r\n\r\n" % name)
        request = talk.recorder.last("requestheaders").request
        assert request.host_header == name.decode()
        assert request.pretty_url == f"http://{name.decode()}/x"


async def test_whole_urls_name_the_server_too():
    async with reverse("http://a.test:81", HostRewriting()) as talk:
        talk.say(b"GET http://us.test:8080/x HTTP/1.1\r\nHost: us.test:8080\r\n\r\n")
        await (await talk.server()).expect(b"GET http://a.test:81/x HTTP/1.1\r\nHost: a.test:81\r\n\r\n")


async def test_where_a_script_sends_the_connection_is_what_it_is_called():
    class Elsewhere:
        def server_connect(self, data: ServerConnectionHookData) -> None:
            data.server.address = ("b.test", 82)

    async with reverse("http://a.test:81", HostRewriting(), Elsewhere()) as talk:
        await exchange(talk, talk.client, await talk.server(), b"GET /x HTTP/1.1\r\nHost: b.test:82\r\n\r\n")


async def test_without_the_addon_names_stay():
    async with reverse("http://a.test:81") as talk:
        talk.say(b"GET http://us.test:8080/x HTTP/1.1\r\nHost: us.test:8080\r\n\r\n")
        await (await talk.server()).expect(b"GET http://us.test:8080/x HTTP/1.1\r\nHost: us.test:8080\r\n\r\n")


@pytest.mark.parametrize("mode", ["regular", "reverse:http://a.test"])
async def test_credentials_go_to_the_server_of_a_reverse_mode_only(mode):
    adding = Adding(Credentials(b"me", b"pw"))
    if mode == "regular":
        talking, request = conversation(adding), b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
    else:
        talking, request = reverse("http://a.test", adding), GET
    async with talking as talk:
        talk.say(request)
        head = await (await talk.server()).head()
        assert (b"\r\nAuthorization: Basic bWU6cHc=\r\n" in head) == (mode != "regular")


async def test_credentials_go_to_no_server_that_a_script_chose():
    class Elsewhere:
        def requestheaders(self, flow: HTTPFlow) -> None:
            flow.request.host = "b.test"

    async with reverse("http://a.test", Elsewhere(), Adding(Credentials(b"me", b"pw"))) as talk:
        await talk.server()
        talk.say(GET)
        assert b"Authorization" not in await (await talk.server()).head()
        assert talk.dialled[1] == ("b.test", 80)


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        (b'h3=":443"; ma=3600', b'h3=":8080"; ma=3600'),
        (b'h2="alt.test:8443", h3-29="[::1]:1"; persist=1', b'h2=":8080", h3-29=":8080"; persist=1'),
        (b"clear", b"clear"),
        (b'w="x:1:2"', b'w="x:1:2"'),
    ],
)
async def test_alternatives_are_at_our_port(said, passed):
    async with reverse("http://a.test", AltSvcRewriting()) as talk:
        talk.say(GET)
        server = await talk.server()
        await server.expect(GET)
        server.say(b"HTTP/1.1 204 No\r\nalt-svc: %b\r\nX: y\r\nAlt-Svc: %b\r\n\r\n" % (said, said))
        await talk.client.expect(b"HTTP/1.1 204 No\r\nalt-svc: %b\r\nX: y\r\nAlt-Svc: %b\r\n\r\n" % (passed, passed))


# -- TLS --


async def test_a_client_that_speaks_tls_with_a_server_that_does_not():
    async with reverse("http://b.test", Tls()) as talk:
        client = await as_client(talk.client)
        await exchange(talk, client, await talk.server(), GET)
        assert talk.recorder.last("request").request.scheme == "http"


@pytest.mark.parametrize("settings", [None, LAZY], ids=["eager", "lazy"])
async def test_a_server_that_speaks_tls_with_a_client_that_does_not(settings):
    tls = Tls()
    async with reverse("https://b.test", tls, settings=settings) as talk:
        talk.say(GET)
        server = await as_server(await talk.server())
        await server.expect(GET)
        server.say(OK)
        await talk.client.expect(OK)
        assert tls.names == ["b.test"]
        assert talk.recorder.last("request").request.scheme == "https"


@pytest.mark.parametrize(("keep", "name"), [(False, "b.test"), (True, "a.test")])
async def test_tls_on_both_sides(keep, name):
    tls = Tls()
    async with reverse("https://b.test", tls, settings=Settings(keep_host_header=keep)) as talk:
        async with asyncio.TaskGroup() as group:
            shaking = group.create_task(as_client(talk.client, "a.test"))
            server = await as_server(await talk.server())
        await exchange(talk, shaking.result(), server, GET)
        assert tls.names == [name]


async def test_a_failed_dial_is_told_inside_of_tls():
    async with reverse("https://b.test", Tls()) as talk:
        talk.refusing.add(("b.test", 443))
        client = await as_client(talk.client)
        client.say(GET)
        assert (await client.head()).startswith(b"HTTP/1.1 502 ")
        assert talk.dialled == []


async def test_what_begins_a_second_tls_is_no_http():
    async with reverse("http://b.test", Tls()) as talk:
        client = await as_client(talk.client)
        client.say(b"\x16\x03\x01\x00\x05hello\r\n\r\n")
        assert (await client.head()).startswith(b"HTTP/1.1 400 ")


# -- raw --


@pytest.mark.parametrize("settings", [None, Settings(rawtcp=False), LAZY], ids=["eager", "rawtcp off", "lazy"])
@pytest.mark.parametrize("said", [b"GE", GET, b"\x16\x02\x00", b"\x16"], ids=["half a word", "HTTP", "no TLS", "one"])
async def test_raw_is_raw_whatever_it_looks_like(settings, said):
    async with reverse("tcp://a.test:7", settings=settings) as talk:
        talk.say(said)
        if said == b"\x16":  # it may still become TLS
            talk.client.stream.write_eof()
        server = await talk.server()
        await server.expect(said)
        server.say(b"\x00answer")
        await talk.client.expect(b"\x00answer")
        assert "tcp_message" in talk.recorder.names()


async def test_a_server_may_speak_first():
    async with reverse("tcp://a.test:25") as talk:
        server = await talk.server()
        server.say(b"220 hello\r\n")
        await talk.client.expect(b"220 hello\r\n")
        talk.say(b"HELO\r\n")
        await server.expect(b"HELO\r\n")


async def test_a_server_that_speaks_first_inside_of_tls():
    tls = Tls()
    async with reverse("tls://b.test:465", tls) as talk:
        server = await as_server(await talk.server())
        server.say(b"220 hello\r\n")
        await talk.client.expect(b"220 hello\r\n")
        assert tls.names == ["b.test"]


async def test_a_client_may_speak_tls_with_a_raw_server_that_speaks_first():
    async with reverse("tcp://b.test:25", Tls()) as talk:
        shaking = asyncio.ensure_future(as_client(talk.client))
        server = await talk.server()
        server.say(b"220 hello\r\n")
        client = await shaking
        await client.expect(b"220 hello\r\n")
        assert talk.recorder.last("tcp_start").client_conn.tls


async def test_a_client_that_ends_at_once_still_gets_its_answer():
    async with reverse("tcp://a.test:7") as talk:
        talk.say(b"question")
        talk.client.stream.write_eof()
        server = await talk.server()
        assert await server.rest() == b"question"
        server.say(b"answer")
        server.stream.write_eof()
        assert await talk.client.rest() == b"answer"


@pytest.mark.parametrize("scheme", ["tcp", "tls"])
async def test_a_dial_that_fails_ends_a_raw_connection_at_once(scheme):
    async with reverse(f"{scheme}://a.test:7") as talk:
        talk.refusing.add(("a.test", 7))
        assert await talk.client.rest() == b""
        assert "refused the connection" in str(talk.recorder.last("tcp_error").error)


async def test_a_bad_certificate_ends_a_raw_connection_whose_client_waits():
    async with reverse("tls://c.test:7", Tls()) as talk:
        with pytest.raises(OSError):
            await as_server(await talk.server())
        assert await talk.client.rest() == b""
        assert "c.test" in str(talk.recorder.last("tcp_error").error)


class Untouched:
    def next_layer(self, data: NextLayer) -> None:
        data.layer = "ignore"


class Ignores:
    def tls_clienthello(self, data: ClientHelloData) -> None:
        data.ignore_connection = True


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
@pytest.mark.parametrize("scheme", ["tcp", "tls", "http", "https"])
async def test_the_clients_own_tls_may_pass(scheme, late):
    async with reverse(f"{scheme}://b.test:7", Tls(), Ignores()) as talk:
        server = await talk.server()
        if late and scheme == "tls":
            await as_server(server)  # the client was silent, so the server was asked for TLS
        shaking = asyncio.ensure_future(as_client(talk.client, "b.test"))
        if late and scheme == "tls":
            server = await talk.server()
        inner = await as_server(server)
        client = await shaking
        client.say(b"hello")
        await inner.expect(b"hello")
        assert talk.recorder.names() == []


async def test_what_an_addon_leaves_untouched_makes_no_flow():
    async with reverse("http://a.test", Untouched()) as talk:
        talk.say(b"what")
        await (await talk.server()).expect(b"what")
        assert talk.recorder.names() == []


async def test_killing():
    class Kills:
        def tcp_start(self, flow: Flow) -> None:
            flow.kill()

    async with reverse("tcp://a.test:7", Kills()) as talk:
        talk.say(b"x")
        assert await talk.client.rest() == b""
