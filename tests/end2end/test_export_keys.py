"""Export, copy and redact in the real programs: what the terminal gets, what the screen and the files say."""

from __future__ import annotations

import base64
import io
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from midstream.addons.dumper import Dumper
from tests.kit.curl import needs_curl
from tests.kit.pty import ProgramOnPty
from tests.kit.running_master import running_master
from tests.kit.shell_line import run_line
from tests.kit.threaded_origin import QuietHandler, threaded_origin

pytestmark = [pytest.mark.end2end, needs_curl]

MIDSTREAM = [sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())"]
NO_CLIPBOARD = {"WAYLAND_DISPLAY": "", "DISPLAY": "", "TMUX": ""}
SECRET = "s3cr3t-value"
LISTENING = re.compile(r"127\.0\.0\.1:(\d+)")


class Hello(QuietHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(f'{{"echo": "{self.headers.get("x-test", "")}", "token": "{SECRET}"}}'.encode())


@pytest.fixture
def port() -> Iterator[int]:
    with threaded_origin(Hello) as number:
        yield number


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(program: ProgramOnPty, url: str, *arguments: str) -> None:
    """A request through the program, whose port stands on its screen."""
    found = LISTENING.search(program.text)
    assert found is not None
    command = ["curl", "-sS", "--max-time", "20", "--proxy", f"http://127.0.0.1:{found[1]}", *arguments, url]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while child.poll() is None:
        program.read()
    assert child.returncode == 0


def copied(program: ProgramOnPty) -> str:
    """What the terminal was asked to put on the clipboard last."""
    return base64.b64decode(re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", bytes(program.output))[-1]).decode()


def argv(tmp_path: Path, *more: str) -> list[str]:
    return [
        *MIDSTREAM,
        "-p",
        str(free_port()),
        "--listen-host",
        "127.0.0.1",
        "--set",
        f"confdir={tmp_path / 'conf'}",
        *more,
    ]


async def test_a_copied_curl_command_works_and_an_export_is_written(tmp_path: Path, port: int) -> None:
    with ProgramOnPty(argv(tmp_path), env=NO_CLIPBOARD, cwd=tmp_path) as program:
        program.wait_for(lambda program: LISTENING.search(program.text))
        fetch(program, f"http://127.0.0.1:{port}/x", "-H", "X-Test: it's $(me)")
        program.wait_for("/x")
        program.send("y", "c")
        program.wait_for("copied")
        assert "as curl to the clipboard (terminal)" in program.text
        assert b"it's $(me)" in await run_line(f"{copied(program)} -sS", tmp_path)

        program.send("y", "u")
        program.wait_for(lambda program: copied(program) == f"http://127.0.0.1:{port}/x")
        program.send(":", "export.file raw_request @focus one.txt", "<enter>")
        program.wait_for("as raw_request to one.txt")
        assert (tmp_path / "one.txt").read_text().startswith("GET /x HTTP/1.1\n")
        program.send("b")
        program.wait_for("cut.save @focus response.content")
        program.send(" body.json", "<enter>")
        program.wait_for("to body.json")
        assert SECRET in (tmp_path / "body.json").read_text()
        program.send("Q")
        assert program.wait_ended() == 0


@pytest.mark.parametrize(("columns", "rows"), [(120, 32), (80, 24)])
def test_no_secret_is_on_the_screen_nor_in_a_copy_while_redact_is_on(
    tmp_path: Path, port: int, columns: int, rows: int
) -> None:
    with ProgramOnPty(argv(tmp_path, "--set", "redact=true"), columns, rows, env=NO_CLIPBOARD) as program:
        program.wait_for(lambda program: LISTENING.search(program.text))
        url = f"http://127.0.0.1:{port}/?token={SECRET}"
        fetch(program, url, "-H", f"Authorization: Bearer {SECRET}", "-H", f"Cookie: sid={SECRET}")
        program.wait_for("token=<token")  # the column may be too narrow for all of it
        program.send("<enter>")
        program.wait_for("Bearer <token-1>")
        program.wait_for("sid=<token-1>")
        program.send("<tab>")
        program.wait_for('"token": "<token-1>"')
        program.send("y", "c")
        program.wait_for("copied")
        assert "Bearer <token-1>" in copied(program)
        assert SECRET not in copied(program)
        assert SECRET.encode() not in program.output
        program.send(":", "set redact false", "<enter>")
        program.wait_for(f'"token": "{SECRET}"')
        program.send("Q")
        assert program.wait_ended() == 0


async def test_dumps_and_har_files_have_names_and_the_server_gets_the_secret(tmp_path: Path, port: int) -> None:
    har, out = tmp_path / "all.har", io.StringIO()
    options: dict[str, object] = {"redact": True, "redact_rules": ["header:X-Test"], "flow_detail": 4}
    async with running_master(tmp_path / "one", Dumper(out), hardump=str(har), **options) as running:
        line = f"curl -sS -H 'X-Test: {SECRET}' --proxy {running.address} http://127.0.0.1:{port}/"
        assert f'"echo": "{SECRET}"' in (await run_line(line, tmp_path)).decode()
        await running.idle()
    for text in (out.getvalue(), har.read_text()):
        assert "<secret-1>" in text
        assert f'"token": "{SECRET}' not in text
        assert f'token\\": \\"{SECRET}' not in text
    assert f"X-Test: {SECRET}" not in out.getvalue()
