import datetime
import logging
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from midstream.certs import authority as module
from midstream.certs.authority import Authority, AuthorityError

FILES = {
    "midstream-ca.pem": 0o600,
    "midstream-ca.p12": 0o600,
    "midstream-ca-cert.pem": 0o644,
    "midstream-ca-cert.cer": 0o644,
    "midstream-ca-cert.p12": 0o644,
}


@pytest.fixture
def confdir(tmp_path: Path) -> Path:
    return tmp_path / "conf"


@pytest.fixture(params=[0o000, 0o022, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_first_start_makes_all_files_with_their_modes(confdir: Path, umask: int) -> None:
    Authority.load_or_create(confdir)
    assert mode(confdir) == 0o700
    assert {path.name: mode(path) for path in confdir.iterdir()} == FILES


def test_private_files_are_never_open_to_others(confdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, int] = {}
    fdopen = os.fdopen

    def spy(fd: int, *args: str) -> object:
        path = os.readlink(f"/proc/self/fd/{fd}")
        seen[re.sub(r"^\.|\.[0-9a-f]{16}$", "", os.path.basename(path))] = stat.S_IMODE(os.fstat(fd).st_mode)
        assert os.fstat(fd).st_size == 0
        return fdopen(fd, *args)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    old = os.umask(0)
    try:
        monkeypatch.setattr(os, "fdopen", spy)
        Authority.load_or_create(confdir)
    finally:
        os.umask(old)
    assert seen == FILES


def test_the_ca_certificate(confdir: Path) -> None:
    ca = Authority.load_or_create(confdir)
    certificate = ca.certificate
    now = datetime.datetime.now(datetime.UTC)
    assert isinstance(ca.key, ec.EllipticCurvePrivateKey)
    assert ca.key.curve.name == "secp256r1"
    assert certificate.subject == certificate.issuer
    assert datetime.timedelta(days=1) < now - certificate.not_valid_before_utc < datetime.timedelta(days=3)
    assert datetime.timedelta(days=3640) < certificate.not_valid_after_utc - now < datetime.timedelta(days=3651)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value.ca
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature
    certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)


def test_the_second_start_finds_the_same_ca(confdir: Path) -> None:
    first = Authority.load_or_create(confdir)
    before = {path.name: path.read_bytes() for path in confdir.iterdir()}
    second = Authority.load_or_create(confdir, key_type="rsa")
    assert second.certificate == first.certificate
    assert {path.name: path.read_bytes() for path in confdir.iterdir()} == before


def test_the_forms_hold_the_certificate(confdir: Path) -> None:
    ca = Authority.load_or_create(confdir)
    assert (confdir / "midstream-ca-cert.pem").read_bytes() == ca.public_pem()
    assert (confdir / "midstream-ca-cert.cer").read_bytes() == ca.public_pem()
    public = pkcs12.load_pkcs12((confdir / "midstream-ca-cert.p12").read_bytes(), None)
    assert public.key is None
    assert [item.certificate for item in public.additional_certs] == [ca.certificate]
    private = pkcs12.load_pkcs12((confdir / "midstream-ca.p12").read_bytes(), None)
    assert private.cert is not None
    assert private.cert.certificate == ca.certificate
    for path in confdir.glob("midstream-ca-cert.*"):
        assert b"PRIVATE" not in path.read_bytes()


def test_missing_and_outdated_forms_are_written_again(confdir: Path) -> None:
    Authority.load_or_create(confdir)
    (confdir / "midstream-ca-cert.cer").unlink()
    (confdir / "midstream-ca.pem").write_bytes(Authority.create().private_pem())
    ca = Authority.load_or_create(confdir)
    assert (confdir / "midstream-ca-cert.pem").read_bytes() == ca.public_pem()
    assert (confdir / "midstream-ca-cert.cer").read_bytes() == ca.public_pem()


def test_rsa_when_asked_for() -> None:
    ca = Authority.create("rsa", 2048)
    assert isinstance(ca.key, rsa.RSAPrivateKey)
    assert ca.key.key_size == 2048
    with pytest.raises(AuthorityError, match="key_type: 'dsa' is no type"):
        Authority.create("dsa")


def private_file(path: Path, data: bytes) -> Path:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def test_a_reference_ca_goes_on_being_used(confdir: Path) -> None:
    old = Authority.create("rsa")
    path = private_file(confdir / "mitmproxy-ca.pem", old.private_pem())
    ca = Authority.load_or_create(confdir)
    assert ca.certificate == old.certificate
    assert {item.name for item in confdir.iterdir()} == {
        "mitmproxy-ca.pem",
        "midstream-ca-cert.pem",
        "midstream-ca-cert.cer",
        "midstream-ca-cert.p12",
    }
    assert path.read_bytes() == old.private_pem()


def test_ours_wins_over_a_reference_ca(confdir: Path) -> None:
    ours = Authority.load_or_create(confdir)
    private_file(confdir / "mitmproxy-ca.pem", Authority.create().private_pem())
    assert Authority.load_or_create(confdir).certificate == ours.certificate


def test_the_chain_in_the_file_is_kept(confdir: Path) -> None:
    root, middle = Authority.create(), Authority.create()
    # Key last, and another certificate first: the order in the file does not matter.
    key = middle.private_pem().partition(b"-----BEGIN CERTIFICATE")[0]
    private_file(confdir / "midstream-ca.pem", root.public_pem() + middle.public_pem() + key)
    ca = Authority.load_or_create(confdir)
    assert ca.certificate == middle.certificate
    assert ca.chain == (root.certificate,)
    assert ca.chain_pem() == root.public_pem()


def test_an_encrypted_key_needs_its_passphrase(confdir: Path) -> None:
    ca = Authority.create()
    pem = ca.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    private_file(confdir / "midstream-ca.pem", pem + ca.public_pem())
    with pytest.raises(AuthorityError, match="encrypted; give its passphrase with cert_passphrase"):
        Authority.load_or_create(confdir)
    with pytest.raises(AuthorityError, match="is cert_passphrase right"):
        Authority.load_or_create(confdir, passphrase=b"wrong")
    assert Authority.load_or_create(confdir, passphrase=b"secret").certificate == ca.certificate


def test_a_passphrase_for_a_plain_key_does_no_harm(confdir: Path) -> None:
    Authority.load_or_create(confdir, passphrase=b"secret")
    Authority.load_or_create(confdir, passphrase=b"secret")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "holds no private key"),
        (Authority.create().public_pem(), "holds no private key"),
        (Authority.create().private_pem() + b"x" * (1 << 20), "too large for a file of certificates"),
        (
            Authority.create().private_pem().partition(b"-----BEGIN CERT")[0],
            "holds no certificate; this file needs the CA",
        ),
        (
            Authority.create().private_pem().partition(b"-----BEGIN CERT")[0] + Authority.create().public_pem(),
            "belongs to none of the certificates",
        ),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"),
    ],
)
def test_broken_files_are_named_with_the_reason(confdir: Path, data: bytes, message: str) -> None:
    path = private_file(confdir / "midstream-ca.pem", data)
    with pytest.raises(AuthorityError, match=message) as caught:
        Authority.load_or_create(confdir)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def signed(ca: bool, days: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key).private_pem()


