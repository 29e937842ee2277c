import datetime
import ipaddress
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from midstream.certs import leaves as module
from midstream.certs.authority import Authority
from midstream.certs.leaves import MAX_NAMES, Leaf, LeafStore, covers, general_name
from midstream.certs.serving import ServingContexts
from midstream.certs.versions import Versions
from tests.kit import pki

ECDSA = Authority.create()
RSA = Authority.create("rsa")


def alternatives(leaf: Leaf) -> x509.Extension[x509.SubjectAlternativeName]:
    return leaf.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def common_names(leaf: Leaf) -> list[str]:
    return [str(item.value) for item in leaf.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]


def test_a_leaf() -> None:
    leaf = LeafStore(ECDSA).leaf(["a.example", "*.b.example", "192.0.2.1", "2001:db8::1"], "Acme")
    certificate = leaf.certificate
    names = alternatives(leaf)
    assert names.value.get_values_for_type(x509.DNSName) == ["a.example", "*.b.example"]
    assert names.value.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("192.0.2.1"),
        ipaddress.ip_address("2001:db8::1"),
    ]
    assert not names.critical
    assert certificate.subject.rfc4514_string() == "O=Acme,CN=a.example"
    assert certificate.issuer == ECDSA.certificate.subject
    certificate.verify_directly_issued_by(ECDSA.certificate)
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    now = datetime.datetime.now(datetime.UTC)
    assert lifetime < datetime.timedelta(days=200)
    assert now - certificate.not_valid_before_utc > datetime.timedelta(days=1)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [x509.ExtendedKeyUsageOID.SERVER_AUTH]
    assert certificate.public_key() != ECDSA.key.public_key()
    assert leaf.der == certificate.public_bytes(module.serialization.Encoding.DER)


def test_leaves_are_kept_per_names_and_bounded() -> None:
    store = LeafStore(ECDSA, capacity=2)
    first = store.leaf(["a.example"])
    assert store.leaf(("a.example",)) is first
    assert store.leaf(["a.example"], "Acme") is not first
    assert store.leaf(["a.example"]) is first
    store.leaf(["c.example"])
    assert len(store) == 2
    assert store.leaf(["a.example"]) is first
    assert first.certificate.serial_number != store.leaf(["b.example"]).certificate.serial_number


def test_a_leaf_is_renewed_long_before_it_ends() -> None:
    now = datetime.datetime.now(datetime.UTC)
    store = LeafStore(ECDSA, clock=lambda: now)
    first = store.leaf(["a.example"])
    now += datetime.timedelta(days=40)
    assert store.leaf(["a.example"]) is first
    now += datetime.timedelta(days=20)
    second = store.leaf(["a.example"])
    assert second is not first
    assert first.certificate.not_valid_after_utc - now > datetime.timedelta(days=100)
    assert len(store) == 1


@pytest.mark.parametrize("length", [63, 64, 70])
def test_long_names_stand_in_the_san_only(length: int) -> None:
    name = "a" * 50 + "." + "b" * (length - 51)
    leaf = LeafStore(ECDSA).leaf([name])
    assert common_names(leaf) == ([name] if length < 64 else [])
    assert alternatives(leaf).critical is (length >= 64)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Example.COM.", "Example.COM"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("*.example.com", "*.example.com"),
        ("_x.example", "_x.example"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("10.0.0.1", "10.0.0.1"),
        ("localhost", "localhost"),
    ],
)
def test_names_as_they_stand_in_certificates(name: str, value: str) -> None:
    general, text = general_name(name)
    assert general is not None
    assert str(general.value) == text == value


@pytest.mark.parametrize(
    "name", ["", ".", "a b", "a\x1b.example", "f*.example", "*", "*.*.example", "a..b", "999.1.1.1", "a" * 64, "ü" * 70]
)
def test_what_is_no_name_is_left_out(name: str) -> None:
    assert general_name(name)[0] is None
    leaf = LeafStore(ECDSA).leaf([name, "b.example"])
    assert alternatives(leaf).value.get_values_for_type(x509.DNSName) == ["b.example"]


