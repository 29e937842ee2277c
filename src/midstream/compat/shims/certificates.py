"""What `mitmproxy.certs` has beside `Cert` and `CertStore`, which are those of `midstream.certs`."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from midstream.certs import authority, leaves
from midstream.certs.authority import SigningKey, signing_hash
from midstream.flows.certificate import Cert

CA_EXPIRY = authority.LIFETIME
CERT_EXPIRY = leaves.LIFETIME
CERT_VALIDITY_OFFSET = -authority.BACKDATED


def dummy_cert(
    privkey: SigningKey,
    cacert: x509.Certificate,
    commonname: str | None,
    sans: Iterable[x509.GeneralName],
    organization: str | None = None,
    crl_url: str | None = None,
) -> Cert:
    """A certificate that is signed by `privkey`, which is the key of the CA, and holds that key's public half."""
    subject: list[x509.NameAttribute[Any]] = []
    if commonname is not None and len(commonname) < 64:  # RFC 5280 A.1, ub-common-name
        subject.append(x509.NameAttribute(NameOID.COMMON_NAME, commonname))
    if organization is not None:
        subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(cacert.subject)
        .subject_name(x509.Name(subject))
        .public_key(privkey.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + CERT_VALIDITY_OFFSET)
        .not_valid_after(now + CERT_VALIDITY_OFFSET + CERT_EXPIRY)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        # RFC 5280 §4.2.1.6: critical exactly when the subject is empty.
        .add_extension(x509.SubjectAlternativeName(list(sans)), critical=not subject)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(privkey.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(privkey.public_key()), critical=False)
    )
    if crl_url is not None:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return Cert(builder.sign(privkey, signing_hash(privkey)))


def load_pem_private_key(data: bytes, password: bytes | None) -> SigningKey:
    """A private key; a password for a key that has none is not minded."""
    try:
        key = serialization.load_pem_private_key(data, password)
    except TypeError:
        if password is None:
            raise
        key = serialization.load_pem_private_key(data, None)
    return cast(SigningKey, key)
