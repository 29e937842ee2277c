"""The last edit once more, on another flow: `edit.repeat`. What an edit is on another flow says flows/repeating.py.

The addon `undo` tells of each edit of a person. Without a flow the command takes the one in focus; if that is the one
that was edited (or repeated on) last, the next flow that is held, and moves the focus there. Of a conversation each
message that is held is another one to be edited.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.repeating import Operation, operations_of, planned
from midstream.flows.waiting import waits_at
from midstream.hub import ctx
from midstream.hub.commands import command
from midstream.hub.log import ALERT
from midstream.hub.recording import PERSON, Gesture
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.store.view import View

logger = logging.getLogger("midstream.repeat")

REPEAT = "edit.repeat"
_NOT_REPEATED = frozenset({"flow.revert", "flow.undo", REPEAT})


class Repeat:
    """The addon; see the module."""

    name = "repeat"

    def __init__(self) -> None:
        self._operations: tuple[Operation, ...] = ()
        self._has_it = ("", "")  # where it was done last, see `_place`

    @property
    def can_repeat(self) -> bool:
        """Whether something was edited."""
        return bool(self._operations)

    def noted(self, gesture: Gesture) -> None:
        """A person changed flows: what was done to the first of them is what can be repeated."""
        if gesture.during in _NOT_REPEATED:
            return
        first = gesture.touched[0]
        parts = [part for touched in gesture.touched if touched.flow is first.flow for part in touched.parts]
        if operations := operations_of(first.flow, parts):
            last = gesture.touched[-1]
            self._operations, self._has_it = operations, _place(last.flow, last.waited)

    @command(REPEAT)
    def repeat(self, *flows: str) -> None:
        """Make the last edit again, on the flows of this spec, the focused one, or the next one that is held."""
        if not self._operations:
            raise CommandError("nothing was edited that could be repeated")
        view = _view()
        for flow in self._chosen(view, " ".join(flows)):
            self._do(view, flow)

    def _was_done_on(self, flow: Flow) -> bool:
        place = _place(flow, waits_at(flow))
        return flow.id == self._has_it[0] and (not place[1] or place == self._has_it)

    def _do(self, view: View, flow: Flow) -> None:
        name = f"flow {view.row(flow.id).number:,}"
        is_edit = any(operation.part not in ("marked", "comment") for operation in self._operations)
        try:
            plan = planned(flow, self._operations)
            if is_edit:
                flow.backup()
            with ctx.master.events.recorder.of([flow], PERSON, REPEAT):
                plan.carry_out()
        except ValueError as problem:
            raise CommandError(f"not repeated on {name}: {visible(str(problem))}") from None
        self._has_it = _place(flow, waits_at(flow))
        if flow.id in view.shown:
            view.set_focus(flow.id)
        sent = "; it had already been sent" if is_edit and flow.live and not flow.intercepted else ""
        logger.log(ALERT, "repeated on %s: %s%s", name, visible(", ".join(plan.done)), sent)
        ctx.master.events.update.sync([flow])

    def _chosen(self, view: View, spec: str) -> list[Flow]:
        if spec:
            try:
                return list(view.resolve(spec))
            except ValueError as error:
                raise CommandError(str(error)) from None
        focused = view.focus_id
        flow = view.get(focused) if focused is not None else None
        if flow is not None and not self._was_done_on(flow):
            return [flow]
        for id_ in _held_after(view, focused):
            if id_ != self._has_it[0] and (flow := view.get(id_)) is not None:
                return [flow]
        raise CommandError("no other flow is held; go to the one that is to be edited so, and press the key again")


def _place(flow: Flow, waits: str) -> tuple[str, str]:
    """A flow, and which of its messages waits, if one does: the next one that is held has not got the edit."""
    return flow.id, waits if waits.startswith("messages") else ""


def _held_after(view: View, focused: str | None) -> Iterator[str]:
    """The held flows as they are shown, from the focused one on, and then from the top."""
    shown: list[str] = list(view.shown)
    index = view.index(focused) if focused is not None else None
    begin = 0 if index is None else index + 1
    return (id_ for id_ in (*shown[begin:], *shown[:begin]) if view.row(id_).held)


def _view() -> Any:
    view = getattr(ctx.master, "view", None)
    if view is None:
        raise CommandError("this program keeps no list of flows")
    return view
