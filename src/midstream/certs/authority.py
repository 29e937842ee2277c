"""The certificate authority of this installation: found in the config folder, or made there on the first start.

`addons/tlsconfig.py` loads it when it is configured; `certs/leaves.py` signs with it. The files that people install on
their devices are written beside it. It hands out no leaves and knows no hosts.
"""

import base64
import datetime
import hashlib
import logging
import os
import secrets
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from midstream.certs.pem_file import PemError, read_pem_file
from midstream.flows.errors import MidstreamError

logger = logging.getLogger(__name__)

KEY_TYPES: Final = ("ecdsa", "rsa")
LIFETIME: Final = datetime.timedelta(days=3650)
BACKDATED: Final = datetime.timedelta(days=2)  # clocks of phones and virtual machines run behind

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
SigningHash = hashes.SHA256 | hashes.SHA384 | None


class AuthorityError(MidstreamError):
    """The CA cannot be loaded or made; the message names the file, the reason and the way out."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA certificate and its key. `chain` holds what else was in the file: its issuers, sent after each leaf."""

    certificate: x509.Certificate
    key: SigningKey
    chain: tuple[x509.Certificate, ...] = ()

    @classmethod
    def load_or_create(
        cls, confdir: Path, *, key_type: str = "ecdsa", key_size: int | None = None, passphrase: bytes | None = None
    ) -> "Authority":
        """The CA in `confdir`; a new one when there is none. Raises AuthorityError. Warnings go to the log."""
        ours = confdir / "midstream-ca.pem"
        theirs = confdir / "mitmproxy-ca.pem"
        _make_folder(confdir)
        try:
            if ours.exists():
                authority = cls.load(ours, passphrase)
            elif theirs.exists():
                # Devices that already trust this CA go on working.
                authority = cls.load(theirs, passphrase)
            else:
                made = cls.create(key_type, key_size)
                authority = made if _put_once(ours, made.private_pem()) else cls.load(ours, passphrase)
        except OSError as exc:
            where = exc.filename or confdir
            raise AuthorityError(f"{where}: the CA cannot be read or written there: {exc.strerror or exc}") from exc
        try:
            _publish(authority, confdir, with_key=ours.exists())
        except OSError as exc:
            logger.warning("%s: the files for installing the CA cannot be written: %s", confdir, exc.strerror or exc)
        return authority

    @classmethod
    def create(cls, key_type: str = "ecdsa", key_size: int | None = None) -> "Authority":
        """A new self-signed CA, in memory only. `key_size` counts RSA bits; ECDSA is always P-256."""
        key: SigningKey
        if key_type == "rsa":
            key = rsa.generate_private_key(65537, key_size or 2048)
        elif key_type == "ecdsa":
            key = ec.generate_private_key(ec.SECP256R1())
        else:
            raise AuthorityError(f"key_type: {key_type!r} is no type of key; it is one of {', '.join(KEY_TYPES)}")
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, "midstream"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "midstream"),
            ]
        )
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_ca_usage(), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, signing_hash(key))
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, path: Path, passphrase: bytes | None = None) -> "Authority":
        """The CA in one PEM file that holds its key and certificate, in any order. Raises AuthorityError or OSError."""
        try:
            file = read_pem_file(path, passphrase, "the CA")
        except PemError as exc:
            raise AuthorityError(str(exc)) from None
        _warn_if_loose(path, file.mode, "chmod 600")
        key = file.key
        if key is None:
            both = "this file needs the CA's key and certificate, both in PEM"
            raise AuthorityError(f"{path}: holds no private key; {both}")
        if not isinstance(key, SigningKey):
            raise AuthorityError(f"{path}: keys of this type cannot sign certificates for TLS; use ECDSA or RSA")
        if not file.certificates:
            raise AuthorityError(f"{path}: holds no certificate; this file needs the CA's key and certificate")
        own = file.certificate_of(key)
        if own is None:
            raise AuthorityError(f"{path}: the key in this file belongs to none of the certificates in it")
        authority = cls(own, key, tuple(item for item in file.certificates if item is not own))
        authority._check(path)
        return authority

    def private_pem(self) -> bytes:
        """Key and certificates in one PEM text."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return key + self.public_pem() + self.chain_pem()

    def public_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def public_p12(self) -> bytes:
        """The certificate as PKCS #12, without a password and without the key."""
        plain = serialization.NoEncryption()
        return pkcs12.serialize_key_and_certificates(b"midstream", None, None, [self.certificate], plain)

    def spki_digest(self) -> str:
        """The SHA-256 of the public key with its type, in base64: how Chromium is told of it."""
        public = self.certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(hashlib.sha256(public).digest()).decode()

    def chain_pem(self) -> bytes:
        return b"".join(item.public_bytes(serialization.Encoding.PEM) for item in self.chain)

    def key_identifier(self) -> x509.AuthorityKeyIdentifier:
        """How what it signs names its key: by the CA's own identifier of it, if it has one."""
        try:
            extension = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        except x509.ExtensionNotFound:
            return x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(extension.value)

    def _check(self, path: Path) -> None:
        try:
            is_ca = self.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            is_ca = self.certificate.version is x509.Version.v1
        except ValueError as exc:
            raise AuthorityError(f"{path}: the CA certificate has a broken extension: {exc}") from None
        if not is_ca:
            raise AuthorityError(f"{path}: this certificate is not allowed to sign others (basicConstraints: no CA)")
        now = datetime.datetime.now(datetime.UTC)
        until = self.certificate.not_valid_after_utc
        if until < now:
            logger.warning(
                "%s: this CA expired on %s, so clients will reject our certificates. "
                "Move the file away to have a new CA made, and install that on your devices",
                path,
                f"{until:%Y-%m-%d}",
            )
        elif self.certificate.not_valid_before_utc > now:
            logger.warning("%s: this CA is not valid yet; is the clock of this machine right?", path)


