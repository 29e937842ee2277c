"""HAR files of real traffic: captured by `hardump` while curl and a WebSocket pass, killed, read again by `-r`."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from midstream.exceptions import FlowReadException
from midstream.io import FlowReader
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import answering, ok, origin
from tests.kit.program import middump, started
from tests.kit.waiting import until

pytestmark = [pytest.mark.end2end, needs_curl]

BINARY = bytes(range(256)) * 4


def entries(path: Path) -> list[Any]:
    found: list[Any] = json.loads(path.read_bytes())["log"]["entries"]
    return found


async def test_traffic_becomes_a_har_and_a_har_is_read_again(confdir: Path, tmp_path: Path) -> None:
    path, again = tmp_path / "x.har", tmp_path / "again.zhar"
    dump = ("--set", f"hardump={path}")
    async with origin(answering(lambda heard: ok(heard.body[::-1]))) as web, middump(confdir, *dump) as program:
        proxy = ("-x", program.address)
        await curl(*proxy, web.url("/get"), "-X", "GET", "--data-binary", "a body")
        await curl(*proxy, web.url("/put?a=1"), "-X", "PUT", "--data-binary", "@-", stdin=BINARY)
        await curl(*proxy, "http://127.0.0.1:1/refused")
    get, put, refused = entries(path)
    assert get["request"]["postData"]["text"] == "a body" and get["response"]["content"]["text"] == "ydob a"
    assert get["serverIPAddress"] == "127.0.0.1" and get["timings"]["connect"] > 0 and get["time"] > 0
    assert put["request"]["queryString"] == [{"name": "a", "value": "1"}]
    assert refused["response"]["status"] in (0, 502)
    async with started(confdir, "-n", "-r", str(path), "--set", f"hardump={again}") as program:
        await program.line("PUT", "/put?a=1")
        assert await program.ended() == 0
    with again.open("rb") as file:
        flows: list[Any] = list(FlowReader(file).stream())
    assert flows[1].request.raw_content == BINARY and flows[1].response.content == BINARY[::-1]
    assert flows[0].id == get["_midstream"]["id"]


async def test_a_kill_leaves_every_flow_that_was_delivered(confdir: Path, tmp_path: Path) -> None:
    dump = ("--set", f"hardump={tmp_path / 'x.har'}")
    async with origin(answering(lambda heard: ok(b"hello"))) as web, middump(confdir, *dump) as program:
        urls = [web.url(f"/{number}") for number in range(20)]
        for url in urls:
            await curl("-x", program.address, url)
        [hidden] = tmp_path.glob(".x.har.*")
        await until(lambda: hidden.read_bytes().count(b'"startedDateTime"') == len(urls), "all flows are written")
        program.may_complain = True
        program.signal(signal.SIGKILL)
        await program.ended()
    assert not (tmp_path / "x.har").exists()
    flows: list[Any] = []
    with hidden.open("rb") as file, pytest.raises(FlowReadException, match="the file ends in the middle of"):
        for flow in FlowReader(file).stream():
            flows.append(flow)
    assert [flow.request.url for flow in flows] == urls
