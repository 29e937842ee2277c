"""The example programs that have midstream inside, run as a user runs them, with curl as their client."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import answering, ok, origin
from tests.kit.program import Middump, python

pytestmark = [pytest.mark.end2end, needs_curl]

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "embedding"


def run(name: str, confdir: Path, *arguments: str):
    return python(confdir, str(FOLDER / name), *arguments)


async def address(program: Middump, name: str = "") -> str:
    line = await program.line(f"{name}proxy at http://")
    return line.partition(" at ")[2]


async def test_minimal(tmp_path: Path) -> None:
    async with origin(answering(lambda heard: ok(b"hello"))) as web, run("minimal.py", tmp_path, "0") as program:
        done = await curl("--proxy", await address(program), web.url("/"))
        assert (done.exit, done.status, done.body) == (0, 200, b"hello")
        assert b"x-seen-by: my program\r\n" in done.head
        program.signal(signal.SIGINT)
        assert await program.ended() == 0
    assert not program.errors


async def test_two_proxies(tmp_path: Path) -> None:
    async with origin(answering(lambda heard: ok(b"hello"))) as web, run("two_proxies.py", tmp_path, "4") as program:
        addresses = {name: await address(program, f"{name} ") for name in ("left", "right")}
        assert len(set(addresses.values())) == 2
        for name in ("left", "right", "right", "left"):
            done = await curl("--proxy", addresses[name], web.url("/"))
            assert re.search(rb"x-tag: (\w+)\r\n", done.head)[1].decode() == name
        await program.line("both have ended")
        assert await program.ended() == 0
    assert not program.errors


async def test_in_a_thread(tmp_path: Path) -> None:
    async with (
        origin(answering(lambda heard: ok(b"hello"))) as web,
        run("in_a_thread.py", tmp_path, web.url("/page")) as program,
    ):
        await program.line(f"GET {web.url('/page')} -> 200")
        assert await program.ended() == 0
    assert not program.errors


def test_every_example_has_a_test() -> None:
    here = Path(__file__).read_text("utf-8")
    assert not [path.name for path in FOLDER.glob("*.py") if f'run("{path.name}"' not in here]
