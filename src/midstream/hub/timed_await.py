"""Await something while timing each of its steps between two waits.

An async handler that calls something blocking holds the loop as much as a plain one does. Used by emitters.py for async
handlers, to name them in the log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from time import perf_counter
from typing import Any


class TimedAwait:
    """Awaiting this is awaiting `inner`; `too_slow` is told the seconds of each step that took longer than `limit`."""

    __slots__ = ("_inner", "_limit", "_too_slow")

    def __init__(self, inner: Awaitable[object], limit: float, too_slow: Callable[[float], object]) -> None:
        self._inner = inner
        self._limit = limit
        self._too_slow = too_slow

    def __await__(self) -> Generator[Any, Any, None]:
        # PEP 380 spelled out: `yield from` would hide the steps.
        steps: Any = self._inner.__await__()
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            started = perf_counter()
            try:
                if thrown is not None:
                    waited_for = steps.throw(thrown)
                elif sent is not None:
                    waited_for = steps.send(sent)
                else:
                    waited_for = next(steps)
            except StopIteration:
                return
            except GeneratorExit as error:
                # From outside it would mean that whoever awaits is being closed; a handler has no business with it.
                raise RuntimeError("the handler raised GeneratorExit") from error
            finally:
                seconds = perf_counter() - started
                if seconds > self._limit:
                    self._too_slow(seconds)
            sent = thrown = None
            try:
                sent = yield waited_for
            except GeneratorExit:
                if hasattr(steps, "close"):
                    steps.close()
                raise
            except BaseException as error:  # thrown in by the task, on its way to the handler
                thrown = error
