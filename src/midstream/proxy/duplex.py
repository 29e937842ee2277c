"""Two directions of one exchange at once: neither waits for the other, and neither outlives the exchange."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def while_uploading(
    upload: Coroutine[Any, Any, None], download: Coroutine[Any, Any, None], wanted: Callable[[], bool]
) -> bool:
    """Run both; True if both came to their ends.

    When `download` is over and `upload` is not, `wanted` says whether the rest of it is; if not, it is cancelled, and
    how it ends is nobody's concern. Before that the first failure ends both, and is raised as it is.
    """
    finished = downloaded = False
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(upload)
            await download
            downloaded = True
            if not task.done() and wanted():
                await asyncio.wait([task])
            finished = task.done() and task.exception() is None
            task.cancel()
    except BaseExceptionGroup as failed:
        first = await _first_of(failed)
        if not downloaded or isinstance(first, asyncio.CancelledError):
            raise first from first.__cause__
    return finished


async def both(first: Coroutine[Any, Any, None], second: Coroutine[Any, Any, None]) -> None:
    """Run both to their ends. The first failure cancels the other and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            # Waited for inside: a group that is left already miscounts, before 3.13, how often it was cancelled.
            await asyncio.wait([group.create_task(first), group.create_task(second)])
    except BaseExceptionGroup as failed:
        error = await _first_of(failed)
        raise error from error.__cause__


async def while_lasting(over: asyncio.Event, *work: Coroutine[Any, Any, None]) -> None:
    """Run all of `work` until `over` is set; what is not done by then is cancelled. The first failure cancels the
    others at once and is raised as it is.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in work]
            await over.wait()
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as failed:
        error = await _first_of(failed)
        raise error from error.__cause__


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
