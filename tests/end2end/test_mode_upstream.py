"""The upstream mode: real processes one behind the other, and parents of other kinds."""

from __future__ import annotations

import asyncio
import hashlib
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.kit.curl import Curled, curl, needs_curl
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.program import Middump, free_port, middump
from tests.kit.socket_end import SocketEnd, tunnelled
from tests.kit.socks_parent import socks_parent
from tests.kit.tour import bodies
from tests.kit.waiting import PATIENCE
from tests.kit.web_server import web_server

pytestmark = [pytest.mark.end2end, needs_curl]

BODY = random.Random(6).randbytes(700_000)


def echo(heard: Heard) -> bytes:
    return ok(heard.method.encode() + b" " + hashlib.sha256(heard.body).hexdigest().encode())


ECHOED = b"POST " + hashlib.sha256(BODY).hexdigest().encode()


@asynccontextmanager
async def chained(
    confdir: Path, ca: OriginCA, *argv: str, scheme: str = "http"
) -> AsyncIterator[tuple[Middump, Middump]]:
    """A middump that goes through another one, by http or https."""
    above, below = confdir.with_name("above"), confdir.with_name("below")
    trusting = ("--set", f"ssl_verify_upstream_trusted_ca={ca.file}")
    async with middump(above, *trusting) as parent:
        mode = f"upstream:{scheme}://127.0.0.1:{parent.port}"
        trusting = ("--set", f"ssl_verify_upstream_trusted_ca={parent.ca}")
        async with middump(below, "--mode", mode, *trusting, *argv) as child:
            yield child, parent


async def ask(program: Middump, url: str, *words: str, proxy: str = "") -> Curled:
    done = await curl("--proxy", proxy or program.address, "--cacert", str(program.ca), *words, url)
    assert done.exit == 0, (done.errors, program.printed())
    return done


@pytest.fixture
def body(tmp_path: Path) -> str:
    """How curl is told to send BODY."""
    path = tmp_path / "body"
    path.write_bytes(BODY)
    return f"@{path}"


# -- parents like us --


@pytest.mark.parametrize("parent_scheme", ["http", "https"])
async def test_curl(
    confdir: Path, origin_ca: OriginCA, scheme: str, tls: ssl.SSLContext | None, parent_scheme: str, body: str
):
    async with (
        origin(answering(echo), tls=tls) as web,
        chained(confdir, origin_ca, scheme=parent_scheme) as (child, parent),
    ):
        done = await ask(child, web.url("/up"), "--data-binary", body, "--http1.1")
        assert done.body == ECHOED
        for program in (child, parent):
            await program.line(f"POST {web.url('/up')}")
        assert len(web.requests) == 1


async def test_httpx(confdir: Path, origin_ca: OriginCA, scheme: str, tls: ssl.SSLContext | None):
    async with origin(answering(echo), tls=tls) as web, chained(confdir, origin_ca) as (child, _):
        trust = ssl.create_default_context(cafile=str(child.ca))
        async with httpx.AsyncClient(proxy=child.address, verify=trust, trust_env=False, timeout=PATIENCE) as client:
            for _ in range(3):
                answer = await client.post(web.url("/deep?q=1"), content=BODY)
                assert answer.content == ECHOED
        assert len(web.connections) == 1


async def test_http2(confdir: Path, origin_ca: OriginCA):
    async with web_server(bodies, tls=origin_ca) as server, chained(confdir, origin_ca) as (child, _):
        trust = ssl.create_default_context(cafile=str(child.ca))
        async with httpx.AsyncClient(
            proxy=child.address, verify=trust, trust_env=False, timeout=PATIENCE, http2=True
        ) as client:
            asking = [client.post(server.url(f"/echo?{number}"), content=BODY) for number in range(10)]
            answers = await asyncio.gather(*asking)
        assert {(answer.http_version, answer.content == BODY) for answer in answers} == {("HTTP/2", True)}
        assert server.versions == {"2"}


async def test_raw_bytes_and_servers_that_speak_first(confdir: Path, origin_ca: OriginCA):
    async def greet(end: SocketEnd) -> None:
        end.say(b"220 hello\r\n")
        while data := await end.read():
            end.say(b"you said " + data)

    async with (
        origin(greet) as server,
        chained(confdir, origin_ca) as (child, _),
        tunnelled(child.port, server.authority) as end,
    ):
        await end.expect(b"220 hello\r\n")
        end.say(b"\x00\x01")
        await end.expect(b"you said \x00\x01")
        await child.line(f"-> {server.authority} tcp 2b")


async def test_a_server_that_the_parent_cannot_reach(confdir: Path, origin_ca: OriginCA):
    port = free_port()
    async with chained(confdir, origin_ca) as (child, parent):
        plain = await ask(child, f"http://127.0.0.1:{port}/")
        assert (plain.status, plain.body) == (
            502,
            f"127.0.0.1:{port} refused the connection: nothing listens there\n".encode(),
        )
        tunnel = await curl("--proxy", child.address, f"https://127.0.0.1:{port}/")
        assert b"HTTP/1.1 502 " in tunnel.head
        await child.line(f"the parent proxy 127.0.0.1:{parent.port} answered CONNECT 127.0.0.1:{port} with 502")


