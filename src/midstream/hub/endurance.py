"""Run the program to its end, whatever a task or a callback of a script raises.

asyncio lets SystemExit and KeyboardInterrupt out of its loop, wherever in it they are raised: one `exit()` in a task
that an addon has started would end the proxy (promises.md 6). Called by app.py; handlers are guarded by failures.py,
and a program that runs midstream inside its own loop decides about its own tasks.
"""

from __future__ import annotations

import asyncio
import logging
import types
from collections.abc import Coroutine
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
            return runner.run(result())
        except (SystemExit, KeyboardInterrupt) as error:
            task = begun[0] if begun else None
            if task is None or task.done():  # it was `work` itself, or it was interrupted
                if task is not None and not task.cancelled():
                    task.exception()  # seen: asyncio complains about those that nobody has looked at
                raise
            logger.error(
                "a task of an addon raised %s; only ctx.master.shutdown() ends the program",
                one_line(error),
                exc_info=(type(error), error, _from_the_task_on(error)),
            )


def _from_the_task_on(error: BaseException) -> types.TracebackType | None:
    """The traceback without the loop's own frames."""
    frame = error.__traceback__
    while frame is not None and _is_machinery(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    return frame or error.__traceback__


def _is_machinery(file: str) -> bool:
    return file == __file__ or "asyncio" in file or "uvloop" in file
