"""The module for Magisk: its files, and the name under which Android looks for a CA."""

from __future__ import annotations

import io
import subprocess
import zipfile

from cryptography import x509

from midstream.certs.authority import Authority
from midstream.certs.magisk import magisk_module, subject_hash_old
from tests.kit.curl import needs_openssl


@needs_openssl
def test_the_hash_is_that_of_openssl() -> None:
    authority = Authority.create()
    argv = ["openssl", "x509", "-subject_hash_old", "-noout"]
    said = subprocess.run(argv, input=authority.public_pem(), capture_output=True, check=True).stdout
    assert subject_hash_old(authority.certificate) == said.decode().strip()


def test_the_module() -> None:
    authority = Authority.create()
    with zipfile.ZipFile(io.BytesIO(magisk_module(authority.certificate))) as module:
        assert module.testzip() is None
        [path] = [name for name in module.namelist() if name.startswith("system/")]
        assert path == f"system/etc/security/cacerts/{subject_hash_old(authority.certificate)}.0"
        assert x509.load_pem_x509_certificate(module.read(path)) == authority.certificate
        properties = dict(line.split("=", 1) for line in module.read("module.prop").decode().splitlines())
        assert {"id", "name", "version", "versionCode", "author", "description"} == set(properties)
        assert module.read("META-INF/com/google/android/updater-script") == b"#MAGISK\n"
        assert b"install_module" in module.read("META-INF/com/google/android/update-binary")
        assert not any(b"PRIVATE" in module.read(name) for name in module.namelist())
