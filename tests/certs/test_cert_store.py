"""The names of `midstream.certs` for addon authors."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from midstream import certs
from midstream.certs.authority import Authority, AuthorityError
from midstream.flows.certificate import Cert


def test_the_ca_of_a_folder_is_made_once(tmp_path: Path) -> None:
    store = certs.CertStore.from_store(str(tmp_path / "conf"), "mitmproxy", 2048)
    again = certs.CertStore.from_store(tmp_path / "conf", "mitmproxy", 2048)
    assert store.default_ca == again.default_ca == store.default_chain_certs[0]
    assert store.default_ca.is_ca
    assert certs.Cert is Cert


def test_a_file_of_that_name_comes_first(tmp_path: Path) -> None:
    ca = Authority.create("rsa")
    (tmp_path / "other-ca.pem").touch(0o600)
    (tmp_path / "other-ca.pem").write_bytes(ca.private_pem())
    store = certs.CertStore.from_store(tmp_path, "other")
    assert store.default_ca.to_cryptography() == ca.certificate
    assert isinstance(store.default_privatekey, rsa.RSAPrivateKey)
    assert [path.name for path in tmp_path.iterdir()] == ["other-ca.pem"]


def test_a_file_that_is_no_ca(tmp_path: Path) -> None:
    (tmp_path / "x.pem").touch(0o600)
    with pytest.raises(AuthorityError, match=r"x\.pem"):
        certs.CertStore.from_files(tmp_path / "x.pem")


def test_certificates_for_names(tmp_path: Path) -> None:
    store = certs.CertStore.from_store(tmp_path)
    entry = store.get_cert("a.example", [x509.DNSName("b.example")], "Acme")
    assert isinstance(entry, certs.CertStoreEntry)
    assert (entry.cert.cn, entry.cert.organization, entry.cert.is_ca) == ("a.example", "Acme", False)
    assert [name.value for name in entry.cert.altnames] == ["a.example", "b.example"]
    assert entry.cert.public_key() == entry.privatekey.public_key()
    entry.cert.to_cryptography().verify_directly_issued_by(store.default_ca.to_cryptography())
    assert entry.chain_certs == [store.default_ca]
    assert entry.chain_file is None
    assert store.get_cert("a.example", [x509.DNSName("b.example")], "Acme") is entry
    assert store.get_cert("a.example", []) is not entry


def test_only_the_last_entries_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certs.CertStore, "STORE_CAP", 2)
    store = certs.CertStore.from_store(tmp_path)
    first = store.get_cert("1.example", [])
    store.get_cert("2.example", [])
    store.get_cert("3.example", [])
    assert store.get_cert("1.example", []) is not first


def test_the_wildcards_of_a_name() -> None:
    assert certs.CertStore.asterisk_forms("a.b.com") == ["a.b.com", "*.b.com", "*.com"]
