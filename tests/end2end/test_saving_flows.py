"""`-w` with real traffic: what is in the file after a kill, on a full disk, and when names follow the time."""

from __future__ import annotations

import asyncio
import signal
import stat
import time
from pathlib import Path

import pytest

from midstream.flows.errors import FlowReadException
from midstream.flows.http import HTTPFlow
from midstream.io import FlowReader
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, answering, ok, origin
from tests.kit.program import Middump, middump, python
from tests.kit.waiting import until
from tests.kit.websocket_echo import websocket_echo

pytestmark = [pytest.mark.end2end]

# With a limit for files, which they meet as they would meet a full disk.
LIMITED = (
    "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); "
    "import sys; from midstream.cli import middump; sys.exit(middump())"
)


def urls(path: Path) -> list[str]:
    """Of the whole flows."""
    found = []
    with path.open("rb") as file:
        try:
            for flow in FlowReader(file).stream():
                assert isinstance(flow, HTTPFlow)
                found.append(flow.request.url)
        except FlowReadException as error:
            assert "in the middle of a flow" in str(error)
    return found


def answer(heard: Heard) -> bytes:
    return ok(b"x" * 500)


async def many(program: Middump, target: str, delivered: dict[str, float], name: str) -> None:
    """One client that asks as fast as it is answered, and notes when each answer was there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
    try:
        number = 0
        while True:
            url = f"{target}/{name}/{number}"
            writer.write(f"GET {url} HTTP/1.1\r\nHost: example\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(500)
            delivered[url] = time.monotonic()
            number += 1
    except (OSError, asyncio.IncompleteReadError):
        return  # it was killed
    finally:
        writer.close()


async def test_a_kill_takes_no_flow_that_was_delivered_a_second_before(confdir: Path, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    delivered: dict[str, float] = {}
    async with origin(answering(answer)) as web, middump(confdir, "-q", "-v", "-w", str(path)) as program:
        async with asyncio.TaskGroup() as clients:
            for name in "abcdefgh":
                clients.create_task(many(program, web.url("").rstrip("/"), delivered, name))
            began = time.monotonic()
            await until(lambda: time.monotonic() - began > 2.5 and len(delivered) > 200, "enough traffic")
            program.signal(signal.SIGKILL)
            killed = time.monotonic()
        await program.ended()
        program.may_complain = True
    saved = set(urls(path))
    must = {url for url, when in delivered.items() if when < killed - 1}
    assert len(must) > 50
    assert not must - saved, f"{len(must - saved)} of {len(must)} are missing"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    print(f"{len(delivered) / (killed - began):.0f} flows/s, {len(set(delivered) - saved)} lost of the last second")
    # Whoever goes on with the file loses nothing either.
    async with origin(answering(answer)) as web, middump(confdir, "-w", f"+{path}") as program:
        await asyncio.wait_for(_get(program, web.url("/after")), 10)
    again = urls(path)
    assert again[-1] == web.url("/after") and saved <= set(again)


async def _get(program: Middump, url: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
    writer.write(f"GET {url} HTTP/1.1\r\nHost: example\r\nConnection: close\r\n\r\n".encode())
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()


@needs_curl
async def test_a_full_disk_stops_the_saving_and_not_the_traffic(confdir: Path, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    limit = 20_000
    async with (
        origin(answering(answer)) as web,
        python(
            confdir, "-c", LIMITED.format(limit), "--listen-host", "127.0.0.1", "-p", "0", "-w", str(path)
        ) as program,
    ):
        program.port = int((await program.line("listening at")).rpartition(":")[2])
        for number in range(30):
            done = await curl("--proxy", program.address, web.url(f"/{number}"))
            assert done.status == 200
        line = await program.error("saving to", str(path))
        assert "has stopped: it would be larger than files may be here" in line
        assert f"`set save_stream_file +{path}` starts it again" in line
        program.signal(signal.SIGTERM)
        assert await program.ended() == 1  # not everything was saved
    assert len(program.errors) == 1, program.printed()
    whole = urls(path)
    assert 3 < len(whole) < 30
    assert whole == [web.url(f"/{number}") for number in range(len(whole))]
    with path.open("rb") as file:
        assert len(list(FlowReader(file).stream())) == len(whole)  # no half flow is left at the end


@needs_curl
async def test_every_kind_of_end(confdir: Path, tmp_path: Path) -> None:
    import websockets

    folder = tmp_path / "new" / "folder"
    async with origin(answering(answer)) as web, websocket_echo() as echo:
        async with middump(confdir, "-w", f"{folder}/%Y.flows") as program:
            assert (await curl("--proxy", program.address, web.url("/ok"))).status == 200
            assert (await curl("--proxy", program.address, "http://127.0.0.1:1/refused")).status == 502
            await program.line("127.0.0.1:1", "refused the connection")
            async with websockets.connect(f"ws://127.0.0.1:{echo.port}/ws", proxy=program.address) as socket:
                await socket.send("hi")
                assert await socket.recv() == "hi"
            reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
            writer.write(f"POST {web.url('/open')} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf".encode())
            await until(lambda: any(folder.glob("*")), "the file")
            await asyncio.sleep(0)
            (path,) = folder.iterdir()
            await until(lambda: path.stat().st_size > 1000 and len(urls(path)) >= 3, "three flows")
        writer.close()
        del reader
    with path.open("rb") as file:
        flows = {flow.request.path: flow for flow in FlowReader(file).stream() if isinstance(flow, HTTPFlow)}
    assert set(flows) == {"/ok", "/refused", "/ws", "/open"}
    assert flows["/refused"].error is not None
    assert flows["/ws"].websocket is not None and len(flows["/ws"].websocket.messages) == 2
    assert flows["/open"].response is None


async def test_a_file_that_cannot_be_ends_the_start_and_a_failed_start_touches_no_file(
    confdir: Path, tmp_path: Path
) -> None:
    async with python(confdir, "-c", LIMITED.format(1 << 30), "-p", "0", "-w", str(tmp_path)) as program:
        assert await program.ended() == 1
        assert [line for line in program.errors if "has stopped: it is a folder" in line] == program.errors
    path = tmp_path / "flows"
    path.write_bytes(b"evidence")
    async with origin(answering(answer)) as web:
        argv = ("--listen-host", "127.0.0.1", "-p", str(web.port), "-w", str(path))
        async with python(confdir, "-c", LIMITED.format(1 << 30), *argv) as program:
            assert await program.ended() == 1
    assert path.read_bytes() == b"evidence"
