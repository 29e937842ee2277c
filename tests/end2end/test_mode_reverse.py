"""The reverse modes: curl and Python clients at a real process that stands in for a server."""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from midstream.flows.dns import types
from tests.kit.curl import Curled, curl, needs_curl
from tests.kit.datagrams import udp_client, udp_server
from tests.kit.name_server import address, dig, name_server
from tests.kit.origins import Heard, Origin, OriginCA, answering, ok, origin
from tests.kit.program import Middump, free_port, middump, started
from tests.kit.socket_end import SocketEnd, connected
from tests.kit.tour import bodies
from tests.kit.waiting import PATIENCE
from tests.kit.web_server import web_server

pytestmark = pytest.mark.end2end

BODY = random.Random(5).randbytes(700_000)


def echo(heard: Heard) -> bytes:
    return ok(heard.method.encode() + b" " + hashlib.sha256(heard.body).hexdigest().encode())


@asynccontextmanager
async def standing_in(confdir: Path, web: Origin, ca: OriginCA, *argv: str, scheme: str = "") -> AsyncIterator[Middump]:
    """middump in the reverse mode to `web`, whose certificate it trusts."""
    mode = f"reverse:{scheme or web.scheme}://{web.authority}"
    trusting = ("--set", f"ssl_verify_upstream_trusted_ca={ca.file}")
    async with middump(confdir, "--mode", mode, *trusting, *argv) as program:
        yield program


async def ask(program: Middump, scheme: str, *words: str, path: str = "/x") -> Curled:
    """curl, which verifies our certificate for the address that it calls."""
    done = await curl("--cacert", str(program.ca), f"{scheme}://127.0.0.1:{program.port}{path}", *words)
    assert done.exit == 0, (done.errors, program.printed())
    return done


def written(confdir: Path) -> Path:
    """A file with BODY in it."""
    path = confdir.with_name("body")
    path.write_bytes(BODY)
    return path


@pytest.fixture(params=["http", "https"])
def client_scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# -- HTTP --


@needs_curl
@pytest.mark.parametrize("strategy", ["eager", "lazy"])
async def test_curl(confdir: Path, origin_ca: OriginCA, scheme: str, client_scheme: str, strategy: str):
    tls = origin_ca.context() if scheme == "https" else None
    async with (
        origin(answering(echo), tls=tls) as web,
        standing_in(confdir, web, origin_ca, "--set", f"connection_strategy={strategy}") as program,
    ):
        upload = await ask(program, client_scheme, "--http1.1", "--data-binary", f"@{written(confdir)}", path="/up")
        assert upload.body == b"POST " + hashlib.sha256(BODY).hexdigest().encode()
        await program.line(f"POST {web.url('/up')}")
        assert {one.fields["host"] for one in web.requests} == {web.authority}


async def test_httpx(confdir: Path, origin_ca: OriginCA, scheme: str, client_scheme: str):
    tls = origin_ca.context() if scheme == "https" else None
    async with origin(answering(echo), tls=tls) as web, standing_in(confdir, web, origin_ca) as program:
        base = f"{client_scheme}://127.0.0.1:{program.port}"
        trust = ssl.create_default_context(cafile=str(program.ca))
        async with httpx.AsyncClient(base_url=base, verify=trust, trust_env=False, timeout=PATIENCE) as client:
            for _ in range(3):
                answer = await client.post("/deep/path?q=1", content=BODY)
                assert answer.text == "POST " + hashlib.sha256(BODY).hexdigest()
        assert len(web.connections) == 1
        assert [one.target for one in web.requests] == ["/deep/path?q=1"] * 3
        await program.line(f"POST {web.url('/deep/path')}")


async def many(client: httpx.AsyncClient) -> set[str]:
    """Ten requests at once; the versions of HTTP that were spoken."""
    answers = await asyncio.gather(*[client.post(f"/echo?{number}", content=BODY) for number in range(10)])
    assert all(answer.content == BODY for answer in answers)
    return {answer.http_version for answer in answers}


