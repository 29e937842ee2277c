"""The focus of the view as scripts know it: `ctx.master.view.focus.flow`. The view itself goes by ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midstream.flows.flow import Flow
    from midstream.store.view import View


class Focus:
    """Which flow is in focus; both attributes may be set."""

    __slots__ = ("_view",)

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def flow(self) -> Flow | None:
        """The flow; None only when nothing is shown. Setting it to one that is not shown raises ValueError."""
        id_ = self._view.focus_id
        return self._view.get(id_) if id_ is not None else None

    @flow.setter
    def flow(self, flow: Flow | None) -> None:
        self._view.set_focus(flow.id if flow is not None else None)

    @property
    def index(self) -> int | None:
        """Its place among the flows that are shown. Setting it to a place that is none raises ValueError."""
        id_ = self._view.focus_id
        return self._view.index(id_) if id_ is not None else None

    @index.setter
    def index(self, index: int) -> None:
        if not 0 <= index < len(self._view.shown):
            raise ValueError(f"place {index} is not among the {len(self._view.shown)} flows shown")
        self._view.set_focus(self._view.shown[index])
