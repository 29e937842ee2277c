"""Running a function that may take its time, or never end, beside the loop: in a thread of its own, with a time limit.

For code of others that must not hold the loop. A thread cannot be ended: one that exceeds its time goes on until it is
done, but nobody waits for it, and neither does the end of the program. `asyncio.to_thread` is for what surely ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def run_apart(func: Callable[[], T], seconds: float | None, name: str) -> T:
    """What `func` returns or raises; TimeoutError after `seconds`, if any. It runs in a copy of the present context."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():  # nobody waits any more
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, problem = None, None
        try:
            result = context.run(func)
        except BaseException as error:
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, problem)

    threading.Thread(target=work, name=name, daemon=True).start()
    async with asyncio.timeout(seconds):
        return await future
