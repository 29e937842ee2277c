"""Files that a program reads, as an enemy would write them: config, keys, saved flows. Real files, real terminals.

Row "config, key, rule files" and the reading half of row "flow files" of design/promises.md: bounded memory and time,
one line that says where, and nothing of it reaches the terminal raw.
"""

import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from midstream.io import FlowWriter
from midstream.testing import tflow, tresp
from tests.kit.program import free_port, python
from tests.kit.pty import ProgramOnPty
from tests.kit.stopwatch import within

pytestmark = pytest.mark.end2end

MOST_MEMORY = 1024 * 1024 * 1024  # of addresses; a start maps a third of it
LIMITED = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({MOST_MEMORY}, {MOST_MEMORY})); "
MIDDUMP = LIMITED + "import sys; from midstream.cli import middump; sys.exit(middump())"
ARGV = [sys.executable, "-c", LIMITED + "from midstream.cli import midstream; raise SystemExit(midstream())"]

LETTERS = "abcdefghi"
BOMB = f"a: &a [{'x, ' * 9}x]\n" + "".join(
    f"{now}: &{now} [{', '.join([f'*{before}'] * 10)}]\n" for before, now in pairwise(LETTERS)
)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"flow_detail: 1\n#")
        file.truncate(100_000_000)


def holding(content: str | bytes) -> Callable[[Path], None]:
    raw = content.encode() if isinstance(content, str) else content
    return lambda path: path.write_bytes(raw) and None


HOSTILE: list[tuple[str, Callable[[Path], None], str]] = [
    ("100 MB", sparse, ": larger than "),
    ("binary", holding(b"a: \x80\xff\0" * 99), ":1:4: the file is not UTF-8"),
    ("aliases", holding(BOMB), ":1:"),
    ("a cycle", holding("scripts: &a [*a]\n"), ":1:"),
    ("a tag", holding("flow_detail: !!python/object/apply:os.system ['true']\n"), ":1:"),
    ("deep", holding("a: " + "[" * 60_000), ":1:53: nested deeper than 50 levels"),
    ("deep lines", holding("".join(f"{' ' * depth}a:\n" for depth in range(200))), "nested deeper than 50 levels"),
]


@pytest.mark.parametrize(("write", "problem"), [pytest.param(*row, id=name) for name, *row in HOSTILE])
async def test_a_config_file_ends_the_start_in_one_line(
    confdir: Path, write: Callable[[Path], None], problem: str
) -> None:
    confdir.mkdir(mode=0o700)
    write(confdir / "config.yaml")
    with within(5, clock=time.monotonic):
        async with python(confdir, "-c", MIDDUMP, "-p", "0") as program:
            assert await program.ended() == 1
    assert program.lines == [], program.printed()
    (line,) = program.errors
    assert "config.yaml" in line and problem in line


@pytest.mark.parametrize("write", [pytest.param(write, id=name) for name, write, _ in HOSTILE])
def test_a_key_file_is_one_line_in_the_log_and_stops_nothing(tmp_path: Path, write: Callable[[Path], None]) -> None:
    with Midstream(tmp_path, lambda confdir: write(confdir / "keys.yaml")) as program:
        program.send("E")
        program.wait_for("keys.yaml:")
        program.send("Q")
        assert program.wait_ended() == 0


ATTACK = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"


def flow_file(path: Path) -> Path:
    """Flows whose every text wants to be a command for the terminal, times that no clock shows, then damage."""
    with path.open("wb") as file:
        writer = FlowWriter(file)
        for start in (1.0, float("nan"), float("inf"), -1e308, 1e308):
            flow = tflow(resp=tresp(content=ATTACK.encode(), reason=ATTACK.encode()))
            flow.request.path, flow.request.method, flow.request.host = f"/seen{ATTACK}", "GET\x1b[2J", "a\x1b[2Jb"
            flow.request.headers["X-A"] = flow.response.headers["Content-Type"] = ATTACK
            flow.comment = flow.marked = ATTACK
            flow.client_conn.sni = flow.server_conn.sni = ATTACK
            flow.request.timestamp_start = flow.response.timestamp_end = start
            flow.metadata[ATTACK] = ATTACK
            writer.add(flow)
        file.write(b"999999999999:" + ATTACK.encode())
    return path


def test_a_flow_file_gives_what_is_whole_and_nothing_raw(tmp_path: Path) -> None:
    path = flow_file(tmp_path / "\x1b]0;owned\x07.flows")
    link = tmp_path / "f"
    link.symlink_to(path)
    with Midstream(tmp_path) as program:
        program.send(":", f"view.flows.load {link}", "<enter>")
        program.wait_for("/seen")
        program.wait_for("/5 ")
        program.send("<enter>")
        program.wait_for("X-A")
        for _ in range(5):
            program.send("<tab>")
            program.read()
        program.send("6")
        program.wait_for("/f: byte ")
        program.send("Q")
        assert program.wait_ended() == 0
        for raw in (b"owned\x07", b"\x1b]0;", b"\xc2\x9b", b"\xe2\x80\xae"):
            assert raw not in bytes(program.output)


def test_a_filter_that_backtracks_on_thousands_of_flows_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "flows"
    with path.open("wb") as file:
        writer = FlowWriter(file)
        for number in range(5_000):
            flow = tflow(resp=tresp(content=b"a" * 60 + b"!"))
            flow.request.path = f"/{number}"
            writer.add(flow)
    with Midstream(tmp_path) as program:
        program.send(":", f"view.flows.load {path}", "<enter>")
        program.wait_for("all 5,000")
        program.send("f", "~bs '(a|aa)+$'")
        program.wait_for("of 5,000 so far")
        with within(5, clock=time.monotonic):
            program.send("<esc>")
            program.wait_for("all 5,000")
            program.wait_for("/4")
            program.send("Q")
            assert program.wait_ended() == 0


class Midstream(ProgramOnPty):
    """A midstream in `folder`, listening; `prepare` is given its config folder first."""

    def __init__(self, folder: Path, prepare: Callable[[Path], None] = lambda confdir: None) -> None:
        confdir = folder / "conf"
        confdir.mkdir(mode=0o700)
        prepare(confdir)
        self.port = free_port()
        super().__init__([*ARGV, "--listen-host", "127.0.0.1", "-p", str(self.port), "--confdir", str(confdir)])

    def __enter__(self) -> "Midstream":
        super().__enter__()
        self.wait_for(f":{self.port}")
        return self
