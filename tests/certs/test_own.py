"""Certificates of one's own: which host gets which, and what is wrong with a file."""

import logging
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from midstream.certs.authority import Authority
from midstream.certs.own import OwnLeaves, asterisk_forms, parse_spec, read_own
from midstream.certs.pem_file import PemError
from tests.kit.pki import issue, write_pem

CA = Authority.create()


def written(path: Path, *names: str, common_name: str = "server") -> str:
    write_pem(path, issue(names, CA, common_name=common_name))
    return str(path)


def key_of(identity: Authority, passphrase: bytes = b"") -> bytes:
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return identity.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def found(own: OwnLeaves, *names: str) -> str:
    """The stem of the file that a client gets for these names."""
    leaf = own.find(names)
    return own.files[leaf].stem if leaf is not None else ""


def test_forms_of_a_name() -> None:
    assert list(asterisk_forms("a.b.com")) == ["a.b.com", "*.b.com", "*.com"]
    assert list(asterisk_forms("localhost")) == ["localhost"]


def test_which_host_gets_which(tmp_path: Path) -> None:
    any_, sub, exact, inside = (tmp_path / f"{name}.pem" for name in ("any", "sub", "exact", "inside"))
    own = OwnLeaves(
        [
            written(any_),
            f"*.Example.com={written(sub)}",
            f"www.example.com={written(exact)}",
            written(inside, "alt.test", "*.star.test", "192.0.2.7", common_name="cn.test"),
        ]
    )
    assert found(own, "www.example.com") == "exact"
    assert found(own, "WWW.example.com.") == "exact"
    assert found(own, "other.example.com") == "sub"
    assert found(own, "deep.other.example.com") == "sub"
    assert found(own, "alt.test") == found(own, "x.star.test") == found(own, "192.0.2.7") == "inside"
    assert found(own, "cn.test") == "inside"
    # Each name in turn with all its forms, and only then the one for all.
    assert found(own, "nowhere.test", "other.example.com", "www.example.com") == "sub"
    assert found(own, "example.com") == "inside"  # the later of two without a domain
    assert found(OwnLeaves([f"a.test={any_}"]), "b.test") == ""


def test_the_chain_is_sent_leaf_first(tmp_path: Path) -> None:
    leaf, middle = issue(["a.test"], CA), issue([], CA, is_ca=True)
    path = tmp_path / "odd order.pem"
    path.write_bytes(middle.public_pem() + leaf.public_pem() + key_of(leaf))
    read = read_own(path, None)
    assert read.certificate == leaf.certificate
    assert read.pem == leaf.public_pem() + middle.public_pem()
    assert read.names == ("server", "a.test")


def test_the_key_of_the_ca_stands_in(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    path.write_bytes(CA.public_pem())
    assert not OwnLeaves([str(path)])  # before the CA is known
    assert OwnLeaves([str(path)], None, CA.key).find(["a.test"])
    path.write_bytes(issue(["a.test"], CA).public_pem())
    with pytest.raises(PemError, match=r"holds no private key, and that of the CA does not belong to the certificate;"):
        OwnLeaves([str(path)], None, CA.key)


def test_an_encrypted_key(tmp_path: Path) -> None:
    identity = issue(["a.test"], CA)
    path = tmp_path / "a.pem"
    path.write_bytes(key_of(identity, b"geheim") + identity.public_pem())
    assert read_own(path, b"geheim").key == key_of(identity)
    with pytest.raises(PemError, match="encrypted; give its passphrase with cert_passphrase"):
        read_own(path, None)
    with pytest.raises(PemError, match=r"is cert_passphrase right\?"):
        read_own(path, b"wrong")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no certificate in PEM"),
        (b"junk", "holds no certificate in PEM"),
        (key_of(CA), "holds no certificate in PEM"),
        (CA.public_pem(), "holds no private key; add the key"),
        (key_of(issue(["a"], CA)) + CA.public_pem(), "the key in this file belongs to none of the certificates"),
        (CA.public_pem().replace(b"M", b"!", 3), "a certificate in it cannot be read"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "the key of this certificate cannot be"),
        (b"x" * (2 << 20), "too large"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.pem"
    path.write_bytes(content)
    with pytest.raises(PemError, match=message) as caught:
        read_own(path, None)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PemError, match=r"nowhere\.pem: No such file or directory"):
        read_own(tmp_path / "nowhere.pem", None)


def test_an_expired_one_is_told_and_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.pem"
    write_pem(path, issue(["a.test"], CA, start=-30, end=-1))
    with caplog.at_level(logging.WARNING):
        assert OwnLeaves([str(path)]).find(["a.test"])
    assert "this certificate expired on 20" in caplog.text


@pytest.mark.parametrize(
    ("spec", "domain", "path"),
    [
        ("a.pem", "*", "a.pem"),
        ("*=a.pem", "*", "a.pem"),
        ("A.test=a.pem", "a.test", "a.pem"),
        ("*.a.test=b=c.pem", "*.a.test", "b=c.pem"),
        ("/with=equals/a.pem", "*", "/with=equals/a.pem"),
        ("192.0.2.1=a.pem", "192.0.2.1", "a.pem"),
    ],
)
def test_specs(spec: str, domain: str, path: str) -> None:
    assert parse_spec(spec) == (domain, Path(path))


@pytest.mark.parametrize(("spec", "message"), [("a b=x.pem", "'a b' is no host name"), ("a.test=", "names no file")])
def test_specs_that_make_no_sense(spec: str, message: str) -> None:
    with pytest.raises(PemError, match=message):
        parse_spec(spec)
