"""Certificates of servers in every state of health, and handshakes with them in memory."""

from __future__ import annotations

import datetime
import os
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from midstream.certs.authority import Authority, signing_hash
from midstream.certs.leaves import general_name


def issue(
    names: Sequence[str],
    ca: Authority | None,
    *,
    start: float = -1,
    end: float = 30,
    common_name: str = "server",
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    is_ca: bool = False,
) -> Authority:
    """A certificate for `names`, valid from `start` to `end` days from now; self-signed without a CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = ca.key if ca is not None else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.certificate.subject if ca is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=start))
        .not_valid_after(now + datetime.timedelta(days=end))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    alternatives = [general for general, _ in map(general_name, names) if general is not None]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return Authority(builder.sign(signer, signing_hash(signer)), key)


def server_context(identity: Authority, *chain: Authority) -> ssl.SSLContext:
    """A server that shows this certificate, followed by those in `chain`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    fd, name = tempfile.mkstemp()
    os.close(fd)
    path = Path(name)
    try:
        write_pem(path, identity, *chain)
        context.load_cert_chain(path)
    finally:
        path.unlink()
    return context


def write_pem(path: Path, identity: Authority, *chain: Authority) -> None:
    """The key, the certificate and those in `chain`, as servers read them."""
    key = identity.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(b"".join([key, identity.public_pem(), *(item.public_pem() for item in chain)]))


def shake_hands(
    client: ssl.SSLContext,
    server: ssl.SSLContext,
    name: str | None,
    session: ssl.SSLSession | None = None,
) -> tuple[ssl.SSLObject, ssl.SSLObject, ssl.SSLError | None, ssl.SSLError | None]:
    """Both ends after the handshake, and what either of them says went wrong."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=name, session=session)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    errors: dict[ssl.SSLObject, ssl.SSLError] = {}
    for tls in (near, far, near, far, near):
        if not errors.get(tls):
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as exc:
                errors[tls] = exc
    if not errors:
        try:
            near.read(1)  # takes in the session tickets
        except ssl.SSLWantReadError:
            pass
    return near, far, errors.get(near), errors.get(far)


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as a file holds it."""
    return certificate.public_bytes(serialization.Encoding.PEM)
