import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from midstream.certs.authority import Authority
from midstream.certs.trust import ClientContexts, Trust, insecure_context, peer_chain, verifying_context
from midstream.certs.versions import Versions
from midstream.flows.certificate import Cert
from tests.kit.pki import issue, server_context, shake_hands

CA = Authority.create()


def session(contexts: ClientContexts, key: tuple[object, ...]) -> ssl.SSLSession | None:
    kept = contexts.resumable(key)
    return kept.session if kept is not None else None


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(CA.public_pem())
    return path


@pytest.mark.parametrize(
    ("names", "asked", "accepted"),
    [
        (["a.example"], "a.example", True),
        (["a.example"], "A.EXAMPLE", True),
        (["*.example.com"], "a.example.com", True),
        (["*.example.com"], "a.b.example.com", False),
        (["a.example"], "b.example", False),
        (["192.0.2.1"], "192.0.2.1", True),
        (["192.0.2.1"], "192.0.2.2", False),
        (["2001:db8::1"], "2001:db8:0::1", True),
        (["xn--mnchen-3ya.de"], "münchen.de", True),
        ([], "server", False),  # the common name does not count
    ],
)
def test_names_and_addresses_are_verified(ca_file: Path, names: list[str], asked: str, accepted: bool) -> None:
    client = verifying_context(Trust(ca_file=ca_file))
    _, _, error, _ = shake_hands(client, server_context(issue(names, CA)), asked)
    assert (error is None) is accepted
    if error is not None:
        assert isinstance(error, ssl.SSLCertVerificationError)


@pytest.mark.parametrize(("asked", "sent"), [("a.example", "a.example"), ("192.0.2.1", None), ("2001:db8::1", None)])
def test_addresses_are_not_sent_as_server_name(ca_file: Path, asked: str, sent: str | None) -> None:
    seen: list[str | None] = []
    server = server_context(issue([asked], CA))
    server.sni_callback = lambda tls, name, context: seen.append(name)
    _, _, error, _ = shake_hands(verifying_context(Trust(ca_file=ca_file)), server, asked)
    assert error is None
    assert seen == [sent]


def test_by_default_the_system_and_certifi_are_trusted_and_nobody_else() -> None:
    context = verifying_context(Trust())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) > 50
    _, _, error, _ = shake_hands(context, server_context(issue(["a.example"], CA)), "a.example")
    assert isinstance(error, ssl.SSLCertVerificationError)


def test_a_ca_file_takes_the_place_of_the_others(ca_file: Path) -> None:
    assert len(verifying_context(Trust(ca_file=ca_file)).get_ca_certs()) == 1


def test_a_servers_own_certificate_may_be_trusted(tmp_path: Path) -> None:
    own = issue(["a.example"], None)
    path = tmp_path / "own.pem"
    path.write_bytes(own.public_pem())
    _, _, error, _ = shake_hands(verifying_context(Trust(ca_file=path)), server_context(own), "a.example")
    assert error is None


def test_a_folder_of_hashed_cas(tmp_path: Path, ca_file: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    subprocess.run([openssl, "rehash", str(tmp_path)], check=True, capture_output=True)
    client = verifying_context(Trust(ca_folder=tmp_path))
    _, _, error, _ = shake_hands(client, server_context(issue(["a.example"], CA)), "a.example")
    assert error is None


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"missing\.pem: No such file"):
        verifying_context(Trust(ca_file=tmp_path / "missing.pem"))
    (tmp_path / "empty.pem").write_text("hello")
    with pytest.raises(ValueError, match=r"empty\.pem: holds no CA certificates"):
        verifying_context(Trust(ca_file=tmp_path / "empty.pem"))
    with pytest.raises(ValueError, match="nowhere: not a folder"):
        verifying_context(Trust(ca_folder=tmp_path / "nowhere"))


