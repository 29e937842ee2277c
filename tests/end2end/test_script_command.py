"""A command that a script declares, typed at the prompt of the console on a real terminal: each argument completed by
tab, its result and its errors on the screen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end2end.test_console import Echo as Echo
from tests.end2end.test_console import curl, finish, free_port
from tests.end2end.test_console import origin as origin
from tests.kit.pty import ProgramOnPty

pytestmark = pytest.mark.end2end

MIDSTREAM = [sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())"]

SCRIPT = '''
import asyncio
from collections.abc import Sequence

from midstream import command, flow, http, types


class Tags:
    @command.command("tag.put")
    @command.argument("colour", type=types.Choice("tag.colours"))
    def put(self, flows: Sequence[flow.Flow], colour: str, path: types.Path, times: int) -> str:
        """Note flows in a file."""
        with open(path, "a") as file:
            for each in flows:
                each.comment = f"{colour} x{times}"
                file.write(f"{each.comment} {each.request.path}\\n" * times)
        return f"{len(flows)} noted in {colour}"

    @command.command("tag.colours")
    def colours(self) -> Sequence[str]:
        return ["blue", "black", "dark red"]

    @command.command("tag.find")
    def find(self, comment: str) -> Sequence[flow.Flow]:
        return [f for f in self.flows if comment in f.comment]

    @command.command("tag.length")
    async def length(self, one: http.HTTPFlow) -> int:
        """How long its body is, after a while."""
        await asyncio.sleep(0)
        return len(one.response.content)

    flows = []

    def response(self, flow):
        self.flows.append(flow)


addons = [Tags()]
'''


@pytest.fixture
def program(tmp_path: Path, origin: int) -> Iterator[ProgramOnPty]:
    """The console with the script, and two flows in the list."""
    (tmp_path / "tags.py").write_text(SCRIPT)
    (tmp_path / "my notes").mkdir()
    (tmp_path / "my notes" / "notes.txt").touch()
    port = free_port()
    argv = [*MIDSTREAM, "--listen-host", "127.0.0.1", "-p", str(port), "--set", f"confdir={tmp_path / 'conf'}"]
    with ProgramOnPty([*argv, "-s", str(tmp_path / "tags.py")], cwd=tmp_path) as program:
        program.wait_for(f":{port}")
        for path in ("/one", "/two"):
            finish(program, curl(port, f"http://127.0.0.1:{origin}{path}"))
        program.wait_for("/two")
        yield program


def prompt(text: str, program: ProgramOnPty) -> None:
    program.wait_for(lambda program: program.lines[-3].startswith(text), what=text)


def test_every_argument_is_completed_and_the_result_is_shown(program: ProgramOnPty, tmp_path: Path) -> None:
    program.send(":", "tag.pu", "<tab>")
    prompt(" : tag.put  ", program)
    program.wait_for("flows colour path times  Note flows in a file.")
    program.send("@sho", "<tab>")
    prompt(" : tag.put @shown", program)
    program.wait_for("-> 2 flows")
    program.send("bl", "<tab>")
    program.wait_for("| black ")
    program.send("<backspace>", "<backspace>", "da", "<tab>")
    prompt(' : tag.put @shown "dark red"', program)
    program.send("my", "<tab>", "<tab>")
    prompt(' : tag.put @shown "dark red" "my notes/notes.txt"', program)
    program.send("2", "<enter>")
    program.wait_for("2 noted in dark red")
    assert (tmp_path / "my notes" / "notes.txt").read_text().split("\n") == [
        *["dark red x2 /one"] * 2,
        *["dark red x2 /two"] * 2,
        "",
    ]
    program.send(":", "tag.le", "<tab>", "@foc", "<tab>", "<enter>")
    program.wait_for(lambda program: program.lines[-3].strip().isdigit(), what="the length")

    program.send(":", "tag.find dark", "<enter>")
    program.wait_for("- tag.find  2 flows -")
    program.send("j", "<enter>")
    program.wait_for(lambda program: any(line.startswith(">") and "/two" in line for line in program.lines))
    program.send("Q")
    assert program.wait_ended() == 0, program.text


def test_errors_are_on_the_screen_with_their_reason(program: ProgramOnPty, tmp_path: Path) -> None:
    for line, seen in (
        ("tag.put @shown green /tmp/x 1", "colour: 'green' is no choice; the choices are blue, black, dark red"),
        ("tag.put @shown blue /tmp/x many", "times: 'many' is no whole number"),
        ("tag.put @nobody blue /tmp/x 1", "flows: '@nobody' names no flows"),
        ("tag.put @shown blue", "tag.put: 4 arguments needed, got 2"),
        (f"tag.put @shown blue {tmp_path}/none/x 1", "tag.put failed in tags.py line 13: FileNotFoundError"),
    ):
        # A line that failed stays in the prompt.
        program.send("<ctrl g>", ":", line, "<enter>")
        program.wait_for(seen)
    program.send("<ctrl g>", "E")
    program.wait_for("-- log")
    program.wait_for("error tags ")
    program.send("Q")
    assert program.wait_ended() == 0, program.text
