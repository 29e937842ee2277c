"""Which flows repeat which: the links between a flow and its replays, both ways. Told by the detail pane.

A replay knows its parent by its metadata; the parent knows nothing. So the replays are looked up once, by their rows,
and then kept up with what is added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.flows.attempt import REPLAY_OF

if TYPE_CHECKING:
    from midstream.flows.flow import Flow
    from midstream.store.view import View


class ReplayLinks:
    """See the module. `forget` when anything may have changed."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._children: dict[str, list[str]] | None = None

    def forget(self) -> None:
        """Look again at the next question."""
        self._children = None

    def added(self, id_: str) -> None:
        """A flow has come."""
        if self._children is not None:
            self._note(id_)

    def parent(self, flow: Flow) -> str | None:
        """The flow that this one repeats, if it is still there."""
        parent = flow.metadata.get(REPLAY_OF)
        return parent if isinstance(parent, str) and parent in self._view else None

    def children(self, flow: Flow) -> list[str]:
        """The replays of a flow that are still there, the oldest first."""
        if self._children is None:
            self._children = {}
            for id_ in self._view.all_ids:
                if self._view.row(id_).replay:
                    self._note(id_)
        return [child for child in self._children.get(flow.id, ()) if child in self._view]

    def number(self, id_: str) -> int:
        """The number of a flow's row."""
        return self._view.row(id_).number

    def _note(self, id_: str) -> None:
        assert self._children is not None
        if id_ not in self._view or not self._view.row(id_).replay:
            return
        flow = self._view.get(id_)
        parent = flow.metadata.get(REPLAY_OF) if flow is not None else None
        if isinstance(parent, str):
            self._children.setdefault(parent, []).append(id_)
