"""The one process beside ours, for work that cannot be cut into slices and does not release the GIL.

Libraries that parse and paint what strangers send (P7) run there: whatever they do, the loop goes on, memory is
bounded, and what takes too long is killed. Every master has a `Worker` (`ctx.master.worker`); its process starts with
the first request and ends with the master. Not for small data (a process takes longer to start than they take), nor for
code of users, which may hold anything and lives in this process: that goes to a thread (apart.py).

    text = await ctx.master.worker.run(highlight, body, "css", seconds=2)

The function is one of a module, found by its name. It and its arguments are pickled, but for bytes as first argument
and as result, which are passed on as they are: nobody waits while 50 MB are copied.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from midstream.work import worker_main
from midstream.work.apart import run_apart

T = TypeVar("T")

SECONDS = 2.0
"""What a request may take unless it says otherwise."""

# Not a request's fault: the machine is busy.
_START_SECONDS = 15.0
_END_SECONDS = 2.0
_PIPE_SIZE = 1024 * 1024


class WorkerFailed(Exception):
    """There is no result: the function raised something, or the process ended. The text is one sentence."""


class Worker:
    """See the module. To be used on the loop's thread; requests wait for each other."""

    def __init__(self) -> None:
        self._process: _Process | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process's id, while there is one."""
        return None if self._process is None else self._process.pid

    async def run(self, function: Callable[..., T], *args: Any, seconds: float = SECONDS) -> T:
        """What `function(*args)` returns, called in the process.

        ValueError: it raised one, whose text this has. WorkerFailed: it raised another error, or it took the process
        with it. TimeoutError: it was not done after `seconds`, and is ended, as it is when the caller is cancelled.
        """
        data = args[0] if args and isinstance(args[0], bytes) else None
        call = worker_main.frame((function, args if data is None else args[1:]))
        head = worker_main.frame((seconds, None if data is None else len(data)))
        async with self._turn:
            process = await self._started()
            try:
                kind, value = await run_apart(partial(process.ask, head + call, data), seconds, "worker")
            except BaseException:
                self._process = None
                process.abandon()
                raise
        if kind == "refused":
            raise ValueError(value)
        if kind == "failed":
            raise WorkerFailed(value)
        result: T = value
        return result

    def close(self) -> None:
        """End the process, and whatever it does. May be called from any thread, more than once, without a loop."""
        self._closed = True
        process, self._process = self._process, None
        if process is not None:
            process.end()
            process.wait()

    async def _started(self) -> _Process:
        if self._closed:
            raise WorkerFailed("the program is about to end")
        if self._process is not None and not self._process.has_ended:
            return self._process
        if self._process is not None:
            self._process.wait()
        self._process = process = _Process()
        try:
            await run_apart(process.start, _START_SECONDS, "start of the worker")
        except BaseException:
            self._process = None
            process.abandon()
            raise
        return process


class _Process:
    """One process and the pipes to it. `start`, `ask` and `wait` block: they belong in a thread."""

    def __init__(self) -> None:
        self._popen: subprocess.Popen[bytes] | None = None
        self._is_over = False
        self._talking = threading.Lock()  # no pipe is closed under whoever reads it

    @property
    def pid(self) -> int | None:
        return None if self._popen is None else self._popen.pid

    @property
    def has_ended(self) -> bool:
        """Whether somebody else ended it."""
        return self._popen is not None and self._popen.poll() is not None

    def start(self) -> None:
        """Return when the process is ready. WorkerFailed: it cannot be started."""
        if not sys.executable:
            raise WorkerFailed("there is no Python to start a process with")
        try:
            # -P: not the folder of the file, which is no place to import from. A session of its own: ctrl c and
            # ctrl z are for us. Nothing but the pipes is inherited; our folder may be gone.
            self._popen = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-P", str(Path(worker_main.__file__))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=os.path.abspath(os.sep),
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0)
                | getattr(subprocess, "IDLE_PRIORITY_CLASS", 0),
            )
        except OSError as error:
            raise WorkerFailed(f"the worker process cannot be started: {error}") from None
        if self._is_over:  # meanwhile
            self.end()
        for pipe in (self._popen.stdin, self._popen.stdout):
            _widen(pipe)
        self._talk(worker_main.frame((os.getpid(), _search_path())), None)

    def ask(self, request: bytes, data: bytes | None) -> tuple[str, Any]:
        """The kind of the answer, and the value. WorkerFailed: there is none."""
        answer: tuple[str, Any] = self._talk(request, data)
        return answer

    def _talk(self, request: bytes, data: bytes | None) -> Any:
        popen = self._popen
        assert popen is not None
        assert popen.stdin is not None
        assert popen.stdout is not None
        try:
            with self._talking:
                worker_main.write_all(popen.stdin.fileno(), request)
                if data is not None:
                    worker_main.write_all(popen.stdin.fileno(), data)
                # From a program of ours; it is no sandbox.
                kind, value, size = pickle.loads(worker_main.read_frame(popen.stdout))  # noqa: S301
                return kind, value if size is None else worker_main.read_exactly(popen.stdout, size)
        except (OSError, EOFError, ValueError):  # ValueError: the pipe is closed
            self.end()
            raise WorkerFailed(f"the worker process ended by itself: {_cause(self.wait())}") from None

    def end(self) -> None:
        """End it now. Whoever talks to it hears so, and waits for it."""
        self._is_over = True
        if self._popen is not None:
            self._popen.kill()

    def abandon(self) -> None:
        """End it and leave nothing of it, without waiting here. Its answer may have come by now: then nobody talks."""
        self.end()
        threading.Thread(target=self.wait, name="end of the worker", daemon=True).start()

    def wait(self) -> int | None:
        """After `end`: leave nothing of it. The exit status, None should the system take its time."""
        popen = self._popen
        if popen is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            popen.wait(_END_SECONDS)
        with self._talking:
            for pipe in (popen.stdin, popen.stdout):
                if pipe is not None:
                    pipe.close()
        return popen.returncode


def _search_path() -> list[str]:
    """Where modules are found. An empty entry is the present folder, which is not the process's, and may be gone."""
    path = sys.path.copy()
    if "" in path:
        with contextlib.suppress(OSError):
            path[path.index("")] = os.getcwd()
    return path


def _cause(status: int | None) -> str:
    if status is None or status >= 0:
        return f"exit status {status}"
    if -status == getattr(signal, "SIGALRM", 0):
        return "it took too long"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold a megabyte, where that can be: fewer turns for large bodies."""
    if sys.platform == "linux" and pipe is not None:
        import fcntl

        with contextlib.suppress(OSError):  # all pipes of a user share a limit
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
