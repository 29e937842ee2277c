"""The journal of what people did, so that it can be undone and done again: 200 steps, or 64 MB.

One `Journal` belongs to one master (`ctx.master.undo`). Whoever does something that can be undone adds a step; what a
step is, and how it is taken back, only that one knows. The addon `undo` adds the edits and has the commands.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

from midstream.flows.errors import CommandError
from midstream.hub.signal import Signal

MOST_STEPS: Final = 200
MOST_BYTES: Final = 64 * 1024 * 1024


class Step(Protocol):
    """Something that was done and can be taken back."""

    @property
    def what(self) -> str:
        """In words: `delete of 3 flows`."""

    @property
    def size(self) -> int:
        """About how many bytes it holds on to. What is still at work may grow."""

    def undo(self) -> str:
        """Take it back; what else is to be said of that. CommandError says why it cannot be, and nothing changed."""

    def redo(self) -> str:
        """Do it again, in the same way."""

    def let_go(self) -> None:
        """Nobody can ask for it any more."""


class Journal:
    """See the module."""

    def __init__(self) -> None:
        self._done: deque[Step] = deque()
        self._undone: list[Step] = []
        self._refused: Step | None = None  # which would not go last time: asked again, it is left out
        self.changed: Signal[[]] = Signal()

    @property
    def depth(self) -> int:
        """How many steps can be undone."""
        return len(self._done)

    @property
    def redo_depth(self) -> int:
        """How many can be done again."""
        return len(self._undone)

    @property
    def size(self) -> int:
        """About how many bytes all steps hold on to."""
        return sum(step.size for step in (*self._done, *self._undone))

    def steps(self) -> list[str]:
        """What can be undone, the last first."""
        return [step.what for step in reversed(self._done)]

    def add(self, step: Step) -> bool:
        """Note something that was done. False: it is too large to be kept, so that it cannot be undone."""
        self._forget(self._undone)
        self._refused = None
        if step.size > MOST_BYTES:
            step.let_go()
            self.changed.send()
            return False
        self._done.append(step)
        self._make_room()
        self.changed.send()
        return True

    def undo(self) -> str:
        """Take the last step back, and say so. CommandError says why not; asked again, it leaves that step out."""
        return self._move(undo=True)

    def redo(self) -> str:
        """Do again what was undone last, in the same way."""
        return self._move(undo=False)

    def forget(self, step: Step) -> None:
        """There is nothing of this one that could be undone after all."""
        for steps in (self._done, self._undone):
            if step in steps:
                steps.remove(step)
                step.let_go()
        self.changed.send()

    def clear(self) -> None:
        """Forget everything."""
        self._refused = None
        self._forget(self._undone)
        self._forget(self._done)
        self.changed.send()

    def _move(self, undo: bool) -> str:
        here, there = (self._done, self._undone) if undo else (self._undone, self._done)
        word = "undo" if undo else "redo"
        while here:
            step = here[-1]
            try:
                note = step.undo() if undo else step.redo()
            except CommandError as problem:
                if self._refused is not step:
                    self._refused = step
                    raise CommandError(f"cannot {word} the {step.what}: {problem}; again leaves it out") from None
                here.pop().let_go()
                continue
            self._refused = None
            there.append(here.pop())
            self._make_room()
            self.changed.send()
            return _sentence("undone" if undo else "redone", step.what, note, self._left(undo))
        self.changed.send()
        raise CommandError(f"there is nothing to {word}")

    def _left(self, undo: bool) -> str:
        count = self.depth if undo else self.redo_depth
        return (
            f"{count} step{'s' if count != 1 else ''} left"
            if count
            else "nothing more to " + ("undo" if undo else "redo")
        )

    def _make_room(self) -> None:
        while len(self._done) > MOST_STEPS or (len(self._done) > 1 and self.size > MOST_BYTES):
            self._done.popleft().let_go()

    def _forget(self, steps: deque[Step] | list[Step]) -> None:
        while steps:
            steps.pop().let_go()


def _sentence(verb: str, what: str, note: str, left: str) -> str:
    return "; ".join(part for part in (f"{verb}: {what}", note, left) if part)
