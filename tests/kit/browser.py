"""Chromium, headless, driven by its DevTools protocol: through the proxy, trusting our CA as a user makes it do so.

async with chromium(tmp_path, running) as browser:
    await browser.open("https://example.org/")
    title = await browser.evaluate("() => document.title")
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.kit.waiting import PATIENCE, until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium"))), None)

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or shutil.which("certutil") is None, reason="chromium or certutil is not installed"
)


class ThroughProxy(Protocol):
    """What the browser has to know of the proxy."""

    @property
    def address(self) -> str: ...

    @property
    def ca(self) -> Path: ...


class Browser:
    """One page of a running browser."""

    def __init__(self, connection: ClientConnection, downloads: Path) -> None:
        self._connection = connection
        self._downloads = downloads
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session = ""
        self.events: list[dict[str, Any]] = []

    @property
    def complaints(self) -> list[str]:
        """What it says on its console of what it did not do."""
        entries = [event["params"]["entry"] for event in self.events if event["method"] == "Log.entryAdded"]
        return [str(entry["text"]) for entry in entries if entry["level"] in ("warning", "error")]

    async def listen(self) -> None:
        """Take in what it says until it ends."""
        async for text in self._connection:
            message = json.loads(text)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            else:
                self.events.append(message)

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """One method of the protocol, on the page once there is one."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        session = (
            {"sessionId": self._session} if self._session and not method.startswith(("Browser.", "Target.")) else {}
        )
        await self._connection.send(json.dumps({"id": number, "method": method, "params": params, **session}))
        async with asyncio.timeout(PATIENCE):
            message = await answer
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    async def begin(self) -> None:
        """Open an empty page, and listen to what happens on it."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        behaviour = {"behavior": "allowAndName", "downloadPath": str(self._downloads), "eventsEnabled": True}
        await self.call("Browser.setDownloadBehavior", **behaviour)
        await self.call("Page.enable")
        await self.call("Log.enable")

    async def open(self, url: str) -> None:
        """Go there, and wait until all of it is loaded."""
        before = len(self.events)
        gone = await self.call("Page.navigate", url=url)
        assert "errorText" not in gone, gone
        await until(
            lambda: any(event["method"] == "Page.loadEventFired" for event in self.events[before:]), f"{url} is loaded"
        )

    async def evaluate(self, function: str) -> Any:
        """What a function of JavaScript returns."""
        result = await self.call("Runtime.evaluate", expression=f"({function})()", returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def download(self, url: str) -> tuple[str, bytes]:
        """The name that is suggested for what is there, and its content."""
        before = len(self.events)
        await self.call("Page.navigate", url=url)

        def happened(method: str, **wanted: str) -> dict[str, Any] | None:
            for event in self.events[before:]:
                if event["method"] == method and wanted.items() <= event["params"].items():
                    params: dict[str, Any] = event["params"]
                    return params
            return None

        await until(lambda: happened("Browser.downloadProgress", state="completed"), f"{url} is downloaded")
        begun = happened("Browser.downloadWillBegin")
        assert begun is not None
        return begun["suggestedFilename"], (self._downloads / begun["guid"]).read_bytes()

    async def picture(self, *, width: int, height: int, dark: bool = False) -> bytes:
        """What the page looks like, as PNG."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", features=scheme)
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])


def at_home(home: Path) -> dict[str, str]:
    """The environment of a program that lives in this folder."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("XDG_")}, "HOME": str(home)}


async def _certutil(home: Path, *argv: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "certutil", *argv, "-d", f"sql:{home / '.pki' / 'nssdb'}", env=at_home(home)
    )  # fmt: skip
    assert await process.wait() == 0


@asynccontextmanager
async def chromium(folder: Path, proxy: ThroughProxy) -> AsyncIterator[Browser]:
    """The browser, with a home of its own in `folder`, until the block ends."""
    home, downloads = folder / "home", folder / "downloads"
    (home / ".pki" / "nssdb").mkdir(parents=True)
    downloads.mkdir()
    await _certutil(home, "-N", "--empty-password")
    await _certutil(home, "-A", "-n", "ours", "-t", "C,,", "-i", str(proxy.ca))
    assert CHROMIUM is not None
    port_file = home / "profile" / "DevToolsActivePort"
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        f"--user-data-dir={home / 'profile'}", f"--proxy-server={proxy.address}", "--proxy-bypass-list=<-loopback>",
        "--remote-debugging-port=0", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, env=at_home(home),
    )  # fmt: skip
    try:
        await until(lambda: port_file.exists() and port_file.read_text().count("\n"), "the browser has started")
        port, path = port_file.read_text().splitlines()[:2]
        async with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None) as connection:
            browser = Browser(connection, downloads)
            listening = asyncio.create_task(browser.listen())
            try:
                await browser.begin()
                yield browser
            finally:
                listening.cancel()
    finally:
        process.terminate()
        await process.wait()
