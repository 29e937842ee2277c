"""Where a list or a text stands: the row in focus, the row at the top, and what the moves of a pane do to them.

Used by every pane whose rows have a number (the flow list has ids and keeps its own place). Plain numbers; it paints
nothing.
"""

from __future__ import annotations


class Scroll:
    """`count` rows of which `height` are visible from `top` on; `focus` is one of them.

    A text without a focused row scrolls with `line_moves`: up and down then move the picture. With `follow` the last
    row keeps the focus while rows are added.
    """

    def __init__(self, *, line_moves: bool = False) -> None:
        self.count = 0
        self.height = 1
        self.top = 0
        self.focus = 0
        self.follow = False
        self._line_moves = line_moves

    def resize(self, count: int, height: int) -> None:
        """Take over what there is and what fits; the place changes only as far as it must."""
        self.count = count
        self.height = max(height, 1)
        if self.follow and count:
            self.focus = count - 1
            self.top = count
        self._settle()

    def move(self, move: str) -> bool:
        """Do one of the moves of `Pane.navigate`; False: it is none of ours."""
        page = max(self.height - 1, 1)
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        if move in steps:
            self._step(steps[move])
        elif move == "start":
            self.follow = False
            self.top = self.focus = 0
        elif move == "end":
            self.top = self.focus = max(self.count - 1, 0)
        else:
            return False
        self._settle()
        return True

    def wheel(self, rows: int) -> None:
        """Move the picture; the focus goes along only where it would leave it."""
        if rows < 0:
            self.follow = False
        self.top += rows
        self._clamp_top()
        self.focus = min(max(self.focus, self.top), max(self.top + self.height - 1, 0))
        self._settle()

    def go(self, index: int) -> None:
        """Focus a row, in the middle when it was not visible."""
        if index < self.focus:
            self.follow = False
        if not self.top <= index < self.top + self.height:
            self.top = index - self.height // 2
        self.focus = index
        self._settle()

    def place_focus(self, place: str) -> None:
        """Move the picture so that the focused row is at its `top`, `centre` or `bottom`, as far as there are rows."""
        self.top = self.focus - {"top": 0, "centre": self.height // 2, "bottom": self.height - 1}[place]
        self._clamp_top()

    def _step(self, rows: int) -> None:
        if rows < 0:
            self.follow = False
        if self._line_moves:
            self.top += rows
            self._clamp_top()
            self.focus = self.top
        else:
            if abs(rows) > 1:
                self.top += rows
                self._clamp_top()
            self.focus += rows

    def _clamp_top(self) -> None:
        self.top = max(0, min(self.top, self.count - self.height))

    def _settle(self) -> None:
        self.focus = max(0, min(self.focus, self.count - 1))
        if self._line_moves:
            self._clamp_top()
            return
        if self.focus < self.top:
            self.top = self.focus
        elif self.focus >= self.top + self.height:
            self.top = self.focus - self.height + 1
        self._clamp_top()
