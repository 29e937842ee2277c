"""The options of TLS, seen by other programs: curl, openssl, and the ssl module of Python."""

import asyncio
import re
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from midstream.certs.authority import Authority
from tests.end2end.test_tls import hello, trust_in
from tests.kit import pki
from tests.kit.curl import curl, needs_curl, needs_openssl
from tests.kit.origins import OriginCA, answering, origin
from tests.kit.program import Middump, middump
from tests.kit.socket_end import tunnelled
from tests.kit.waiting import PATIENCE

pytestmark = pytest.mark.end2end

GET = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"


def options(**values: str) -> list[str]:
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


async def s_client(program: Middump, target: str, *flags: str) -> str:
    """What openssl says of a connection through the proxy."""
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-proxy", f"127.0.0.1:{program.port}", "-connect", target, "-servername", "localhost"),
        *flags,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE):
        said, _ = await process.communicate(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    return said.decode("utf-8", "replace")


# -- versions, ciphers, curves ----------------------------------------------------------------------------------------


@needs_openssl
@pytest.mark.parametrize(("flag", "version"), [("-tls1", "TLSv1"), ("-tls1_1", "TLSv1.1")])
async def test_old_clients(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], flag: str, version: str):
    old = options(tls_version_client_min="TLS1")
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, *trusting, *old) as program,
    ):
        said = await s_client(program, web.authority, flag, "-cipher", "DEFAULT:@SECLEVEL=0")
        assert f"Protocol  : {version}\n" in said, said
        await program.line(f"GET {web.url()}")


@needs_openssl
async def test_old_clients_are_turned_away_unless_allowed(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    async with origin(answering(hello), tls=origin_ca.context()) as web, middump(confdir, *trusting) as program:
        await s_client(program, web.authority, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0")
        await program.line("!! the client and we share no TLS version; older ones are allowed with tls_version_client")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
async def test_old_servers(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], version: ssl.TLSVersion):
    tls = origin_ca.context()
    tls.set_ciphers("DEFAULT:@SECLEVEL=0")
    tls.minimum_version = tls.maximum_version = version
    old = options(tls_version_server_min="TLS1")
    async with origin(answering(hello), tls=tls) as web:
        async with middump(confdir, *trusting, *old) as program:
            done = await ask(program, web.authority)
            assert done.endswith(b"hello")
        async with middump(confdir, *trusting) as program:
            await ask(program, web.authority)
            await program.line("!! 127.0.0.1 ", "tls_version_server_min")  # by an alert, or none


async def ask(program: Middump, target: str, tls: ssl.SSLContext | None = None) -> bytes:
    """The answer to a GET through the proxy, heads and all."""
    async with tunnelled(program.port, target, tls or trust_in(program.ca)) as end:
        end.say(GET)
        return await end.rest()


async def test_ciphers_on_either_side(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    near, far = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"
    chosen = options(
        ciphers_client=near,
        tls_version_client_max="TLS1_2",
        ciphers_server=far,
        tls_version_server_max="TLS1_2",
    )
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, *trusting, *chosen) as program,
    ):
        async with tunnelled(program.port, web.authority, trust_in(program.ca)) as end:
            end.say(GET)
            await end.rest()
            assert end.tls.cipher()[0] == near
        assert web.connections[0].tls.cipher()[0] == far


@needs_openssl
@pytest.mark.parametrize(("curve", "shown"), [("X25519", "X25519"), ("secp384r1", "secp384r1|P-384")])
async def test_the_curve_towards_clients(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], curve: str, shown: str
):
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, *trusting, *options(tls_ecdh_curve_client=curve)) as program,
    ):
        said = await s_client(program, web.authority)
        assert re.search(f"(?:Server Temp Key: (?:ECDH, )?|group: )(?:{shown})", said), said


async def test_the_curve_towards_servers(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    """A server that has another one only cannot be spoken to; one that has it can."""
    async with middump(confdir, *trusting, *options(tls_ecdh_curve_server="secp384r1")) as program:
        for curve, answered in (("secp384r1", True), ("prime256v1", False)):
            tls = origin_ca.context()
            tls.set_ecdh_curve(curve)
            async with origin(answering(hello), tls=tls) as web:
                assert (await ask(program, web.authority)).endswith(b"hello") == answered


# -- certificates of one's own ----------------------------------------------------------------------------------------


@needs_curl
async def test_a_certificate_of_ones_own(confdir: Path, tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    ca = pki.issue([], None, is_ca=True, common_name="a company")
    trusted = tmp_path / "company.pem"
    trusted.write_bytes(ca.public_pem())
    own = tmp_path / "own.pem"
    pki.write_pem(own, pki.issue(["127.0.0.1"], ca))
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, *trusting, "--certs", f"127.0.0.1={own}") as program,
    ):
        done = await curl("--proxy", program.address, "--cacert", str(trusted), web.url())
        assert (done.exit, done.body) == (0, b"hello"), done.errors


