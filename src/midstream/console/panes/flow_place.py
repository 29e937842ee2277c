"""Where the flow list stands: which flow is at the top of the picture, and on which screen row the focus is.

The place belongs to flows: rows that come and go above do not move the picture, and another filter or order leaves the
focused flow where the eye is. Used by the flow list only; it paints nothing and moves no focus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midstream.store.view import View


class Place:
    """`height` counts the flows that fit. `reveal` and `anchored` are wishes for the next `settle`, which grants them:
    the focus is to be visible; all rows may have moved, and the focus is to stay on its screen row.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.height = 20
        self.top = 0
        self.reveal = True
        self.anchored = False
        self._top_id: str | None = None
        self._offset: int | None = None  # the screen row of the focus when it was last painted

    @property
    def focus(self) -> int:
        """The position of the focused flow; 0 without one."""
        id_ = self._view.focus_id
        index = self._view.index(id_) if id_ is not None else None
        return index if index is not None else 0

    def settle(self, height: int) -> int:
        """Find the position at the top for a picture of `height` flows, and remember it."""
        if height != self.height:
            self.height = max(height, 1)
            self.reveal = True
        top = self.found()
        self.reveal = self.anchored = False
        self.remember(top)
        offset = self.focus - top
        self._offset = offset if 0 <= offset < self.height else None
        return top

    def found(self) -> int:
        """The position at the top: that of the remembered flow, moved only as far as the focus asks for."""
        known = self._view.index(self._top_id) if self._top_id is not None else None
        top = known if known is not None else self.top
        focus = self.focus
        if self.anchored and self._offset is not None:
            top = focus - self._offset
        if self.reveal:
            if focus < top:
                top = focus
            elif focus >= top + self.height:
                top = focus - self.height + 1
        return max(0, min(top, len(self._view.shown) - self.height))

    def remember(self, top: int) -> None:
        """The flow that is at the top now."""
        shown = self._view.shown
        self.top = top
        self._top_id = shown[top] if top < len(shown) else None

    def scroll(self, rows: int) -> None:
        """Move the picture, not the focus."""
        count = len(self._view.shown)
        top = self.found() + rows
        self.reveal = self.anchored = False
        self.remember(max(0, min(top, count - self.height)))

    def put_focus(self, place: str) -> None:
        """Move the picture so that the focus is at its `top`, `centre` or `bottom`."""
        below = {"top": 0, "centre": self.height // 2, "bottom": self.height - 1}[place]
        top = self.focus - below
        self.reveal = self.anchored = False
        self.remember(max(0, min(top, len(self._view.shown) - self.height)))

    def reset(self) -> None:
        """Nothing is shown."""
        self.top, self._top_id = 0, None