async def test_a_parent_whose_certificate_is_not_trusted(confdir: Path):
    async with middump(confdir.with_name("above")) as parent:
        mode = f"upstream:https://127.0.0.1:{parent.port}"
        async with middump(confdir, "--mode", mode) as child:
            parent.may_complain = True
            done = await ask(child, "http://example.test/")
            assert done.status == 502
            text = done.body.decode()
            assert "the parent proxy cannot be used" in text
            assert "not trusted here" in text


async def test_a_parent_that_is_not_there(confdir: Path):
    port = free_port()
    async with middump(confdir, "--mode", f"upstream:http://127.0.0.1:{port}") as child:
        done = await ask(child, "http://example.test/")
        assert (done.status, done.body.decode()) == (
            502, f"the parent proxy cannot be used: 127.0.0.1:{port} refused the connection: nothing listens there\n"
        )  # fmt: skip


async def test_ourselves_as_the_parent(confdir: Path):
    port = free_port()
    async with middump(confdir, "--mode", f"upstream:http://localhost:{port}", "-p", str(port)) as child:
        done = await ask(child, "http://example.test/")
        assert done.status == 502
        assert "is this proxy itself" in done.body.decode()


@pytest.mark.parametrize("mode", ["http", "socks5"])
async def test_ourselves_through_a_parent_on_this_machine(confdir: Path, mode: str, scheme: str):
    async with socks_parent() as socks, middump(confdir.with_name("above")) as parent:
        port = parent.port if mode == "http" else socks.port
        async with middump(confdir, "--mode", f"upstream:{mode}://127.0.0.1:{port}") as child:
            done = await curl("--proxy", child.address, f"{scheme}://localhost:{child.port}/")
            assert b"HTTP/1.1 502 " in done.head
            await child.line(f"localhost:{child.port} is this proxy itself")
            assert len([line for line in child.lines if "is this proxy itself" in line]) <= 2


# -- parents that want to know who comes --


def picky(heard: Heard) -> bytes:
    """A parent that wants credentials, and is the origin of everything."""
    if heard.fields.get("proxy-authorization") != "Basic bWU6czNjcmV0OiE=":
        return ok(b"who?", "Proxy-Authenticate: Basic realm=x", status="407 Who?")
    if heard.method == "CONNECT":
        return b"HTTP/1.1 200 Fine\r\n\r\n"
    return ok(b"parent of " + heard.target.encode())


async def test_credentials(confdir: Path, origin_ca: OriginCA):
    async with origin(answering(picky)) as web:
        mode = ("--mode", f"upstream:http://{web.authority}")
        async with middump(confdir, *mode, "--set", "upstream_auth=me:s3cret:!") as child:
            theirs = child.address.replace("//", "//client:theirs@")
            done = await ask(child, "http://a.test/x", proxy=theirs)
            assert done.body == b"parent of http://a.test/x"
            await ask(child, "http://b.test/x", "-p", proxy=theirs)  # through CONNECT
            assert [one.method for one in web.requests] == ["GET", "CONNECT", "GET"]
            assert all(b"Y2xpZW50" not in one.head for one in web.requests)  # of the client's
            assert web.requests[2].fields.get("proxy-authorization") is None  # for the server, not for the parent
            assert "s3cret" not in child.printed()
            assert "bWU6" not in child.printed()


async def test_no_credentials_or_wrong_ones(confdir: Path):
    async with origin(answering(picky)) as web:
        mode = ("--mode", f"upstream:http://{web.authority}")
        async with middump(confdir, *mode) as child:
            plain = await ask(child, "http://a.test/x")
            assert (plain.status, plain.body) == (407, b"who?")
            await child.line(
                f"the parent proxy {web.authority} wants credentials; give them by the option upstream_auth"
            )
            await curl("--proxy", child.address, "https://a.test/x")
            await child.line("it wants credentials; give them by the option upstream_auth, as user:password")
        async with middump(confdir, *mode, "--set", "upstream_auth=me:wrong") as child:
            await ask(child, "http://a.test/x")
            await child.line("does not accept the credentials of the option upstream_auth")
            await curl("--proxy", child.address, "https://a.test/x")
            await child.line("it does not accept the credentials; check the option upstream_auth")


@pytest.mark.parametrize(("value", "fields"), [("true", b"\r\nHost: a.test:443"), ("false", b"")])
async def test_host_in_connect(confdir: Path, value: str, fields: bytes):
    async with origin(answering(picky)) as web:
        options = ("--set", f"http_connect_send_host_header={value}")
        async with middump(confdir, "--mode", f"upstream:http://{web.authority}", *options) as child:
            await curl("--proxy", child.address, "https://a.test/x")
            assert web.requests[0].head == b"CONNECT a.test:443 HTTP/1.1%b\r\n\r\n" % fields


