"""One step of undo: what a person changed on flows in one go, be it one flow or a hundred thousand.

The addon `undo` makes them for the journal (hub/undo.py). A step keeps parts and ids; the flows may be on disk, or
gone, when they are asked for. What is much is taken back in slices, and so is what is still being done: it stops first.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Final, NamedTuple

from midstream.flows.change import Change, Part
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.parts import obstacle, restore
from midstream.flows.waiting import was_sent
from midstream.hub import ctx
from midstream.hub.log import ALERT
from midstream.hub.recording import Gesture, Touched
from midstream.text.escape import visible

logger = logging.getLogger("midstream.undo")

UNDO: Final = "edit.undo"
REDO: Final = "edit.redo"

_NOT_EDITS = frozenset({"marked", "comment"})  # what a person notes about a flow is sent to nobody
_IN_WORDS = {"marked": "mark", "messages.content": "message", "messages.dropped": "dropped message"}
_MANY: Final = 500  # flows that are not changed back in one go
_WRITTEN_AFTER: Final = 500
_GONE: Final = "it is not in the list any more"
_EDITED: Final = 300  # bytes for each flow beside the parts
_SMALL: Final = 1000
_PLAIN: Final = frozenset({str, bytes, int, type(None)})


class Edited:
    """What a step changed on one flow. The flow itself may be on disk, or gone, when it is asked for."""

    __slots__ = ("_flow", "during", "id", "parts", "timestamp", "waited")

    def __init__(self, touched: Touched, parts: tuple[Part, ...]) -> None:
        self.id = touched.flow.id
        self.parts = parts
        self.during = touched.change.during
        self.timestamp = touched.change.timestamp
        self.waited = touched.waited
        self._flow = weakref.ref(touched.flow) if _view() is None else None

    @property
    def flow(self) -> Flow | None:
        """The flow, None when it is no longer in the list of the program, or nobody has it any more."""
        if self._flow is not None:
            return self._flow()
        kept: Flow | None = _view().get(self.id)
        return kept

    def is_in(self, change: Change) -> bool:
        """Whether this is the change: a flow that was on disk has another object for it."""
        return change.timestamp == self.timestamp and change.during == self.during


class Moves:
    """What is taken back or done again in slices, of all steps of one journal."""

    def __init__(self) -> None:
        self._last: asyncio.Task[None] | None = None

    @property
    def go_on(self) -> bool:
        """Whether there is something that comes before anything else."""
        return self._last is not None and not self._last.done()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Behind what was asked for before."""
        self._last = ctx.master.background.spawn(work, "undo")


class EditStep:
    """See the module. `at_work` is the gesture that still goes on."""

    def __init__(self, moves: Moves, named: str = "", at_work: Gesture | None = None) -> None:
        self._moves = moves
        self._named = named
        self._at_work = at_work
        self._edited: dict[str, tuple[Edited, ...]] = {}  # in the order in which it was done
        self._same: dict[tuple[Part, ...], tuple[Part, ...]] = {}
        self._ended = asyncio.Event()
        self.size = 0

    def __len__(self) -> int:
        """How many flows it changed."""
        return len(self._edited)

    @property
    def what(self) -> str:
        """`edit of request headers of POST example.com/login`, `mark of 3 flows`."""
        return _words(self._edited) if self._edited else self._named

    def add(self, touched: Touched) -> bool:
        """Keep what was changed on a flow; False: nothing of it can be put back."""
        # That a flow has failed, or was killed, is no edit.
        parts = tuple(part for part in touched.parts if part.name != "error")
        if not parts:
            return False
        size = sum(_size(part) for part in parts)
        if size <= _SMALL and all(map(_is_plain, parts)):  # very many flows are changed alike, mostly
            known = self._same.setdefault(parts, parts)
            parts, size = known, 0 if known is not parts else size
        each = Edited(touched, parts)
        self._edited[each.id] = (*self._edited.get(each.id, ()), each)
        self.size += _EDITED + size
        return True

    def work_ended(self) -> None:
        """All is done that was to be done, or it was stopped."""
        self._at_work = None
        self._ended.set()

    def undo(self) -> str:
        return self._move(undo=True)

    def redo(self) -> str:
        return self._move(undo=False)

    def let_go(self) -> None:
        self._edited, self._same, self.size = {}, {}, 0

    def _move(self, undo: bool) -> str:
        if self._at_work is not None:
            self._at_work.is_wanted = False
        if self._at_work is not None or self._moves.go_on or (len(self) > _MANY and _view() is not None):
            self._moves.begin(self._move_in_slices(undo, self._edited))
            return ""
        move = _Move(undo)
        for edited in list(self._edited.values()):
            move.go(edited, edited[0].flow)
        if not move.changed:
            raise CommandError(str(move.problem))
        ctx.master.events.update.sync(move.changed)
        return "; ".join(move.notes())

    async def _move_in_slices(self, undo: bool, edited: dict[str, tuple[Edited, ...]]) -> None:
        # The step itself may be let go meanwhile, by the next edit.
        view, update = _view(), ctx.master.events.update
        async with ctx.master.events.recorder.turn:  # what was asked for before comes first, edits too
            if self._at_work is not None:
                await self._ended.wait()
            what = _words(edited) if edited else self._named
            move, done, total = _Move(undo), 0, len(edited)
            with ctx.master.jobs.begun(f"{'undo' if undo else 'redo'} of {what}") as job:
                async for flow in view.walk(edited):
                    if job.stopped:
                        break
                    move.go(edited[flow.id], flow)
                    if move.changed:
                        await update(move.changed)
                        move.changed.clear()
                    done += 1
                    if done % _WRITTEN_AFTER == 0:
                        job.report(done / total)
                        await view.written()  # there may be more of them than memory has room for
            if not job.stopped and done < total:
                move.add_problem(Problem("", _GONE), total - done)
            if notes := list(move.notes()):
                logger.log(ALERT, "%s: %s: %s", "undone" if undo else "redone", what, "; ".join(notes))