def test_insecure_takes_anything() -> None:
    client = insecure_context(Trust(insecure=True))
    near, _, error, _ = shake_hands(client, server_context(issue(["other"], None, end=-0.5)), "a.example")
    assert error is None
    assert len(peer_chain(near)) == 1


def test_the_chain_is_known_also_when_it_was_refused(ca_file: Path) -> None:
    middle = issue([], CA, is_ca=True, common_name="middle")
    leaf = issue(["a.example"], middle)
    server = server_context(leaf, middle)
    client = verifying_context(Trust(ca_file=ca_file))
    for asked in ("a.example", "b.example"):
        near, _, error, _ = shake_hands(client, server, asked)
        assert (error is None) is (asked == "a.example")
        chain = peer_chain(near)
        assert chain[0] == leaf.certificate.public_bytes(Encoding.DER)
        assert len(chain) == 2


def test_there_is_no_chain_before_the_server_spoke(ca_file: Path) -> None:
    tls = verifying_context(Trust(ca_file=ca_file)).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a")
    assert peer_chain(tls) == []


@pytest.mark.parametrize("maximum", ["TLS1_2", "TLS1_3"])
def test_sessions_are_resumed_and_keep_the_chain(ca_file: Path, maximum: str) -> None:
    contexts = ClientContexts(Trust(ca_file=ca_file, versions=Versions("TLS1_2", maximum)))
    server = server_context(issue(["a.example"], CA))
    assert contexts.context() is contexts.context()
    first, _, error, _ = shake_hands(contexts.context(), server, "a.example", session(contexts, ("key",)))
    assert error is None
    assert not first.session_reused
    certificate = Cert.from_der(peer_chain(first)[0])
    contexts.keep(("key",), first, [certificate])
    assert session(contexts, ("key",)) is None, "a server that is met once is not worth a session"
    contexts.keep(("key",), first, [certificate])
    assert session(contexts, ("other key",)) is None
    second, far, error, _ = shake_hands(contexts.context(), server, "a.example", session(contexts, ("key",)))
    assert error is None
    assert second.session_reused
    assert far.session_reused
    assert peer_chain(second) == peer_chain(first)
    kept = contexts.resumable(("key",))
    assert kept is not None
    assert kept.certificates == (certificate,)
    contexts.forget(("key",))
    assert session(contexts, ("key",)) is None


def test_sessions_of_an_insecure_context_are_of_no_use_to_a_verifying_one(ca_file: Path) -> None:
    insecure, strict = ClientContexts(Trust(insecure=True)), ClientContexts(Trust(ca_file=ca_file))
    server = server_context(issue(["other.example"], None))
    near, _, error, _ = shake_hands(insecure.context(), server, "a.example")
    assert error is None
    strict.context()
    strict.keep(("key",), near, ())
    strict.keep(("key",), near, ())
    assert session(strict, ("key",)) is None
    insecure.keep(("key",), near, ())
    insecure.keep(("key",), near, ())
    with pytest.raises(ValueError, match="different SSLContext"):
        shake_hands(strict.context(), server, "a.example", session(insecure, ("key",)))


def test_sessions_are_bounded_in_number_and_age(ca_file: Path) -> None:
    now = 1000.0
    contexts = ClientContexts(Trust(ca_file=ca_file), sessions=2, clock=lambda: now)
    server = server_context(issue(["a.example"], CA))
    near, _, _, _ = shake_hands(contexts.context(), server, "a.example")
    for key in ("a", "b", "c"):
        contexts.keep((key,), near, ())
        contexts.keep((key,), near, ())
    assert [key for key in ("a", "b", "c") if session(contexts, (key,))] == ["b", "c"]
    now += 3000
    resumed, _, _, _ = shake_hands(contexts.context(), server, "a.example", session(contexts, ("c",)))
    assert resumed.session_reused
    contexts.keep(("c",), resumed, ())
    now += 1000
    # Resuming proved nothing anew: the age counts from the handshake that verified the certificate.
    assert session(contexts, ("c",)) is None
