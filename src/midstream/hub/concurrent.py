"""`@concurrent`: let a handler that blocks run in a thread of its own, while other traffic goes on.

For scripts (`from midstream.script import concurrent`). The event waits for the handler as it would for an async one.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec

from midstream.hub.events import DECLARATIONS

P = ParamSpec("P")


def concurrent(handler: Callable[P, object]) -> Callable[P, Coroutine[Any, Any, None]]:
    """Decorate an event handler (function or method). NotImplementedError for what is none, and for load and configure.

    `ctx` works in the thread. An async handler gets an event loop of its own there.
    """
    name = getattr(handler, "__name__", repr(handler))
    declared = DECLARATIONS.get(name)
    if declared is None or declared.sync_only:
        raise NotImplementedError(f"@concurrent is for event handlers that may be waited for, not for {name!r}")

    @functools.wraps(handler)
    async def in_thread(*args: P.args, **kwargs: P.kwargs) -> None:
        context = contextvars.copy_context()
        await _thread(lambda: context.run(_call, functools.partial(handler, *args, **kwargs)), f"concurrent {name}")

    return in_thread


def _call(handler: Callable[[], object]) -> None:
    result = handler()
    if inspect.iscoroutine(result):
        asyncio.run(result)


def _thread(work: Callable[[], None], name: str) -> Awaitable[None]:
    """Run `work` in a thread of its own, rather than in a pool: a handful of slow handlers would fill that."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.done():  # whoever waited has gone
            return
        if error is None:
            done.set_result(None)
        elif isinstance(error, StopIteration):
            done.set_exception(RuntimeError("the handler raised StopIteration"))
        else:
            done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # the event reports it, wherever it was raised
            error = raised
        try:
            loop.call_soon_threadsafe(settle, error)
        except RuntimeError:  # the loop was closed meanwhile
            return

    # Daemonic: a handler that never returns must not keep the program from ending.
    threading.Thread(target=run, name=name, daemon=True).start()
    return done
