"""Certificates of one's own that clients are shown in place of minted ones (the option `certs`).

`addons/tlsconfig.py` reads them when it is configured and asks for the one of a host before it has a leaf minted.
"""

import datetime
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import NameOID

from midstream.certs.authority import SigningKey
from midstream.certs.failures import certificate_names
from midstream.certs.leaves import Leaf, general_name
from midstream.certs.pem_file import PemError, PemFile, read_pem_file

logger = logging.getLogger(__name__)

ANY: Final = "*"
_NEVER: Final = datetime.datetime.max.replace(tzinfo=datetime.UTC)  # who brings a certificate renews it


class KeyMissing(PemError):
    """There is a certificate in the file, but no key for it."""


class OwnLeaves:
    """The leaves of one's own, by the host names that they are for."""

    def __init__(self, specs: Sequence[str] = (), passphrase: bytes | None = None, ca_key: SigningKey | None = None):
        """Read the files of `[domain=]path` specs. `ca_key` belongs to certificates whose file holds no key; without it
        they are passed over, as they are before the CA is known. Raises PemError.
        """
        self._by_name: dict[str, Leaf] = {}
        self.files: dict[Leaf, Path] = {}
        """Where each came from."""
        for spec in specs:
            domain, path = parse_spec(spec)
            try:
                leaf = read_own(path, passphrase, ca_key)
            except KeyMissing:
                if ca_key is None:
                    continue
                raise
            self.files[leaf] = path
            self._by_name.update(dict.fromkeys((domain, *leaf.names), leaf))

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def find(self, names: Iterable[str]) -> Leaf | None:
        """The leaf for the first of these hosts that has one: by its name, by a star for its first label or for more
        of them, or by no name at all.
        """
        for name in names:
            for form in asterisk_forms(name.lower().rstrip(".")):
                found = self._by_name.get(form)
                if found is not None:
                    return found
        return self._by_name.get(ANY)


def asterisk_forms(name: str) -> Iterator[str]:
    """A name and the wildcards that stand for it: `a.b.com`, `*.b.com`, `*.com`."""
    yield name
    rest = name
    while rest := rest.partition(".")[2]:
        yield f"*.{rest}"


def parse_spec(spec: str) -> tuple[str, Path]:
    """Host name, `*` when there is none, and file. Raises PemError."""
    domain, equals, path = spec.partition("=")
    if not equals or "/" in domain:  # the = is part of the path
        domain, path = ANY, spec
    domain = domain.strip().lower()
    if domain != ANY and general_name(domain)[0] is None:
        raise PemError(f"{spec}: {domain!r} is no host name; certs takes [domain=]path")
    if not path.strip():
        raise PemError(f"{spec!r} names no file; certs takes [domain=]path")
    return domain, Path(path).expanduser()


def read_own(path: Path, passphrase: bytes | None, ca_key: SigningKey | None = None) -> Leaf:
    """The certificate in a PEM file with its key and chain. `ca_key` stands in for a key that is not there.

    Raises KeyMissing, PemError.
    """
    try:
        file = read_pem_file(path, passphrase, "this certificate")
    except OSError as exc:
        raise PemError(f"{path}: {exc.strerror or exc}") from None
    if not file.certificates:
        raise PemError(f"{path}: holds no certificate in PEM")
    key = file.key or ca_key
    certificate = file.certificate_of(key) if key is not None else None
    if certificate is None and file.key is not None:
        raise PemError(f"{path}: the key in this file belongs to none of the certificates in it")
    if certificate is None or key is None:
        hint = ", and that of the CA does not belong to the certificate" if ca_key is not None else ""
        raise KeyMissing(f"{path}: holds no private key{hint}; add the key to the file")
    _warn_if_expired(path, certificate)
    return Leaf(tuple(_names(certificate)), certificate, _pem(file, certificate), _NEVER, _key_pem(key))


def _pem(file: PemFile, leaf: x509.Certificate) -> bytes:
    """The leaf first, as TLS wants it; the others in the order of the file."""
    ordered = [leaf, *(item for item in file.certificates if item is not leaf)]
    return b"".join(item.public_bytes(serialization.Encoding.PEM) for item in ordered)


def _key_pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _names(certificate: x509.Certificate) -> Iterator[str]:
    """The common name and the alternative names, in lower case."""
    for item in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        yield str(item.value).lower()
    try:
        yield from (name.lower() for name in certificate_names(certificate))
    except ValueError:  # only OpenSSL can read them
        return


def _warn_if_expired(path: Path, certificate: x509.Certificate) -> None:
    until = certificate.not_valid_after_utc
    if until < datetime.datetime.now(datetime.UTC):
        logger.warning("%s: this certificate expired on %s, so that it will be rejected", path, f"{until:%Y-%m-%d}")
