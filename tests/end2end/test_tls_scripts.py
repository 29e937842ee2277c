"""Scripts that choose how TLS is spoken, before the proxy does; seen by the programs at both ends."""

import ssl
from pathlib import Path

import pytest

from tests.end2end.test_tls import hello, trust_in
from tests.kit import pki
from tests.kit.origins import OriginCA, answering, ok, origin
from tests.kit.program import middump
from tests.kit.socket_end import tunnelled

pytestmark = pytest.mark.end2end

GET = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"

SEEN = """
import logging

def tls_start_client(data):
    logging.warning("client: %s %s", data.conn.tls, data.ssl_conn)

def tls_start_server(data):
    logging.warning("server: %s %s %s", data.conn.tls, data.ssl_conn, list(data.conn.alpn_offers))
"""

NAMES = """
def tls_start_client(data):
    data.conn.alpn = b"http/1.1"

def tls_start_server(data):
    data.conn.sni = "other.test"
    data.conn.alpn_offers = [b"http/1.1"]
"""

CIPHERS = """
def tls_start_client(data):
    data.conn.cipher_list = ["ECDHE-ECDSA-AES128-GCM-SHA256"]

def tls_start_server(data):
    data.conn.cipher_list = ["NONSENSE"] if data.context.client.sni == "bad.test" else ["ECDHE-ECDSA-CHACHA20-POLY1305"]
"""


async def test_scripts_come_before_what_is_usual(
    tmp_path: Path, confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    script = tmp_path / "seen.py"
    script.write_text(SEEN)
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, "-s", str(script), *trusting) as program,
    ):
        async with tunnelled(program.port, web.authority, trust_in(program.ca)) as end:
            end.say(GET)
            await end.rest()
        await program.line("server: True None []")
        await program.line("client: True None")


async def test_names_and_protocols(tmp_path: Path, confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    script = tmp_path / "names.py"
    script.write_text(NAMES)
    tls = origin_ca.context("other.test")
    tls.set_alpn_protocols(["h2", "http/1.1"])
    async with (
        origin(answering(hello), tls=tls) as web,
        middump(confdir, "-s", str(script), *trusting) as program,
    ):
        trust = trust_in(program.ca)
        trust.set_alpn_protocols(["h2", "http/1.1"])
        for _ in range(3):  # later ones look for a session to resume
            async with tunnelled(program.port, web.authority, trust) as end:
                assert end.tls.selected_alpn_protocol() == "http/1.1"
                end.say(GET)
                assert (await end.rest()).endswith(b"hello")
        assert [each.tls.selected_alpn_protocol() for each in web.connections] == ["http/1.1"] * 3


async def test_ciphers(tmp_path: Path, confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    script = tmp_path / "ciphers.py"
    script.write_text(CIPHERS)
    older = ("--set", "tls_version_client_max=TLS1_2", "--set", "tls_version_server_max=TLS1_2")
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, "-s", str(script), *trusting, *older) as program,
    ):
        for _ in range(3):
            async with tunnelled(program.port, web.authority, trust_in(program.ca)) as end:
                assert end.tls.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"
                end.say(GET)
                assert (await end.rest()).endswith(b"hello")
        assert {each.tls.cipher()[0] for each in web.connections} == {"ECDHE-ECDSA-CHACHA20-POLY1305"}
        async with tunnelled(program.port, web.authority, trust_in(program.ca), "bad.test") as end:
            end.say(GET)
            assert b"'NONSENSE' selects no cipher" in await end.rest()


PYOPENSSL = """
from OpenSSL import SSL

def tls_start_client(data):
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate_chain_file("{pem}")
    context.use_privatekey_file("{pem}")
    data.ssl_conn = SSL.Connection(context)
    data.ssl_conn.set_accept_state()

def tls_start_server(data):
    data.ssl_conn = SSL.Connection(SSL.Context(SSL.TLS_METHOD))
    data.ssl_conn.set_connect_state()

def tls_established_server(data):
    data.context.client.seen = data.ssl_conn.get_peer_certificate() is not None

def request(flow):
    flow.request.headers["seen"] = str(flow.client_conn.seen)
"""

NONSENSE = """
def tls_start_client(data):
    if data.context.client.sni == "near.test":
        data.ssl_conn = "nonsense"

def tls_start_server(data):
    data.ssl_conn = "nonsense"
"""


async def test_engines_of_pyopenssl(tmp_path: Path, confdir: Path):
    script, pem, ca = tmp_path / "engines.py", tmp_path / "own.pem", tmp_path / "ca.pem"
    authority = pki.issue([], None, is_ca=True)
    ca.write_bytes(authority.public_pem())
    pki.write_pem(pem, pki.issue(["127.0.0.1"], authority))
    script.write_text(PYOPENSSL.replace("{pem}", str(pem)))
    trust = trust_in(ca)
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT  # from 3.13 on: more than the CA of the test has
    async with (
        origin(answering(lambda heard: ok(heard.head)), tls=pki.server_context(pki.issue(["x"], None))) as web,
        middump(confdir, "-s", str(script)) as program,
    ):
        for _ in range(2):
            async with tunnelled(program.port, web.authority, trust) as end:
                end.say(GET)
                assert b"seen: True" in await end.rest()


async def test_what_is_no_engine(tmp_path: Path, confdir: Path, origin_ca: OriginCA):
    script = tmp_path / "nonsense.py"
    script.write_text(NONSENSE)
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, "-s", str(script)) as program,
    ):
        async with tunnelled(program.port, web.authority, trust_in(program.ca)) as end:
            end.say(GET)
            assert b"an addon set ssl_conn to 'nonsense', which is no engine" in await end.rest()
        await program.error("an addon set ssl_conn to 'nonsense', which is no engine; data.wrap(ssl_context) makes one")
        with pytest.raises((ConnectionError, ssl.SSLError)):
            async with tunnelled(program.port, web.authority, trust_in(program.ca), "near.test"):
                pass
        await program.line("    !! an addon set ssl_conn to 'nonsense', which is no engine")
        assert not any("Traceback" in line for line in program.errors)
