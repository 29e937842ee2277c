import ssl
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from midstream.certs.authority import Authority
from midstream.certs.failures import explain_client, explain_upstream
from midstream.certs.leaves import LeafStore
from midstream.certs.serving import ServingContexts
from midstream.certs.trust import Trust, peer_chain, verifying_context
from midstream.certs.versions import Versions
from tests.kit.pki import issue, server_context, shake_hands

CA = Authority.create()
STRANGER = Authority.create()


@pytest.fixture
def client(tmp_path: Path) -> ssl.SSLContext:
    path = tmp_path / "ca.pem"
    path.write_bytes(CA.public_pem())
    return verifying_context(Trust(ca_file=path))


def upstream_words(client: ssl.SSLContext, server: ssl.SSLContext, asked: str = "a.example") -> str:
    near, _, error, _ = shake_hands(client, server, asked)
    assert error is not None
    return explain_upstream(error, asked, peer_chain(near))


def test_expired(client: ssl.SSLContext) -> None:
    words = upstream_words(client, server_context(issue(["a.example"], CA, start=-9, end=-2)))
    assert words.startswith("the certificate of a.example expired on 20")
    assert "ssl_insecure" in words


def test_an_expired_intermediate_is_the_one_that_is_dated(client: ssl.SSLContext) -> None:
    middle = issue([], CA, is_ca=True, start=-9, end=-2, common_name="middle")
    words = upstream_words(client, server_context(issue(["a.example"], middle, end=99), middle))
    assert f"expired on {middle.certificate.not_valid_after_utc:%Y-%m-%d}" in words


def test_not_yet_valid(client: ssl.SSLContext) -> None:
    words = upstream_words(client, server_context(issue(["a.example"], CA, start=2)))
    assert "valid only from 20" in words
    assert "clock" in words


def test_wrong_host_names_the_names(client: ssl.SSLContext) -> None:
    words = upstream_words(client, server_context(issue(["b.example", "*.c.example"], CA)))
    assert words.startswith("the certificate is not for a.example but for b.example, *.c.example;")
    many = upstream_words(client, server_context(issue([f"h{i}.example" for i in range(9)], CA)))
    assert "h4.example and 4 more" in many
    address = upstream_words(client, server_context(issue(["192.0.2.1"], CA)), "192.0.2.9")
    assert "not for the address 192.0.2.9 but for 192.0.2.1" in address
    none = upstream_words(client, server_context(issue([], CA)))
    assert "but for other names" in none


def test_self_signed(client: ssl.SSLContext) -> None:
    words = upstream_words(client, server_context(issue(["a.example"], None)))
    assert "a.example shows a self-signed certificate" in words
    assert "ssl_verify_upstream_trusted_ca" in words


def test_unknown_ca(client: ssl.SSLContext) -> None:
    words = upstream_words(client, server_context(issue(["a.example"], STRANGER)))
    assert 'was issued by "midstream", which is not trusted here' in words
    root_sent = upstream_words(client, server_context(issue(["a.example"], STRANGER), STRANGER))
    assert "not trusted here" in root_sent


def test_a_certificate_for_clients(client: ssl.SSLContext) -> None:
    words = upstream_words(client, server_context(issue(["a.example"], CA, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)))
    assert "not meant for servers" in words


def test_hostile_names_cannot_reach_the_terminal(client: ssl.SSLContext) -> None:
    evil = issue([], None, is_ca=True, common_name="\x1b[31mevil\u202e")
    words = upstream_words(client, server_context(issue(["a.example"], evil), evil))
    assert words.isprintable()
    assert "evil" in words


def test_no_shared_version(client: ssl.SSLContext) -> None:
    server = server_context(issue(["a.example"], CA))
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    near, _, near_error, far_error = shake_hands(client, server, "a.example")
    assert near_error is not None
    assert "share no TLS version" in explain_upstream(near_error, "a.example", peer_chain(near))
    assert far_error is not None
    assert "tls_version_client_min" in explain_client(far_error, "a.example")


def test_no_shared_cipher(client: ssl.SSLContext) -> None:
    server = server_context(issue(["a.example"], CA))
    for context, ciphers in ((server, "ECDHE-ECDSA-AES128-GCM-SHA256"), (client, "ECDHE-ECDSA-AES256-GCM-SHA384")):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
    _, _, near_error, far_error = shake_hands(client, server, "a.example")
    assert near_error is not None
    assert "ciphers_server" in explain_upstream(near_error, "a.example")
    assert far_error is not None
    assert "ciphers_client" in explain_client(far_error, "a.example")


def test_a_client_certificate_is_wanted(client: ssl.SSLContext) -> None:
    server = server_context(issue(["a.example"], CA))
    server.verify_mode = ssl.CERT_REQUIRED
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    words = upstream_words(client, server)
    assert "client certificate" in words


def test_plain_http_upstream(client: ssl.SSLContext) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client.wrap_bio(incoming, outgoing, server_hostname="a.example")
    incoming.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError) as caught:
        tls.do_handshake()
    assert "plain HTTP" in explain_upstream(caught.value, "a.example")


def test_upstream_that_leaves_or_stalls() -> None:
    for exc in (ssl.SSLEOFError(8, "eof"), ConnectionResetError("reset")):
        assert "closed the connection during the TLS handshake" in explain_upstream(exc, "a.example")
    assert "in time" in explain_upstream(TimeoutError(), "a.example")


def test_an_error_without_words_of_its_own() -> None:
    error = ssl.SSLError(1, "[SSL: SOMETHING_NEW] something new")
    error.reason = "SOMETHING_NEW"
    assert explain_upstream(error, "a.example") == "the TLS handshake with a.example failed: something new"
    assert explain_client(error) == "the TLS handshake with the client failed: something new"


def ours() -> ssl.SSLContext:
    store = LeafStore(STRANGER)
    return ServingContexts(store, Versions()).context(store.leaf(["a.example"]))


def test_a_client_that_does_not_trust_us(client: ssl.SSLContext) -> None:
    _, _, _, error = shake_hands(client, ours(), "a.example")
    assert error is not None
    words = explain_client(error, "a.example")
    assert "does not trust our certificate for a.example" in words
    assert "midstream-ca-cert.pem" in words
    assert "pins certificates" in words


def test_a_wrapped_error_is_understood(client: ssl.SSLContext) -> None:
    _, _, _, error = shake_hands(client, ours(), "a.example")
    wrapped = ConnectionError("TLS failed")
    wrapped.__cause__ = error
    assert "does not trust" in explain_client(wrapped, "a.example")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "plain HTTP where TLS was expected"),
        (b"CONNECT a:443 HTTP/1.1\r\n\r\n", "plain HTTP where TLS was expected"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not TLS"),
    ],
)
def test_a_client_that_speaks_no_tls(data: bytes, words: str) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ours().wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(data)
    with pytest.raises(ssl.SSLError) as caught:
        tls.do_handshake()
    assert words in explain_client(caught.value)


def test_clients_that_leave_or_stall() -> None:
    words = explain_client(ssl.SSLEOFError(8, "eof"), "a.example")
    assert "without saying why" in words
    assert "midstream-ca-cert.pem" in words
    assert "without saying why" in explain_client(ConnectionResetError(), None)
    assert "in time" in explain_client(TimeoutError(), "a.example")
