"""A directory: Debian's slapd as an ordinary process, with a folder of its own, on free ports of loopback.

async with slapd(tmp_path, tls) as directory:
    … directory.port, directory.tls_port
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.origins import OriginCA
from tests.kit.program import free_port
from tests.kit.waiting import PATIENCE, until

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/bin") or ""
SCHEMA = Path("/etc/ldap/schema")

needs_slapd = pytest.mark.skipif(not SLAPD, reason="the program slapd is not installed")

BASE = "dc=example,dc=org"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{BASE}", "ad:min"
CONFIG = """\
include {schema}/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.pem
database mdb
suffix "{base}"
rootdn "{admin}"
rootpw {password}
directory {folder}/data
"""
ENTRIES = """\
dn: {base}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people

dn: cn=ann,ou=people,{base}
objectClass: person
cn: ann
sn: A.
userPassword: s3cret:!

dn: cn=a*(b),ou=people,{base}
objectClass: person
cn: a*(b)
sn: Odd
userPassword: odd

dn: cn=twin,ou=people,{base}
objectClass: person
cn: twin
sn: One
userPassword: twin

dn: cn=twin,{base}
objectClass: person
cn: twin
sn: Two
userPassword: twin
"""


@dataclass
class Directory:
    """See the module."""

    port: int
    tls_port: int
    process: asyncio.subprocess.Process

    def spec(self, scheme: str = "ldap", password: str = ADMIN_PASSWORD, more: str = "") -> str:
        """For the option proxyauth."""
        port = self.port if scheme == "ldap" else self.tls_port
        return f"{scheme}:127.0.0.1:{port}:{ADMIN}:{password}:{BASE}{more}"

    async def end(self) -> None:
        """Let it be gone."""
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(PATIENCE):
            await self.process.wait()


@asynccontextmanager
async def slapd(folder: Path, ca: OriginCA) -> AsyncIterator[Directory]:
    """The directory, until the block ends. Its certificate is for localhost and 127.0.0.1."""
    data = folder / "data"
    data.mkdir(parents=True)
    (folder / "server.pem").write_bytes(ca.issue().private_pem())
    config = folder / "slapd.conf"
    names = {"base": BASE, "admin": ADMIN, "password": ADMIN_PASSWORD, "folder": folder, "schema": SCHEMA}
    config.write_text(CONFIG.format(**names))
    adding = await asyncio.create_subprocess_exec(
        SLAPD, "-T", "add", "-f", str(config), stdin=asyncio.subprocess.PIPE
    )  # fmt: skip
    await adding.communicate(ENTRIES.format(**names).encode())
    assert adding.returncode == 0
    port, tls_port = free_port(), free_port()
    urls = f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
    process = await asyncio.create_subprocess_exec(
        SLAPD, "-h", urls, "-f", str(config), "-d", "0", stderr=asyncio.subprocess.DEVNULL
    )  # fmt: skip
    directory = Directory(port, tls_port, process)
    try:
        await until(lambda: _answers(tls_port), "slapd listens")
        yield directory
    finally:
        await directory.end()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
