"""Flows from a file in the list: `view.flows.load`."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midstream.addons.view import ViewAddon
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.io import FlowWriter
from midstream.store.formats.har_write import har_pieces
from midstream.store.view import View
from midstream.testing import context
from tests.kit.captured import http_flow, tcp_flow
from tests.kit.stopwatch import never_held
from tests.kit.waiting import until


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(loadcore=False) as tests:
        tests.master.view = View()
        tests.master.addons.add(ViewAddon(tests.master.view))
        yield tests.master


def save(path: Path, *flows: Flow) -> None:
    with path.open("wb") as file:
        for flow in flows:
            FlowWriter(file).add(flow)


async def load(path: Path, caplog: pytest.LogCaptureFixture) -> str:
    """Load a file and return the line that says how it went."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        assert ctx.master.commands.execute(f"view.flows.load {path}") is None
        await until(lambda: caplog.records, "a line about the loaded file")
    return caplog.records[0].getMessage()


async def test_a_file_can_be_loaded_twice(master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    view: View = master.view
    edited = http_flow("http://example.com/before", live=True)
    edited.backup()
    edited.request.path = "/edited"
    edited.marked = ":red:"
    edited.intercept()
    path = tmp_path / "two.flows"
    save(path, edited, tcp_flow((True, b"x")))
    for _ in range(2):
        assert await load(path, caplog) == f"loaded 2 flows from {path}"
    flows = [view.get(id_) for id_ in view.all_ids]
    assert len(flows) == 4 and edited.id not in view
    again = flows[2]
    assert isinstance(again, HTTPFlow)
    row = view.row(again.id)
    assert (row.path, row.marked, row.modified, row.held, row.live) == ("/edited", ":red:", True, "", False)
    again.revert()
    assert (again.request.path, view.get(again.id)) == ("/before", again)
    assert view.focus_id == view.shown[0]


async def test_no_addon_hears_of_loaded_flows(master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Listener:
        heard = 0

        def response(self, flow: HTTPFlow) -> None:
            self.heard += 1

    listener = Listener()
    master.addons.add(listener)
    save(tmp_path / "a", http_flow())
    await load(tmp_path / "a", caplog)
    assert (len(master.view), listener.heard) == (1, 0)


async def test_a_damaged_file_gives_what_is_whole(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cut"
    save(path, http_flow())
    size = path.stat().st_size
    save(path, http_flow(), http_flow())
    os.truncate(path, size + 100)
    line = await load(path, caplog)
    assert line == f"{path}: byte {size}: the file ends in the middle of a flow; loaded 1 flow"
    assert caplog.records[0].levelno == logging.ERROR
    assert len(master.view) == 1


async def test_files_that_cannot_be_read(master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        (tmp_path / "none", "it cannot be read: No such file or directory"),
        (tmp_path, "it cannot be read: Is a directory"),
        (tmp_path / "pipe", "it is a pipe; save what comes out of it into a file first"),
        ("/dev/tty", "it is no file but a device; save what comes out of it into a file first"),
    ):
        assert await load(path, caplog) == f"{path}: {reason}; loaded 0 flows"


async def test_the_loop_goes_on_meanwhile(master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "many"
    save(path, *[http_flow(f"http://example.com/{number}") for number in range(1200)])
    turns = 0
    async with never_held(0.25):  # 5 ms or so on a machine that has nothing else to do
        loading = asyncio.ensure_future(load(path, caplog))
        while not loading.done():
            await asyncio.sleep(0)
            turns += 1
    assert await loading == f"loaded 1,200 flows from {path}"
    assert turns > 20


async def test_a_har_file_is_loaded_like_any_other(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "x.har"
    flow = http_flow("http://example.com/har")
    path.write_bytes(b"".join(har_pieces([flow, http_flow("http://example.com/2")], "1")))
    for _ in range(2):
        assert await load(path, caplog) == f"loaded 2 flows from {path}"
    assert len(master.view.all_ids) == 4 and flow.id not in master.view
    path.write_bytes(path.read_bytes()[:-300])
    assert "loaded 1 flow" in await load(path, caplog)


async def test_loading_can_be_stopped(master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "many"
    save(path, *[http_flow()] * 2000)
    path.write_bytes(path.read_bytes() * 20)
    with caplog.at_level(logging.INFO):
        master.commands.execute(f"view.flows.load {path}")
        await until(lambda: len(master.view), "the first flows")
        assert master.jobs.running[0].what == "loading many"
        master.jobs.stop()
        await until(lambda: caplog.records, "a line about the loaded file")
    assert len(master.view) < 40_000
    assert caplog.messages == [f"loaded {len(master.view):,} flows from {path}, and was then stopped"]