@given(st.lists(st.text(max_size=80), max_size=5), st.text(max_size=80))
def test_any_text_gives_a_certificate_that_can_be_loaded(names: list[str], organization: str) -> None:
    leaf = LeafStore(ECDSA).leaf(names, organization)
    parsed = x509.load_der_x509_certificate(leaf.der)
    assert len(parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) >= 1


def test_too_many_names_and_doubles() -> None:
    leaf = LeafStore(ECDSA).leaf(["a.example", "a.example", *(f"h{i}.example" for i in range(1000))])
    names = alternatives(leaf).value.get_values_for_type(x509.DNSName)
    assert len(names) == len(set(names)) == MAX_NAMES


@pytest.mark.parametrize(
    ("names", "host", "yes"),
    [
        (["a.example"], "A.Example.", True),
        (["*.example.com"], "a.example.com", True),
        (["*.example.com"], "example.com", False),
        (["*.example.com"], "a.b.example.com", False),
        (["*.Example.com"], "a.example.COM", True),
        (["192.0.2.1"], "192.0.2.1", True),
        (["*"], "localhost", False),
        ([], "a", False),
    ],
)
def test_covers(names: list[str], host: str, yes: bool) -> None:
    assert covers(names, host) is yes


@pytest.mark.parametrize("ca", [ECDSA, RSA], ids=["ecdsa", "rsa"])
@pytest.mark.parametrize("key_type", ["ecdsa", "rsa"])
@pytest.mark.parametrize("names", [["a.example"], ["192.0.2.1"], ["a" * 60 + ".example"]])
def test_openssl_accepts_leaves_strictly(tmp_path: Path, ca: Authority, key_type: str, names: list[str]) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    (tmp_path / "ca.pem").write_bytes(ca.public_pem())
    (tmp_path / "leaf.pem").write_bytes(LeafStore(ca, key_type=key_type).leaf(names).pem)
    done = subprocess.run(
        [openssl, "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "leaf.pem"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "leaf.pem: OK\n", done.stderr


@pytest.mark.parametrize("ca", [ECDSA, RSA], ids=["ecdsa", "rsa"])
@pytest.mark.parametrize("key_type", ["ecdsa", "rsa"])
@pytest.mark.parametrize("name", ["a.example", "192.0.2.1", "2001:db8::1", "münchen.de", "a" * 60 + ".example"])
def test_the_strictest_python_client_accepts_leaves(ca: Authority, key_type: str, name: str) -> None:
    # What ssl.create_default_context does from Python 3.13 on.
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    client.hostname_checks_common_name = False
    client.load_verify_locations(cadata=ca.public_pem().decode())
    store = LeafStore(ca, key_type=key_type)
    server = ServingContexts(store, Versions()).context(store.leaf([name]))
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=name)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for tls in (near, far, near, far):
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
    assert near.getpeercert()
    assert far.version() == "TLSv1.3"


def test_the_ca_and_its_chain_are_sent_along() -> None:
    # A client that knows only the root needs a CA between; and Chromium's --ignore-certificate-errors-spki-list looks
    # for the key that it names in what was sent.
    root = pki.issue([], None, is_ca=True, common_name="root")
    between = pki.issue([], root, is_ca=True, common_name="between")
    leaf = LeafStore(Authority(between.certificate, between.key, (root.certificate,))).leaf(["a.example"])
    assert leaf.pem.endswith(between.public_pem() + root.public_pem())
    assert LeafStore(ECDSA).leaf(["a.example"]).pem.endswith(ECDSA.public_pem())


def test_the_key_of_the_ca_is_not_the_key_of_leaves() -> None:
    assert LeafStore(ECDSA).key_pem() not in ECDSA.private_pem()
    assert LeafStore(ECDSA).key_pem() != LeafStore(ECDSA).key_pem()
