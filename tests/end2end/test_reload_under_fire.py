"""A script is saved again and again while traffic passes: no request is lost and nothing of old forms is left over.

The master runs in this process, so that its handlers and modules can be counted.
"""

import asyncio
import gc
import logging
import os
import sys
import time
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from midstream.hub import scripts
from tests.kit.origins import answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.stopwatch import Slow
from tests.kit.waiting import PATIENCE, until

pytestmark = pytest.mark.end2end

SAVES = 50
CLIENTS = 4
RATE = 200  # requests per second, all clients together

SOURCE = """
import asyncio, logging
from midstream import command, ctx

VERSION = {version}
logger = logging.getLogger(__name__)

class Marks:
    def load(self, loader):
        loader.add_option("mark", str, "unset", "What to write.")

    def request(self, flow):
        flow.metadata["asked"] = VERSION

    async def response(self, flow):
        await asyncio.sleep(0)
        flow.response.headers["X-Mark"] = f"{{VERSION}} {{ctx.options.mark}}"

    @command.command("marks.version")
    def version(self) -> int:
        return VERSION

def responseheaders(flow):
    flow.response.headers["X-Seen"] = str(VERSION)

async def running():
    if VERSION:  # a start waits for it, a reload does not
        await asyncio.Event().wait()

async def done():
    await asyncio.sleep(0)

addons = [Marks()]
"""


def save(path: Path, version: int) -> None:
    """As editors do: half of them write anew, the others rename over it."""
    text = SOURCE.format(version=version)
    if version % 2:
        path.write_text(text)
        return
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)


class Client:
    """One connection that is kept, with a request every so often; every answer is checked."""

    def __init__(self, running: RunningMaster, url: str) -> None:
        self.running, self.url = running, url
        self.answers = 0
        self.versions: list[int] = []

    async def fire(self, stop: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.running.port)
        request = f"GET {self.url} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        due = time.monotonic()
        while not stop.is_set():
            writer.write(request)
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(5) == b"whole"
            self._check(head.decode())
            due += CLIENTS / RATE
            await asyncio.sleep(max(due - time.monotonic(), 0))  # the rate of the fire, not a wait for anything
        writer.close()
        await writer.wait_closed()

    def _check(self, head: str) -> None:
        assert head.startswith("HTTP/1.1 200 "), head
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        version, _, mark = fields["X-Mark"].partition(" ")
        assert mark == "kept", "an option lost its value"
        assert "X-Seen" in fields, "a flow slipped by the script"
        self.versions.append(int(version))
        self.answers += 1


def handlers(running: RunningMaster) -> dict[str, int]:
    names = ("load", "configure", "running", "done", "update", "request", "responseheaders", "response")
    return {name: len(running.master.events.emitter(name).handlers) for name in names}


def left_behind(name: str) -> list[str]:
    return [module for module in sys.modules if module.startswith("__midstream_script_") and module.endswith(name)]


async def save_often(running: RunningMaster, path: Path, old: list[weakref.ref[Any]]) -> None:
    """Each save waits until the one before has arrived, so that fifty saves are fifty reloads."""
    commands = running.master.commands
    for version in range(1, SAVES + 1):
        module = running.master.addons.get(str(path))
        old += [weakref.ref(module), weakref.ref(module.addons[0])]
        del module
        save(path, version)
        await until(lambda version=version: commands.call("marks.version") == version, f"version {version} is loaded")


async def test_no_request_is_lost_and_nothing_is_left_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "POLL_INTERVAL", 0.05)  # fifty saves have to fit into ten seconds
    path = tmp_path / "under_fire.py"
    save(path, 0)
    old: list[weakref.ref[Any]] = []
    async with (
        origin(answering(lambda heard: ok(b"whole"))) as web,
        running_master(tmp_path / "conf", scripts=[str(path)]) as running,
    ):
        running.master.options.update(mark="kept")
        before = handlers(running), len(logging.Logger.manager.loggerDict), len(running.master.options.keys())
        clients = [Client(running, web.url("/")) for _ in range(CLIENTS)]
        stop = asyncio.Event()
        with ExitStack() as at_end:
            at_end.callback(stop.set)
            async with asyncio.TaskGroup() as fire:
                for client in clients:
                    fire.create_task(client.fire(stop))
                await save_often(running, path, old)
                stop.set()
        answers = sum(client.answers for client in clients)
        assert answers == len(web.requests)
        assert answers > SAVES, "there was hardly any fire"
        for client in clients:
            assert client.versions == sorted(client.versions), "an older form answered after a newer one"
        assert len({version for client in clients for version in client.versions}) > SAVES / 2
        assert (handlers(running), len(logging.Logger.manager.loggerDict), len(running.master.options.keys())) == before
        assert len(left_behind("under_fire")) == 1
        assert running.master.options.mark == "kept"
        assert running.logged("in its new form") == [f"{path} is loaded in its new form"] * SAVES
        if held := running.logged("held everything up"):
            raise Slow(held[0])
        assert [entry.msg for entry in running.log if entry.level in ("error", "warn")] == []
        await asyncio.sleep(0)
        gc.collect()
        alive = [reference() for reference in old if reference() is not None]
        assert alive == [], f"{len(alive)} objects of older forms are still there"
    assert left_behind("under_fire") == []
