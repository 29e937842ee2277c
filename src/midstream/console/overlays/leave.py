"""The question before something that was typed would be lost: a few words, and one fixed key for each answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from midstream.console.overlays.box import Overlay
from midstream.console.widgets.canvas import Line

Answer = tuple[str, str, Callable[[], object]]


class Leave(Overlay):
    """`answers`: the key, what it does in words, and what is called. Esc only closes."""

    place = "centre"

    def __init__(self, title: str, answers: Sequence[Answer]) -> None:
        super().__init__(title)
        self._answers = answers
        self.keys = [(key, words) for key, words, _ in answers]

    def press(self, key: str) -> None:
        for wanted, _, act in self._answers:
            if key == wanted:
                self.finished = True
                act()
                return
        super().press(key)

    def click(self, column: int, row: int) -> bool:
        if 0 <= row < len(self._answers):
            self.press(self._answers[row][0])
            return True
        return False

    def body(self, columns: int, rows: int) -> list[Line]:
        return [[("hint.key", key.rjust(3)), ("menu", f"  {words}")] for key, words, _ in self._answers]
