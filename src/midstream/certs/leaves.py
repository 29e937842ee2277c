"""Leaf certificates, minted per set of names and kept as long as they are of use.

`addons/tlsconfig.py` asks for the leaf of a connection; `certs/serving.py` puts it into an SSL context. One key, made
when the store is made and kept in memory, serves all leaves, so that the key of the CA is in its own file only.
"""

import datetime
import ipaddress
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from midstream.certs.authority import BACKDATED, Authority, signing_hash

# CA/Browser Forum ballot SC-081: at most 200 days from March 2026; strict verifiers hold private CAs to it as well.
LIFETIME: Final = datetime.timedelta(days=199)
_RENEW_BEFORE: Final = datetime.timedelta(days=150)  # a proxy may run for months
MAX_NAMES: Final = 250
# RFC 5890 letters, digits, hyphens; underscores do occur in host names. A star only as the whole first label.
_DNS_NAME: Final = re.compile(r"(?=.{1,253}\Z)(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\Z", re.IGNORECASE)
_NO_NAME: Final = "unknown.invalid"  # RFC 2606; a certificate without any name is refused by everyone


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A minted certificate: compared by identity, since the store keeps one per set of names."""

    names: tuple[str, ...]
    certificate: x509.Certificate
    pem: bytes
    """The leaf, the CA and the chain of the CA, ready for `load_cert_chain`."""
    renew_at: datetime.datetime
    key: bytes = b""
    """Its private key in PEM, if it is not that of all minted leaves."""

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


class LeafStore:
    """Mints leaves for one CA and keeps the `capacity` most recently used ones."""

    def __init__(
        self,
        authority: Authority,
        capacity: int = 1000,
        *,
        key_type: str = "ecdsa",
        clock: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        self.authority = authority
        self._now = clock
        self.capacity = capacity
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if key_type == "rsa":
            key = rsa.generate_private_key(65537, 2048)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
        self._key = key
        self._leaves: dict[tuple[tuple[str, ...], str | None, str | None], Leaf] = {}
        self._hash = signing_hash(authority.key)
        self._issuer = authority.certificate.subject
        self._chain = authority.public_pem() + authority.chain_pem()
        # The same in every leaf, so made once.
        self._extensions = (
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_leaf_usage(encipherment=key_type == "rsa"), True),
            (authority.key_identifier(), False),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        )

    def __len__(self) -> int:
        return len(self._leaves)

    def key_pem(self) -> bytes:
        """The private key of all leaves. Not the CA's; still, it goes to memory files and private files only."""
        # This form names the kind of key in its first line, which spares OpenSSL a tenth of the time to find a decoder.
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )

    def leaf(self, names: Sequence[str], organization: str | None = None, crl_url: str | None = None) -> Leaf:
        """The leaf for these host names and IP addresses, in this order; the first becomes the common name.

        Names that can stand in no certificate are left out, as are those past MAX_NAMES. `crl_url` is where clients
        find what has been revoked.
        """
        key = (tuple(names), organization, crl_url)
        found = self._leaves.pop(key, None)
        if found is None or found.renew_at < self._now():
            found = self._mint(*key)
            if len(self._leaves) >= self.capacity:
                del self._leaves[next(iter(self._leaves))]
        self._leaves[key] = found  # at the end: the most recently used
        return found

    def _mint(self, names: tuple[str, ...], organization: str | None, crl_url: str | None) -> Leaf:
        kept = {general: text for general, text in map(general_name, names) if general is not None}
        alternatives = list(kept)[:MAX_NAMES] or [x509.DNSName(_NO_NAME)]
        common = kept.get(alternatives[0], _NO_NAME)
        subject: list[x509.NameAttribute[str]] = []
        if len(common) < 64:  # RFC 5280 A.1, ub-common-name
            subject.append(x509.NameAttribute(NameOID.COMMON_NAME, common))
        organization = _printable(organization)
        if organization:
            subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        now = self._now()
        ca = self.authority.certificate
        start = max(now - BACKDATED, ca.not_valid_before_utc)
        # A leaf that outlives its CA is refused by some; one of an expired CA is refused anyway.
        end = min(start + LIFETIME, ca.not_valid_after_utc) if ca.not_valid_after_utc > now else start + LIFETIME
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(subject))
            .issuer_name(self._issuer)
            .public_key(self._key.public_key())
            .serial_number(secrets.randbits(159) | 1)
            .not_valid_before(start)
            .not_valid_after(end)
            # RFC 5280 §4.2.1.6: critical exactly when the subject is empty.
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=not subject)
        )
        for extension, critical in self._extensions:
            builder = builder.add_extension(extension, critical)
        if crl_url:
            point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
        certificate = builder.sign(self.authority.key, self._hash)
        pem = certificate.public_bytes(serialization.Encoding.PEM) + self._chain
        return Leaf(names, certificate, pem, start + LIFETIME - _RENEW_BEFORE)


def general_name(name: str) -> tuple[x509.GeneralName | None, str]:
    """How a host name or IP address stands in a certificate, and its text there; None when it cannot."""
    text = name.rstrip(".").strip("[]")
    if ":" in text or text.replace(".", "").isdigit():
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return None, text
        return x509.IPAddress(address), str(address)
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return None, text
    if not _DNS_NAME.match(text):
        return None, text
    return x509.DNSName(text), text


def covers(names: Sequence[str], host: str) -> bool:
    """Whether a certificate with these names is one for `host` (RFC 9525 §6.3: a star stands for one whole label)."""
    wanted = host.rstrip(".").lower()
    parent = wanted.partition(".")[2]
    for name in names:
        known = name.lower()
        if known == wanted or (parent and known.startswith("*.") and known[2:] == parent):
            return True
    return False


def _printable(text: str | None) -> str | None:
    """At most 64 characters (RFC 5280 A.1, ub-organization-name), none of them a control."""
    return "".join(char for char in text if char.isprintable())[:64].strip() if text else None


def _leaf_usage(*, encipherment: bool) -> x509.KeyUsage:
    """Signatures for all key exchanges of today; encipherment for the RSA one that old clients of TLS 1.2 use."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
