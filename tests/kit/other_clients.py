"""Watches, while somebody is attacked or starved, whether others are served and what the process takes of memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.kit.origins import Origin
from tests.kit.program import Middump
from tests.kit.stopwatch import within
from tests.kit.waiting import until
from tests.kit.web_client import web_client

OTHERS_WAIT = 2.0
"""Seconds within which another client has its answer, whatever goes on (promises.md 2)."""


def memory(program: Middump) -> int:
    """Resident, in KiB."""
    status = Path(f"/proc/{program.process.pid}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


def open_files(program: Middump) -> int:
    """How many the process has."""
    return len(list(Path(f"/proc/{program.process.pid}/fd").iterdir()))


@asynccontextmanager
async def others_are_served(program: Middump, web: Origin, growth: int = 32 * 1024) -> AsyncIterator[None]:
    """Meanwhile, and once more afterwards, clients that come anew are answered in time by `web`, which says hello to
    "/"; afterwards the process has grown by no more than `growth` KiB.
    """
    over = asyncio.Event()
    before = memory(program)

    async def ask() -> None:
        last = False
        while not last:
            last = over.is_set()
            with within(OTHERS_WAIT, clock=time.monotonic):
                async with web_client(program.port, web, program.ca) as client:
                    client.ask("/")
                    head, body = await client.answer()
                assert body == b"hello", head + body

    async with asyncio.TaskGroup() as group:
        group.create_task(ask())
        try:
            yield
        finally:
            over.set()
    await until(lambda: memory(program) - before < growth, "memory is given back")
