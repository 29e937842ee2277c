"""The certificate authority: made once, kept safe, and taken over from mitmproxy where there is one."""

import asyncio
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from tests.kit.curl import curl, needs_curl, needs_openssl
from tests.kit.origins import OriginCA, answering, ok, origin
from tests.kit.program import Middump, middump, started
from tests.kit.waiting import until

pytestmark = [pytest.mark.end2end, needs_curl]

SECRET = {"midstream-ca.pem", "midstream-ca.p12"}
PUBLIC = {"midstream-ca-cert.pem", "midstream-ca-cert.cer", "midstream-ca-cert.p12"}
MITMDUMP = shutil.which("mitmdump")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def https_works(program: Middump, origin_ca: OriginCA, ca: Path) -> bool:
    """Whether a client that trusts this CA gets through."""
    async with origin(answering(lambda heard: ok(b"in")), tls=origin_ca.context()) as web:
        done = await curl("--proxy", program.address, "--cacert", str(ca), web.url())
        return (done.exit, done.body) == (0, b"in")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
async def test_the_first_start_makes_it_and_keeps_the_key_to_its_owner(confdir: Path, umask: int):
    async with middump(confdir, umask=umask):
        assert {path.name for path in confdir.iterdir()} >= SECRET | PUBLIC
        assert mode(confdir) == 0o700
        for name in SECRET:
            assert mode(confdir / name) == 0o600
        for path in confdir.iterdir():
            assert not mode(path) & 0o022
            if path.name not in SECRET:
                assert b"PRIVATE" not in path.read_bytes()


async def test_the_files_are_of_one_certificate(confdir: Path):
    async with middump(confdir):
        pem = x509.load_pem_x509_certificate((confdir / "midstream-ca-cert.pem").read_bytes())
        assert x509.load_pem_x509_certificate((confdir / "midstream-ca-cert.cer").read_bytes()) == pem
        key, certificate, _ = pkcs12.load_key_and_certificates((confdir / "midstream-ca.p12").read_bytes(), None)
        assert certificate == pem
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.public_key() == pem.public_key()
        assert pem.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


async def test_it_is_the_same_at_the_next_start(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with middump(confdir):
        before = {path.name: path.read_bytes() for path in confdir.iterdir()}
    async with middump(confdir, *trusting) as program:
        assert {path.name: path.read_bytes() for path in confdir.iterdir()} == before
        assert await https_works(program, origin_ca, program.ca)


async def test_two_folders_have_two(confdir: Path, tmp_path: Path):
    async with middump(confdir) as one, middump(tmp_path / "other") as two:
        assert one.ca.read_bytes() != two.ca.read_bytes()


async def test_an_rsa_key_may_be_asked_for(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with middump(confdir, "--set", "key_type=rsa", "--set", "key_size=2048", *trusting) as program:
        key = x509.load_pem_x509_certificate(program.ca.read_bytes()).public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == 2048
        assert await https_works(program, origin_ca, program.ca)


async def test_loose_permissions_are_reported(confdir: Path):
    async with middump(confdir):
        pass
    (confdir / "midstream-ca.pem").chmod(0o644)
    async with middump(confdir) as program:
        await program.line("midstream-ca.pem", "other users of this machine may have access", "chmod 600")


async def mitmproxy_ca(folder: Path) -> None:
    """`mitmproxy-ca.pem` as that program makes it, by that program if it is there."""
    folder.mkdir(mode=0o700)
    if MITMDUMP is not None:
        process = await asyncio.create_subprocess_exec(
            *(MITMDUMP, "-q", "-p", "0", "--listen-host", "127.0.0.1", "--set", f"confdir={folder}"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await until((folder / "mitmproxy-dhparam.pem").exists, "mitmdump has made its CA")
        finally:
            process.kill()
            await process.wait()
        return
    key, certificate = folder / "key.pem", folder / "mitmproxy-ca-cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=mitmproxy/O=mitmproxy",
         "-days", "30", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    (folder / "mitmproxy-ca.pem").write_bytes(key.read_bytes() + certificate.read_bytes())
    (folder / "mitmproxy-ca.pem").chmod(0o600)
    key.unlink()


@needs_openssl
async def test_devices_that_trust_mitmproxy_go_on_working(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    await mitmproxy_ca(confdir)
    before = {path.name: path.read_bytes() for path in confdir.iterdir()}
    async with middump(confdir, *trusting) as program:
        assert await https_works(program, origin_ca, confdir / "mitmproxy-ca-cert.pem")
        assert {name: (confdir / name).read_bytes() for name in before} == before
        # No second CA appears beside it that somebody might install in vain.
        ours = confdir / "midstream-ca-cert.pem"
        assert not ours.exists() or x509.load_pem_x509_certificate(ours.read_bytes()) == x509.load_pem_x509_certificate(
            (confdir / "mitmproxy-ca-cert.pem").read_bytes()
        )


@needs_openssl
async def test_the_ca_of_ones_own_comes_first(
    confdir: Path, tmp_path: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    async with middump(confdir):
        pass
    await mitmproxy_ca(tmp_path / "theirs")
    shutil.copy(tmp_path / "theirs" / "mitmproxy-ca.pem", confdir)
    async with middump(confdir, *trusting) as program:
        assert await https_works(program, origin_ca, program.ca)


async def test_a_ca_whose_key_is_encrypted(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with middump(confdir):
        pass
    file = confdir / "midstream-ca.pem"
    key = load_pem_private_key(file.read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    file.write_bytes(locked + (confdir / "midstream-ca-cert.pem").read_bytes())
    async with middump(confdir, "--set", "cert_passphrase=open sesame", *trusting) as program:
        assert await https_works(program, origin_ca, program.ca)
    async with started(confdir, "-p", "0", "--listen-host", "127.0.0.1") as program:
        assert await program.ended() == 1
    assert len(program.errors) == 1
    assert "midstream-ca.pem" in program.errors[0]
    assert "cert_passphrase" in program.errors[0]
