"""What touched a flow: while recording is on, every handler, command and edit is compared with what was there before.

One `Recorder` belongs to one `Events`. It knows nothing of who listens: `Events.bind` hands it the handlers of the
events that carry a flow and binds what it gives back, which is the very same handlers while recording is off. So it
costs nothing then. Commands are compared by the command manager, rules and edits by whoever makes them:

    with ctx.master.events.recorder.of([flow], "you", "edit of the body"):
        flow.request.content = new

Several may be at work on one flow: one calls the other, or waits meanwhile. What is changed is the doing of the one
that began last; what the proxy itself brings is nobody's (`Arrival`). What a person changes in one go, whatever runs
within it, is one `Gesture`: whoever keeps a journal of them, to undo them, sets `gesture_ended`.
"""

from __future__ import annotations

from asyncio import Lock
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from inspect import isawaitable
from threading import RLock
from typing import Any, Final, NamedTuple, TypeVar

from midstream.flows.change import Change, Part, kept_parts
from midstream.flows.flow import Error, Flow
from midstream.flows.parts import Snapshot, differences, rebased, snapshot
from midstream.flows.waiting import waits_at
from midstream.hub.failures import owner_name
from midstream.hub.handlers import Handler

H = TypeVar("H", bound=Callable[..., object])

MOST_FLOWS = 2000
"""Flows of one command that are compared at once; snapshots of more would hold the loop."""

ARRIVALS: Final = {
    "request": ("request.content", "request.trailers"),
    "responseheaders": ("response.",),
    "response": ("response.content", "response.trailers"),
    "error": ("error",),
}
"""What the proxy has brought when an event begins, by the beginnings of the parts' names."""

PERSON: Final = "you"

_NOT_RECORDED: Final = nullcontext()

# Whoever is at work in this task or thread: commands that are called there, also later on by tasks, are its doing.
_actor: ContextVar[str] = ContextVar("midstream_actor", default=PERSON)
# Whether a script is at work whose next line may look at what became of a command.
_is_script: ContextVar[bool] = ContextVar("midstream_is_script", default=False)


class Touched(NamedTuple):
    """What a person changed on one flow in one go."""

    flow: Flow
    change: Change
    parts: tuple[Part, ...]
    """Those of the change, the large ones too."""
    waited: str
    """What waited to be sent then, see flows/waiting.py."""


class Gesture:
    """All that a person did in one go: a key, a command line, an edit that was applied.

    What is done to very many flows goes on when the command has returned; the gesture is open until that has ended.
    """

    def __init__(self, during: str) -> None:
        self.during = during
        self.is_open = True
        self.is_wanted = True
        """False asks whoever is at work to stop: it is being undone."""
        self.touched: list[Touched] = []

    def note(self, touched: Touched) -> None:
        """Another flow was changed."""
        self.touched.append(touched)

    def end(self) -> None:
        """That was all."""
        self.is_open = False


_gesture: ContextVar[Gesture | None] = ContextVar("midstream_gesture", default=None)


def is_by_person() -> bool:
    """Whether what happens here is a person's doing, as far as it is recorded who is at work."""
    return _actor.get() == PERSON


def may_go_on() -> bool:
    """Whether what a command does may go on when it has returned: a person sees it in a moment, a script does not."""
    return is_by_person() and not _is_script.get()


@contextmanager
def script_at_work() -> Iterator[None]:
    """Within the block a command of a script runs, though it is a person's doing."""
    before = _is_script.get()
    _is_script.set(True)
    try:
        yield
    finally:
        _is_script.set(before)


def unrecorded(handler: H) -> H:
    """A decorator for handlers that take away what must not be kept, such as passwords, and for the built-in ones that
    see every flow and never change it: a comparison costs more than they do.
    """
    handler.__dict__["is_unrecorded"] = True
    return handler


def is_unrecorded(handler: Handler) -> bool:
    """Whether what it changes is nobody's business."""
    return getattr(handler, "is_unrecorded", False)


def is_ours(function: object) -> bool:
    """Whether a handler or a command is a part of this program, and no script's."""
    return str(getattr(function, "__module__", "")).startswith("midstream.")


