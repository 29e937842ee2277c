"""X.509 certificates as connections carry them: peers' chains, and the leaf that we showed a client.

Parsed only when someone asks for a field, since most chains are stored and never looked at. Making, signing and
verifying certificates is the work of `certs`.
"""

import base64
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from midstream.flows.state import StateError, binary

if TYPE_CHECKING:  # cryptography takes tens of milliseconds to import; a start without TLS need not pay it
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----")

# RFC 4514 §3 gives the first nine; the rest are what certificates in the wild hold.
_SHORT_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}


# Every flow that is saved writes the certificates of its connections, and there are few of them.
@lru_cache(256)
def _pem(der: bytes) -> bytes:
    encoded = base64.b64encode(der)
    lines = [encoded[i : i + 64] for i in range(0, len(encoded), 64)]
    return b"\n".join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""])


class Cert:
    """One certificate, made from DER, from PEM or from a `cryptography` object. Equal if the DER is equal."""

    __slots__ = ("_der", "_parsed")

    _der: bytes | None
    _parsed: "x509.Certificate | None"

    def __init__(self, cert: "x509.Certificate") -> None:
        self._der = None
        self._parsed = cert

    @classmethod
    def from_der(cls, der: bytes) -> "Cert":
        """From DER, as TLS hands it over. Nothing is parsed yet; fields of a broken one raise ValueError."""
        self = cls.__new__(cls)
        self._der = der
        self._parsed = None
        return self

    @classmethod
    def from_pem(cls, data: bytes) -> "Cert":
        """From the first certificate in PEM text. Raises ValueError when there is none."""
        match = _PEM.search(data)
        if match is None:
            raise ValueError("no PEM certificate found")
        return cls.from_der(base64.b64decode(match[1]))

    @classmethod
    def from_pyopenssl(cls, cert: Any) -> "Cert":
        """From a pyOpenSSL X509 object."""
        return cls(cert.to_cryptography())

    @classmethod
    def from_state(cls, state: bytes) -> "Cert":
        """From the PEM bytes in a saved flow."""
        return checked_cert(state, "certificate")

    def get_state(self) -> bytes:
        """The PEM bytes that a saved flow holds."""
        return self.to_pem()

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        if self._der is None:
            from cryptography.hazmat.primitives.serialization import Encoding

            self._der = self.to_cryptography().public_bytes(Encoding.DER)
        return self._der

    def to_pem(self) -> bytes:
        """The certificate in PEM, lines of 64 characters."""
        return _pem(self.der)

    def to_cryptography(self) -> "x509.Certificate":
        """The parsed certificate. Raises ValueError when it is broken."""
        if self._parsed is None:
            from cryptography import x509

            assert self._der is not None
            self._parsed = x509.load_der_x509_certificate(self._der)
        return self._parsed

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Cert):
            return self.der == other.der
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        try:
            return f"<Cert(cn={self.cn!r}, altnames={[str(name.value) for name in self.altnames]!r})>"
        except ValueError:
            return "<Cert(unreadable)>"

    def fingerprint(self) -> bytes:
        """SHA-256 over the DER."""
        import hashlib

        return hashlib.sha256(self.der).digest()

    def public_key(self) -> "CertificatePublicKeyTypes":
        """The subject's public key."""
        return self.to_cryptography().public_key()

    @property
    def issuer(self) -> list[tuple[str, str]]:
        """Name of the issuer as (short attribute name, value) pairs."""
        return _name_pairs(self.to_cryptography().issuer)

    @property
    def subject(self) -> list[tuple[str, str]]:
        """Name of the subject as (short attribute name, value) pairs."""
        return _name_pairs(self.to_cryptography().subject)

    @property
    def notbefore(self) -> datetime:
        """Start of validity, in UTC."""
        return self.to_cryptography().not_valid_before_utc

    @property
    def notafter(self) -> datetime:
        """End of validity, in UTC."""
        return self.to_cryptography().not_valid_after_utc

    def has_expired(self) -> bool:
        """Whether the validity has ended by now."""
        return datetime.now(UTC) > self.notafter

    @property
    def serial(self) -> int:
        """The serial number."""
        return self.to_cryptography().serial_number

    @property
    def is_ca(self) -> bool:
        """Whether the basic constraints call it a CA."""
        from cryptography import x509

        constraints = self._extension(x509.BasicConstraints)
        return bool(constraints is not None and constraints.ca)

    @property
    def keyinfo(self) -> tuple[str, int]:
        """Kind of the public key and its size in bits, -1 where size means nothing."""
        from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

        key = self.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            return "RSA", key.key_size
        if isinstance(key, dsa.DSAPublicKey):
            return "DSA", key.key_size
        if isinstance(key, ec.EllipticCurvePublicKey):
            return f"EC ({key.curve.name})", key.key_size
        return type(key).__name__.removesuffix("PublicKey").lstrip("_"), getattr(key, "key_size", -1)

    @property
    def cn(self) -> str | None:
        """The common name of the subject."""
        return self._subject_value("CN")

    @property
    def organization(self) -> str | None:
        """The organization of the subject."""
        return self._subject_value("O")

    @property
    def altnames(self) -> "x509.GeneralNames":
        """The subject alternative names; empty when the extension is absent."""
        from cryptography import x509

        names = self._extension(x509.SubjectAlternativeName)
        return x509.GeneralNames([] if names is None else list(names))

    @property
    def crl_distribution_points(self) -> list[str]:
        """The URLs at which revocation lists are offered."""
        from cryptography import x509

        points = self._extension(x509.CRLDistributionPoints)
        return [
            name.value
            for point in points or ()
            for name in point.full_name or ()
            if isinstance(name, x509.UniformResourceIdentifier)
        ]

    def _subject_value(self, short_name: str) -> str | None:
        return next((value for name, value in self.subject if name == short_name), None)

    def _extension(self, kind: Any) -> Any:
        from cryptography import x509

        try:
            return self.to_cryptography().extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None


def _name_pairs(name: "x509.Name") -> list[tuple[str, str]]:
    pairs = []
    for attribute in name:
        oid = attribute.oid.dotted_string
        value = attribute.value
        pairs.append((_SHORT_NAMES.get(oid, oid), value if isinstance(value, str) else value.hex()))
    return pairs


def checked_cert(value: Any, where: str) -> Cert:
    """A state check: PEM bytes of a certificate."""
    try:
        return Cert.from_pem(binary(value, where))
    except StateError:
        raise
    except ValueError as exc:
        raise StateError(f"{where}: {exc}") from None
