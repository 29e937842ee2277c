"""Server-sent events: the client has each one at once, and a person sees it in the console while the stream goes on."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.curl import needs_curl
from tests.kit.program import free_port
from tests.kit.pty import ProgramOnPty
from tests.kit.threaded_origin import QuietHandler, threaded_origin

pytestmark = [pytest.mark.end2end, needs_curl]

MIDSTREAM = [sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())"]
next_one = threading.Semaphore(0)


class Events(QuietHandler):
    """Says one event for each time that `next_one` is released."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(3):
            if not next_one.acquire(timeout=20):
                return
            event = b"data: event %d\n\n" % number
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")


@pytest.fixture
def origin() -> Iterator[int]:
    with threaded_origin(Events) as port:
        yield port


def test_events_are_seen_while_they_come(tmp_path: Path, origin: int) -> None:
    port = free_port()
    argv = [*MIDSTREAM, "--listen-host", "127.0.0.1", "-p", str(port), "--set", f"confdir={tmp_path / 'conf'}"]
    curl = [
        "curl",
        "-q",
        "-sSN",
        "-m",
        "30",
        "--proxy",
        f"http://127.0.0.1:{port}",
        f"http://127.0.0.1:{origin}/events",
    ]
    with ProgramOnPty(argv) as program:
        program.wait_for(f":{port}")
        with subprocess.Popen(curl, stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            for number in range(3):
                next_one.release()
                assert client.stdout.readline() == b"data: event %d\n" % number
                assert client.stdout.readline() == b"\n"
                if number == 0:
                    program.wait_for("/events")
                    program.send("<enter>", "<tab>")
                program.wait_for(f"data: event {number}")
        assert client.returncode == 0
        program.send("Q")
        assert program.wait_ended() == 0
