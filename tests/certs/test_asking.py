"""Clients that are asked for their certificate: the engine behaves as those of the module ssl."""

import asyncio
import ssl
from pathlib import Path

import pytest

from midstream.certs.asking import AskingContexts
from midstream.certs.authority import Authority
from midstream.certs.failures import explain_client
from midstream.certs.leaves import LeafStore
from midstream.certs.openssl_engine import OpenSSLEngine
from midstream.certs.trust import load_identity, peer_chain
from midstream.certs.versions import Versions
from midstream.proxy.streams.memory import memory_pair
from midstream.proxy.streams.tls import TLSStream
from tests.kit.pki import issue, write_pem

CA = Authority.create()
STRANGER = Authority.create()
LEAVES = LeafStore(CA)
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """A client certificate of a CA that nobody knows, with an intermediate one; and expired at that."""
    middle = issue([], STRANGER, is_ca=True, common_name="middle")
    path = tmp_path / "client.pem"
    write_pem(path, issue([], middle, common_name="me", start=-9, end=-3), middle)
    return path


def client_context(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=CA.public_pem().decode())
    context.maximum_version = version
    return context


class Pair:
    """Two streams in memory; ours is the asking one."""

    def __init__(
        self, client: ssl.SSLContext, contexts: AskingContexts | None = None, protocols: tuple[str, ...] = ()
    ) -> None:
        near, far = memory_pair()
        self.ours, self.theirs = TLSStream(near), TLSStream(far)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        contexts = contexts or AskingContexts(LEAVES, Versions())
        self.engine = contexts.engine(LEAVES.leaf(["a.test"]), (), protocols, incoming, outgoing)
        self._ours = (self.engine, incoming, outgoing)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(incoming, outgoing, server_hostname="a.test")
        self._theirs = (self.client, incoming, outgoing)

    async def shake(self) -> tuple[BaseException | None, ...]:
        done = await asyncio.gather(
            self.ours.handshake(*self._ours, 5),  # type: ignore[arg-type]
            self.theirs.handshake(*self._theirs, 5),
            return_exceptions=True,
        )
        return tuple(done)


@pytest.mark.parametrize("version", VERSIONS)
async def test_any_certificate_is_accepted_and_seen(identity: Path, version: ssl.TLSVersion) -> None:
    client = client_context(version)
    load_identity(client, identity, "")
    client.set_alpn_protocols(["h2", "http/1.1"])
    pair = Pair(client, protocols=("http/1.1",))
    assert await pair.shake() == (None, None)
    chain = peer_chain(pair.engine)  # type: ignore[arg-type]
    assert [pem_subject(der) for der in chain] == ["CN=me", "CN=middle"]
    assert pair.engine.getpeercert(binary_form=True) == chain[0]
    assert pair.engine.selected_alpn_protocol() == pair.client.selected_alpn_protocol() == "http/1.1"
    assert pair.engine.version() == pair.client.version()
    assert pair.engine.cipher() is not None
    assert pair.engine.cipher()[0] == (pair.client.cipher() or ("",))[0]  # type: ignore[index]


def pem_subject(der: bytes) -> str:
    from cryptography import x509

    return x509.load_der_x509_certificate(der).subject.rfc4514_string()


async def test_none_is_accepted_as_well() -> None:
    pair = Pair(client_context())
    assert await pair.shake() == (None, None)
    assert peer_chain(pair.engine) == []  # type: ignore[arg-type]
    assert pair.engine.getpeercert() is None
    assert pair.engine.selected_alpn_protocol() is None


@pytest.mark.parametrize("version", VERSIONS)
async def test_bytes_pass_both_ways_and_the_end_is_seen(version: ssl.TLSVersion) -> None:
    pair = Pair(client_context(version))
    await pair.shake()
    large = bytes(range(256)) * 1000
    pair.theirs.write(large)
    got = b""
    while len(got) < len(large):
        got += await pair.ours.read()
    assert got == large
    pair.ours.write(large)
    got = b""
    while len(got) < len(large):
        got += await pair.theirs.read()
    assert got == large
    pair.theirs.write(b"last words")
    pair.theirs.write_eof()
    assert await pair.ours.read() == b"last words"
    assert await pair.ours.read() == b""
    assert not pair.ours.truncated
    pair.ours.write(b"answer")
    pair.ours.write_eof()
    assert await pair.theirs.read() == b"answer"
    assert await pair.theirs.read() == b""
    assert not pair.theirs.truncated


async def test_what_comes_along_with_the_handshake_is_read() -> None:
    pair = Pair(client_context())

    async def shake_and_speak() -> None:
        await pair.theirs.handshake(*pair._theirs, 5)
        pair.theirs.write(b"at once")
        pair.theirs.write_eof()

    await asyncio.gather(pair.ours.handshake(*pair._ours, 5), shake_and_speak())  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        assert await pair.ours.read() == b"at once"
        assert await pair.ours.read() == b""


async def test_a_client_that_does_not_trust_us_is_understood() -> None:
    pair = Pair(ssl.create_default_context())
    ours, theirs = await pair.shake()
    assert isinstance(theirs, ssl.SSLCertVerificationError)
    assert isinstance(ours, ssl.SSLError)
    assert "the client does not trust our certificate for a.test" in explain_client(ours, "a.test")


async def test_a_client_that_shares_no_version() -> None:
    pair = Pair(client_context(ssl.TLSVersion.TLSv1_2), AskingContexts(LEAVES, Versions("TLS1_3")))
    ours, _ = await pair.shake()
    assert isinstance(ours, ssl.SSLError)
    assert "share no TLS version" in explain_client(ours, "a.test")


async def test_versions_ciphers_and_curve_are_obeyed() -> None:
    versions = Versions("TLS1_2", "TLS1_2", "ECDHE-ECDSA-AES256-GCM-SHA384", "p-384")
    pair = Pair(client_context(), AskingContexts(LEAVES, versions))
    assert await pair.shake() == (None, None)
    assert pair.engine.version() == "TLSv1.2"
    assert pair.client.cipher() == ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2", 256)
    with pytest.raises(ValueError, match="the curve is one of prime256v1, secp384r1, secp521r1, not X25519"):
        AskingContexts(LEAVES, Versions(curve="x25519"))


async def test_secrets_are_logged(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    await Pair(client_context(), AskingContexts(LEAVES, Versions(), key_log=path)).shake()
    assert "SERVER_TRAFFIC_SECRET_0 " in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_contexts_are_kept_up_to_a_bound() -> None:
    contexts = AskingContexts(LEAVES, Versions(), capacity=2)

    def engine(name: str) -> OpenSSLEngine:
        return contexts.engine(LEAVES.leaf([name]), (), (), ssl.MemoryBIO(), ssl.MemoryBIO())

    first = engine("a.test").context
    assert engine("a.test").context is first
    engine("b.test")
    engine("c.test")
    assert engine("a.test").context is not first
