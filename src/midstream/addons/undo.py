"""Undo and redo: the commands, and the notes of what people change on flows.

Every command, edit and key by which a person changes parts of flows is one step of the journal (hub/undo.py); what was
taken out of the list or added to it is noted by the addon `view`. The edits are known because they are recorded: with
`record_changes` off there is nothing to undo but what happened to the list. What addons and traffic do is never undone,
and a part that they changed again since is not put back.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from midstream.addons.edit_step import REDO, UNDO, EditStep, Moves
from midstream.addons.repeat import Repeat
from midstream.hub import ctx
from midstream.hub.commands import command
from midstream.hub.log import ALERT
from midstream.hub.recording import Gesture, Touched
from midstream.hub.undo import MOST_BYTES

logger = logging.getLogger("midstream.undo")


class Undo:
    """The addon; see the module."""

    name = "undo"

    def __init__(self) -> None:
        self._repeat = Repeat()
        self._moves = Moves()
        self.addons = [self._repeat]

    def running(self) -> None:
        recorder = ctx.master.events.recorder
        recorder.gesture_ended = self._ended
        recorder.long_gesture = lambda during: LongGesture(during, self._repeat, self._moves)

    def done(self) -> None:
        recorder = ctx.master.events.recorder
        recorder.gesture_ended, recorder.long_gesture = None, Gesture
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
        step = EditStep(self._moves)
        for touched in gesture.touched:
            step.add(touched)
        if not len(step):
            return
        self._repeat.noted(gesture)
        what, size = step.what, step.size
        if not ctx.master.undo.add(step):
            _refuse(what, size)


class LongGesture(Gesture):
    """What is done to very many flows, one after the other: a step from the beginning, which grows."""

    def __init__(self, during: str, repeat: Repeat, moves: Moves) -> None:
        super().__init__(during)
        self._repeat = repeat
        self._is_kept = True
        self._step = EditStep(moves, during, self)
        ctx.master.undo.add(self._step)

    def note(self, touched: Touched) -> None:
        if not self._is_kept or not self._step.add(touched):
            return
        if len(self._step) == 1:  # what was done to the first of them is what can be repeated
            first = Gesture(self.during)
            first.note(touched)
            self._repeat.noted(first)
        if self._step.size > MOST_BYTES:
            _refuse(self._step.what, self._step.size)
            self._forget()

    def end(self) -> None:
        super().end()
        self._step.work_ended()
        if self._is_kept and not len(self._step):
            self._forget()

    def _forget(self) -> None:
        self._is_kept = False
        ctx.master.undo.forget(self._step)


def _refuse(what: str, size: int) -> None:
    logger.warning("the %s cannot be undone: %d MB are too many to keep", what, size >> 20)
