"""The main job on a real terminal: hold a POST, edit it in $EDITOR while traffic passes, let it go, look at the log."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.pty import ProgramOnPty
from tests.kit.stopwatch import within
from tests.kit.threaded_origin import QuietHandler, threaded_origin

pytestmark = [
    pytest.mark.end2end,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

MIDSTREAM = [sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())"]
EDITOR = """
import sys
path = sys.argv[-1]
text = open(path).read()
print("THE EDITOR IS OPEN", flush=True)
sys.stdin.readline()
text = text.replace("qty=1", "qty=2222") if text.startswith("qty") else text + "X-Edited: yes\\n"
open(path, "w").write(text)
"""


class Echo(QuietHandler):
    """Answers with what it got."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer(f"{self.command} {self.path} edited={self.headers.get('x-edited')} {body.decode()}\n".encode())

    do_POST = do_GET


@pytest.fixture
def origin() -> Iterator[int]:
    with threaded_origin(Echo) as port:
        yield port


@pytest.fixture
def editor(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "editor"
    path.write_text(f"#!{sys.executable}\n{EDITOR}")
    path.chmod(0o755)
    return {"MIDSTREAM_EDITOR": str(path)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def curl(port: int, *arguments: str) -> subprocess.Popen[str]:
    command = ["curl", "-sS", "--max-time", "30", "--proxy", f"http://127.0.0.1:{port}", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(program: ProgramOnPty, child: subprocess.Popen[str], deadline: float = 20) -> str:
    """What curl printed; the screen is read meanwhile, as the program must never wait for us."""
    end = time.monotonic() + deadline
    while child.poll() is None:
        assert time.monotonic() < end, f"curl still waits\n{program.text}"
        program.read()
    out, _ = child.communicate()
    return out


@pytest.mark.parametrize(("columns", "rows"), [(120, 32), (80, 24)])
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_hold_edit_and_let_go(tmp_path, origin, editor, loop, columns, rows):
    port = free_port()
    argv = [*MIDSTREAM, "--listen-host", "127.0.0.1", "-p", str(port), "--set", f"confdir={tmp_path / 'conf'}"]
    env = {**editor, "MIDSTREAM_EVENT_LOOP": loop}
    with ProgramOnPty(argv, columns, rows, env=env) as program:
        program.wait_for(f":{port}")
        program.send("i", "~m POST", "<enter>")
        program.wait_for("i:~m POST")
        post = curl(port, "-d", "qty=1", f"http://127.0.0.1:{origin}/cart")
        program.wait_for("‖req")

        for keys, done in (("ee3", "request headers edited"), ("eb", "request body edited")):
            program.send(*keys)
            program.wait_for("THE EDITOR IS OPEN")
            with within(2, clock=time.monotonic):
                get = curl(port, f"http://127.0.0.1:{origin}/get")
                assert finish(program, get) == "GET /get edited=None \n"
            program.send("\n")
            program.wait_for(done)

        assert post.poll() is None
        program.send("a")
        program.wait_for("‖res")
        assert post.poll() is None, "the response is held too"
        program.send("a")
        assert finish(program, post) == "POST /cart edited=yes qty=2222\n"

        program.send("E")
        program.wait_for("-- log")
        program.wait_for("listening")
        program.send(":", "set intercept '~d other'", "<enter>", "O", "/", "intercept", "<enter>")
        program.wait_for("~d other")
        program.send("Q")
        assert program.wait_ended() == 0
        assert program.is_restored()


def test_the_options_pane_edits_in_place(tmp_path):
    port = free_port()
    argv = [*MIDSTREAM, "--listen-host", "127.0.0.1", "-p", str(port), "--set", f"confdir={tmp_path / 'conf'}"]
    with ProgramOnPty(argv) as program:
        program.wait_for(f":{port}")
        program.send("O")
        program.wait_for("name")
        program.send("/", "view_filter", "<enter>")
        program.wait_for(lambda program: any(line.startswith(">") and "view_filter" in line for line in program.lines))
        program.send("<enter>")
        program.send("~d ex")
        program.wait_for("[~d ex")
        program.send("<enter>", "1")
        program.wait_for("all 0 > ~d ex")
        program.send("Q")
        assert program.wait_ended() == 0


def test_the_traceback_of_a_script_that_was_saved_broken(tmp_path):
    port, script = free_port(), tmp_path / "shop.py"
    script.write_text("value = 1\n")
    argv = [*MIDSTREAM, "--listen-host", "127.0.0.1", "-p", str(port), "--set", f"confdir={tmp_path / 'conf'}"]
    with ProgramOnPty([*argv, "-s", str(script)]) as program:
        program.wait_for(f":{port}")
        script.write_text("def helper():\n    return {}['sku']\n\nhelper()\n")
        program.send("6")
        program.wait_for("shop.py:2: KeyError: 'sku'")
        assert "Traceback" not in program.text  # one line, until somebody asks
        program.send("v")
        program.wait_for("Traceback (most recent call last):")
        program.wait_for("in helper")
        assert "script_file.py" not in program.text  # it begins in the script
        program.send("Q")
        assert program.wait_ended() == 0
