"""`mitmproxy.utils.magisk` and `mitmproxy.utils.htpasswd`, as a script has them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.kit.running_master import running_master


async def test_a_module_is_written(tmp_path: Path) -> None:
    from mitmproxy.utils import magisk

    async with running_master(tmp_path):
        ca = magisk.get_ca_from_files()
        magisk.write_magisk_module(str(tmp_path / "module.zip"))
        with zipfile.ZipFile(tmp_path / "module.zip") as module:
            assert f"system/etc/security/cacerts/{magisk.subject_hash_old(ca)}.0" in module.namelist()


def test_a_file_of_passwords(tmp_path: Path) -> None:
    from mitmproxy.utils.htpasswd import HtpasswdFile

    (tmp_path / "users").write_text("bob:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n")
    users = HtpasswdFile.from_file(tmp_path / "users")
    assert users.check_password("bob", "test") and not users.check_password("bob", "Test")
    with pytest.raises(ValueError, match="neither of bcrypt"):
        HtpasswdFile("bob:plain")
