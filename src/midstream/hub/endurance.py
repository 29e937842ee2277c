"""Run the program to its end, whatever a task, a callback or a thread of a script raises.

asyncio lets SystemExit and KeyboardInterrupt out of its loop, wherever in it they are raised: one `exit()` in a task
that an addon has started would end the proxy (promises.md 6). What threads raise Python prints as it is, which may hold
what strangers sent. Called by app.py; handlers are guarded by failures.py, and a program that runs midstream inside its
own loop decides about its own tasks and threads.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import types
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from midstream.hub.failures import one_line

T = TypeVar("T")

logger = logging.getLogger(__name__)


def run_to_end(runner: asyncio.Runner, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. What another task or a callback raises is logged, and the loop goes on."""
    begun: list[asyncio.Task[T]] = []

    async def result() -> T:
        # Made in here, so that an interrupt, which cancels what the runner runs, finds somebody waiting for it.
        begun[:] = begun or [asyncio.get_running_loop().create_task(work)]
        return await begun[0]

    while True:
        try:
            with _logging_the_rest():
                return runner.run(result())
        except (SystemExit, KeyboardInterrupt, RuntimeError) as error:  # the last one tells of a stopped loop
            task = begun[0] if begun else None
            if task is not None and task.done() and not task.cancelled():
                task.exception()  # seen: asyncio complains about those that nobody has looked at
            if task is None or task.done() or runner.get_loop().is_closed():
                raise  # it was `work` itself, or it was interrupted
            if isinstance(error, RuntimeError):
                logger.error("an addon stopped the event loop, which goes on; ctx.master.shutdown() ends the program")
            else:
                _log("a task of an addon raised %s; only ctx.master.shutdown() ends the program", error)


@contextmanager
def _logging_the_rest() -> Iterator[None]:
    """What threads raise, and what has nobody to raise it at, goes to the log, where control characters are visible."""

    def thread_failed(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):  # that one ends the thread
            _log("thread %s failed: %s", args.exc_value, args.thread.name if args.thread is not None else "of an addon")

    def ignored(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            _log("an exception had to be ignored: %s", args.exc_value)

    before = threading.excepthook, sys.unraisablehook
    threading.excepthook, sys.unraisablehook = thread_failed, ignored
    try:
        yield
    finally:
        if (threading.excepthook, sys.unraisablehook) == (thread_failed, ignored):
            threading.excepthook, sys.unraisablehook = before


def _log(line: str, error: BaseException, *first: str) -> None:
    logger.error(line, *first, one_line(error), exc_info=(type(error), error, _from_the_task_on(error)))


def _from_the_task_on(error: BaseException) -> types.TracebackType | None:
    """The traceback without the frames of the loop, or of the thread."""
    frame = error.__traceback__
    while frame is not None and _is_machinery(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    return frame or error.__traceback__


def _is_machinery(file: str) -> bool:
    return file in (__file__, threading.__file__) or "asyncio" in file or "uvloop" in file
