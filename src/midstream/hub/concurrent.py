"""`@concurrent`: let a handler that blocks run in a thread, while other traffic goes on.

For scripts (`from midstream.script import concurrent`). The event waits for the handler as it would for an async one.
How many threads there may be: threads.py.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec

from midstream.hub import ctx
from midstream.hub.events import DECLARATIONS
from midstream.hub.threads import Threads

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
        master = ctx.current()
        threads = master.threads if master is not None else Threads()
        await threaded(lambda: context.run(_call, functools.partial(handler, *args, **kwargs)), threads)

    return in_thread


def _call(handler: Callable[[], object]) -> None:
    result = handler()
    if inspect.iscoroutine(result):
        asyncio.run(result)


def threaded(work: Callable[[], None], threads: Threads) -> Awaitable[None]:
    """What to await until `work` has run in one of the threads."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.done():  # whoever waited has gone
            return
        if error is None:
            done.set_result(None)
        elif isinstance(error, StopIteration | GeneratorExit):  # these would end whoever awaits
            done.set_exception(RuntimeError(f"the handler raised {type(error).__name__}"))
        else:
            done.set_exception(error)

    def run() -> None:
        if done.cancelled():  # while it waited for a thread
            return
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # the event reports it, wherever it was raised
            error = raised
        try:
            loop.call_soon_threadsafe(settle, error)
        except RuntimeError:  # the loop was closed meanwhile
            return

    threads.start(run)
    return done