@pytest.mark.parametrize(("keep", "is_named"), [("false", "localhost:{server}"), ("true", "127.0.0.1:{us}")])
async def test_http2(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], keep: str, is_named: str):
    async with web_server(bodies, tls=origin_ca) as server:
        mode = ("--mode", f"reverse:{server.url('')}", "--set", f"keep_host_header={keep}", *trusting)
        async with middump(confdir, *mode) as program:
            base, trust = f"https://127.0.0.1:{program.port}", ssl.create_default_context(cafile=str(program.ca))
            async with httpx.AsyncClient(
                base_url=base, verify=trust, trust_env=False, http2=True, timeout=PATIENCE
            ) as client:
                assert await many(client) == {"HTTP/2"}
            assert server.versions == {"2"}
            name = is_named.format(server=server.port, us=program.port).encode()
            assert {dict(head).get(b"host") or dict(head).get(b":authority") for head in server.heads} == {name}
            await program.line(f"POST {server.url('/echo')}")


@pytest.mark.parametrize("spoken", ["h2", "http/1.1"])
async def test_what_the_server_speaks_is_what_clients_get(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], spoken: str
):
    async with (
        web_server(bodies, tls=origin_ca, alpn_protocols=[spoken]) as server,
        middump(confdir, "--mode", f"reverse:{server.url('')}", *trusting) as program,
    ):
        trust = ssl.create_default_context(cafile=str(program.ca))
        for scheme, http2 in (("https", True), ("https", False), ("http", False)):
            base = f"{scheme}://127.0.0.1:{program.port}"
            async with httpx.AsyncClient(
                base_url=base, verify=trust, trust_env=False, http2=http2, timeout=PATIENCE
            ) as client:
                assert await many(client) == {"HTTP/2" if http2 and spoken == "h2" else "HTTP/1.1"}


@needs_curl
async def test_names_and_alternatives_are_rewritten_or_kept(confdir: Path, origin_ca: OriginCA):
    def answer(heard: Heard) -> bytes:
        return ok(b"hi", 'Alt-Svc: h2="other.test:8443"; ma=60')

    async with origin(answering(answer), tls=origin_ca.context()) as web:
        async with standing_in(confdir, web, origin_ca) as program:
            done = await ask(program, "https", "--http1.1")
            assert f'Alt-Svc: h2=":{program.port}"; ma=60\r\n'.encode() in done.head
            assert web.requests[-1].fields["host"] == web.authority
        keep = ("--set", "keep_host_header=true", "--set", "keep_alt_svc_header=true")
        async with standing_in(confdir, web, origin_ca, *keep) as program:
            done = await ask(program, "https", "--http1.1")
            assert b'Alt-Svc: h2="other.test:8443"; ma=60\r\n' in done.head
            assert web.requests[-1].fields["host"] == f"127.0.0.1:{program.port}"


@needs_curl
async def test_credentials_for_the_server(confdir: Path, origin_ca: OriginCA):
    async with (
        origin(answering(echo)) as web,
        standing_in(confdir, web, origin_ca, "--set", "upstream_auth=me:s3cret:!") as program,
    ):
        await ask(program, "http", "-H", "Authorization: Basic bWluZQ==")
        assert web.requests[0].fields["authorization"] == "Basic bWU6czNjcmV0OiE="
        assert "s3cret" not in program.printed()


@needs_curl
async def test_ipv6(confdir: Path, origin_ca: OriginCA):
    async with origin(answering(echo), host="::1") as web, standing_in(confdir, web, origin_ca) as program:
        assert (await ask(program, "http")).status == 200
        assert web.requests[0].fields["host"] == f"[::1]:{web.port}"


@needs_curl
async def test_connect_is_answered_400(confdir: Path, origin_ca: OriginCA):
    async with origin(answering(echo)) as web, standing_in(confdir, web, origin_ca) as program:
        done = await curl("-p", "-x", f"http://127.0.0.1:{program.port}", "http://other.test/")
        assert b"HTTP/1.1 400 " in done.head
        await program.line("request refused", "CONNECT")
        assert web.requests == []


@needs_curl
async def test_a_server_that_is_not_there(confdir: Path, client_scheme: str):
    port = free_port()
    async with middump(confdir, "--mode", f"reverse:https://127.0.0.1:{port}") as program:
        for _ in range(2):
            done = await ask(program, client_scheme, "--http1.1")
            assert done.status == 502
            assert f"127.0.0.1:{port} refused the connection" in done.body.decode()
        await program.line(f"GET https://127.0.0.1:{port}/x: ")


