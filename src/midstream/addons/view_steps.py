"""What can be undone of the flow list: flows that a person took out, and flows that a person added.

The addon `view` makes these steps for the journal (hub/undo.py). A removal holds the flows that it would put back and
their rows, so that they come back with their numbers, at their places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.waiting import messages_of
from midstream.store.rows import Row
from midstream.store.view import View

EACH: Final = 2000
"""Bytes that a flow and its row take beside the bodies, about."""

Remove = Callable[[Sequence[Flow]], int]


class Removal:
    """Flows that a person takes out of the list. `remove` does so and says how many had to be ended for it."""

    def __init__(self, view: View, flows: Iterable[Flow], remove: Remove) -> None:
        self._view = view
        self._remove = remove
        self._kept: Sequence[tuple[Row, Flow]] = [(view.row(flow.id), flow) for flow in flows if flow.id in view]
        self._focus = view.focus_id
        self._ended = 0
        self.free: Callable[[list[object]], None] = lambda gone: None
        self.take_back: Callable[[Iterable[Flow]], None] = lambda flows: None
        self.what = f"delete of {counted(len(self._kept))}"
        self.size = sum(_size(row, flow) for row, flow in self._kept)

    def do(self) -> None:
        """Take them out."""
        self._ended += self._remove([flow for _, flow in self._kept])

    def undo(self) -> str:
        self.take_back(flow for _, flow in self._kept)
        back = self._view.put_back(self._kept)
        if not back:
            raise CommandError("they are in the list already")
        if self._focus is not None and self._focus in self._view.shown:
            self._view.set_focus(self._focus)
        return "; ".join(self._notes(len(back)))

    def _notes(self, count: int) -> Iterable[str]:
        if self._ended:
            verb = "was" if self._ended == 1 else "were"
            yield f"{counted(self._ended)} {verb} killed by it and {'is' if self._ended == 1 else 'are'} not live again"
        if missing := len(self._kept) - count:
            yield f"{counted(missing)} in the list already"
        if hidden := sum(row.id not in self._view.shown for row, _ in self._kept):
            yield f"{counted(hidden)} hidden by the filter"

    def redo(self) -> str:
        present = [flow for row, _ in self._kept if (flow := self._view.get(row.id)) is not None]
        if not present:
            raise CommandError("the list has none of them any more")
        self._ended += self._remove(present)
        return ""

    def let_go(self) -> None:
        gone: list[object] = list(self._kept)
        self._kept = ()
        self.free(gone)


class Addition:
    """Flows that a person added: copies, a request of their own. What was sent meanwhile is not taken out again."""

    def __init__(self, view: View, what: str, flows: Sequence[Flow]) -> None:
        self._view = view
        self._ids = [flow.id for flow in flows]
        self._taken: Sequence[tuple[Row, Flow]] = ()
        self._focus: str | None = None
        self.what = what
        self.size = 100 * len(flows)

    def undo(self) -> str:
        present = [flow for id_ in self._ids if (flow := self._view.get(id_)) is not None]
        idle = [flow for flow in present if not flow.live and not flow.is_replay]
        if not idle:
            raise CommandError("it was sent meanwhile" if present else "it is not in the list any more")
        self._focus = self._view.focus_id
        self._taken = [(self._view.row(flow.id), flow) for flow in idle]
        self._view.remove([flow.id for flow in idle])
        self.size = sum(_size(row, flow) for row, flow in self._taken)
        kept = len(present) - len(idle)
        return f"{counted(kept)} sent meanwhile, and kept" if kept else ""

    def redo(self) -> str:
        back = self._view.put_back(self._taken)
        if not back:
            raise CommandError("it is in the list already")
        self._taken, self.size = (), 100 * len(self._ids)
        if self._focus is not None and self._focus in self._view.shown:
            self._view.set_focus(self._focus)
        return ""

    def let_go(self) -> None:
        self._taken = ()


def counted(flows: int) -> str:
    """`1 flow`, `18,331 flows`."""
    return "1 flow" if flows == 1 else f"{flows:,} flows"


def _size(row: Row, flow: Flow) -> int:
    if isinstance(flow, HTTPFlow) and flow.websocket is None:
        asked = len(flow.request.raw_content or b"") if row.status is not None else 0
        return EACH + row.size + asked
    return EACH + row.size + 200 * len(messages_of(flow))
