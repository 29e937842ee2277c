"""The keys of what has them all: of a box, or of the prompt. `?` shows it over a box, f1 over anything that takes text.

What a box says of itself comes first; what every line of text can do follows where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from midstream.console.overlays.box import Overlay, Place
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line
from midstream.text.escape import visible

EDITING: Sequence[tuple[str, str]] = (
    ("ctrl a  ctrl e", "to the start, to the end"),
    ("ctrl b  ctrl f", "a character back, forward; left and right too"),
    ("alt b  alt f", "a word back, forward; ctrl left and ctrl right too"),
    ("backspace  ctrl d", "delete the character before, under the cursor"),
    ("ctrl w  alt d", "cut the word before, after the cursor"),
    ("ctrl u  ctrl k", "cut to the start, to the end"),
    ("ctrl y  alt y", "put back what was cut; what was cut before it"),
    ("ctrl t", "swap two characters"),
)
PROMPT: Sequence[tuple[str, str]] = (
    ("tab  shift tab", "complete; next and previous candidate"),
    ("up  down", "lines used before; ctrl p and ctrl n too"),
    ("ctrl r", "search what was used"),
    ("alt .", "the last word of the line before"),
)


class KeysBox(Overlay):
    """Any key closes it, but those that scroll. It has the keys before a prompt has."""

    place: Place = "centre"
    keys = (("esc", "close"),)

    def __init__(self, title: str, keys: Sequence[tuple[str, str]], *, has_text: bool) -> None:
        super().__init__(title)
        self.shown = [*keys, *((("", ""), *EDITING) if has_text else ())]
        self._top = 0
        self._room = 1

    def press(self, key: str) -> None:
        steps = {
            "up": -1,
            "k": -1,
            "down": 1,
            "j": 1,
            "page_down": self._room,
            "space": self._room,
            "page_up": -self._room,
        }
        if key in steps:
            self._top = max(0, min(self._top + steps[key], len(self.shown) - self._room))
        else:
            self.finished = True

    def click(self, column: int, row: int) -> bool:
        self.finished = True
        return True

    def body(self, columns: int, rows: int) -> list[Line]:
        self._room = max(1, rows)
        room = max((cells.measure(visible(key)) for key, _ in self.shown), default=0)
        return [
            [("hint.key", cells.fit(visible(key), room)), ("menu", f"  {visible(words)}")]
            for key, words in self.shown[self._top : self._top + self._room]
        ]
