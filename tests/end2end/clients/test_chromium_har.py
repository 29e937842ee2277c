"""Chromium's own HAR of a page that it loads through the proxy, read by us: the same exchanges that the proxy saw.

Chromium tells by its DevTools protocol what it did, the npm package chrome-har makes a HAR of that.
"""

import asyncio
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from midstream.flows.http import HTTPFlow
from midstream.io import FlowReader
from tests.end2end.clients.test_node import MODULES
from tests.kit.browser import Browser, chromium, needs_chromium
from tests.kit.origins import Heard, answering, ok, origin
from tests.kit.running_master import running_master
from tests.kit.waiting import PATIENCE, until

pytestmark = [
    pytest.mark.end2end,
    needs_chromium,
    pytest.mark.skipif(shutil.which("node") is None, reason="the program node is not installed"),
    pytest.mark.skipif(not (MODULES / "chrome-har").exists(), reason="chrome-har is not installed; .ci/run does it"),
]

BINARY = bytes(range(256))
PAGE = b"""<!doctype html><meta charset=utf-8><title>loading</title><link rel=icon href=data:,>
<script>addEventListener("load", async () => {
    const asked = {method: "POST", headers: {"content-type": "application/json"}, body: '{"\xc3\xa4": 1}'};
    await (await fetch("/json?a=1", asked)).json();
    await (await fetch("/binary")).arrayBuffer();
    await fetch("http://127.0.0.1:1/").catch(() => 0);
    await (await fetch("/done")).text();
});</script>"""


def answer(heard: Heard) -> bytes:
    match heard.target.partition("?")[0]:
        case "/":
            return ok(PAGE, "Content-Type: text/html; charset=utf-8", "Set-Cookie: a=1; HttpOnly", "Set-Cookie: b=2")
        case "/json":
            return ok(b'{"answer": "' + "größe".encode() + b'"}', "Content-Type: application/json")
        case "/binary":
            return ok(BINARY, "Content-Type: application/octet-stream")
        case _:
            return ok(b"done")


async def test_what_chromium_saw_is_what_passed(confdir: Path, tmp_path: Path) -> None:
    async with origin(answering(answer)) as web, running_master(confdir) as running:
        async with chromium(tmp_path, running) as browser:
            await browser.call("Network.enable")
            await browser.open(web.url("/"))
            await until(lambda: _is_done(browser), "the page has asked for everything")
            messages = await _with_bodies(browser)
        passed = [flow for event, flow in running.recorder.seen if event == "response"]
    har = await _har(messages)
    flows: list[Any] = list(FlowReader(io.BytesIO(har)).stream())
    by_url = {flow.request.url: flow for flow in flows}
    for saw in passed:
        assert isinstance(saw, HTTPFlow) and saw.response is not None
        if saw.response.status_code == 502:
            continue
        found = by_url[saw.request.url]
        assert found.request.method == saw.request.method
        assert found.response.status_code == saw.response.status_code
        assert found.response.content == saw.response.content
        if saw.request.content:
            assert found.request.json() == saw.request.json()  # chrome-har keeps the values, and not the text
        assert found.server_conn.peername == saw.server_conn.peername or found.server_conn.peername[0] == "127.0.0.1"
        assert abs(found.request.timestamp_start - saw.request.timestamp_start) < 5
    assert {flow.request.path for flow in flows} >= {"/", "/json?a=1", "/binary"}
    assert len(by_url[web.url("/")].response.headers.get_all("set-cookie")) == 2


def _is_done(browser: Browser) -> bool:
    """Whether the last request of the page is over."""
    network = [event for event in browser.events if event["method"].startswith("Network.")]
    asked = {
        event["params"]["requestId"]
        for event in network
        if event["method"] == "Network.responseReceived" and event["params"]["response"]["url"].endswith("/done")
    }
    return any(
        event["method"] == "Network.loadingFinished" and event["params"]["requestId"] in asked for event in network
    )


async def _with_bodies(browser: Browser) -> list[dict[str, Any]]:
    """What the browser told, with the bodies put where chrome-har looks for them."""
    events = [event for event in browser.events if event["method"].startswith(("Network.", "Page."))]
    finished = {event["params"]["requestId"] for event in events if event["method"] == "Network.loadingFinished"}
    for event in events:
        params = event["params"]
        if event["method"] == "Network.responseReceived" and params["requestId"] in finished:
            body = await browser.call("Network.getResponseBody", requestId=params["requestId"])
            params["response"]["body"] = body["body"]
            params["response"]["encoding"] = "base64" if body["base64Encoded"] else None
    return events


async def _har(messages: list[dict[str, Any]]) -> bytes:
    pipe = asyncio.subprocess.PIPE
    script = Path(__file__).with_name("har.mjs")
    process = await asyncio.create_subprocess_exec("node", str(script), stdin=pipe, stdout=pipe, stderr=pipe)
    job = json.dumps({"modules": str(MODULES), "messages": messages})
    async with asyncio.timeout(2 * PATIENCE):
        out, errors = await process.communicate(job.encode())
    assert process.returncode == 0, errors.decode()
    return out
