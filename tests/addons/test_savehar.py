"""HAR files by `save.har` and `hardump`, without a network: what is in them, when, and what a disk may do."""

import asyncio
import json
import logging
import os
import resource
import stat
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from midstream.addons.save import Save
from midstream.addons.savehar import SaveHar
from midstream.flows.errors import CommandError, FlowReadException, OptionsError
from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow
from midstream.io import FlowReader
from midstream.testing import context
from tests.kit.captured import http_flow, tcp_flow, websocket_flow
from tests.kit.stopwatch import never_held
from tests.kit.waiting import until


@pytest.fixture
async def tests() -> AsyncIterator[context]:
    async with context(Save(), SaveHar()) as tests:
        yield tests


def entries(path: Path) -> list[Any]:
    found: list[Any] = json.loads(path.read_bytes())["log"]["entries"]
    return found


def urls(path: Path) -> list[str]:
    return [entry["request"]["url"] for entry in entries(path)]


async def dump(tests: context, *flows: HTTPFlow) -> None:
    """Let flows happen."""
    events = tests.master.events
    for flow in flows:
        await events.requestheaders(flow)
        if flow.error is not None:
            await events.error(flow)
        else:
            await events.response(flow)


async def test_save_har(tests: context, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "some flows.har"
    har = tests.master.addons.get("savehar")
    with caplog.at_level(logging.INFO):
        har.export_har([http_flow("http://a/"), tcp_flow((True, b"x")), http_flow("http://b/")], str(path))
        await until(lambda: caplog.records, "a line about the file")
    assert urls(path) == ["http://a/", "http://b/"] and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert caplog.records[0].getMessage() == f"saved 2 flows in {path}; 1 flow without HTTP have no place in a HAR"
    assert har.make_har([http_flow("http://a/")])["log"]["creator"]["name"] == "midstream"


async def test_save_har_packed_and_refused(tests: context, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    har = tests.master.addons.get("savehar")
    path = tmp_path / "x.zhar"
    with caplog.at_level(logging.INFO):
        har.export_har([http_flow("http://a/")], str(path))
        await until(lambda: caplog.records, "a line about the file")
        assert json.loads(zlib.decompress(path.read_bytes()))["log"]["entries"]
        with pytest.raises(CommandError, match="nothing can be appended"):
            har.export_har([], f"+{path}")
        caplog.clear()
        har.export_har([http_flow("http://a/")], str(tmp_path / "nowhere" / "x.har"))
        await until(lambda: caplog.records, "a line about the file")
    assert "nothing was saved: there is no such folder" in caplog.records[0].getMessage()


async def test_the_loop_goes_on_while_10000_flows_are_saved(tests: context, tmp_path: Path) -> None:
    flows = [http_flow(f"http://example.com/{number}") for number in range(10_000)]
    flows[5].request.raw_content = os.urandom(5 << 20)
    path = tmp_path / "x.har"
    async with never_held(0.05):
        tests.master.addons.get("savehar").export_har(flows, str(path))
        await until(path.exists, "the file")
    assert len(entries(path)) == 10_000


async def test_hardump_is_there_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "x.har"
    async with context(Save(), SaveHar()) as tests:
        tests.configure(tests.master.addons.get("savehar"), hardump=str(path))
        socket, open_ = websocket_flow((True, b"hi")), http_flow("http://open/", status=None, live=True)
        failed = http_flow("http://failed/", status=None)
        failed.error = Error("refused")
        await dump(tests, http_flow("http://a/"), socket, failed)
        await tests.master.events.requestheaders(open_)
        await tests.master.events.websocket_end(socket)
        assert not path.exists()
    assert sorted(urls(path)) == ["http://a/", "http://failed/", "http://open/", "ws://example.com/socket"]
    assert os.listdir(tmp_path) == ["x.har"] and stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(("name", "size"), [("x.har", 1500), ("x.zhar", 300)])
async def test_what_a_kill_leaves_behind_can_be_read(tests: context, tmp_path: Path, name: str, size: int) -> None:
    tests.configure(tests.master.addons.get("savehar"), hardump=str(tmp_path / name))
    await dump(tests, http_flow("http://a/"), http_flow("http://b/"))

    def left() -> list[Path]:
        return [each for each in tmp_path.iterdir() if each.stat().st_size > size]

    await until(left, "flows are written")
    flows: list[Any] = []
    with pytest.raises(FlowReadException, match="the file ends"), left()[0].open("rb") as file:
        for flow in FlowReader(file).stream():
            flows.append(flow)
    assert [flow.request.url for flow in flows] == ["http://a/", "http://b/"]


async def test_the_filter_of_save_stream_counts_here_too(tests: context, tmp_path: Path) -> None:
    har = tests.master.addons.get("savehar")
    tests.configure(har, hardump=str(tmp_path / "x.har"), save_stream_filter="~u /yes")
    await dump(tests, http_flow("http://a/yes"), http_flow("http://a/no"))
    tests.configure(har, hardump="")
    await until((tmp_path / "x.har").exists, "the file is written")
    assert urls(tmp_path / "x.har") == ["http://a/yes"]
    assert har.addons == []


async def test_another_file_while_it_runs(tests: context, tmp_path: Path) -> None:
    har = tests.master.addons.get("savehar")
    open_ = http_flow("http://late/")
    tests.configure(har, hardump=str(tmp_path / "one.har"))
    await dump(tests, http_flow("http://a/"))
    await tests.master.events.requestheaders(open_)
    tests.configure(har, hardump=str(tmp_path / "two.har"))
    await tests.master.events.response(open_)
    tests.configure(har, hardump="")
    await until(lambda: all((tmp_path / name).exists() for name in ("one.har", "two.har")), "both are written")
    assert urls(tmp_path / "one.har") == ["http://a/"] and urls(tmp_path / "two.har") == ["http://late/"]


async def test_printed(capsys: pytest.CaptureFixture[str]) -> None:
    async with context(Save(), SaveHar()) as tests:
        tests.configure(tests.master.addons.get("savehar"), hardump="-")
        await dump(tests, http_flow("http://a/", response_body="größe".encode()))
    assert json.loads(capsys.readouterr().out)["log"]["entries"][0]["request"]["url"] == "http://a/"


@pytest.mark.parametrize("path", ["+x.har", "x\0y"])
def test_paths_that_are_none(path: str) -> None:
    with context(Save(), SaveHar()) as tests, pytest.raises(OptionsError, match="hardump"):
        tests.configure(tests.master.addons.get("savehar"), hardump=path)


@pytest.fixture
def small_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["x.har", "x.zhar"])
async def test_a_full_disk_is_told_and_what_found_room_is_whole(
    tests: context, tmp_path: Path, caplog: pytest.LogCaptureFixture, small_files: None, name: str
) -> None:
    har = tests.master.addons.get("savehar")
    path = tmp_path / name
    tests.configure(har, hardump=str(path))
    await dump(tests, http_flow("http://a/"))
    await until(lambda: any(each.stat().st_size > 200 for each in tmp_path.iterdir()), "the first flow is written")
    await asyncio.sleep(0)
    await dump(tests, http_flow("http://too/large", response_body=os.urandom(600_000)))
    await until(lambda: not har.addons, "it has stopped")
    assert "has stopped: it would be larger than files may be here; it holds 1 flow" in caplog.text
    data = path.read_bytes()
    found = json.loads(zlib.decompress(data) if name.endswith("zhar") else data)["log"]["entries"]
    assert [entry["request"]["url"] for entry in found] == ["http://a/"]
    assert os.listdir(tmp_path) == [name] and tests.options.hardump == ""
    await dump(tests, http_flow("http://and/on"))


async def test_a_folder_that_is_not_there(tests: context, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    har = tests.master.addons.get("savehar")
    tests.configure(har, hardump=str(tmp_path / "nowhere" / "x.har"))
    await until(lambda: not har.addons, "it has stopped")
    assert "has stopped: there is no such folder" in caplog.text
    assert tests.master.exit_status == 1


def test_nothing_listens_while_it_is_off() -> None:
    with context(Save(), SaveHar()) as tests:
        assert not any(
            "savehar" in repr(handler) or "HarDump" in repr(handler)
            for handler in tests.master.events.response.handlers
        )
