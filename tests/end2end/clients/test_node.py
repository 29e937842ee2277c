"""Node through the proxy: its own fetch and that of undici, with undici's ProxyAgent, in HTTP/1.1 and HTTP/2."""

import asyncio
import base64
import json
import os
import shutil
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.kit.echo_server import echo_server
from tests.kit.origins import OriginCA
from tests.kit.tour import STEPS, Capture, Step, bodies, capturing, small
from tests.kit.waiting import PATIENCE
from tests.kit.web_server import WebServer, digest, web_server

# Where .ci/run puts it: npm install --prefix ~/.cache/midstream-tests undici@7
MODULES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "midstream-tests" / "node_modules"

pytestmark = [
    pytest.mark.end2end,
    pytest.mark.skipif(shutil.which("node") is None, reason="the program node is not installed"),
    pytest.mark.skipif(not (MODULES / "undici").exists(), reason="undici is not installed; .ci/run does it"),
]


async def run(script: str, job: object) -> list[str]:
    """The lines that the script prints."""
    pipe = asyncio.subprocess.PIPE
    path = Path(__file__).with_name(script)
    process = await asyncio.create_subprocess_exec("node", str(path), stdin=pipe, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(2 * PATIENCE):
        out, errors = await process.communicate(json.dumps(job).encode())
    assert process.returncode == 0, errors.decode()
    return out.decode().splitlines()


async def fetch(proxy: Capture, server: WebServer, steps: Sequence[Step], **how: object) -> None:
    """Run the script, and look at its answers."""
    job = {
        "modules": str(MODULES),
        "proxy": proxy.address,
        "ca": str(proxy.ca),
        **how,
        "steps": [
            {
                "method": step.method,
                "url": server.url(step.path),
                "body": base64.b64encode(step.body).decode(),
                "in_pieces": step.in_pieces,
            }
            for step in steps
        ],
    }
    answers = [json.loads(line) for line in await run("fetch.mjs", job)]
    assert answers == [{"status": step.status, "sha256": digest(step.answer)} for step in steps]


@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
@pytest.mark.parametrize("which", ["undici", "node"])
async def test_one_by_one(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], which: str, http2: bool):
    async with web_server(bodies, tls=origin_ca) as server, capturing(confdir, *trusting) as proxy:
        await fetch(proxy, server, STEPS, which=which, http2=http2, at_once=False)
    proxy.agrees_with(server, "HTTP/2.0" if http2 else "HTTP/1.1")
    assert len(proxy.http) == len(STEPS)


@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
async def test_many_at_once(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], http2: bool):
    steps = [Step("GET", f"/small/{number}", 200, small(f"/small/{number}")) for number in range(100)]
    async with web_server(bodies, tls=origin_ca) as server, capturing(confdir, *trusting) as proxy:
        await fetch(proxy, server, steps, which="undici", http2=http2, at_once=True)
    proxy.agrees_with(server, "HTTP/2.0" if http2 else "HTTP/1.1")
    assert len(proxy.http) == len(steps)


async def test_in_the_clear(confdir: Path, trusting: tuple[str, str]):
    async with web_server(bodies) as server, capturing(confdir, *trusting) as proxy:
        await fetch(proxy, server, STEPS, which="undici", http2=False, at_once=False)
    proxy.agrees_with(server, "HTTP/1.1")


async def test_websocket(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], tls: ssl.SSLContext | None):
    texts, sizes = ["hello", "", "ünïcödé" * 1000], [0, 1, 125, 126, 65535, 65536, 500_000]
    sent = [one.encode() for one in texts] + [bytes(at * 31 & 255 for at in range(size)) for size in sizes]
    async with echo_server(tls) as (url, heard), capturing(confdir, *trusting) as proxy:
        job = {"modules": str(MODULES), "proxy": proxy.address, "ca": str(proxy.ca), "url": url}
        *answers, closed = await run("websocket.mjs", {**job, "texts": texts, "sizes": sizes})
        assert (answers, closed) == ([digest(one) for one in sent], "closed 3001")
    assert [one.encode() if isinstance(one, str) else one for one in heard] == sent
    [flow] = proxy.http
    assert flow.websocket is not None
    for from_client in (True, False):
        assert [one.content for one in flow.websocket.messages if one.from_client == from_client] == sent
    assert (flow.websocket.close_code, flow.websocket.close_reason) == (3001, "enough")
