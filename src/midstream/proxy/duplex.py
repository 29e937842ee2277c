"""Two directions of one exchange at once: neither waits for the other, and neither outlives the exchange."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from midstream.proxy.groups import Group


async def while_uploading(
    upload: Coroutine[Any, Any, None], download: Coroutine[Any, Any, None], wanted: Callable[[], bool]
) -> bool:
    """Run both; True if both came to their ends.

    When `download` is over and `upload` is not, `wanted` says whether the rest of it is; if not, it is cancelled, and
    how it ends is nobody's concern. Before that the first failure ends both, and is raised as it is.
    """
    finished = downloaded = False
    task: asyncio.Task[None] | None = None
    try:
        async with Group() as group:
            task = group.create_task(upload)
            await download
            downloaded = True
            if not task.done() and wanted():
                await asyncio.wait([task])
            finished = task.done() and task.exception() is None
            task.cancel()
    except Exception:
        if not downloaded:
            raise
    finally:
        task = None  # it holds its failure, which holds this frame
    return finished


async def both(first: Coroutine[Any, Any, None], second: Coroutine[Any, Any, None]) -> None:
    """Run both to their ends. The first failure cancels the other and is raised as it is."""
    async with Group() as group:
        await asyncio.wait([group.create_task(first), group.create_task(second)])


async def while_lasting(over: asyncio.Event, *work: Coroutine[Any, Any, None]) -> None:
    """Run all of `work` until `over` is set; what is not done by then is cancelled. The first failure cancels the
    others at once and is raised as it is.
    """
    tasks: list[asyncio.Task[None]] = []
    try:
        async with Group() as group:
            tasks += [group.create_task(part) for part in work]
            await over.wait()
            _cancel(tasks)
    finally:
        tasks.clear()  # they hold their failures, which hold this frame


def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
