"""A PEM file with certificates and perhaps the private key of one of them, as people and other programs write them.

Used for the CA (`authority.py`) and for certificates of one's own (`own.py`). It judges no certificate.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from midstream.flows.errors import MidstreamError

_MAX_FILE: Final = 1 << 20
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_PRIVATE_KEY: Final = re.compile(
    rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----\r?\n.*?\r?\n-----END \1-----", re.DOTALL
)


class PemError(MidstreamError):
    """The file cannot be used; the message names it, the reason and the way out."""


@dataclass(frozen=True, slots=True)
class PemFile:
    """What is in the file. `mode` are its permissions."""

    path: Path
    certificates: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes | None
    mode: int

    def certificate_of(self, key: PrivateKeyTypes) -> x509.Certificate | None:
        """The certificate that belongs to a private key."""
        public = _public_der(key.public_key())
        return next((item for item in self.certificates if _public_der_of(item) == public), None)


def read_pem_file(path: Path, passphrase: bytes | None, what: str) -> PemFile:
    """Key and certificates, in any order, or neither; `what` is whose key it is, for messages.

    Raises PemError or OSError.
    """
    with path.open("rb") as file:
        data = file.read(_MAX_FILE + 1)
        mode = os.fstat(file.fileno()).st_mode
    if len(data) > _MAX_FILE:
        raise PemError(f"{path}: too large for a file of certificates; is this another file?")
    found = _PRIVATE_KEY.search(data)
    key = _read_key(path, found[0], passphrase, what) if found is not None else None
    certificates: list[x509.Certificate] = []
    if _CERTIFICATE in data:
        try:
            certificates = x509.load_pem_x509_certificates(data)
        except ValueError as exc:
            raise PemError(f"{path}: a certificate in it cannot be read: {exc}") from None
    return PemFile(path, tuple(certificates), key, mode)


def _read_key(path: Path, block: bytes, passphrase: bytes | None, what: str) -> PrivateKeyTypes:
    # PKCS #8 says so in its first line, the older forms in a header below it.
    encrypted = b"ENCRYPTED" in block
    if encrypted and not passphrase:
        raise PemError(f"{path}: the key of {what} is encrypted; give its passphrase with cert_passphrase")
    try:
        return serialization.load_pem_private_key(block, passphrase if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        hint = "; is cert_passphrase right?" if encrypted else ""
        raise PemError(f"{path}: the key of {what} cannot be read{hint} ({exc})") from None


def _public_der_of(certificate: x509.Certificate) -> bytes | None:
    try:
        return _public_der(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm):  # of a kind that no key we can read belongs to
        return None


def _public_der(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
