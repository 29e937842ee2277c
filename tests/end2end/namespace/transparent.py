"""What `test_mode_transparent.py` runs in a network of its own; see there for its addresses and rules."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from tests.end2end.conftest import *  # noqa: F403  its fixtures
from tests.kit.curl import curl
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.program import Middump, free_port, middump
from tests.kit.socket_end import LIMIT, SocketEnd, connected
from tests.kit.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENT = {"127.0.0.80": "127.0.0.2", "fd00::80": "fd00::2"}
"""By the server's address, that of the client. Both are redirected on their way out."""
MODES = ("--mode", "transparent@127.0.0.1:8080", "--mode", "transparent@[::1]:8080")


@pytest.fixture(params=list(CLIENT))
def host(request: pytest.FixtureRequest) -> str:
    """An address of a server."""
    return str(request.param)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def program(tmp_path_factory: pytest.TempPathFactory, origin_ca: OriginCA) -> AsyncIterator[Middump]:
    confdir = tmp_path_factory.mktemp("transparent") / "conf"
    trusting = ("--set", f"ssl_verify_upstream_trusted_ca={origin_ca.file}")
    async with middump(confdir, "-p", "8080", *MODES, *trusting, "--set", "flow_detail=2") as running:
        await running.line("listening at [::1]:8080")
        yield running


def echo(heard: Heard) -> bytes:
    return ok(heard.method.encode() + b" " + heard.target.encode() + b" " + heard.body)


@asynccontextmanager
async def redirected(host: str, port: int) -> AsyncIterator[SocketEnd]:
    """A connection to a server, as far as its client knows."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(host, port, limit=LIMIT, local_addr=(CLIENT[host], 0))
    end = SocketEnd(reader, writer)
    try:
        yield end
    finally:
        await end.gone()


async def test_curl(program: Middump, origin_ca: OriginCA, host: str, scheme: str):
    tls = origin_ca.context("site.example") if scheme == "https" else None
    async with origin(answering(echo), tls=tls, host=host) as web:
        url = f"{scheme}://site.example:{web.port}"
        address = f"[{host}]" if ":" in host else host
        through = ("--resolve", f"site.example:{web.port}:{address}", "--interface", CLIENT[host])
        done = await curl(*through, "--cacert", str(program.ca), f"{url}/path")
        assert (done.exit, done.status, done.body) == (0, 200, b"GET /path "), done.errors
        upload = await curl(
            *through, "--cacert", str(program.ca), "--data-binary", "@-", f"{url}/up", stdin=b"x" * 99_999
        )
        assert upload.body == b"POST /up " + b"x" * 99_999
        assert web.requests[0].fields["host"] == f"site.example:{web.port}"
        await program.line(f"GET {web.url('/path')}")


async def test_a_python_client_with_tls(program: Middump, origin_ca: OriginCA, host: str):
    async with (
        origin(answering(echo), tls=origin_ca.context("site.example"), host=host) as web,
        redirected(host, web.port) as end,
    ):
        await end.start_tls(ssl.create_default_context(cafile=str(program.ca)), "site.example")
        end.say(b"GET /inside HTTP/1.1\r\nHost: site.example\r\n\r\n")
        await end.until(b"GET /inside ")


async def test_a_server_that_speaks_first(program: Middump, host: str):
    async def banner(end: SocketEnd) -> None:
        end.say(b"SSH-2.0-server\r\n")
        end.say(b"you said " + await end.until(b"\r\n"))
        await end.expect_closed()

    async with origin(banner, host=host) as web, redirected(host, web.port) as end:
        await end.expect(b"SSH-2.0-server\r\n")
        end.say(b"SSH-2.0-client\r\n")
        await end.expect(b"you said SSH-2.0-client\r\n")


async def test_connect_is_refused(program: Middump, host: str):
    async with origin(answering(echo), host=host) as web, redirected(host, web.port) as end:
        end.say(b"CONNECT site.example:443 HTTP/1.1\r\nHost: site.example:443\r\n\r\n")
        assert (await end.head()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert web.requests == []


async def test_a_server_that_is_not_there(program: Middump, host: str):
    """Who asks over HTTP is told; who waits for the server to speak gets what it would have got without us."""
    port = free_port()
    async with redirected(host, port) as end:
        end.say(b"GET / HTTP/1.1\r\nHost: site.example\r\n\r\n")
        assert (await end.head()).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        await end.until(b"nothing listens there")
    async with redirected(host, port) as end:
        await end.expect_closed()
    await program.line("transparent: ", "nothing listens there")


@pytest.mark.parametrize("url", ["http://midstream.internal/cert/pem", "https://mitm.it/cert/pem"])
async def test_the_site_of_the_ca(program: Middump, host: str, url: str):
    """The client has some address for the name; whether anything is there does not matter."""
    address = f"[{host}]" if ":" in host else host
    names = [f"{name}:{port}:{address}" for name in ("midstream.internal", "mitm.it") for port in (80, 443)]
    where = [word for name in names for word in ("--resolve", name)]
    done = await curl(*where, "--interface", CLIENT[host], "--cacert", str(program.ca), url)
    assert (done.status, done.body) == (200, program.ca.read_bytes()), done.errors


async def test_who_connects_to_the_proxy_itself_is_sent_away(program: Middump, host: str):
    own = "::1" if ":" in host else "127.0.0.1"
    with contextlib.suppress(OSError):  # so soon that uvloop may not have noticed that it was connected
        async with connected(8080, own) as end:
            end.say(b"GET / HTTP/1.1\r\nHost: site.example\r\n\r\n")
            await end.expect_closed()
    await program.line("itself: this mode serves connections that the firewall redirects here")
