"""`mitmproxy.certs`: the CA and its leaves as that program hands them around. Our own are in `midstream.certs`."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from midstream.certs import authority, leaves
from midstream.certs.authority import Authority, SigningKey, signing_hash
from midstream.certs.leaves import LeafStore
from midstream.flows.certificate import Cert

CA_EXPIRY = authority.LIFETIME
CERT_EXPIRY = leaves.LIFETIME
CERT_VALIDITY_OFFSET = -authority.BACKDATED


@dataclass(frozen=True)
class CertStoreEntry:
    """A certificate with its key, and the certificates between it and the root."""

    cert: Cert
    privatekey: SigningKey
    chain_file: Path | None
    chain_certs: list[Cert]


class CertStore:
    """A CA that mints a certificate for each name and keeps the last ones."""

    STORE_CAP: ClassVar[int] = 1000

    def __init__(self, ca: Authority, chain_file: Path | None = None) -> None:
        self.default_privatekey = ca.key
        self.default_ca = Cert(ca.certificate)
        self.default_chain_file = chain_file
        self.default_chain_certs = [self.default_ca, *map(Cert, ca.chain)]
        self._leaves = LeafStore(ca, self.STORE_CAP)
        key = serialization.load_pem_private_key(self._leaves.key_pem(), None)
        self._leaf_key = cast(SigningKey, key)
        self._entries: dict[bytes, CertStoreEntry] = {}

    @classmethod
    def from_store(
        cls, path: Path | str, basename: str = "midstream", key_size: int | None = None, passphrase: bytes | None = None
    ) -> CertStore:
        """The CA in a config folder, made there if there is none."""
        named = Path(path).expanduser() / f"{basename}-ca.pem"
        if named.exists():
            return cls.from_files(named, passphrase=passphrase)
        return cls(Authority.load_or_create(named.parent, key_size=key_size, passphrase=passphrase))

    @classmethod
    def from_files(cls, ca_file: Path, dhparam_file: Path | None = None, passphrase: bytes | None = None) -> CertStore:
        """The CA in one PEM file. Parameters of Diffie-Hellman groups are OpenSSL's own business by now."""
        ca = Authority.load(ca_file, passphrase)
        return cls(ca, ca_file if ca.chain else None)

    def get_cert(
        self,
        commonname: str | None,
        sans: Iterable[x509.GeneralName],
        organization: str | None = None,
        crl_url: str | None = None,
    ) -> CertStoreEntry:
        """A certificate for these names; the same one for the same names."""
        names = dict.fromkeys([*([commonname] if commonname else []), *(str(each.value) for each in sans)])
        leaf = self._leaves.leaf(list(names), organization)
        entry = self._entries.get(leaf.der)
        if entry is None:
            if len(self._entries) >= self.STORE_CAP:
                del self._entries[next(iter(self._entries))]
            cert = Cert(leaf.certificate)
            entry = CertStoreEntry(cert, self._leaf_key, self.default_chain_file, self.default_chain_certs)
            self._entries[leaf.der] = entry
        return entry

    @staticmethod
    def asterisk_forms(dn: str) -> list[str]:
        """A name and the wildcards that cover it: `a.b.com`, `*.b.com`, `*.com`."""
        labels = dn.split(".")
        return [dn, *(".".join(["*", *labels[place:]]) for place in range(1, len(labels)))]


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
