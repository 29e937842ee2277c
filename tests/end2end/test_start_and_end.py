"""How middump starts and ends when something is odd about its surroundings or its scripts."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.program import LISTENING, START, middump, started

pytestmark = pytest.mark.end2end


async def test_a_broken_script_ends_the_start_before_a_port_is_opened(confdir: Path, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("def load(loader):\n    loader.add_option('own', int, 1, 'x'\n")
    arguments = ("-p", "0", "--listen-host", "127.0.0.1", "-s", str(script), "--set", "own=2")
    async with started(confdir, *arguments) as program:
        assert await program.ended() == 1
        assert program.lines == []
        assert len(program.errors) == 1, program.printed()
        assert f"{script}:2: SyntaxError" in program.errors[0]


NEVER = "import asyncio\nasync def {event}():\n    print('{event} waits')\n    await asyncio.Event().wait()\n"


async def test_a_script_that_never_gets_ready_does_not_keep_the_program_from_ending(
    confdir: Path, tmp_path: Path
) -> None:
    script = tmp_path / "never.py"
    script.write_text(NEVER.format(event="running") + "def done():\n    print('done is told')\n")
    async with middump(confdir, "-s", str(script)) as program:
        await program.line("running waits")
    assert "done is told" in program.lines


async def test_a_later_signal_does_not_wait_for_a_script_that_is_never_done(confdir: Path, tmp_path: Path) -> None:
    script = tmp_path / "never.py"
    script.write_text(NEVER.format(event="done"))
    async with middump(confdir, "-s", str(script)) as program:
        program.signal(signal.SIGINT)
        await program.line("done waits")
        again = asyncio.ensure_future(program.ended())
        while not again.done():
            with contextlib.suppress(ProcessLookupError):
                program.signal(signal.SIGINT)
            await asyncio.wait((again,), timeout=0.1)
        assert again.result() == 130
    assert program.errors == []


CLOSING = """
import os, sys
for number in {closed}:
    os.close(number)
os.execv(sys.executable, [sys.executable, "-c", {start!r}, "--commands"])
"""


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
async def test_a_process_without_standard_files(confdir: Path, closed: tuple[int, ...]) -> None:
    process = subprocess.run(
        [sys.executable, "-c", CLOSING.format(closed=closed, start=START)],
        env={**os.environ, "MIDSTREAM_CONFDIR": str(confdir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    assert ("flow.kill" in process.stdout) == (1 not in closed)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the device /dev/full does not exist")
@pytest.mark.parametrize("flag", ["--options", "--version"])
def test_a_listing_that_finds_no_space(confdir: Path, flag: str) -> None:
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            [sys.executable, "-c", START, flag],
            env={**os.environ, "MIDSTREAM_CONFDIR": str(confdir)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert process.returncode == 1
    assert process.stderr == "middump: stdout: No space left on device\n"


async def test_a_reader_that_leaves_ends_the_program(confdir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", START, "-p", "0", "--listen-host", "127.0.0.1", "--set", "termlog_verbosity=debug"],
        env={**os.environ, "MIDSTREAM_CONFDIR": str(confdir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while not LISTENING.search(process.stdout.readline().rstrip("\n")):
        pass
    process.stdout.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
