"""A CA with its leaves for addon authors, who know hosts and certificates and nothing of SSL contexts.

The proxy itself goes to `authority` and `leaves` directly; this is a thin layer over the two with the names of the
reference.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from midstream.certs.authority import Authority, SigningKey
from midstream.certs.leaves import LeafStore
from midstream.certs.own import asterisk_forms
from midstream.flows.certificate import Cert


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
        """The CA in a config folder: `BASENAME-ca.pem`, or else the one that midstream uses there, made if there is
        none. `key_size` would be that of an RSA key; ours are ECDSA. Raises AuthorityError.
        """
        named = Path(path).expanduser() / f"{basename}-ca.pem"
        if named.exists():
            return cls.from_files(named, passphrase=passphrase)
        return cls(Authority.load_or_create(named.parent, key_size=key_size, passphrase=passphrase))

    @classmethod
    def from_files(cls, ca_file: Path, dhparam_file: Path | None = None, passphrase: bytes | None = None) -> CertStore:
        """The CA in one PEM file. Parameters of Diffie-Hellman groups are OpenSSL's own business by now.

        Raises AuthorityError or OSError.
        """
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
        leaf = self._leaves.leaf(list(names), organization, crl_url)
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
        return list(asterisk_forms(dn))
