"""Brings the flows of a file to the loop without holding it: a thread reads, the loop takes what was read in slices.

Used by the addons that load flows. The reader knows nothing of this, and what is done with the flows is the caller's
business.
"""

from __future__ import annotations

import asyncio
import os
import select
import stat
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextvars import copy_context
from typing import BinaryIO

from midstream.filters import Filter
from midstream.flows.errors import FlowReadException
from midstream.flows.flow import Flow
from midstream.hub.jobs import Job
from midstream.store.formats.native import FlowReader
from midstream.work.apart import run_apart

# Each read of the file lets go of the interpreter lock and takes it again at once. When that happens every few flows,
# the loop waits for its turn until the thread has ended.
_BUFFER = 1 << 20
# What is read before the loop takes it over, whichever comes first.
_MOST_FLOWS = 500
_SECONDS = 0.05
_LOOKS = 0.2


STDIN = "-"
"""Stands for what another program pipes into this one."""


async def batches(path: str, job: Job | None = None, filter_: Filter | None = None) -> AsyncGenerator[list[Flow], None]:
    """The flows of the file that match, some at a time, read as they are asked for.

    Raises FlowReadException after the last that can be read. Ends early when the job is stopped.
    """
    reading = _Reading(path, filter_)
    error: FlowReadException | None = None
    try:
        while error is None and not reading.is_over and not (job is not None and job.stopped):
            batch, error = await reading.some(job)
            if job is not None:
                job.report(reading.share)
            if batch:
                yield batch
    finally:
        reading.close()
    if error is not None:
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


class _Reading:
    """A file that is being read, opened at the first step."""

    def __init__(self, path: str, filter_: Filter | None) -> None:
        self._path = path
        self._filter = filter_
        self._file: BinaryIO | None = None
        self._flows = self._stream()
        self._size = self._left = 0
        self._in_use = threading.Lock()
        self._is_stopped = self.is_over = False

    async def some(self, job: Job | None) -> tuple[list[Flow], FlowReadException | None]:
        """The next flows, and what is wrong behind them."""
        if self._path == STDIN:
            # Nobody knows when something comes. The end of the program does not wait for it.
            found = await run_apart(self._some, None, "read standard input")
        else:
            work = asyncio.get_running_loop().run_in_executor(None, copy_context().run, self._some)
            while not work.done():
                await asyncio.wait((work,), timeout=_LOOKS)
                if job is not None:  # a filter may let nothing through for long
                    job.report(self.share)
                    self._is_stopped = job.stopped
            found = work.result()
        return found

    @property
    def share(self) -> float | None:
        """How much of the file has been read."""
        return 1 - self._left / self._size if self._size else None

    def close(self) -> None:
        """Let go of the file; a thread that reads it does so soon."""
        self._is_stopped = True
        self._let_go()

    def _let_go(self) -> None:
        """Close the file if it is stopped and no thread reads: asked for at both ends, and the later one does it."""
        if self._is_stopped and self._in_use.acquire(blocking=False):
            if self._file is not None:
                self._file.close()
            self._in_use.release()

    def _some(self) -> tuple[list[Flow], FlowReadException | None]:
        with self._in_use:
            found = self._read_some()
        self._let_go()
        return found

    def _read_some(self) -> tuple[list[Flow], FlowReadException | None]:
        batch: list[Flow] = []
        enough = time.monotonic() + _SECONDS
        try:
            for flow in self._flows:
                batch.append(flow)
                if len(batch) >= _MOST_FLOWS or time.monotonic() > enough or (batch and self._would_wait()):
                    return batch, None
        except FlowReadException as error:
            return batch, error
        except _Stopped:
            pass
        self.is_over = True
        return batch, None

    def _would_wait(self) -> bool:
        return self._path == STDIN and self._file is not None and not select.select([self._file], [], [], 0)[0]

    def _stream(self) -> Iterator[Flow]:
        try:
            if self._path == STDIN:
                if os.isatty(0):
                    raise FlowReadException("standard input is a terminal; pipe a file into it")
                # Not sys.stdin, whose lock the end of the program would wait for.
                self._file = open(os.dup(0), "rb", buffering=_BUFFER)  # noqa: SIM115
            else:
                if problem := problem_of(self._path):
                    raise FlowReadException(problem)
                self._file = open(os.path.expanduser(self._path), "rb", buffering=_BUFFER)  # noqa: SIM115
                self._size = self._left = os.fstat(self._file.fileno()).st_size
            # What is added from now on is not read: it may be what is being read that is saved again.
            yield from FlowReader(self if self._size else self._file).stream(self._filter)
        except OSError as error:
            raise FlowReadException(f"it cannot be read: {error.strerror or error}") from None

    def read(self, size: int, /) -> bytes:
        """For FlowReader: what was in the file when it was opened."""
        if self._is_stopped:
            raise _Stopped
        assert self._file is not None
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


class _Stopped(Exception):
    """Nobody wants more."""
