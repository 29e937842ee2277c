"""The addon save: which flows get into the file and when, and what is said when they cannot."""

from __future__ import annotations

import asyncio
import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midstream.addons import finishing
from midstream.addons.core import Core
from midstream.addons.save import Save
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.io import FlowReader
from midstream.testing import context
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow
from tests.kit.waiting import PATIENCE, until


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(Core(), Save(), loadcore=False) as tests:
        tests.master.is_running = True
        yield tests.master


def read(path: Path) -> list[Flow]:
    with path.open("rb") as file:
        return list(FlowReader(file).stream())


async def stop(master: Master) -> None:
    """Stop saving, and wait until the file is closed."""
    ctx.options.save_stream_file = None
    addon: Save = master.addons.get("save")
    await until(lambda: not addon._busy, "the file is closed")


async def emit(flow: Flow, *events: str) -> None:
    for event in events:
        await getattr(ctx.master.events, event)(flow)


async def test_flows_are_saved_when_they_are_finished(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    ctx.options.save_stream_file = str(path)
    http, failed, socket = http_flow(), http_flow(status=None), websocket_flow((True, b"x"))
    failed.error = Error("no")
    tcp, udp, dns, refused = tcp_flow(), udp_flow(), dns_flow(), http_flow("http://refused/")
    refused.error, dead = Error("refused"), tcp_flow()
    dead.error = Error("reset")
    await emit(http, "requestheaders", "request", "responseheaders", "response")
    await emit(failed, "requestheaders", "request", "error")
    await emit(socket, "requestheaders", "response", "websocket_start")
    await emit(tcp, "tcp_start", "tcp_end")
    await emit(udp, "udp_start", "udp_end")
    await emit(dns, "dns_request", "dns_response")
    await emit(refused, "http_connect_error")
    await emit(dead, "tcp_start", "tcp_error")
    await until(lambda: path.exists() and len(read(path)) == 7, "seven flows")
    assert socket.id not in [flow.id for flow in read(path)]
    await emit(socket, "websocket_end")
    await until(lambda: len(read(path)) == 8, "the WebSocket")
    assert [flow.id for flow in read(path)] == [
        each.id for each in (http, failed, tcp, udp, dns, refused, dead, socket)
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await stop(master)


async def test_a_flow_with_a_response_and_an_error_is_saved_once(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    ctx.options.save_stream_file = str(path)
    http, dns = http_flow(), dns_flow()
    http.error = dns.error = Error("it broke")
    await emit(http, "requestheaders", "response", "error")
    await emit(dns, "dns_request", "dns_response", "dns_error")
    await stop(master)
    assert [flow.id for flow in read(path)] == [http.id, dns.id]


async def test_what_is_open_is_saved_at_the_end(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    ctx.options.save_stream_file = str(path)
    waiting, talking = http_flow(status=None), tcp_flow((True, b"x"))
    await emit(waiting, "requestheaders")
    await emit(talking, "tcp_start")
    await master.events.done()
    assert [flow.id for flow in read(path)] == [waiting.id, talking.id]


async def test_another_file_gets_the_flows_that_finish_from_then_on(master: Master, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    ctx.options.save_stream_file = str(one)
    first, second = http_flow(), http_flow()
    await emit(first, "requestheaders")
    await emit(second, "requestheaders")
    await emit(first, "response")
    ctx.options.save_stream_file = str(two)
    await emit(second, "response")
    await stop(master)
    assert [flow.id for flow in read(one)] == [first.id]
    assert [flow.id for flow in read(two)] == [second.id]


async def test_a_held_response_is_saved_as_the_person_leaves_it(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    ctx.options.save_stream_file = str(path)
    held, next_one = http_flow(live=True), http_flow()
    held.intercept()
    master.events.response.sync(held)
    await emit(next_one, "response")
    await until(lambda: path.exists() and len(read(path)) == 1, "the other one")
    assert held.response is not None
    held.response.text = "edited"
    held.resume()
    await until(lambda: len(read(path)) == 2, "the held one")
    saved = read(path)[1]
    assert isinstance(saved, HTTPFlow) and saved.response is not None and saved.response.text == "edited"
    await stop(master)


async def test_an_error_after_the_response_makes_no_second_flow(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    ctx.options.save_stream_file = str(path)
    flow = http_flow()
    await emit(flow, "requestheaders", "response")
    flow.error = Error("the client left")
    await emit(flow, "error")
    await stop(master)
    assert [str(each.error) for each in read(path)] == ["the client left"]


async def test_only_what_matches_is_saved_and_the_filter_can_change(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    ctx.options.save_stream_filter = "~c 404"
    ctx.options.save_stream_file = str(path)
    await emit(http_flow(status=200), "response")
    await emit(http_flow(status=404), "response")
    await until(lambda: path.exists() and len(read(path)) == 1, "one flow")
    ctx.options.save_stream_filter = None
    await emit(http_flow(status=200), "response")
    await stop(master)
    assert [flow.response.status_code for flow in read(path)] == [404, 200]  # type: ignore[attr-defined]
    with pytest.raises(OptionsError, match="option save_stream_filter"):
        ctx.options.save_stream_filter = "~~"


async def test_notes_that_cannot_be_written_are_left_out_and_named_once(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "flows"
    ctx.options.save_stream_file = str(path)
    for _ in range(2):
        flow = http_flow()
        flow.metadata.update(good=1, bad=object())
        await emit(flow, "response")
    broken = http_flow()
    broken.comment = "\ud800"
    await emit(broken, "response")
    await stop(master)
    assert [flow.metadata for flow in read(path)] == [{"good": 1}] * 2
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if "flow.metadata.bad" in line] == [
        "flows are saved without what has no form in a file: "
        "flow.metadata.bad: a value of type object cannot be written"
    ]
    assert any("a flow cannot be saved: flow.comment" in line for line in lines)


async def test_a_full_disk_stops_it_with_one_line_that_says_how_to_go_on(
    master: Master, caplog: pytest.LogCaptureFixture
) -> None:
    ctx.options.save_stream_file = "/dev/full"
    await emit(http_flow(), "response")
    await until(lambda: ctx.options.save_stream_file is None, "it has stopped")
    await emit(http_flow(), "response")
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert line == (
        "saving to /dev/full has stopped: the disk is full; without the last flow; "
        "`set save_stream_file +/dev/full` starts it again"
    )


@pytest.mark.parametrize(("name", "reason"), [("", "it is a folder"), ("/file/x", "a part of its path is no folder")])
async def test_files_that_cannot_be(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    ctx.options.save_stream_file = f"{tmp_path}{name}"
    await until(lambda: ctx.options.save_stream_file is None, "it has stopped")
    assert f"saving to {tmp_path}{name} has stopped: {reason}" in caplog.text
    with pytest.raises(OptionsError, match="no name of a file"):
        ctx.options.save_stream_file = "a\0b"


async def test_traffic_waits_for_a_disk_that_is_slower(
    master: Master, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "MOST_WAITING", 5000)
    ctx.options.save_stream_file = str(tmp_path / "flows")
    stream = master.addons.get("save").addons[0]
    assert stream.response(http_flow()) is None
    waits = [stream.response(http_flow()) for _ in range(4)]
    assert [each is None for each in waits] == [True, False, False, False]
    await asyncio.gather(*[each for each in waits if each is not None])
    assert len(read(tmp_path / "flows")) == 5
    assert stream.response(http_flow()) is None
    await stop(master)


async def test_what_is_held_or_has_become_smaller_is_not_waited_for(
    master: Master, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "MOST_WAITING", 5000)
    ctx.options.save_stream_file = str(tmp_path / "flows")
    stream = master.addons.get("save").addons[0]
    held = http_flow(response_body=b"x" * 6000, live=True)
    held.intercept()
    for flow in (held, *(http_flow(response_body=b"x" * 6000) for _ in range(2))):
        waits = stream.response(flow)
        if flow is not held and flow.response is not None:
            flow.response.content = b""
        await asyncio.wait_for(waits, PATIENCE)
    held.resume()
    await stop(master)
    assert len(read(tmp_path / "flows")) == 3


# -- save.file


async def save(master: Master, flows: list[Flow], path: str) -> None:
    master.commands.call("save.file", flows, path)
    addon: Save = master.addons.get("save")
    await until(lambda: not addon._busy, "it is saved")


async def test_some_flows(master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "some.har"
    with caplog.at_level(logging.INFO):
        await save(master, [http_flow(), tcp_flow()], str(path))
        await save(master, [dns_flow()], f"+{path}")
    assert [flow.type for flow in read(path)] == ["http", "tcp", "dns"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert caplog.messages[0] == f"saved 2 flows in {path}; this is no HAR file, for which there is save.har"
    await save(master, [udp_flow()], str(path))
    assert [flow.type for flow in read(path)] == ["udp"]
    await save(master, [http_flow()], str(tmp_path))
    assert caplog.messages[-1] == f"{tmp_path}: nothing was saved: it is a folder"
    foreign = tmp_path / "foreign"
    foreign.write_text("notes")
    await save(master, [http_flow()], f"+{foreign}")
    assert foreign.read_text() == "notes" and "it is no flow file" in caplog.messages[-1]


async def test_many_flows_are_saved_in_slices_and_can_be_stopped(
    master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "many"
    path.write_bytes(b"old")
    flows: list[Flow] = [http_flow()] * 5000
    master.commands.call("save.file", flows, str(path))
    await until(lambda: master.jobs.running and master.jobs.running[0].share, "some progress")
    assert master.jobs.running[0].text.startswith("saving many ")
    with caplog.at_level(logging.INFO):
        master.commands.execute("jobs.stop")
        await until(lambda: not master.jobs.running, "it has stopped")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["many"]


async def test_the_end_waits_for_what_is_being_saved(master: Master, tmp_path: Path) -> None:
    master.commands.call("save.file", [http_flow()] * 500, str(tmp_path / "flows"))
    await master.events.done()
    assert len(read(tmp_path / "flows")) == 500
