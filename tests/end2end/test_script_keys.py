"""A script's own commands on keys of one's own, in the console on a real terminal while curl's traffic passes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end2end.test_console import MIDSTREAM, curl, finish, free_port
from tests.kit.pty import ProgramOnPty
from tests.kit.threaded_origin import QuietHandler, threaded_origin

pytestmark = [
    pytest.mark.end2end,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

SCRIPT = """
from midstream import command, ctx, flow
from midstream.exceptions import CommandError


class Tag:
    @command.command("tag.set")
    def set(self, flow: flow.Flow, text: str) -> None:
        "Send a tag along with a flow."
        flow.request.headers["x-tag"] = text
        flow.comment = f"tagged {text}"
        ctx.master.commands.call("flow.mark", [flow], ":dog:")

    @command.command("tag.refuse")
    def refuse(self, flow: flow.Flow) -> None:
        raise CommandError(f"{flow.request.path} is not for tagging")

    @command.command("tag.break")
    def break_(self, flow: flow.Flow) -> None:
        raise KeyError(flow.request.path)


addons = [Tag()]
"""

OURS = """\
version: 1
bind:
  - {keys: leader t, in: [flows, detail], run: tag.set @focus ours, help: Tag it}
  - {keys: ctrl g, in: [flows], run: tag.refuse @focus, help: Refuse}
  - {keys: g b, in: [flows], run: tag.break @focus, help: Break}
  - {keys: T, in: [flows], run: tag.late @focus, help: Not there yet}
  - {keys: Y, in: [flows], run: tag.sett @focus x, help: A typing mistake}
"""

LIST = """\
- key: ctrl e
  cmd: tag.set @focus listed
  ctx: ["flowlist", "flowview"]
  help: Tag it
- key: meta r
  cmd: tag.refuse @focus
- key: e
  cmd: tag.break @focus
  ctx: ["flowlist"]