class Watch:
    """One flow while somebody may be changing it."""

    __slots__ = ("before", "during", "flow", "gesture", "who")

    def __init__(self, flow: Flow, who: str, during: str, message: object = None) -> None:
        self.flow = flow
        self.who = who
        self.during = during
        self.gesture: Gesture | None = None
        self.before: Snapshot = snapshot(flow, message=message)


class Recorder:
    """See the module. `on` is set by the addon that owns the option."""

    def __init__(self) -> None:
        self.on = False
        self.gesture_ended: Callable[[Gesture], None] | None = None
        """Told of what a person has changed, when that is done."""
        self.long_gesture: Callable[[str], Gesture] = Gesture
        """Makes the gesture of what goes on after the command, which can be undone before it has ended."""
        self.turn = Lock()
        """For what goes on after its command: what was begun first is done first."""
        self._open: dict[Flow, list[Watch]] = {}
        self._lock = RLock()  # `@concurrent` handlers call commands, too

    def wrapped(self, event: str, handlers: Sequence[Handler]) -> Iterable[Handler]:
        """What to bind for the handlers of an event that carries a flow."""
        if not self.on:
            return handlers
        recorded = [handler if is_unrecorded(handler) else Recorded(handler, self) for handler in handlers]
        return [Arrival(self, ARRIVALS[event]).noted, *recorded] if event in ARRIVALS else recorded

    def named(self, handlers: Iterable[Handler]) -> Iterable[Handler]:
        """The same for an event without a flow. What ours do is done for a person, or for nobody."""
        if not self.on:
            return handlers
        return [handler if is_ours(handler) else Named(handler, self) for handler in handlers]

    def of(self, flows: Iterable[Flow], who: str, during: str, message: object = None) -> AbstractContextManager[None]:
        """Whatever is changed on these flows within the block is the doing of `who`.

        Of a conversation the last message is compared, or the one that is named.
        """
        if not self.on:
            return _NOT_RECORDED
        return Doing(self, (self.begin(flow, who, during, message) for flow in flows), who, during)

    def undoing(self, flows: Iterable[Flow], during: str) -> AbstractContextManager[None]:
        """The same for a person who takes back what was done: that is no gesture to be undone itself."""
        if not self.on:
            return _NOT_RECORDED
        doing = Doing(self, (self.begin(flow, PERSON, during) for flow in flows), PERSON, during)
        doing.is_gesture = False
        return doing

    @contextmanager
    def within(self, gesture: Gesture) -> Iterator[None]:
        """What a person changes on flows within the block belongs to this gesture, and is told to nobody else."""
        before = _actor.get(), _gesture.get()
        _actor.set(PERSON)
        _gesture.set(gesture)
        try:
            yield
        finally:
            _actor.set(before[0])
            _gesture.set(before[1])

    def ended(self, gesture: Gesture) -> None:
        """A gesture is over: whoever keeps a journal is told, if anything was changed."""
        gesture.end()
        if gesture.touched and self.gesture_ended is not None:
            self.gesture_ended(gesture)

    def of_command(self, arguments: Iterable[object], name: str) -> AbstractContextManager[None]:
        """The same for the flows among the arguments of a command: the doing of whoever called it."""
        return self.of(_flows_in(arguments), _actor.get(), name)

    def arrived(self, flow: Flow, names: tuple[str, ...]) -> None:
        """These parts are the proxy's, whoever waits. That a flow was killed is somebody's doing."""
        if flow.error is not None and flow.error.msg == Error.KILLED_MESSAGE:
            return
        with self._lock:
            for watch in self._open.get(flow, ()):
                watch.before = rebased(flow, watch.before, names)

    def begin(self, flow: Flow, who: str, during: str, message: object = None) -> Watch:
        """Remember what the flow is like."""
        with self._lock:
            others = self._open.setdefault(flow, [])
            for other in reversed(others):
                self._note(other)  # what it has done so far came before
            watch = Watch(flow, who, during, message)
            others.append(watch)
            return watch

    def end(self, watch: Watch) -> None:
        """Note what has changed since."""
        with self._lock:
            self._note(watch)
            others = self._open[watch.flow]
            others.remove(watch)
            if not others:
                del self._open[watch.flow]

    def _note(self, watch: Watch) -> None:
        """Note what has changed since, once: it is not the doing of those that wait around."""
        flow, after = watch.flow, snapshot(watch.flow, watch.before)
        if after == watch.before:  # mostly the very same objects
            return
        parts = differences(flow, watch.before, after)
        change = Change(watch.who, watch.during, kept_parts(parts))
        flow.note_change(change)
        if watch.gesture is not None:
            watch.gesture.note(Touched(flow, change, parts, waits_at(flow)))
        for other in self._open[flow]:
            other.before = snapshot(flow, other.before)


