"""Certificates as flows carry them."""

import datetime
import ipaddress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from midstream.flows.certificate import Cert


def build(key: Any = None, *extensions: x509.ExtensionType, years: int = 10) -> x509.Certificate:
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "ex.com"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Org"),
            x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@b"),
        ]
    )
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(77).not_valid_before(start).not_valid_after(start.replace(year=2020 + years))
    )  # fmt: skip
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def test_fields() -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("a.b"), x509.IPAddress(ipaddress.ip_address("::1"))])
    points = x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl/")], None, None, None)]
    )
    cert = Cert(build(None, names, x509.BasicConstraints(True, None), points))
    assert cert.subject == cert.issuer == [("CN", "ex.com"), ("O", "Org"), ("1.2.840.113549.1.9.1", "a@b")]
    assert (cert.cn, cert.organization, cert.serial, cert.is_ca) == ("ex.com", "Org", 77, True)
    assert cert.notbefore.isoformat() == "2020-01-01T00:00:00+00:00"
    assert cert.notafter.year == 2030
    assert [str(name.value) for name in cert.altnames] == ["a.b", "::1"]
    assert cert.crl_distribution_points == ["http://crl/"]
    assert cert.fingerprint() == cert.to_cryptography().fingerprint(hashes.SHA256())
    assert repr(cert) == "<Cert(cn='ex.com', altnames=['a.b', '::1'])>"
    assert not cert.has_expired()
    assert cert.public_key().public_numbers().curve.name == "secp256r1"


def test_absent_extensions() -> None:
    cert = Cert(build(years=1))
    assert list(cert.altnames) == []
    assert cert.crl_distribution_points == []
    assert not cert.is_ca
    assert cert.has_expired()


def test_key_info() -> None:
    assert Cert(build()).keyinfo == ("EC (secp256r1)", 256)
    assert Cert(build(rsa.generate_private_key(65537, 2048))).keyinfo == ("RSA", 2048)
    assert Cert(build(ed25519.Ed25519PrivateKey.generate())).keyinfo == ("Ed25519", -1)


def test_der_and_pem() -> None:
    made = build()
    der = made.public_bytes(Encoding.DER)
    cert = Cert.from_der(der)
    assert cert.der is der
    assert cert.to_pem() == made.public_bytes(Encoding.PEM)
    assert Cert.from_pem(b"text before\n" + cert.to_pem() * 2) == cert == Cert(made)
    assert Cert.from_state(cert.get_state()) == cert
    assert hash(cert) == hash(Cert(made))
    assert cert != der
    assert cert.cn == "ex.com"


class PyOpenSSLLike:
    def __init__(self, cert: x509.Certificate) -> None:
        self.cert = cert

    def to_cryptography(self) -> x509.Certificate:
        return self.cert


def test_from_pyopenssl() -> None:
    made = build()
    assert Cert.from_pyopenssl(PyOpenSSLLike(made)) == Cert(made)


def test_a_broken_one_is_kept_and_fails_when_read() -> None:
    cert = Cert.from_der(b"junk")
    assert Cert.from_pem(cert.to_pem()) == cert
    with pytest.raises(ValueError, match=r"\w"):
        _ = cert.subject
    assert repr(cert) == "<Cert(unreadable)>"
    with pytest.raises(ValueError, match="no PEM certificate"):
        Cert.from_pem(b"junk")