class Problem(NamedTuple):
    """A flow on which a step cannot be taken back."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}" if self.name else self.why


class _Move:
    """A step on its way: the flows that were changed, and what is to be said."""

    def __init__(self, undo: bool) -> None:
        self._undo = undo
        self._sent = False
        self._problems = 0
        self.problem: Problem | None = None
        self.changed: list[Flow] = []

    def go(self, edited: Sequence[Edited], flow: Flow | None) -> None:
        """Take back, or do again, what was done to one flow."""
        if flow is None:
            self.add_problem(Problem("", _GONE))
            return
        has_changed = has_problem = False
        for each in reversed(edited) if self._undo else edited:
            parts = tuple(reversed(each.parts)) if self._undo else tuple(map(_turned, each.parts))
            why = obstacle(flow, parts)
            if why:
                if not has_problem:
                    self.add_problem(Problem(_name(flow), _blamed(flow, each, why)))
                has_problem = True
                continue
            self._sent = self._sent or was_sent(flow, each.waited, [part.name for part in parts])
            _put(flow, parts, UNDO if self._undo else REDO)
            _flag(flow, each, self._undo)
            has_changed = True
        if has_changed:
            self.changed.append(flow)

    def add_problem(self, problem: Problem, flows: int = 1) -> None:
        """One, or so many of the same kind."""
        self.problem = self.problem or problem
        self._problems += flows

    def notes(self) -> Iterator[str]:
        """What else is to be said of it."""
        if self._sent:
            how = "as it was edited" if self._undo else "without this edit"
            yield f"it had been sent already, {how}"
        if self.problem is not None:
            flows = "1 flow" if self._problems == 1 else f"{self._problems:,} flows"
            yield f"not on {flows}: {self.problem.why}"


def _put(flow: Flow, parts: tuple[Part, ...], during: str) -> None:
    with ctx.master.events.recorder.undoing([flow], during):
        if any(part.name not in _NOT_EDITS for part in parts):
            flow.backup()  # what was reverted is an edit again
        restore(flow, parts)


def _turned(part: Part) -> Part:
    return Part(part.name, part.after, part.before)


def _flag(flow: Flow, edited: Edited, undone: bool) -> None:
    """Say in the list of changes that it was taken back."""
    for each in reversed(flow.changes):
        if edited.is_in(each):
            each.undone = undone
            return


def _blamed(flow: Flow, edited: Edited, why: str) -> str:
    """Why not, and whose doing that is, as far as it was recorded."""
    names = {part.name for part in edited.parts}
    for change in reversed(flow.changes):
        if edited.is_in(change):
            break
        if names & {part.name for part in change.parts}:
            return f"{why.partition(';')[0]} by {visible(change.who)} ({visible(change.during)})"
    return why.partition(";")[0]


def _size(part: Part) -> int:
    return 128 + sum(_length(side) for side in (part.before, part.after))


def _length(value: Any) -> int:
    if isinstance(value, bytes | str):
        return len(value)
    return sum(len(name) + len(content) + 120 for name, content in value) if isinstance(value, tuple) else 0


def _is_plain(part: Part) -> bool:
    return type(part.before) in _PLAIN and type(part.after) in _PLAIN


def _words(edited: dict[str, tuple[Edited, ...]]) -> str:
    parts = {id(each.parts): each.parts for some in edited.values() for each in some}
    names = list(dict.fromkeys(_word(part.name) for some in parts.values() for part in some))
    what = ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
    first = next(iter(edited.values()))[0]
    whose = f"of {len(edited):,} flows" if len(edited) > 1 else f"of {_name(first.flow) or 'a flow'}"
    return f"{'' if names == ['mark'] or names == ['comment'] else 'edit of '}{what} {whose}"


def _word(name: str) -> str:
    """`request.content` is the request body."""
    index = name.find("[")
    plain = name[:index] + name[name.index("]") + 1 :] if index >= 0 else name
    return _IN_WORDS.get(plain) or plain.replace(".content", " body").replace(".", " ").replace("_", " ")


def _name(flow: Flow | None) -> str:
    """What a flow is called in a line: its number in the list, where there is one."""
    if flow is None:
        return ""
    view = _view()
    return f"flow {view.row(flow.id).number:,}" if view is not None and flow.id in view else f"a {flow.type} flow"


def _view() -> Any:
    """The list of the program, if it has one."""
    return getattr(ctx.master, "view", None)
