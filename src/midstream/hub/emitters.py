"""Emitters carry one event to the handlers that are bound to it. This is the hottest code of the product.

The proxy writes `await events.request(flow)`. Calling an emitter runs the plain handlers at once and returns something
to await: the shared FINISHED when nothing has to be waited for (nobody pays for a coroutine), else a coroutine that
awaits async handlers and held flows. Which handlers are bound is decided by `Events.bind`, never here.

Each handler is timed. Five clock readings for four handlers cost 0.2 of the 0.5 µs that such an event takes (CPython
3.11); one pair around all of them would save most of that, but could not tell which addon was slow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from functools import partial
from inspect import isawaitable
from time import perf_counter
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from midstream.hub.failures import report_refused, report_slow, settle
from midstream.hub.handlers import Handler
from midstream.hub.timed_await import TimedAwait

if TYPE_CHECKING:
    from midstream.flows.flow import Flow

P = ParamSpec("P")
F = TypeVar("F", bound="Flow")

SLOW = 0.1  # seconds for which one handler may hold the loop before the log names it


class Finished:
    """Something to await that is over already. It keeps no state, so one object serves everybody, in any loop."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        return _OVER


def _nothing() -> Generator[None, None, None]:
    yield from ()


_OVER = _nothing()
for _ in _OVER:  # an exhausted generator ends an await at once
    pass

FINISHED = Finished()


class Emitter(Generic[P]):
    """One event of one `Events`. `handlers` is empty when nobody listens, so that callers need not build the data."""

    __slots__ = ("handlers", "name", "passes", "spawn", "sync_only")

    def __init__(
        self,
        name: str,
        spawn: Callable[[Awaitable[None]], object],
        passes: tuple[type[BaseException], ...] = (),
        sync_only: bool = False,
    ) -> None:
        self.name = name
        self.handlers: tuple[Handler, ...] = ()
        self.spawn = spawn
        self.passes = passes  # what a handler may raise at the caller: OptionsError, for configure
        self.sync_only = sync_only

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]:
        rest = iter(self.handlers)
        met = self._run(args, rest)
        return FINISHED if met is None else self._go_on(args, met, rest)

    def sync(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Emit where nobody can wait, such as after a command: an async handler goes on in the background."""
        rest = self._still_bound()
        met = self._run(args, rest)
        if met is not None:
            self.spawn(self._go_on(args, met, rest))

    def _still_bound(self) -> Iterator[Handler]:
        # Changing the option `scripts` unloads scripts in the middle of `configure`, and `done` is their last event.
        for handler in self.handlers:
            if handler in self.handlers:
                yield handler

    def only(self, handlers: tuple[Handler, ...]) -> Emitter[P]:
        """The same event for just these handlers."""
        emitter: Emitter[P] = Emitter(self.name, self.spawn, self.passes, self.sync_only)
        emitter.handlers = handlers
        return emitter

    def _run(self, args: tuple[object, ...], rest: Iterator[Handler]) -> tuple[Handler, Awaitable[object]] | None:
        """Call handlers until one wants to be awaited; None when all have run or one has halted the event."""
        started = perf_counter()
        for handler in rest:
            try:
                result = handler(*args)
            except self.passes:
                raise
            except BaseException as error:
                if settle(self.name, handler, error):
                    return None
                started = perf_counter()
                continue
            now = perf_counter()
            if now - started > SLOW:
                report_slow(self.name, handler, now - started)
            started = now
            if result is not None and isawaitable(result):
                if not self.sync_only:
                    return handler, result
                report_refused(self.name, handler)
                if hasattr(result, "close"):
                    result.close()
        return None

    async def _go_on(
        self, args: tuple[object, ...], met: tuple[Handler, Awaitable[object]] | None, rest: Iterator[Handler]
    ) -> None:
        while met is not None:
            handler, result = met
            try:
                await TimedAwait(result, SLOW, partial(report_slow, self.name, handler))
            except GeneratorExit:  # this coroutine is being closed
                raise
            except BaseException as error:
                if settle(self.name, handler, error):
                    return
            met = self._run(args, rest)


class FlowEmitter(Emitter[[F]], Generic[F]):
    """An event that carries a flow: afterwards `update` is emitted, and an intercepted flow is waited for."""

    __slots__ = ("update",)

    def __init__(
        self, name: str, spawn: Callable[[Awaitable[None]], object], update: Emitter[[Sequence[Flow]]]
    ) -> None:
        super().__init__(name, spawn)
        self.update = update

    def __call__(self, flow: F) -> Awaitable[None]:
        if self.handlers:
            # Emitter._run once more, for one argument and without a call in between.
            rest = iter(self.handlers)
            started = perf_counter()
            for handler in rest:
                try:
                    result = handler(flow)
                except BaseException as error:
                    if settle(self.name, handler, error):
                        break
                    started = perf_counter()
                    continue
                now = perf_counter()
                if now - started > SLOW:
                    report_slow(self.name, handler, now - started)
                started = now
                if result is not None and isawaitable(result):
                    return self._go_on_with(flow, (handler, result), rest)
        if self.update.handlers or flow.intercepted:
            return self._after(flow)
        return FINISHED

    def sync(self, flow: F) -> None:
        waiting = self(flow)
        if waiting is not FINISHED:
            self.spawn(waiting)

    def _after(self, flow: F) -> Awaitable[None]:
        updating = self.update([flow]) if self.update.handlers else FINISHED
        if updating is FINISHED and not flow.intercepted:
            return FINISHED
        return self._hold(flow, updating)

    async def _go_on_with(self, flow: F, met: tuple[Handler, Awaitable[object]], rest: Iterator[Handler]) -> None:
        await self._go_on((flow,), met, rest)
        await self._after(flow)

    async def _hold(self, flow: F, updating: Awaitable[None]) -> None:
        await updating
        if flow.intercepted:
            await flow.wait_for_resume()
            await self.update([flow])