@needs_curl
async def test_a_bad_certificate(confdir: Path, client_scheme: str, origin_ca: OriginCA):
    tls = origin_ca.context("other.test")
    async with origin(answering(echo), tls=tls) as web, standing_in(confdir, web, origin_ca) as program:
        done = await ask(program, client_scheme, "--http1.1")
        assert done.status == 502
        assert "the certificate is not for the address 127.0.0.1" in done.body.decode()
        assert web.requests == []


@needs_curl
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_ourselves_as_the_server(confdir: Path, name: str):
    port = free_port()
    async with middump(confdir, "--mode", f"reverse:http://{name}:{port}", "-p", str(port)) as program:
        done = await ask(program, "http")
        assert done.status == 502
        assert "is this proxy itself" in done.body.decode()


async def test_ourselves_over_udp(confdir: Path):
    port = free_port()
    async with (
        middump(confdir, "--mode", f"reverse:udp://localhost:{port}", "-p", str(port)) as program,
        udp_client(port) as client,
    ):
        client.say(b"x")
        await program.line(f"localhost:{port} is this proxy itself")


# -- raw --


async def greet(end: SocketEnd) -> None:
    """A server that speaks first, as those for mail do."""
    end.say(b"220 hello\r\n")
    while data := await end.read():
        end.say(b"you said " + data)


@pytest.mark.parametrize("target", ["tcp", "tls"])
@pytest.mark.parametrize("client", ["plain", "tls"])
async def test_raw(confdir: Path, origin_ca: OriginCA, target: str, client: str):
    tls = origin_ca.context() if target == "tls" else None
    async with (
        origin(greet, tls=tls) as web,
        standing_in(confdir, web, origin_ca, scheme=target) as program,
    ):
        trust = ssl.create_default_context(cafile=str(program.ca)) if client == "tls" else None
        async with connected(program.port, tls=trust) as end:
            await end.expect(b"220 hello\r\n")
            end.say(b"GET / HTTP/1.1\r\n\r\n")  # which is no HTTP here
            await end.expect(b"you said GET / HTTP/1.1\r\n\r\n")
        await program.line(f"<- {web.authority} tcp 11b")


async def test_udp(confdir: Path):
    async with (
        udp_server(lambda data: b"you said " + data) as server,
        middump(confdir, "--mode", f"reverse:udp://127.0.0.1:{server.name[1]}") as program,
        udp_client(program.port) as one,
        udp_client(program.port) as other,
    ):
        one.say(b"one")
        await one.expect(b"you said one")
        other.say(b"\x00" * 1400)
        await other.expect(b"you said " + b"\x00" * 1400)
        await program.line("udp")


@pytest.mark.skipif(shutil.which("dig") is None, reason="the program dig is not installed")
@pytest.mark.parametrize("words", [(), ("+tcp",)], ids=["udp", "tcp"])
async def test_dns(confdir: Path, words: tuple[str, ...]):
    records = {("a.test", types.A): [address("a.test", "192.0.2.7")]}
    async with (
        name_server(records) as server,
        middump(confdir, "--mode", f"reverse:dns://127.0.0.1:{server.port}") as program,
    ):
        found = await dig(program.port, "a.test", *words)
        assert [answer[-1] for answer in found.answers] == ["192.0.2.7"], found.text
        assert (await dig(program.port, "b.test", *words)).status == "NXDOMAIN"
        assert {transport for transport, _, _ in server.asked} == {words[0][1:] if words else "udp"}
        await program.line("a.test")


# -- starts --


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("reverse:http3://h", "the scheme http3 comes in a later version"),
        ("reverse:quic://h:1", "the scheme quic comes in a later version"),
        ("reverse:dtls://h:1", "the scheme dtls comes in a later version"),
        ("reverse:socks5://h", "reverse knows the schemes"),
        ("reverse:tcp://h", "scheme tcp has no default port; write tcp://HOST:PORT"),
        ("reverse:", "the host is missing"),
        ("reverse:http://h/path", "no host with an optional port"),
        ("revers:http://h", "did you mean 'reverse'"),
    ],
)
async def test_modes_that_are_none(confdir: Path, mode: str, sentence: str):
    async with started(confdir, "--mode", mode) as program:
        assert sentence in await program.error(repr(mode))
        assert await program.ended() == 1
