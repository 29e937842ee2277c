"""Tasks that end together, as in `asyncio.TaskGroup`: the first failure is raised as it is, and nothing is left behind.

Used where one connection or exchange needs several tasks. The program's own groups last as long as it does and need no
such care.
"""

from __future__ import annotations

import asyncio
import asyncio.taskgroups
from types import TracebackType


class Group(asyncio.TaskGroup):
    """A TaskGroup that raises no group of failures, but its first one, or that its task is cancelled.

    Tasks are waited for inside: a group that is left already miscounts, before 3.13, how often it was cancelled.
    Until Python 3.13 the library's frame holds the exception that it raises, whose traceback holds the frame, and with
    it all that the tasks had in hand: up to 64 MB of an upload. Garbage is collected rarely here (`work/collector.py`),
    so what a connection leaves has to be freed without that.
    """

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
            return
        except BaseExceptionGroup as failed:
            _let_go(failed)
            failure = await _first_of(failed)
        except BaseException as raised:
            _let_go(raised)
            raise
        finally:
            del kind, error, trace  # this frame is part of the traceback, too
            self._parent_task = None  # a task that ends by the failure holds it; 3.13 lets go here, too
        context = failure.__context__
        try:
            raise failure
        finally:
            # What else was raised meanwhile, such as that the body was cancelled for it, holds the tasks, and so this.
            failure.__context__ = context
            del failure, context


def _let_go(error: BaseException) -> None:
    """The library's frames, which are over, forget what they hold."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == asyncio.taskgroups.__file__:
            trace.tb_frame.clear()
        trace = trace.tb_next


async def _first_of(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """What to raise in place of a group: its first failure; or that we are cancelled, which is why there was one."""
    task = asyncio.current_task()
    if task is None or not task.cancelling():
        return failed.exceptions[0]
    try:
        # From 3.13 on a group of tasks cancels once more who is cancelled already, which would hit what we clean up.
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        pass
    return asyncio.CancelledError()
