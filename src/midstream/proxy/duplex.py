"""Two directions of one exchange at once: neither waits for the other, and neither outlives the exchange."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def while_uploading(upload: Coroutine[Any, Any, None], download: Coroutine[Any, Any, None]) -> bool:
    """Run both until `download` is over; True if `upload` was over by then, else it is cancelled.

    `upload` keeps its failures to itself. What `download` raises is raised as it is, not in an exception group.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        task = group.create_task(upload)
        try:
            await download
        except Exception as exc:
            failure = exc
        finished = task.done()
        task.cancel()
    if failure is not None:
        raise failure
    return finished


async def both(first: Coroutine[Any, Any, None], second: Coroutine[Any, Any, None]) -> None:
    """Run both to their ends. The first failure cancels the other and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(first)
            group.create_task(second)
    except BaseExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
