"""Scripts in middump that hold, find, mark, release and end flows by commands, over the flows that are alive."""

import asyncio
from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import answering, ok, origin
from tests.kit.program import middump

pytestmark = [pytest.mark.end2end, needs_curl]

SCRIPT = """
import logging
from collections.abc import Sequence
from pathlib import Path

from midstream import command, ctx, exceptions, flow

@command.command("mine.count")
async def count(flows: Sequence[flow.Flow]) -> int:
    return len(flows)

async def request(flow):
    execute = ctx.master.commands.execute
    path = flow.request.path
    if path in ("/held", "/doomed"):
        execute(f"flow.mark @{flow.id} :dog:")
        flow.intercept()
    elif path == "/count":
        found = await execute("mine.count @marked"), await execute("mine.count '~u /held'")
        logging.info("found %s and %s", *found)
    elif path == "/go":
        execute("flow.comment '~u /held' 'let go'")
        execute(f"script.run @marked {Path(__file__).with_name('once.py')}")
        execute("flow.resume '~u /held'")
        execute("flow.kill '~u /doomed'")
    elif path == "/wrong":
        for line in ("flow.kill @focus", "flow.kill @al", "flow.kill '~zz'", "mine.cuont @all"):
            try:
                execute(line)
            except exceptions.CommandError as error:
                logging.info("refused: %s", error)
"""
ONCE = """
import logging

def request(flow):
    logging.info("once: %s %s", flow.request.path, flow.comment)
"""


async def test_commands_over_the_flows_that_are_alive(tmp_path: Path, confdir: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    (tmp_path / "once.py").write_text(ONCE)
    async with origin(answering(lambda heard: ok(b"whole"))) as web, middump(confdir, "-s", str(script)) as program:

        async def get(path: str) -> tuple[int, int]:
            done = await curl("--proxy", program.address, web.url(path))
            return done.status, done.exit

        held = [asyncio.ensure_future(get(path)) for path in ("/held", "/doomed")]
        found = ""
        while "found 2 and 1" not in found:
            assert await get("/count") == (200, 0)
            found = await program.line("found", after=program.lines.index(found) + 1 if found else 0)
        assert await get("/wrong") == (200, 0)
        await program.line("refused: flow.kill: flows: @focus needs the flow list of midstream")
        await program.line("refused: flow.kill: flows: '@al' names no flows; did you mean '@all'")
        await program.line("refused: flow.kill: flows: column 1: ~zz is no operator")
        await program.line("refused: no command is called 'mine.cuont'; did you mean 'mine.count'")
        assert await get("/go") == (200, 0)
        released, killed = await asyncio.gather(*held)
        assert released == (200, 0)
        assert killed[1] != 0
        await program.line("once: /held let go")
        await program.line("once: /doomed")
        assert await get("/after") == (200, 0)
        while "found 0 and 0" not in found:  # what has ended and is held by nobody is named no more
            assert await get("/count") == (200, 0)
            found = await program.line("found", after=program.lines.index(found) + 1)