class Doing:
    """The block in which somebody may change flows."""

    __slots__ = (
        *("_begun", "_during", "_gesture", "_outer", "_outer_gesture", "_recorder", "_watches", "_who", "is_gesture"),
    )

    def __init__(self, recorder: Recorder, begun: Iterable[Watch], who: str, during: str) -> None:
        self._recorder = recorder
        self._begun = begun
        self._who = who
        self._during = during
        self.is_gesture = who == PERSON

    def __enter__(self) -> None:
        self._outer, self._outer_gesture = _actor.get(), _gesture.get()
        _actor.set(self._who)
        self._gesture: Gesture | None = None
        outer = self._outer_gesture
        within = outer if self.is_gesture and self._outer == PERSON and outer is not None and outer.is_open else None
        if within is None and self.is_gesture and self._recorder.gesture_ended is not None:
            within = self._gesture = Gesture(self._during)
        _gesture.set(within)
        self._watches = list(self._begun)
        for watch in self._watches:
            watch.gesture = within

    def __exit__(self, *_: object) -> None:
        for watch in self._watches:
            self._recorder.end(watch)
        _actor.set(self._outer)  # not by a token, which would have to be of the same context
        _gesture.set(self._outer_gesture)
        if (gesture := self._gesture) is not None:
            self._recorder.ended(gesture)


class Recorded:
    """A handler, and around it the comparison."""

    def __init__(self, handler: Handler, recorder: Recorder) -> None:
        self.__wrapped__ = handler
        self._recorder = recorder
        self._owner = owner_name(handler)
        self._event = getattr(handler, "__name__", "")

    def __call__(self, flow: Flow) -> object:
        with self._recorder.of([flow], self._owner, self._event):
            result = self.__wrapped__(flow)
        return self._later(result, flow) if result is not None and isawaitable(result) else result

    async def _later(self, result: Any, flow: Flow) -> None:
        with self._recorder.of([flow], self._owner, self._event):
            await result

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)  # whose it is and where it stands is asked of the handler

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == (other.__wrapped__ if isinstance(other, Recorded) else other))

    def __hash__(self) -> int:
        return hash(self.__wrapped__)


class Named(Recorded):
    """The handler of an event without a flow: what it does to any, by commands or by its tasks, is its doing."""

    def __call__(self, *args: object) -> object:
        with self._recorder.of((), self._owner, self._event):
            result = self.__wrapped__(*args)
        return self._goes_on(result) if result is not None and isawaitable(result) else result

    async def _goes_on(self, result: Any) -> None:
        with self._recorder.of((), self._owner, self._event):
            await result


class Arrival:
    """Comes first in an event, to tell what the proxy has brought from what a handler did that still waits."""

    name = "midstream_arrival"

    def __init__(self, recorder: Recorder, names: tuple[str, ...]) -> None:
        self._recorder = recorder
        self._names = names

    def noted(self, flow: Flow) -> None:
        """The handler."""
        self._recorder.arrived(flow, self._names)


def _flows_in(arguments: Iterable[object]) -> Iterator[Flow]:
    for argument in arguments:
        if isinstance(argument, Flow):
            yield argument
        elif not isinstance(argument, Sequence) or isinstance(argument, str | bytes) or len(argument) > MOST_FLOWS:
            continue
        elif not getattr(argument, "is_far", False):  # to read them all would hold the loop as well
            yield from (each for each in argument if isinstance(each, Flow))
