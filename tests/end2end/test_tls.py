"""TLS on both sides: what certificate a client sees, whom it may name, what it may speak, and what it does not like."""

import asyncio
import datetime
import re
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from tests.kit import pki
from tests.kit.curl import curl, needs_curl, needs_openssl
from tests.kit.origins import Heard, Origin, OriginCA, answering, ok, origin
from tests.kit.program import middump
from tests.kit.socket_end import tunnelled
from tests.kit.waiting import PATIENCE
from tests.kit.web_client import web_client

pytestmark = pytest.mark.end2end


def hello(heard: Heard) -> bytes:
    return ok(b"hello")


def trust_in(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca))


async def shown_to_client(program_port: int, ca: Path, target: str, name: str | None = None) -> x509.Certificate:
    """The certificate that a client gets to see in a tunnel; it has verified it strictly."""
    trust = trust_in(ca)
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    async with tunnelled(program_port, target, trust, name) as end:
        der = end.tls.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der)


def names_of(certificate: x509.Certificate) -> set[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(item.value) for item in found}


async def test_the_certificate_a_client_sees(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    tls = origin_ca.context("127.0.0.1", "localhost", "*.example.test")
    async with origin(answering(hello), tls=tls) as web, middump(confdir, *trusting) as program:
        seen = await shown_to_client(program.port, program.ca, web.authority)
    # The names of the server's own certificate, so that what shares it may share the connection.
    assert names_of(seen) >= {"127.0.0.1", "localhost", "*.example.test"}
    assert seen.not_valid_after_utc - seen.not_valid_before_utc < datetime.timedelta(days=200)
    assert seen.not_valid_before_utc < datetime.datetime.now(datetime.UTC) < seen.not_valid_after_utc
    assert not seen.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@needs_openssl
async def test_openssl_verifies_it_strictly(
    confdir: Path, tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    async with origin(answering(hello), tls=origin_ca.context()) as web, middump(confdir, *trusting) as program:
        seen = await shown_to_client(program.port, program.ca, web.authority)
        leaf = tmp_path / "leaf.pem"
        leaf.write_bytes(pki.pem(seen))
        command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(program.ca), str(leaf)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@needs_curl
@pytest.mark.parametrize("flags", [["--tls-max", "1.2"], ["--tlsv1.3"]], ids=["TLS 1.2", "TLS 1.3"])
@pytest.mark.parametrize("server", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_versions_on_either_side_are_independent(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], flags: list[str], server: ssl.TLSVersion
):
    tls = origin_ca.context()
    tls.minimum_version = tls.maximum_version = server
    async with origin(answering(hello), tls=tls) as web, middump(confdir, *trusting) as program:
        done = await curl("--proxy", program.address, "--cacert", str(program.ca), *flags, web.url())
        assert (done.exit, done.body) == (0, b"hello"), done.errors


@needs_curl
async def test_http2_is_not_agreed_on(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with origin(answering(hello), tls=origin_ca.context()) as web, middump(confdir, *trusting) as program:
        done = await curl("--proxy", program.address, "--cacert", str(program.ca), "--http2", web.url())
        assert b"\r\n\r\nHTTP/1.1 200 OK\r\n" in done.head


async def test_the_tunnel_keeps_its_connection_to_the_server(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, *trusting) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        for number in range(5):
            client.ask(f"/{number}")
            assert (await client.answer())[1] == b"hello"
        assert len(web.connections) == 1
        assert [heard.target for heard in web.requests] == ["/0", "/1", "/2", "/3", "/4"]


async def test_a_client_that_names_nobody(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    """Without SNI the name in CONNECT has to do."""
    async with (
        origin(answering(hello), tls=origin_ca.context("localhost")) as web,
        middump(confdir, *trusting) as program,
    ):
        trust = trust_in(program.ca)
        trust.check_hostname = False
        async with tunnelled(program.port, f"localhost:{web.port}", trust, "127.0.0.1") as end:  # addresses are no SNI
            assert ("DNS", "localhost") in end.tls.getpeercert()["subjectAltName"]
            end.say(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await end.head()).startswith(b"HTTP/1.1 200 ")


async def test_the_name_that_the_client_asks_for_is_asked_for_and_verified(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    asked: list[str | None] = []
    tls = origin_ca.context("virtual.test")
    tls.sni_callback = lambda conn, name, context: asked.append(name)
    async with origin(answering(hello), tls=tls) as web, middump(confdir, *trusting) as program:
        async with tunnelled(program.port, web.authority, trust_in(program.ca), "virtual.test") as end:
            end.say(b"GET / HTTP/1.1\r\nHost: virtual.test\r\n\r\n")
            assert (await end.head()).startswith(b"HTTP/1.1 200 ")
        async with tunnelled(program.port, web.authority, trust_in(program.ca), "unlike.test") as end:
            end.say(b"GET / HTTP/1.1\r\nHost: unlike.test\r\n\r\n")
            assert (await end.head()).startswith(b"HTTP/1.1 502 ")
        await program.line("    !! the certificate is not for unlike.test but for virtual.test")
    assert set(asked) == {"virtual.test", "unlike.test"}
    assert len(web.requests) == 1


@needs_curl
@pytest.mark.parametrize("options", [[], ["--proxytunnel"]], ids=["", "in a tunnel"])
async def test_an_origin_with_an_ipv6_address(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], scheme: str, options: list[str]
):
    tls = origin_ca.context("::1") if scheme == "https" else None
    async with origin(answering(hello), tls=tls, host="::1") as web, middump(confdir, *trusting) as program:
        through = ("-g", "--proxy", program.address, "--cacert", str(program.ca), *options)
        done = await curl(*through, web.url("/six"))
        assert (done.exit, done.body) == (0, b"hello"), done.errors
        await program.line(f"GET {scheme}://[::1]:{web.port}/six")
        assert web.requests[0].fields["host"] == web.authority


@needs_curl
async def test_a_refusing_ipv6_address_is_named_readably(confdir: Path):
    async with middump(confdir) as program:
        done = await curl("-g", "--proxy", program.address, "http://[::1]:1/")
        assert (done.status, done.body[:18]) == (502, b"[::1]:1 refused th")


@needs_curl
async def test_tls_to_the_proxy_itself(confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str]):
    async with origin(answering(hello), tls=tls) as web, middump(confdir, *trusting) as program:
        assert (await curl("--proxy", program.address, web.url())).exit in (0, 60)  # makes sure that the CA is there
        proxy = f"https://127.0.0.1:{program.port}"
        done = await curl(
            "--proxy", proxy, "--proxy-cacert", str(program.ca), "--cacert", str(program.ca), web.url("/inside")
        )
        assert (done.exit, done.body) == (0, b"hello"), done.errors
        await program.line(f"GET {web.url('/inside')}")


@needs_curl
@pytest.mark.parametrize("flags", [["--tls-max", "1.2"], ["--tlsv1.3"]], ids=["TLS 1.2", "TLS 1.3"])
async def test_a_client_that_rejects_our_certificate(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], flags: list[str]
):
    async with origin(answering(hello), tls=origin_ca.context()) as web, middump(confdir, *trusting) as program:
        done = await curl("--proxy", program.address, *flags, web.url())
        assert done.exit == 60
        reason = "the client does not trust our certificate for "
        await program.line(f"] {web.authority}: {reason}")
        row = await program.line(f"CONNECT {web.authority}")
        assert re.match(r"127.0.0.1:\d+ CONNECT ", row)
        told = await program.line(f"    !! {reason}")
        assert "install midstream-ca-cert.pem" in told
        assert web.requests == []


@needs_curl
async def test_a_client_that_rejects_the_proxy_s_own_certificate(confdir: Path):
    async with middump(confdir) as program:
        done = await curl("--proxy", f"https://127.0.0.1:{program.port}", "http://127.0.0.1:1/")
        assert done.exit == 60
        await program.line("the client does not trust our certificate for ")


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_a_server_that_wants_a_client_certificate(
    confdir: Path, tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str], version: str
):
    """OpenSSL's own server, since asyncio's does not say why it refuses a client."""
    pem = tmp_path / "server.pem"
    pki.write_pem(pem, origin_ca.issue())
    server = await asyncio.create_subprocess_exec(
        *("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(pem), "-Verify", "1", "-verify_return_error"),
        version,
        stdin=asyncio.subprocess.PIPE,  # at whose end it would end
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert server.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await server.stdout.readuntil(b"ACCEPT 127.0.0.1:") + await server.stdout.readline()
        web = Origin("127.0.0.1", int(line.rpartition(b":")[2]), "https")
        async with middump(confdir, *trusting) as program, web_client(program.port, web, program.ca) as client:
            client.ask("/")
            assert (await client.answer())[0].startswith(b"HTTP/1.1 502 ")
            await program.line("    !! ", "asks for a client certificate")
    finally:
        if server.returncode is None:
            server.kill()
        await server.communicate()
