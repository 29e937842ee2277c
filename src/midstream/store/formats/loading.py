"""Brings the flows of a file to the loop without holding it: a thread reads, the loop takes what was read in slices.

Used by the addons that load flows. The reader knows nothing of this, and what is done with the flows is the caller's
business.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import AsyncGenerator, Callable, Iterator

from midstream.flows.errors import FlowReadException
from midstream.flows.flow import Flow
from midstream.store.formats.native import FlowReader
from midstream.work.slices import cooperate

# Each read of the file lets go of the interpreter lock and takes it again at once. When that happens every few flows,
# the loop waits for its turn until the thread has ended.
_BUFFER = 1 << 20
# What is read before the loop takes it over, whichever comes first.
_MOST_FLOWS = 500
_SECONDS = 0.05


async def load_file(path: str, take: Callable[[Flow], None]) -> None:
    """Call `take` on the loop with each flow of the file. Raises FlowReadException after the last that can be read."""
    async for batch in batches(path):
        async for some in cooperate(batch):
            for flow in some:
                take(flow)


async def batches(path: str) -> AsyncGenerator[list[Flow], None]:
    """The flows of the file, some at a time, read as they are asked for. Raises FlowReadException after the last that
    can be read.
    """
    flows = _stream(path)
    error: FlowReadException | None = None
    while error is None:
        batch, error = await asyncio.to_thread(_read_some, flows)
        if batch:
            yield batch
        elif error is None:
            return
    raise error


def problem_of(path: str) -> str:
    """Why this is no file that can be read, empty if it is one; what is in it is another matter."""
    try:
        path = os.path.expanduser(path)
        # A pipe or a terminal would be waited for, also by the program when it ends; a terminal has keys to lose.
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # of a folder it is said what it is
            what = "a pipe" if stat.S_ISFIFO(mode) else "no file but a device"
            return f"it is {what}; save what comes out of it into a file first"
        with open(path, "rb"):
            return ""
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"


def _stream(path: str) -> Iterator[Flow]:
    if problem := problem_of(path):
        raise FlowReadException(problem)
    try:
        with open(os.path.expanduser(path), "rb", buffering=_BUFFER) as file:
            yield from FlowReader(file).stream()
    except OSError as error:
        raise FlowReadException(f"it cannot be read: {error.strerror or error}") from None


def _read_some(flows: Iterator[Flow]) -> tuple[list[Flow], FlowReadException | None]:
    batch: list[Flow] = []
    enough = time.monotonic() + _SECONDS
    try:
        for flow in flows:
            batch.append(flow)
            if len(batch) >= _MOST_FLOWS or time.monotonic() > enough:
                break
    except FlowReadException as error:
        return batch, error
    return batch, None
