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
from inspect import isawaitable, unwrap
from time import perf_counter
from typing import TYPE_CHECKING, Generic, NamedTuple, ParamSpec, TypeVar, cast

from midstream.hub.failures import report_refused, report_slow, settle
from midstream.hub.handlers import Handler, addon_name
from midstream.hub.timed_await import TimedAwait

if TYPE_CHECKING:
    from midstream.flows.flow import Flow

P = ParamSpec("P")
F = TypeVar("F", bound="Flow")

SLOW = 0.1  # seconds for which one handler may hold the loop before the log names it


class Finished:
    """Something to await that is over already. It keeps no state, so one object serves everybody, in any loop."""

    __slots__ = ()
    # An iterator that has come to its end ends an await at once. No function of ours: half the price from 3.12 on.
    __await__ = staticmethod(cast("Callable[[], Generator[None, None, None]]", iter(()).__iter__))


FINISHED = Finished()


class Met(NamedTuple):
    """A handler that wants to be awaited, and the state of the event around it."""

    handler: Handler
    result: Awaitable[object]
    bound: tuple[Handler, ...]
    rest: Iterator[Handler]


class Emitter(Generic[P]):
    """One event of one `Events`. `handlers` is empty when nobody listens, so that callers need not build the data."""

    __slots__ = ("handlers", "name", "passes", "spawn", "sync_only", "welcomes_newcomers")

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
        self.welcomes_newcomers = False  # as their way in tells them by itself what they need to hear

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]:
        bound = self.handlers
        if not bound:
            return FINISHED
        met = self._run(args, bound, iter(bound))
        return FINISHED if met is None else self._go_on(args, met)

    def sync(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Emit where nobody can wait, such as after a command: an async handler goes on in the background."""
        bound = self.handlers
        if bound and (met := self._run(args, bound, iter(bound))) is not None:
            self.spawn(self._go_on(args, met))

    def only(self, handlers: tuple[Handler, ...]) -> Emitter[P]:
        """The same event for just these handlers."""
        emitter: Emitter[P] = Emitter(self.name, self.spawn, self.passes, self.sync_only)
        emitter.handlers = handlers
        return emitter

    def _run(self, args: tuple[object, ...], bound: tuple[Handler, ...], rest: Iterator[Handler]) -> Met | None:
        """Call handlers until one wants to be awaited; None when all have run or one has halted the event."""
        started = perf_counter()
        for handler in rest:
            if self.handlers is not bound:
                return self._run(args, self.handlers, self._still_to_come(bound, handler))
            try:
                result = handler(*args)
            except self.passes:
                raise
            except BaseException as error:
                if settle(self.name, handler, error, args):
                    return None
                started = perf_counter()
                continue
            now = perf_counter()
            if now - started > SLOW:
                report_slow(self.name, handler, now - started)
            started = now
            if result is not None and isawaitable(result):
                if not self.sync_only:
                    return Met(handler, result, bound, rest)
                report_refused(self.name, handler)
                if hasattr(result, "close"):
                    result.close()
        return None

    def _still_to_come(self, bound: tuple[Handler, ...], following: Handler) -> Iterator[Handler]:
        """Who is left, now that addons came or went in the middle of the event.

        Not those that went: `done` is the last that an addon sees. Of those that came the ones in the place of an
        addon that has not had its turn: a flow must not slip by a script because that was loaded anew meanwhile.
        """
        here = self.handlers
        place = bound.index(following)
        if not self.welcomes_newcomers:
            return iter([handler for handler in bound[place:] if handler in here])
        had_their_turn = {_seat(handler) for handler in bound[:place]}
        after = max((here.index(handler) for handler in bound[:place] if handler in here), default=-1) + 1
        return iter([handler for handler in here[after:] if _seat(handler) not in had_their_turn])

    async def _go_on(self, args: tuple[object, ...], met: Met | None) -> None:
        while met is not None:
            handler = met.handler
            try:
                await TimedAwait(met.result, SLOW, partial(report_slow, self.name, handler))
            except GeneratorExit:  # this coroutine is being closed
                raise
            except BaseException as error:
                if settle(self.name, handler, error, args):
                    return
            met = self._run(args, met.bound, met.rest)


def _seat(handler: Handler) -> object:
    """What a script and its newer form have in common: the name of the addon; scripts have one in their globals."""
    owner = getattr(handler, "__self__", None)
    if owner is not None:
        return addon_name(owner)
    return getattr(unwrap(handler), "__globals__", {}).get("name") or handler


class FlowEmitter(Emitter[[F]], Generic[F]):
    """An event that carries a flow: afterwards `update` is emitted, and an intercepted flow is waited for."""

    __slots__ = ("update",)

    def __init__(
        self, name: str, spawn: Callable[[Awaitable[None]], object], update: Emitter[[Sequence[Flow]]]
    ) -> None:
        super().__init__(name, spawn)
        self.welcomes_newcomers = True
        self.update = update

    def __call__(self, flow: F) -> Awaitable[None]:
        bound = self.handlers
        if bound:
            # Emitter._run once more, for one argument and without a call in between.
            rest = iter(bound)
            started = perf_counter()
            for handler in rest:
                if self.handlers is not bound:
                    met = self._run((flow,), self.handlers, self._still_to_come(bound, handler))
                    if met is not None:
                        return self._go_on_with(flow, met)
                    break
                try:
                    result = handler(flow)
                except BaseException as error:
                    if settle(self.name, handler, error, (flow,)):
                        break
                    started = perf_counter()
                    continue
                now = perf_counter()
                if now - started > SLOW:
                    report_slow(self.name, handler, now - started)
                started = now
                if result is not None and isawaitable(result):
                    return self._go_on_with(flow, Met(handler, result, bound, rest))
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

    async def _go_on_with(self, flow: F, met: Met) -> None:
        await self._go_on((flow,), met)
        await self._after(flow)

    async def _hold(self, flow: F, updating: Awaitable[None]) -> None:
        await updating
        if flow.intercepted:
            await flow.wait_for_resume()
            await self.update([flow])