@needs_curl
@pytest.mark.parametrize("version", ["TLS1_2", "TLS1_3"])
async def test_a_server_gets_the_client_certificate(
    confdir: Path, tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str], version: str
):
    identities = tmp_path / "identities"
    identities.mkdir()
    me = pki.issue([], origin_ca.authority, common_name="me", purpose=x509.ExtendedKeyUsageOID.CLIENT_AUTH)
    pki.write_pem(identities / "127.0.0.1.pem", me)
    tls = origin_ca.context()
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(cafile=origin_ca.file)
    for given in (identities, identities / "127.0.0.1.pem"):
        chosen = options(client_certs=str(given), tls_version_server_max=version)
        async with origin(answering(hello), tls=tls) as web, middump(confdir, *trusting, *chosen) as program:
            done = await curl("--proxy", program.address, "--cacert", str(program.ca), web.url())
            assert (done.exit, done.body) == (0, b"hello"), done.errors
            shown = web.connections[0].tls.getpeercert()
            assert shown is not None
            assert shown["subject"] == ((("commonName", "me"),),)


WHO = """
def response(flow):
    print("seen:", [cert.cn for cert in flow.client_conn.certificate_list], flow.client_conn.tls_version, flush=True)
"""


@needs_curl
@pytest.mark.parametrize("flags", [["--tls-max", "1.2"], ["--tlsv1.3"]], ids=["TLS 1.2", "TLS 1.3"])
async def test_clients_show_certificates_of_anybody(
    confdir: Path, tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str], flags: list[str]
):
    script = tmp_path / "who.py"
    script.write_text(WHO)
    me = tmp_path / "me.pem"
    pki.write_pem(me, pki.issue([], None, common_name="a stranger"))
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, *trusting, "--set", "request_client_cert=true", "-s", str(script)) as program,
    ):
        through = ("--proxy", program.address, "--cacert", str(program.ca), *flags, web.url())
        done = await curl("--cert", str(me), *through)
        assert (done.exit, done.body) == (0, b"hello"), done.errors
        await program.line("seen: ['a stranger']")
        done = await curl(*through)
        assert (done.exit, done.body) == (0, b"hello"), done.errors
        await program.line("seen: []")


# -- sessions ---------------------------------------------------------------------------------------------------------


def shake_hands_twice(port: int, target: str, trust: ssl.SSLContext) -> list[bool]:
    """Whether each of three connections resumed the session of the one before."""
    reused: list[bool] = []
    session = None
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain:
            plain.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            assert plain.recv(1000).startswith(b"HTTP/1.1 200")
            with trust.wrap_socket(plain, server_hostname="localhost", session=session) as tls:
                tls.sendall(GET)
                while tls.recv(65536):
                    pass
                reused.append(bool(tls.session_reused))
                session = tls.session
    return reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("asking", ["false", "true"])
async def test_clients_resume_their_sessions(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], version: ssl.TLSVersion, asking: str
):
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, *trusting, "--set", f"request_client_cert={asking}") as program,
    ):
        await ask(program, web.authority)  # the CA is there then
        trust = trust_in(program.ca)
        trust.maximum_version = version
        reused = await asyncio.to_thread(shake_hands_twice, program.port, web.authority, trust)
        assert reused == [False, True, True]


# -- what is known of clients -----------------------------------------------------------------------------------------

PRINTS = """
def response(flow):
    print("prints:", flow.client_conn.ja3, flow.client_conn.ja4, flush=True)
"""


async def test_fingerprints_of_clients(confdir: Path, tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    script = tmp_path / "prints.py"
    script.write_text(PRINTS)
    async with (
        origin(answering(hello), tls=origin_ca.context()) as web,
        middump(confdir, *trusting, "-s", str(script)) as program,
    ):
        await ask(program, web.authority)
        line = await program.line("prints: ")
        assert re.fullmatch(r"prints: [0-9a-f]{32} t13i\d{4}00_[0-9a-f]{12}_[0-9a-f]{12}", line)
        old = trust_in(program.ca)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.set_alpn_protocols(["http/1.1"])
        async with tunnelled(program.port, web.authority, old, "localhost") as end:
            end.say(GET)
            await end.rest()
        await program.line(" t12d")


# -- clients that do not want us --------------------------------------------------------------------------------------


async def test_a_client_that_tries_again_and_again(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with origin(answering(hello), tls=origin_ca.context()) as web, middump(confdir, *trusting) as program:
        for _ in range(12):
            with pytest.raises(ssl.SSLCertVerificationError):
                async with tunnelled(program.port, web.authority, ssl.create_default_context()):
                    pass
        await program.line("10 times by now: ", "trust our certificate")
        told = [line for line in program.lines if "trust our certificate" in line]
        assert len(told) == 3, program.printed()  # the log's line, the flow's, and the one that counts


async def test_a_client_that_pins_certificates(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    """It shakes hands, looks at the certificate, and goes."""
    async with origin(answering(hello), tls=origin_ca.context()) as web, middump(confdir, *trusting) as program:
        await ask(program, web.authority)
        async with tunnelled(program.port, web.authority, trust_in(program.ca), "localhost") as end:
            end.writer.write_eof() if end.writer.can_write_eof() else end.writer.close()
            await end.rest()
        await program.line("!! the client closed the connection right after the TLS handshake for localhost")


@needs_curl
async def test_the_list_of_revoked_certificates_is_served(confdir: Path):
    async with middump(confdir) as program:
        done = await curl("--proxy", program.address, "http://127.0.0.1:1/")  # the CA is there then
        serial = x509.load_pem_x509_certificate(program.ca.read_bytes()).serial_number
        done = await curl("--proxy", program.address, f"http://crl.test/ca/midstream-{serial}.crl")
        assert done.status == 200
        found = x509.load_der_x509_crl(done.body)
        key = Authority.load(confdir / "midstream-ca.pem").key.public_key()
        assert found.is_signature_valid(key)  # type: ignore[arg-type]
