"""Tasks that nobody awaits: async handlers of events that cannot wait, watchers, simulated traffic.

One `Background` belongs to one master and ends with it. What fails here is logged, since nobody else would notice.
Tasks of the proxy are not made here: those live in task groups.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from contextvars import copy_context

logger = logging.getLogger(__name__)


class Background:
    """A set of running tasks, held so that they are neither collected nor forgotten."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Awaitable[object], name: str = "") -> asyncio.Task[None]:
        """Run `work` in the running loop, with the caller's context (so with its master)."""
        task = asyncio.get_running_loop().create_task(_logged(work), name=name or None, context=copy_context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if asyncio.iscoroutine(work):
            # A task that is cancelled before its first step never gets to `work`, which would be reported as forgotten.
            task.add_done_callback(lambda _: work.close())
        return task

    def cancel(self) -> None:
        """Cancel what still runs, where nobody can wait for it to end."""
        for task in list(self._tasks):
            task.cancel()

    async def close(self) -> None:
        """Cancel what still runs, and wait until it has ended. Not from within one of these tasks."""
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _logged(work: Awaitable[object]) -> None:
    try:
        await work
    except Exception as error:
        logger.exception("a background task failed: %s", type(error).__name__)
