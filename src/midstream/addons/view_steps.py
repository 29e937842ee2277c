"""What can be undone of the flow list: flows that a person took out, and flows that a person added.

The addon `view` makes these steps for the journal (hub/undo.py). A removal holds the flows that it would put back and
their rows, so that they come back with their numbers, at their places.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.store.taken import Taken
from midstream.store.view import View

# So many are shown again in one go; and so many where each may have to be read to know whether it passes the filter.
_MANY: Final = 2000
_FEW: Final = 20

TakeOut = Callable[[Sequence[str] | None], tuple[Taken, int]]


class Removal:
    """Flows that a person takes out of the list, None for all. `take_out` does so and says how many it had to end."""

    def __init__(self, view: View, ids: Sequence[str] | None, take_out: TakeOut, word: str = "delete") -> None:
        self._view = view
        self._take_out = take_out
        self._ids = ids
        self._taken = Taken({}, {}, None)
        self._focus = view.focus_id
        self._ended = 0
        self.free: Callable[[list[object]], None] = lambda gone: None
        self.take_back: Callable[[Iterable[Flow]], None] = lambda flows: None
        self.show_later: Callable[[Coroutine[Any, Any, None]], object] | None = None
        """Shows very many in slices."""
        self.do()
        self.what = f"{word} of {counted(len(self._taken.gone))}"

    def do(self) -> None:
        """Take them out."""
        self._taken, ended = self._take_out(self._ids)
        self._ended += ended
        self.size = self._taken.size

    def undo(self) -> str:
        taken = self._taken
        if all(id_ in self._view for id_ in taken.gone):
            raise CommandError("they are in the list already")
        self._ids = tuple(taken.gone)
        self.take_back(taken.flows.values())
        missing, is_much = len(taken.gone), self._is_much()
        if self.show_later is not None and is_much:
            back = self._view.store_back(taken)
            hidden = 0  # which is seen in a moment
            self.show_later(self._view.show_back(back, self._focus))
        else:
            back = self._view.put_back(taken)
            hidden = sum(not self._view.shown.has(row) for row in back)
            if self._focus is not None and self._focus in self._view.shown:
                self._view.set_focus(self._focus)
        return "; ".join(self._notes(missing - len(back), hidden))

    def _is_much(self) -> bool:
        """Whether it takes long to know which of them are shown."""
        return len(self._taken.gone) > (_MANY if self._view.filter is None else _FEW)

    def _notes(self, missing: int, hidden: int) -> Iterable[str]:
        if self._ended:
            verb = "was" if self._ended == 1 else "were"
            yield f"{counted(self._ended)} {verb} killed by it and {'is' if self._ended == 1 else 'are'} not live again"
        if missing:
            yield f"{counted(missing)} in the list already"
        if hidden:
            yield f"{counted(hidden)} hidden by the filter"

    def redo(self) -> str:
        if not any(id_ in self._view for id_ in self._ids or ()):
            raise CommandError("the list has none of them any more")
        self.do()
        return ""

    def let_go(self) -> None:
        gone: list[object] = list(self._taken.flows.values())
        self._taken.let_go()
        self.free(gone)


class Addition:
    """Flows that a person added: copies, a request of their own. What was sent meanwhile is not taken out again."""

    def __init__(self, view: View, what: str, flows: Sequence[Flow]) -> None:
        self._view = view
        self._ids = [flow.id for flow in flows]
        self._taken = Taken({}, {}, None)
        self._focus: str | None = None
        self.what = what
        self.size = 100 * len(flows)

    def undo(self) -> str:
        present = [flow for id_ in self._ids if (flow := self._view.get(id_)) is not None]
        idle = [flow for flow in present if not flow.live and not flow.is_replay]
        if not idle:
            raise CommandError("it was sent meanwhile" if present else "it is not in the list any more")
        self._focus = self._view.focus_id
        self._taken = self._view.take_out([flow.id for flow in idle])
        self.size = self._taken.size
        kept = len(present) - len(idle)
        return f"{counted(kept)} sent meanwhile, and kept" if kept else ""

    def redo(self) -> str:
        if all(id_ in self._view for id_ in self._taken.gone):
            raise CommandError("it is in the list already")
        self._view.put_back(self._taken)
        self.size = 100 * len(self._ids)
        if self._focus is not None and self._focus in self._view.shown:
            self._view.set_focus(self._focus)
        return ""

    def let_go(self) -> None:
        self._taken.let_go()


def counted(flows: int) -> str:
    """`1 flow`, `18,331 flows`."""
    return "1 flow" if flows == 1 else f"{flows:,} flows"
