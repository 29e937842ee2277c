"""The addon readfile: flows of a file pass through the events as if they happened now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midstream.addons.core import Core
from midstream.addons.readfile import ReadFile
from midstream.addons.save import Save
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.io import FlowReader, FlowWriter
from midstream.testing import context
from tests.kit.captured import dns_flow, http_flow, tcp_flow
from tests.kit.stopwatch import never_held
from tests.kit.waiting import until


class Listener:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def requestheaders(self, flow: HTTPFlow) -> None:
        self.heard.append(f"requestheaders {flow.request.path}")

    def response(self, flow: HTTPFlow) -> None:
        self.heard.append(f"response {flow.request.path}")

    def tcp_message(self, flow: TCPFlow) -> None:
        self.heard.append(f"tcp_message {flow.messages[-1].content!r}")


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(Core(), ReadFile(), Save(), Listener(), loadcore=False) as tests:
        yield tests.master


def save(path: Path, *flows: Flow) -> None:
    with path.open("wb") as file:
        for flow in flows:
            FlowWriter(file).add(flow)


def urls(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [flow.request.url for flow in FlowReader(file).stream() if isinstance(flow, HTTPFlow)]


async def start(master: Master) -> None:
    master.is_running = True
    await master.events.running()


async def read(master: Master) -> list[str]:
    await start(master)
    await until(lambda: not master.commands.call("readfile.reading"), "it is read")
    heard: list[str] = master.addons.get("listener").heard
    return heard


async def test_addons_hear_of_each_flow(master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "flows"
    save(path, http_flow(), tcp_flow((True, b"x")), dns_flow())
    ctx.options.rfile = str(path)
    assert master.commands.call("readfile.reading") is False
    with caplog.at_level(logging.INFO):
        assert await read(master) == ["requestheaders /path", "response /path", "tcp_message b'x'"]
    assert caplog.messages == [f"read 3 flows from {path}"]


async def test_it_is_reading_until_all_is_read(master: Master, tmp_path: Path) -> None:
    save(tmp_path / "flows", http_flow())
    ctx.options.rfile = str(tmp_path / "flows")
    await start(master)
    assert master.commands.call("readfile.reading") is True
    await until(lambda: not master.commands.call("readfile.reading"), "it is read")


async def test_only_what_matches(master: Master, tmp_path: Path) -> None:
    save(tmp_path / "flows", *[http_flow(f"http://example.com/{number}") for number in range(300)])
    ctx.options.rfile = str(tmp_path / "flows")
    ctx.options.readfile_filter = "~u /123$"
    assert await read(master) == ["requestheaders /123", "response /123"]
    with pytest.raises(OptionsError, match="option readfile_filter"):
        ctx.options.readfile_filter = "~"


async def test_a_damaged_file_gives_what_is_whole_and_one_line(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "flows"
    save(path, http_flow("http://example.com/whole"))
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() * 2)
    with path.open("r+b") as file:
        file.truncate(size + 50)
    ctx.options.rfile = str(path)
    assert await read(master) == ["requestheaders /whole", "response /whole"]
    assert caplog.messages == [f"{path}: byte {size}: the file ends in the middle of a flow; read 1 flow"]
    assert master.exit_status == 1


async def test_a_missing_file(master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ctx.options.rfile = f"{tmp_path}/none"
    assert await read(master) == []
    assert caplog.messages == [f"{tmp_path}/none: it cannot be read: No such file or directory; read 0 flows"]


async def test_reading_can_be_stopped_and_does_not_hold_the_loop(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "many"
    save(path, *[http_flow(f"http://example.com/{number}") for number in range(3000)])
    path.write_bytes(path.read_bytes() * 10)
    ctx.options.rfile = str(path)
    await start(master)
    heard = master.addons.get("listener").heard
    async with never_held(0.25):  # 10 ms or so on a machine that has nothing else to do
        while len(heard) < 2000:
            await asyncio.sleep(0)
    assert master.jobs.running[0].text.startswith("reading many ")
    with caplog.at_level(logging.INFO):
        master.commands.execute("jobs.stop")
        await until(lambda: not master.commands.call("readfile.reading"), "it has stopped")
    assert len(heard) < 60_000
    assert "flows from" in caplog.messages[-1] and caplog.messages[-1].endswith(", and was then stopped")


async def test_a_filter_that_lets_nothing_through_can_be_stopped(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "many"
    save(path, *[http_flow(response_body=b"x" * 1000)] * 1000)
    path.write_bytes(path.read_bytes() * 60)
    ctx.options.rfile = str(path)
    ctx.options.readfile_filter = "~bs nothing"
    await start(master)
    await until(lambda: master.jobs.running and master.jobs.running[0].share, "some progress")
    master.commands.execute("jobs.stop")
    await until(lambda: not master.commands.call("readfile.reading"), "it has stopped")


# -- reading and saving one file


@pytest.mark.parametrize("sign", ["", "+"])
async def test_one_file_is_read_and_saved_to(master: Master, tmp_path: Path, sign: str) -> None:
    path = tmp_path / "flows"
    before = [f"http://example.com/{number}" for number in range(1500)]
    save(path, *map(http_flow, before))
    ctx.options.update(rfile=str(path), save_stream_file=f"{sign}{path}")
    await read(master)
    await master.events.done()
    assert urls(path) == (before if not sign else before * 2)
    assert [each.name for each in tmp_path.iterdir()] == ["flows"]


async def test_what_was_in_it_is_kept_when_not_all_of_it_was_read(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "flows"
    save(path, http_flow("http://example.com/whole"))
    before = path.read_bytes() + b"garbage"
    path.write_bytes(before)
    ctx.options.update(rfile=str(path), save_stream_file=str(path))
    await read(master)
    await master.events.done()
    assert urls(path) == ["http://example.com/whole"]
    assert Path(f"{path}.before").read_bytes() == before
    assert caplog.messages[-1] == f"what was in {path} before is in {path}.before"
