"""An error during the start ends the program with status 1 and is told once."""

import asyncio
import logging
from pathlib import Path

import pytest

from midstream.addons.errorcheck import ErrorCheck, print_errors
from midstream.addons.script import ScriptLoader
from midstream.addons.termlog import TermLog
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.hub.options import Options


class Complainer:
    async def running(self) -> None:
        await asyncio.sleep(0)
        logging.error("the port is taken")


class Ender:
    def running(self) -> None:
        ctx.master.shutdown()


@pytest.mark.parametrize("addons", [[], [TermLog]])
async def test_an_error_ends_the_start_and_is_printed_once(
    addons: list[type], capsys: pytest.CaptureFixture[str]
) -> None:
    master = Master(Options())
    master.addons.add(*(addon() for addon in addons), Complainer(), ErrorCheck())
    await asyncio.wait_for(master.run(), 5)
    print_errors(master)
    assert master.exit_status == 1
    captured = capsys.readouterr()
    assert captured.err.count("the port is taken") == 1
    assert captured.err.count("\n") == 1
    assert captured.out == ""


async def test_a_broken_script_ends_the_start_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "bad.py"
    script.write_text("def request(flow:\n")
    master = Master(Options())
    master.addons.add(ScriptLoader(), ErrorCheck())
    master.options.update(scripts=[str(script)])
    await asyncio.wait_for(master.run(), 5)
    print_errors(master)
    assert master.exit_status == 1
    assert capsys.readouterr().err == f"{script}:1: SyntaxError: '(' was never closed\n"


async def test_a_start_without_errors_goes_on() -> None:
    master = Master(Options())
    master.addons.add(ErrorCheck(), Ender())
    await asyncio.wait_for(master.run(), 5)
    assert master.exit_status == 0


async def test_errors_after_the_start_do_not_count() -> None:
    master = Master(Options())
    master.addons.add(ErrorCheck())
    task = asyncio.ensure_future(master.run())
    for _ in range(5):
        await asyncio.sleep(0)
    master.log.error("later")
    await asyncio.sleep(0)
    assert not task.done()
    master.shutdown()
    await asyncio.wait_for(task, 5)
    assert master.exit_status == 0
