"""The journal: its bounds, what it says, and what it does when a step cannot be taken back."""

from __future__ import annotations

import pytest

from midstream.flows.errors import CommandError
from midstream.hub.undo import MOST_BYTES, MOST_STEPS, Journal


class Counter:
    """A step on a number."""

    def __init__(self, what: str, size: int = 10) -> None:
        self.what = what
        self.size = size
        self.calls: list[str] = []
        self.problem = ""

    def undo(self) -> str:
        return self._did("undo")

    def redo(self) -> str:
        return self._did("redo")

    def let_go(self) -> None:
        self.calls.append("let_go")

    def _did(self, call: str) -> str:
        if self.problem:
            raise CommandError(self.problem)
        self.calls.append(call)
        return "it had been sent already" if self.what == "sent" else ""


def test_steps_are_undone_from_the_last_and_done_again() -> None:
    journal, steps = Journal(), [Counter("one"), Counter("two"), Counter("sent")]
    assert all(journal.add(step) for step in steps)
    assert journal.steps() == ["sent", "two", "one"]
    assert journal.undo() == "undone: sent; it had been sent already; 2 steps left"
    assert journal.undo() == "undone: two; 1 step left"
    assert (journal.depth, journal.redo_depth) == (1, 2)
    assert journal.redo() == "redone: two; 1 step left"
    assert journal.redo() == "redone: sent; it had been sent already; nothing more to redo"
    with pytest.raises(CommandError, match="nothing to redo"):
        journal.redo()
    assert [journal.undo() for _ in steps][-1] == "undone: one; nothing more to undo"
    with pytest.raises(CommandError, match="nothing to undo"):
        journal.undo()


def test_what_is_done_anew_ends_what_could_be_done_again() -> None:
    journal, first, second = Journal(), Counter("one"), Counter("two")
    journal.add(first)
    journal.undo()
    journal.add(second)
    assert (journal.depth, journal.redo_depth, journal.size) == (1, 0, 10)
    assert first.calls == ["undo", "let_go"]
    journal.clear()
    assert (journal.depth, journal.size, second.calls) == (0, 0, ["let_go"])


def test_the_oldest_give_way() -> None:
    journal, steps = Journal(), [Counter(str(number)) for number in range(MOST_STEPS + 3)]
    for step in steps:
        journal.add(step)
    assert journal.depth == MOST_STEPS
    assert [step.calls for step in steps[:4]] == [["let_go"]] * 3 + [[]]
    half = [Counter("half", MOST_BYTES // 2) for _ in range(3)]
    for step in half:
        assert journal.add(step)
    assert (journal.depth, journal.size) == (2, MOST_BYTES)
    assert half[0].calls == ["let_go"]


def test_what_is_too_large_is_not_kept() -> None:
    journal, step = Journal(), Counter("large", MOST_BYTES + 1)
    assert not journal.add(step)
    assert (journal.depth, journal.size, step.calls) == (0, 0, ["let_go"])


def test_what_cannot_be_undone_says_why_and_asked_again_gives_way() -> None:
    journal, first, second = Journal(), Counter("one"), Counter("two")
    journal.add(first)
    journal.add(second)
    second.problem = "it was changed again since"
    with pytest.raises(CommandError, match="cannot undo the two: it was changed again since; again leaves it out"):
        journal.undo()
    assert journal.depth == 2
    assert journal.undo() == "undone: one; nothing more to undo"
    assert second.calls == ["let_go"]
    assert journal.redo_depth == 1


def test_listeners_are_told() -> None:
    journal, told = Journal(), []
    journal.changed.connect(lambda: told.append((journal.depth, journal.redo_depth)))
    journal.add(Counter("one"))
    journal.undo()
    journal.redo()
    journal.clear()
    assert told == [(1, 0), (0, 1), (1, 0), (0, 0)]


def test_a_step_that_came_to_nothing_is_forgotten() -> None:
    journal, first, second = Journal(), Counter("one"), Counter("two")
    journal.add(first)
    journal.add(second)
    journal.undo()
    journal.forget(second)
    journal.forget(second)
    assert (journal.steps(), journal.redo_depth, second.calls) == (["one"], 0, ["undo", "let_go"])
    first.size = 50  # it grew
    assert journal.size == 50