def signing_hash(key: SigningKey) -> SigningHash:
    """The hash that goes with a CA key. Edwards curves bring their own; P-384 is paired with its equal in strength."""
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size == 384:
        return hashes.SHA384()
    return hashes.SHA256()


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


# -- files ------------------------------------------------------------------------------------------------------------


def _make_folder(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
            folder.chmod(0o700)  # a strict umask may have taken more than it should
        except FileExistsError:
            if not folder.is_dir():
                raise AuthorityError(f"{folder}: the config folder cannot be made: a file is in its place") from None
            _warn_if_loose(folder, folder.stat().st_mode, "chmod 700")
    except OSError as exc:
        raise AuthorityError(f"{folder}: the config folder cannot be made: {exc.strerror or exc}") from exc


def _warn_if_loose(path: Path, mode: int, remedy: str) -> None:
    # Windows reports modes that say nothing about who may read.
    if sys.platform != "win32" and stat.S_IMODE(mode) & 0o077:
        logger.warning(
            "%s: other users of this machine may have access (mode %o); `%s %s` ends that",
            path,
            stat.S_IMODE(mode),
            remedy,
            path,
        )


def _write_aside(path: Path, data: bytes, mode: int) -> Path:
    """A new file with `data` in the same folder, on disk when this returns; no one else could ever open it."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(fd, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside


def _put(path: Path, data: bytes, mode: int) -> None:
    """Write or replace a file; a reader sees the old or the new one, never half of one."""
    aside = _write_aside(path, data, mode)
    try:
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _put_once(path: Path, data: bytes) -> bool:
    """Write a private file unless there is one. False when another process was quicker: then its file counts."""
    aside = _write_aside(path, data, 0o600)
    try:
        try:
            # A hard link, unlike a rename, fails when the name is taken.
            os.link(aside, path)
        except FileExistsError:
            return False
        except OSError:
            # No hard links on this file system: create it in place, which is as exclusive but shows while it is short.
            try:
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            except FileExistsError:
                return False
            with os.fdopen(fd, "wb") as file:
                file.write(data)
        return True
    finally:
        aside.unlink(missing_ok=True)


def _publish(authority: Authority, confdir: Path, *, with_key: bool) -> None:
    """Write the forms of the certificate that devices import, where they are missing or belong to an older CA."""
    public = authority.public_pem()
    pem = confdir / "midstream-ca-cert.pem"
    fresh = pem.exists() and pem.read_bytes() == public
    plain = serialization.NoEncryption()
    forms: list[tuple[str, int]] = [
        ("midstream-ca-cert.cer", 0o644),
        ("midstream-ca-cert.p12", 0o644),
        ("midstream-ca.p12", 0o600),
        ("midstream-ca-cert.pem", 0o644),  # last: that it is up to date says that the others are
    ]
    for name, mode in forms:
        path = confdir / name
        if (fresh and path.exists()) or (mode == 0o600 and not with_key):
            continue
        if not name.endswith(".p12"):
            data = public
        elif mode == 0o600:
            key = authority.key
            data = pkcs12.serialize_key_and_certificates(b"midstream", key, authority.certificate, None, plain)
        else:
            data = authority.public_p12()
        _put(path, data, mode)