"""


class Echo(QuietHandler):
    """Answers with the tag it got."""

    def do_GET(self) -> None:
        self.answer(f"{self.path} tag={self.headers.get('x-tag')}\n".encode())


@pytest.fixture
def origin() -> Iterator[int]:
    with threaded_origin(Echo) as port:
        yield port


def console_with(tmp_path: Path, keys: str, port: int, columns: int = 120, rows: int = 32) -> ProgramOnPty:
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "keys.yaml").write_text(keys)
    (tmp_path / "tag.py").write_text(SCRIPT)
    argv = [*MIDSTREAM, "--listen-host", "127.0.0.1", "-p", str(port), "--set", f"confdir={conf}"]
    return ProgramOnPty(
        [*argv, "-s", str(tmp_path / "tag.py"), "--intercept", "~q"], columns, rows, env={"HOME": str(tmp_path)}
    )


def test_chords_of_ones_own_run_a_scripts_commands(tmp_path, origin):
    port = free_port()
    with console_with(tmp_path, OURS, port) as program:
        program.wait_for(f":{port}")
        child = curl(port, f"http://127.0.0.1:{origin}/typed")
        program.wait_for("‖req")
        program.send(":", "tag.s", "<tab>")
        program.wait_for(": tag.set ")
        program.wait_for("Send a tag along with a flow.")
        program.send("@foc", "<tab>")
        program.wait_for(": tag.set @focus ")
        program.send("by-hand", "<enter>", "a")
        assert finish(program, child) == "/typed tag=by-hand\n"
        program.send("d")
        program.wait_for("all 0")

        child = curl(port, f"http://127.0.0.1:{origin}/first")
        program.wait_for("‖req")

        program.send(",")
        program.wait_for("t Tag it")  # in the menu of the leader, beside what the default set has there
        program.send("t")
        program.wait_for(lambda program: "🐕" in program.text or "*" in program.lines[2][:3], what="the marker")

        program.send("<ctrl g>")
        program.wait_for("/first is not for tagging")
        program.send("g", "b")
        program.wait_for("KeyError")
        program.send("T")
        program.wait_for("T (keys.yaml:6): no command is called 'tag.late'")
        program.send("a")
        assert finish(program, child) == "/first tag=ours\n"

        program.send("6")
        program.wait_for("~/conf/keys.yaml:7:33: Y does nothing yet: no command is called 'tag.sett'")
        program.wait_for("/first is not for tagging")
        program.wait_for("KeyError: '/first'")

        # The command comes with a later form of the script, and the key works from then on.
        program.send("5", "/", "tag.late", "<enter>")
        program.wait_for(lambda program: any(line.startswith("> ! T ") for line in program.lines), what="T is missing")
        changed = tmp_path / "tag.new"
        changed.write_text(SCRIPT.replace("tag.refuse", "tag.late"))
        os.replace(changed, tmp_path / "tag.py")
        program.wait_for(lambda program: any(line.startswith(">   T ") for line in program.lines), what="T works")
        program.send("1", "T")
        program.wait_for("/first is not for tagging")
        program.send("<ctrl g>")
        program.wait_for("ctrl g (keys.yaml:4): no command is called 'tag.refuse'")
        program.send("Q")
        assert program.wait_ended() == 0


def test_a_key_file_in_the_list_format_of_mitmproxy(tmp_path, origin):
    port = free_port()
    with console_with(tmp_path, LIST, port, 80, 24) as program:
        program.wait_for(f":{port}")
        child = curl(port, f"http://127.0.0.1:{origin}/second")
        program.wait_for("‖req")
        program.send("<ctrl e>")
        program.wait_for(lambda program: "🐕" in program.text or "*" in program.lines[2][:3], what="the marker")
        program.send("\x1br")
        program.wait_for("/second is not for tagging")
        program.send("e")
        program.wait_for("KeyError")
        program.send("a")
        assert finish(program, child) == "/second tag=listed\n"
        program.send("K", "/", "ctrl e", "<enter>")
        program.wait_for("keys.yaml:1")
        program.send("Q")
        assert program.wait_ended() == 0


def test_a_key_file_that_is_wrong_stops_nothing(tmp_path):
    port = free_port()
    keys = OURS + "  - {keys: entre, run: console.exit}\nunbind: [{keys: f12}]\n"
    with console_with(tmp_path, keys, port) as program:
        program.wait_for("5 keys 2!")
        program.send("K")
        program.wait_for("keys.yaml:8:12: 'entre' is no key name; did you mean 'enter'?")
        program.wait_for("keys.yaml:9:17: 'f12' is not bound there")
        assert "5 keys 2!" not in program.lines[0]
        program.send("Q")
        assert program.wait_ended() == 0


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x7fELF\x02\x01\x00" * 1000, "keys.yaml:1:1: "),
        (b"version: 1\n", "keys.yaml: larger than 65,536 bytes"),
        (b"[" * 50_000, "keys.yaml:1:51: nested deeper than 50 levels"),
        (b"version: 1\nbind: [{keys: !!python/object/apply:os.system [x], run: q}]", "keys.yaml:2:15: "),
        (b"version: 1\nbind: &a [*a]", "keys.yaml:2:7: a mapping with keys, "),
        (b"version: [1", "keys.yaml:1:12: "),
    ],
    ids=["binary", "huge", "deep", "tag", "cycle", "cut"],
)
def test_a_hostile_key_file_is_one_line_and_the_keys_are_there(tmp_path, content, problem):
    port = free_port()
    (tmp_path / "conf").mkdir()
    path = tmp_path / "conf" / "keys.yaml"
    path.write_bytes(content)
    if "larger" in problem:
        os.truncate(path, 100 << 20)
    argv = [*MIDSTREAM, "--listen-host", "127.0.0.1", "-p", str(port), "--set", f"confdir={tmp_path / 'conf'}"]
    with ProgramOnPty(argv, env={"HOME": str(tmp_path)}) as program:
        program.wait_for("5 keys 1!")
        program.send("K")
        program.wait_for(problem)
        program.send("Q")
        assert program.wait_ended() == 0