# -- SOCKS5 --


@pytest.mark.parametrize("credentials", [None, ("me", "s3cret:!")], ids=["open", "with password"])
async def test_a_socks_parent(
    confdir: Path, scheme: str, trusting: tuple[str, str], tls: ssl.SSLContext | None,
    credentials: tuple[str, str] | None, body: str,
):  # fmt: skip
    auth = ("--set", f"upstream_auth={':'.join(credentials)}") if credentials is not None else ()
    async with (
        origin(answering(echo), tls=tls) as web,
        socks_parent(credentials) as parent,
        middump(confdir, "--mode", f"upstream:socks5://127.0.0.1:{parent.port}", *trusting, *auth) as child,
    ):
        url = f"{web.scheme}://localhost:{web.port}/up"
        assert (await ask(child, url, "--data-binary", body, "--http1.1")).body == ECHOED
        assert parent.asked == [("localhost", web.port)]
        await child.line(f"POST {url}")


async def test_a_socks_parent_that_refuses(confdir: Path):
    port = free_port()
    async with socks_parent(("me", "pw")) as parent:
        mode = ("--mode", f"upstream:socks5://127.0.0.1:{parent.port}")
        async with middump(confdir, *mode) as child:
            assert "by the option upstream_auth" in (await ask(child, f"http://127.0.0.1:{port}/")).body.decode()
        async with middump(confdir, *mode, "--set", "upstream_auth=me:guess") as child:
            assert "does not accept user name and password" in (await ask(child, "http://a.test/")).body.decode()
        async with middump(confdir, *mode, "--set", "upstream_auth=me:pw") as child:
            done = await ask(child, f"http://127.0.0.1:{port}/")
            assert "cannot connect: the connection was refused" in done.body.decode()


# -- scripts --

NAMES_A_PARENT = """\
class Names:
    def {event}(self, {argument}):
        {server}.via = ("http", ("127.0.0.1", {port}))

addons = [Names()]
"""


@pytest.mark.parametrize("event", ["requestheaders", "request", "server_connect"])
async def test_scripts_name_parents(
    confdir: Path, tmp_path: Path, origin_ca: OriginCA, scheme: str, tls: ssl.SSLContext | None, event: str
):
    argument, server = ("data", "data.server") if event == "server_connect" else ("flow", "flow.server_conn")
    trusting = ("--set", f"ssl_verify_upstream_trusted_ca={origin_ca.file}")
    async with origin(answering(echo), tls=tls) as web, middump(confdir.with_name("above"), *trusting) as parent:
        script = tmp_path / "names.py"
        script.write_text(NAMES_A_PARENT.format(event=event, argument=argument, server=server, port=parent.port))
        options = ("--set", f"ssl_verify_upstream_trusted_ca={parent.ca}", "--set", "connection_strategy=lazy")
        async with middump(confdir, *options, "-s", str(script)) as child:
            assert (await ask(child, web.url("/x"), "--http1.1")).status == 200
            await parent.line(f"GET {web.url('/x')}")


# After an example that many have copied.
CHANGES_THE_PARENT = """\
from mitmproxy import http
from mitmproxy.connection import Server
from mitmproxy.net.server_spec import ServerSpec

def request(flow: http.HTTPFlow) -> None:
    address = ("127.0.0.1", {other}) if "other" in flow.request.path else ("127.0.0.1", {usual})
    is_change = address != flow.server_conn.via[1]
    if is_change and flow.server_conn.timestamp_start is not None:
        flow.server_conn = Server(address=flow.server_conn.address)
    flow.server_conn.via = ServerSpec(("http", address))
"""


async def test_a_script_that_changes_the_parent_from_request_to_request(
    confdir: Path, tmp_path: Path, scheme: str, tls: ssl.SSLContext | None, trusting: tuple[str, str]
):
    above = confdir.with_name("above")
    async with (
        origin(answering(echo), tls=tls) as web,
        middump(above, *trusting) as usual,
        middump(above, *trusting) as other,  # with the same CA
    ):
        script = tmp_path / "changes.py"
        script.write_text(CHANGES_THE_PARENT.format(usual=usual.port, other=other.port))
        mode = ("--mode", f"upstream:http://127.0.0.1:{usual.port}")
        options = ("--set", f"ssl_verify_upstream_trusted_ca={usual.ca}")
        async with middump(confdir, *mode, *options, "-s", str(script)) as child:
            urls = [web.url("/1"), web.url("/other/2"), web.url("/3"), web.url("/other/4")]
            done = await curl(
                "--proxy", child.address, "--cacert", str(child.ca), "--http1.1",
                *[word for url in urls for word in ("-o", "/dev/null", url)],
            )  # fmt: skip
            assert (done.exit, done.status) == (0, 200), child.printed()
            for program, paths in ((usual, urls[0::2]), (other, urls[1::2])):
                for url in paths:
                    await program.line(f"GET {url}")
            assert len(web.connections) == 2
