"""The session on a real terminal: what a kill -9 leaves, and how it comes back."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from midstream.flows.http import HTTPFlow
from midstream.store.formats.native import read_flows_from_paths
from tests.kit.pty import ProgramOnPty
from tests.kit.threaded_origin import QuietHandler, threaded_origin

pytestmark = pytest.mark.end2end

MIDSTREAM = [sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())"]
PROMISED = 1.0
"""Seconds before a kill from which on a finished flow may be lost."""


class Echo(QuietHandler):
    """Answers a number with a kilobyte of it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(body_of(self.path.rpartition("/")[2]))


def body_of(token: str) -> bytes:
    return (token.encode() + b",") * 200


@pytest.fixture
def origin() -> Iterator[int]:
    with threaded_origin(Echo) as port:
        yield port


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(confdir: Path, port: int, *more: str) -> ProgramOnPty:
    argv = [*MIDSTREAM, "--set", f"confdir={confdir}", "--listen-host", "127.0.0.1", "-p", str(port), *more]
    return ProgramOnPty(argv, 120, 32)


def sessions(confdir: Path, *words: str) -> str:
    argv = [*MIDSTREAM, "--set", f"confdir={confdir}", "--sessions", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stdout


class Load(threading.Thread):
    """Asks through the proxy, over one connection, until the proxy is gone; notes when each answer was whole."""

    def __init__(self, proxy: int, origin: int, name: str) -> None:
        super().__init__(daemon=True)
        self.proxy, self.origin, self.prefix = proxy, origin, name
        self.finished: dict[str, float] = {}

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy, timeout=10)
        try:
            for number in range(100_000):
                token = f"{self.prefix}{number}"
                connection.request("GET", f"http://127.0.0.1:{self.origin}/{token}")
                assert connection.getresponse().read() == body_of(token)
                self.finished[token] = time.monotonic()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()


def command(program: ProgramOnPty, line: str) -> None:
    program.send(":")
    program.wait_for(lambda each: any(row.startswith((":", " :")) for row in each.lines))
    program.send(line, "<enter>")


def count_of(program: ProgramOnPty) -> int:
    found = re.search(r"· (\d+) flows", program.text)
    return int(found[1]) if found is not None else 0


def test_a_kill_loses_nothing_that_ended_a_second_before(tmp_path: Path, origin: int) -> None:
    confdir, port = tmp_path / "conf", free_port()
    with start(confdir, port) as program:
        program.wait_for("No flows yet")
        loads = [Load(port, origin, name) for name in "abcd"]
        for load in loads:
            load.start()
        until = time.monotonic() + 3 * PROMISED
        program.wait_for(lambda _: time.monotonic() > until and all(len(load.finished) > 20 for load in loads))
        killed = time.monotonic()
        program.process.kill()
        program.process.wait()
        for load in loads:
            load.join()
    promised = {token for load in loads for token, at in load.finished.items() if at < killed - PROMISED}
    assert len(promised) > 20
    assert "crashed" in sessions(confdir)
    saved = tmp_path / "saved"
    with start(confdir, port, "--resume") as program:
        program.wait_for(lambda each: count_of(each) >= len(promised), what="the flows of before")
        command(program, f"save.file @all {saved}")
        program.wait_for("saved ")
        program.signal(signal.SIGTERM)
        assert program.wait_ended() == 0
        assert program.is_restored()
    found = {}
    for flow in read_flows_from_paths([saved]):
        assert isinstance(flow, HTTPFlow)
        found[flow.request.path.lstrip("/")] = flow
    assert not promised - found.keys()
    for token in promised:
        response = found[token].response
        assert response is not None
        assert response.raw_content == body_of(token)
    assert "closed" in sessions(confdir)


def test_two_consoles_have_two_sessions_and_an_empty_one_leaves_nothing(tmp_path: Path, origin: int) -> None:
    confdir, ports = tmp_path / "conf", (free_port(), free_port())
    with start(confdir, ports[0]) as first, start(confdir, ports[1]) as second:
        for program, port, token in ((first, ports[0], "one"), (second, ports[1], "two")):
            program.wait_for("No flows yet")
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", f"http://127.0.0.1:{origin}/{token}")
            assert connection.getresponse().read() == body_of(token)
            connection.close()
            program.wait_for("/" + token)
        first.wait_for(lambda _: sessions(confdir).count("in use") == 2, what="two sessions in use")
        assert "is in use, and was kept" in sessions(confdir, "delete", "all")
        for program in (first, second):
            program.signal(signal.SIGTERM)
            program.wait_ended()
    assert sessions(confdir).count("closed") == 2
    assert sessions(confdir, "delete", "all").count(" deleted") == 2
    with start(confdir, ports[0]) as third:
        third.wait_for("No flows yet")
        third.signal(signal.SIGTERM)
        third.wait_ended()
    assert not list((confdir / "sessions").iterdir())
    with start(confdir, ports[0], "--resume", "2020") as fourth:
        assert fourth.wait_ended() == 1
        assert "no session is called '2020'" in fourth.text
