"""Undo and redo: the commands, and the steps of what people change on flows.

Every command, edit and key by which a person changes parts of flows is one step of the journal (hub/undo.py); what was
taken out of the list or added to it is noted by the addon `view`. The edits are known because they are recorded: with
`record_changes` off there is nothing to undo but what happened to the list. What addons and traffic do is never undone,
and a part that they changed again since is not put back.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from midstream.addons.repeat import Repeat
from midstream.flows.change import Change, Part
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.parts import obstacle, restore
from midstream.flows.waiting import was_sent
from midstream.hub import ctx
from midstream.hub.commands import command
from midstream.hub.log import ALERT
from midstream.hub.recording import Gesture, Touched
from midstream.text.escape import visible
from midstream.work.slices import cooperate

logger = logging.getLogger("midstream.undo")

UNDO = "edit.undo"
REDO = "edit.redo"

_NOT_EDITS = frozenset({"marked", "comment"})  # what a person notes about a flow is sent to nobody
_IN_WORDS = {"marked": "mark", "messages.content": "message", "messages.dropped": "dropped message"}
# With more flows the addons are told in slices, so that the loop goes on meanwhile.
_MANY = 500


class Undo:
    """The addon; see the module."""

    name = "undo"

    def __init__(self) -> None:
        self._repeat = Repeat()
        self.addons = [self._repeat]

    def running(self) -> None:
        ctx.master.events.recorder.gesture_ended = self._ended

    def done(self) -> None:
        ctx.master.events.recorder.gesture_ended = None
        ctx.master.undo.clear()

    @command(UNDO)
    def undo(self) -> None:
        """Take back what you did last: an edit, a delete, a clear, a mark."""
        logger.log(ALERT, "%s", ctx.master.undo.undo())

    @command(REDO)
    def redo(self) -> None:
        """Do again what was undone last."""
        logger.log(ALERT, "%s", ctx.master.undo.redo())

    @command("edit.steps")
    def steps(self) -> Sequence[str]:
        """What can be undone, the last first."""
        return list(ctx.master.undo.steps())

    def _ended(self, gesture: Gesture) -> None:
        edited = [Edited(touched, parts) for touched in gesture.touched if (parts := _restorable(touched.parts))]
        if not edited:
            return
        step = EditStep(edited)
        self._repeat.noted(gesture)
        if not ctx.master.undo.add(step):
            logger.warning("the %s cannot be undone: %d MB are too many to keep", step.what, step.size >> 20)


class Problem(NamedTuple):
    """A flow on which a step cannot be taken back."""

    name: str
    why: str


class Edited:
    """What a step changed on one flow. The flow itself may be on disk, or gone, when it is asked for."""

    __slots__ = ("_flow", "change", "id", "parts", "waited")

    def __init__(self, touched: Touched, parts: tuple[Part, ...]) -> None:
        self.id = touched.flow.id
        self.change = touched.change
        self.parts = parts
        self.waited = touched.waited
        self._flow = weakref.ref(touched.flow)

    @property
    def flow(self) -> Flow | None:
        """The flow, None when it is no longer in the list of the program, or nobody has it any more."""
        view = getattr(ctx.master, "view", None)
        if view is not None:
            kept: Flow | None = view.get(self.id)
            return kept
        return self._flow()


class EditStep:
    """What a person changed on flows in one go."""

    def __init__(self, edited: Sequence[Edited]) -> None:
        self._edited = edited  # in the order in which it was done
        self.what = _words(edited)
        self.size = sum(256 + sum(_size(part) for part in each.parts) for each in edited)

    def undo(self) -> str:
        return self._move(list(reversed(self._edited)), undo=True)

    def redo(self) -> str:
        return self._move(self._edited, undo=False)

    def let_go(self) -> None:
        self._edited = ()

    def _move(self, edited: Sequence[Edited], undo: bool) -> str:
        changed: dict[Flow, None] = {}
        problems: dict[str, Problem] = {}
        sent = False
        for each in edited:
            flow = each.flow
            parts = tuple(reversed(each.parts)) if undo else tuple(map(_turned, each.parts))
            why = "it is not in the list any more" if flow is None else obstacle(flow, parts)
            if flow is None or why:
                problems.setdefault(each.id, Problem(_name(flow), why if flow is None else _blamed(flow, each, why)))
                continue
            sent = sent or was_sent(flow, each.waited, [part.name for part in parts])
            _put(flow, parts, UNDO if undo else REDO)
            _flag(flow, each.change, undo)
            changed[flow] = None
        if not changed:
            problem = next(iter(problems.values()))
            raise CommandError(f"{problem.name}: {problem.why}" if problem.name else problem.why)
        _tell(list(changed))
        return "; ".join(_notes(sent, undo, list(problems.values())))


def _put(flow: Flow, parts: tuple[Part, ...], during: str) -> None:
    with ctx.master.events.recorder.undoing([flow], during):
        if any(part.name not in _NOT_EDITS for part in parts):
            flow.backup()  # what was reverted is an edit again
        restore(flow, parts)


def _turned(part: Part) -> Part:
    return Part(part.name, part.after, part.before)


def _flag(flow: Flow, change: Change, undone: bool) -> None:
    """Say in the list of changes that it was taken back; a flow that was on disk has another object for it."""
    for each in reversed(flow.changes):
        if each is change or (each.timestamp == change.timestamp and each.during == change.during):
            each.undone = undone
            return


def _tell(flows: list[Flow]) -> None:
    if len(flows) > _MANY:
        ctx.master.background.spawn(_tell_in_slices(flows), "tell of changed flows")
    else:
        ctx.master.events.update.sync(flows)


async def _tell_in_slices(flows: list[Flow]) -> None:
    async for some in cooperate(flows):
        await ctx.master.events.update(some)


def _notes(sent: bool, undo: bool, problems: list[Problem]) -> Iterator[str]:
    if sent:
        yield "it had been sent already, as it was edited" if undo else "it had been sent already, without this edit"
    if problems:
        flows = "1 flow" if len(problems) == 1 else f"{len(problems):,} flows"
        yield f"not on {flows}: {problems[0].why}"


def _blamed(flow: Flow, edited: Edited, why: str) -> str:
    """Why not, and whose doing that is, as far as it was recorded."""
    names = {part.name for part in edited.parts}
    for change in reversed(flow.changes):
        if change is edited.change:
            break
        if names & {part.name for part in change.parts}:
            return f"{why.partition(';')[0]} by {visible(change.who)} ({visible(change.during)})"
    return why.partition(";")[0]


def _restorable(parts: Iterable[Part]) -> tuple[Part, ...]:
    # That a flow has failed, or was killed, is no edit.
    return tuple(part for part in parts if part.name != "error")


def _size(part: Part) -> int:
    return 128 + sum(_length(side) for side in (part.before, part.after))


def _length(value: Any) -> int:
    if isinstance(value, bytes | str):
        return len(value)
    return sum(len(name) + len(content) + 120 for name, content in value) if isinstance(value, tuple) else 0


def _words(edited: Sequence[Edited]) -> str:
    """`edit of request headers of POST example.com/login`, `mark of 3 flows`."""
    names = list(dict.fromkeys(_word(part.name) for each in edited for part in each.parts))
    what = ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
    count = len({each.id for each in edited})
    whose = f"of {count:,} flows" if count > 1 else f"of {_name(edited[0].flow) or 'a flow'}"
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
    view = getattr(ctx.master, "view", None)
    return f"flow {view.row(flow.id).number:,}" if view is not None and flow.id in view else f"a {flow.type} flow"
