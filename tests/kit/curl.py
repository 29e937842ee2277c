"""The program curl, as a user runs it."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.waiting import PATIENCE

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the program curl is not installed")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="the program openssl is not installed")

# curl obeys these, and a test must not depend on who runs it.
_OBEYED = {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir", "curl_ca_bundle"}


@dataclass
class Curled:
    """What came of it. `exit` is curl's own status: 0 is success, 56 a broken connection, 60 a certificate…"""

    exit: int
    head: bytes
    """All heads, those of interim responses and of CONNECT included."""
    body: bytes
    errors: str
    status: int
    connects: int
    """New connections that were made."""


async def curl(*arguments: str, stdin: bytes | None = None) -> Curled:
    """Run curl with these arguments; its own configuration file is left out."""
    environment = {name: value for name, value in os.environ.items() if name.lower() not in _OBEYED}
    with tempfile.TemporaryDirectory() as folder:
        head, body = Path(folder) / "head", Path(folder) / "body"
        facts = ("-w", "%{http_code} %{num_connects}\n")
        process = await asyncio.create_subprocess_exec(
            "curl", "-q", "-sS", "-m", f"{PATIENCE:g}", "-D", str(head), "-o", str(body), *facts, *arguments,
            stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )  # fmt: skip
        async with asyncio.timeout(2 * PATIENCE):
            out, errors = await process.communicate(stdin)
        status, connects = out.decode().split()[-2:]
        assert process.returncode is not None
        return Curled(process.returncode, _content(head), _content(body), errors.decode(), int(status), int(connects))


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
