"""`-r`: both programs with a file of flows, from standard input, without listening."""

from __future__ import annotations

import asyncio
import os
import random
import shlex
import signal
import sys
from pathlib import Path

import pytest

from midstream.exceptions import FlowReadException
from midstream.io import FlowReader, FlowWriter
from tests.kit.captured import dns_flow, http_flow, tcp_flow, websocket_flow
from tests.kit.program import ENVIRONMENT, START, started
from tests.kit.pty import ProgramOnPty

pytestmark = [pytest.mark.end2end]

MIDSTREAM = [sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())"]


def save(path: Path, count: int) -> None:
    with path.open("wb") as file:
        writer = FlowWriter(file)
        for number in range(count):
            writer.add(http_flow(f"http://example.com/{number}"))


async def test_middump_prints_what_is_in_a_file_and_ends(confdir: Path, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    with path.open("wb") as file:
        for flow in (http_flow(), websocket_flow((True, b"hello")), tcp_flow((True, b"raw")), dns_flow()):
            FlowWriter(file).add(flow)
    async with started(confdir, "-nr", str(path)) as program:
        assert await program.ended() == 0
    text = "\n".join(program.lines)
    assert program.errors == [] and "listening" not in text
    assert "GET http://example.com/path" in text and "dns.example" in text
    async with started(confdir, "-nr", str(path), "~dns") as program:
        assert await program.ended() == 0
    assert "http://example.com/path" not in "\n".join(program.lines)


async def test_a_file_is_filtered_into_another(confdir: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "flows", tmp_path / "out"
    save(path, 500)
    async with started(confdir, "-q", "-nr", str(path), "-w", str(out), "~u /77$") as program:
        assert await program.ended() == 0
    with out.open("rb") as file:
        assert [flow.request.path for flow in FlowReader(file).stream()] == ["/77"]  # type: ignore[attr-defined]


async def test_a_damaged_file_is_one_line_and_status_1(confdir: Path, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    save(path, 3)
    os.truncate(path, path.stat().st_size - 10)
    async with started(confdir, "-nr", str(path)) as program:
        assert await program.ended() == 1
    (line,) = program.errors
    assert f"{path}: byte " in line and "the file ends in the middle of a flow; read 2 flows" in line
    assert sum("GET http://example.com/" in line for line in program.lines) == 2


def test_every_whole_flow_of_a_cut_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "flows"
    ends = [0]
    with path.open("wb") as file:
        for number in range(100):
            FlowWriter(file).add(http_flow(f"http://example.com/{number}", response_body=b"x" * (number % 50)))
            ends.append(file.tell())
    size = path.stat().st_size
    cuts = [*range(1000, size, 1000), *(random.Random(5).randrange(size) for _ in range(20))]
    for cut in sorted(cuts, reverse=True):
        os.truncate(path, cut)
        count = 0
        try:
            with path.open("rb") as file:
                for _ in FlowReader(file).stream():
                    count += 1
        except FlowReadException as error:
            assert f"byte {ends[count]}: the file ends in the middle of a flow" == str(error)
        assert ends[count] <= cut < (ends[count + 1] if count < 100 else size + 1)


async def test_standard_input_is_read_as_it_comes(confdir: Path, tmp_path: Path) -> None:
    save(tmp_path / "flows", 2)
    data = (tmp_path / "flows").read_bytes()
    half = data.index(b"http://example.com/1") if b"http://example.com/1" in data else len(data) * 3 // 4
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", START, "-nr", "-",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **ENVIRONMENT, "MIDSTREAM_CONFDIR": str(confdir)},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(data[:half])
    async with asyncio.timeout(20):
        assert b"GET http://example.com/0" in await process.stdout.readline()  # before the other one is there
        process.stdin.write(data[half:])
        process.stdin.close()
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"") and b"GET http://example.com/1" in out


async def test_a_silent_standard_input_does_not_keep_the_program(confdir: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", START, "--listen-host", "127.0.0.1", "-p", "0", "-r", "-",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **ENVIRONMENT, "MIDSTREAM_CONFDIR": str(confdir)},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    async with asyncio.timeout(20):
        assert b"listening at" in await process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        await process.wait()
        assert process.stderr is not None
        assert (process.returncode, await process.stderr.read()) == (0, b"")
    process.stdin.close()


def test_the_console_opens_a_file_without_listening(confdir: Path, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    save(path, 40)
    with ProgramOnPty([*MIDSTREAM, "--confdir", str(confdir), "-nr", str(path)]) as program:
        program.wait_for("all 40")
        program.wait_for("example.com/20")
        program.send("6")
        program.wait_for("read 40 flows from")
        assert "listening at" not in program.text and "not listening" in program.text
        program.send("Q")
        assert program.wait_ended() == 0


def test_the_console_reads_what_is_piped_into_it(confdir: Path, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    save(path, 5)
    command = shlex.join([*MIDSTREAM, "--confdir", str(confdir), "-nr", "-"])
    with ProgramOnPty(["sh", "-c", f"cat {path} | {command}"]) as program:
        program.wait_for("all 5")
        program.send("Q")  # keys still come from the terminal
        assert program.wait_ended() == 0


def test_loading_can_be_stopped_in_the_console(confdir: Path, tmp_path: Path) -> None:
    path = tmp_path / "flows"
    save(path, 2000)
    path.write_bytes(path.read_bytes() * 50)
    with ProgramOnPty([*MIDSTREAM, "--confdir", str(confdir), "-n"]) as program:
        program.wait_for("midstream")
        program.send(":", f"view.flows.load {path}", "<enter>")
        program.wait_for("loading flows")
        program.send(":", "jobs.stop", "<enter>")
        program.wait_for(lambda program: "loading flows" not in program.text, what="it has stopped")
        assert "all 100,000" not in program.text
        program.send("Q")
        assert program.wait_ended() == 0
