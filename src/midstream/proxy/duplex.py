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
        if (us := asyncio.current_task()) is not None and us.cancelling():
            raise asyncio.CancelledError from None  # the failure is what our end did to the other side
        if not downloaded:
            first = failed.exceptions[0]
            raise first from first.__cause__
    return finished


async def both(first: Coroutine[Any, Any, None], second: Coroutine[Any, Any, None]) -> None:
    """Run both to their ends. The first failure cancels the other and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(first)
            group.create_task(second)
    except BaseExceptionGroup as group_error:
        first_error = group_error.exceptions[0]
        raise first_error from first_error.__cause__
