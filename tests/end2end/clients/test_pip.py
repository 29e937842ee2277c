"""pip through the proxy: download of a package from an index that is served here, with our CA by --cert."""

import asyncio
import hashlib
import os
import random
import sys
import zipfile
from pathlib import Path

import pytest

from tests.kit.origins import OriginCA
from tests.kit.tour import capturing
from tests.kit.waiting import PATIENCE
from tests.kit.web_server import Message, Receive, Send, digest, respond, web_server

pytestmark = pytest.mark.end2end

WHEEL = "small_package-1.2.3-py3-none-any.whl"


def environment() -> dict[str, str]:
    """Without the CAs that this machine names: older versions of pip heed those even when --cert is given."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("CA_BUNDLE", "_CERT"))}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


@pytest.fixture
def wheel(tmp_path: Path) -> bytes:
    """A package with half a megabyte that does not pack."""
    path = tmp_path / WHEEL
    about = "small_package-1.2.3.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small_package/__init__.py", "")
        archive.writestr("small_package/noise.bin", random.Random(1).randbytes(500_000))
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: small-package\nVersion: 1.2.3\n")
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return path.read_bytes()


async def test_download(tmp_path: Path, confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], wheel: bytes):
    async def index(scope: Message, receive: Receive, send: Send) -> None:
        link = f'<!doctype html><a href="/files/{WHEEL}#sha256={hashlib.sha256(wheel).hexdigest()}">{WHEEL}</a>'
        if scope["path"] == f"/files/{WHEEL}":
            await respond(send, 200, wheel, ("content-type", "application/octet-stream"))
        else:
            await respond(send, 200, link.encode(), ("content-type", "text/html"))

    out = tmp_path / "out"
    async with web_server(index, tls=origin_ca) as server, capturing(confdir, *trusting) as proxy:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pip", "--isolated", "--no-input", "--no-cache-dir", "--disable-pip-version-check",
            "--proxy", proxy.address, "--cert", str(proxy.ca), "download", "--no-deps", "--dest", str(out),
            "--index-url", server.url("/simple/"), "small-package",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment(),
        )  # fmt: skip
        async with asyncio.timeout(2 * PATIENCE):
            printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
    assert digest((out / WHEEL).read_bytes()) == digest(wheel)
    proxy.agrees_with(server, "HTTP/1.1")
    assert [flow.request.path for flow in proxy.http] == ["/simple/small-package/", f"/files/{WHEEL}"]