def test_a_certificate_that_is_no_ca_is_refused(confdir: Path) -> None:
    private_file(confdir / "midstream-ca.pem", signed(ca=False, days=10))
    with pytest.raises(AuthorityError, match="not allowed to sign"):
        Authority.load_or_create(confdir)


def test_an_expired_ca_is_used_with_a_warning(confdir: Path, caplog: pytest.LogCaptureFixture) -> None:
    private_file(confdir / "midstream-ca.pem", signed(ca=True, days=-1))
    Authority.load_or_create(confdir)
    assert "this CA expired on" in caplog.text


def test_loose_permissions_are_reported(confdir: Path, caplog: pytest.LogCaptureFixture) -> None:
    Authority.load_or_create(confdir)
    assert caplog.text == ""
    confdir.chmod(0o755)
    (confdir / "midstream-ca.pem").chmod(0o644)
    with caplog.at_level(logging.WARNING):
        Authority.load_or_create(confdir)
    assert f"chmod 700 {confdir}" in caplog.text
    assert f"chmod 600 {confdir / 'midstream-ca.pem'}" in caplog.text


def test_places_that_cannot_be_used(confdir: Path) -> None:
    confdir.write_text("a file")
    with pytest.raises(AuthorityError, match="a file is in its place"):
        Authority.load_or_create(confdir)
    confdir.unlink()
    (confdir / "midstream-ca.pem").mkdir(parents=True)
    with pytest.raises(AuthorityError, match=r"midstream-ca\.pem: the CA cannot be read or written"):
        Authority.load_or_create(confdir)


def test_without_hard_links_the_ca_is_still_made_once(confdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*args: object) -> None:
        raise PermissionError(1, "not permitted on this file system")

    monkeypatch.setattr(os, "link", link)
    old = os.umask(0)
    try:
        first = Authority.load_or_create(confdir)
    finally:
        os.umask(old)
    assert mode(confdir / "midstream-ca.pem") == 0o600
    assert not module._put_once(confdir / "midstream-ca.pem", b"another")
    assert Authority.load_or_create(confdir).certificate == first.certificate


def test_processes_that_start_at_once_end_up_with_one_ca(confdir: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from midstream.certs.authority import Authority\n"
        "sys.stdin.readline()\n"
        "print(Authority.load_or_create(Path(sys.argv[1])).certificate.serial_number)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(confdir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    serials = {process.communicate(timeout=30)[0].strip() for process in processes}
    assert len(serials) == 1
    assert serials == {str(Authority.load_or_create(confdir).certificate.serial_number)}
    assert {path.name for path in confdir.iterdir()} == set(FILES)


def test_openssl_reads_what_we_wrote(confdir: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    Authority.load_or_create(confdir)
    ca = str(confdir / "midstream-ca-cert.pem")
    subprocess.run([openssl, "verify", "-x509_strict", "-CAfile", ca, ca], check=True, capture_output=True)
    subprocess.run(
        [openssl, "pkcs12", "-in", str(confdir / "midstream-ca.p12"), "-passin", "pass:", "-nodes"],
        check=True,
        capture_output=True,
    )
