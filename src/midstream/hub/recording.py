"""What touched a flow: while recording is on, every handler, command and edit is compared with what was there before.

One `Recorder` belongs to one `Events`. It knows nothing of who listens: `Events.bind` hands it the handlers of the
events that carry a flow and binds what it gives back, which is the very same handlers while recording is off. So it
costs nothing then. Commands are compared by the command manager, edits by whoever makes them:

    with ctx.master.events.recorder.of([flow], "you", "edit of the body"):
        flow.request.content = new
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any, TypeVar

from midstream.flows.change import Change
from midstream.flows.flow import Flow
from midstream.flows.parts import Snapshot, differences, snapshot
from midstream.hub.failures import owner_name
from midstream.hub.handlers import Handler

H = TypeVar("H", bound=Callable[..., object])

MOST_FLOWS = 2000
"""Flows of one command that are compared; snapshots of more would hold the loop."""


def unrecorded(handler: H) -> H:
    """A decorator for handlers that take away what must not be kept, such as passwords."""
    handler.__dict__["is_unrecorded"] = True
    return handler


def is_unrecorded(handler: Handler) -> bool:
    """Whether what it changes is nobody's business."""
    return getattr(handler, "is_unrecorded", False)


class Watch:
    """One flow while somebody may be changing it."""

    __slots__ = ("before", "flow")

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.before: Snapshot = snapshot(flow)


class Recorder:
    """See the module. `on` is set by the addon that owns the option."""

    def __init__(self) -> None:
        self.on = False
        self.actor = ""
        """The addon whose plain handler runs at this moment: commands that it calls are its doing."""
        self._open: list[Watch] = []

    def wrapped(self, handlers: Sequence[Handler]) -> Iterable[Handler]:
        """What to bind for the handlers of an event that carries a flow."""
        if not self.on:
            return handlers
        return [handler if is_unrecorded(handler) else Recorded(handler, self) for handler in handlers]

    @contextmanager
    def of(self, flows: Iterable[Flow], who: str, during: str) -> Iterator[None]:
        """Whatever is changed on these flows within the block is the doing of `who`."""
        watches = [self.begin(flow) for flow in flows] if self.on else []
        try:
            yield
        finally:
            for watch in watches:
                self.end(watch, who, during)

    def begin(self, flow: Flow) -> Watch:
        """Remember what the flow is like."""
        watch = Watch(flow)
        self._open.append(watch)
        return watch

    def end(self, watch: Watch, who: str, during: str) -> None:
        """Note what has changed since. What others noted meanwhile, inside of it, is not noted twice."""
        if self._open[-1] is watch:
            self._open.pop()
        else:
            self._open = [other for other in self._open if other is not watch]
        flow, after = watch.flow, snapshot(watch.flow)
        if after == watch.before:  # mostly the very same objects
            return
        flow.note_change(Change(who, during, differences(flow, watch.before, after)))
        for other in self._open:
            if other.flow is flow:
                other.before = after

    def of_command(self, arguments: Iterable[object]) -> list[Watch]:
        """Remember the flows among the arguments of a command that is about to run."""
        return [self.begin(flow) for flow in _flows_in(arguments)]

    def command_ended(self, watches: list[Watch], name: str) -> None:
        """Note what the command has changed."""
        who = self.actor or "you"
        for watch in watches:
            self.end(watch, who, name)


class Recorded:
    """A handler, and around it the comparison."""

    def __init__(self, handler: Handler, recorder: Recorder) -> None:
        self.__wrapped__ = handler
        self._recorder = recorder
        self._owner = owner_name(handler)
        self._event = getattr(handler, "__name__", "")

    def __call__(self, flow: Flow) -> object:
        recorder = self._recorder
        watch = recorder.begin(flow)
        outer, recorder.actor = recorder.actor, self._owner
        result = None
        try:
            result = self.__wrapped__(flow)
        finally:
            recorder.actor = outer
            goes_on = result is not None and isawaitable(result)
            if not goes_on:
                recorder.end(watch, self._owner, self._event)
        return self._later(result, watch) if goes_on else result

    async def _later(self, result: Any, watch: Watch) -> None:
        try:
            await result
        finally:
            self._recorder.end(watch, self._owner, self._event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)  # whose it is and where it stands is asked of the handler

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == (other.__wrapped__ if isinstance(other, Recorded) else other))

    def __hash__(self) -> int:
        return hash(self.__wrapped__)


def _flows_in(arguments: Iterable[object]) -> Iterator[Flow]:
    for argument in arguments:
        if isinstance(argument, Flow):
            yield argument
        elif isinstance(argument, Sequence) and not isinstance(argument, str | bytes) and len(argument) <= MOST_FLOWS:
            yield from (each for each in argument if isinstance(each, Flow))
