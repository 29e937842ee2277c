"""Pick one of several: a list with a letter before each entry, and with a find line when it is long.

Commands such as `console.choose` open it. It hands the entry that was picked to its owner and knows nothing about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from midstream.console.overlays.box import Overlay
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line
from midstream.console.widgets.line_edit import LineEdit
from midstream.text.escape import visible

SHORTCUTS = "123456789abcdefghilmnoprstuvwxyz"  # j, k and q move and close
_LONG = 10  # entries from which finding is worth a hint


class Chooser(Overlay):
    """j k or arrows and enter, or the letter before the entry; `/` narrows the list to what is typed."""

    keys: Sequence[tuple[str, str]] = (("enter", "choose"), ("down", "next"), ("esc", "cancel"))

    def __init__(self, title: str, choices: Sequence[str], done: Callable[[str], object], current: str = "") -> None:
        super().__init__(title)
        self.choices = list(choices)
        self.done = done
        self.current = current
        self.position = self.choices.index(current) if current in self.choices else 0
        if len(self.choices) >= _LONG:
            self.keys = (("enter", "choose"), ("down", "next"), ("/", "find"), ("esc", "cancel"))
        self._find: LineEdit | None = None
        self._found = list(range(len(self.choices)))  # the numbers of the entries that are shown
        self._top = 0
        self._room = 1

    # --- keys -------------------------------------------------------------------------------------------------------

    @property
    def takes_text(self) -> bool:
        return self._find is not None

    def press(self, key: str) -> None:
        if self._find is not None and self._press_finding(self._find, key):
            return
        if self._find is None and len(key) == 1 and key in SHORTCUTS:
            if SHORTCUTS.index(key) < len(self.choices):
                self._pick(SHORTCUTS.index(key))
            return
        page = max(1, self._room - 1)
        moves = {"up": -1, "k": -1, "down": 1, "j": 1, "tab": 1, "shift tab": -1, "page_up": -page, "page_down": page}
        last = max(0, len(self._found) - 1)
        match key:
            case "enter":
                if self._found:
                    self._pick(self._found[self.position])
            case "home" | "g":
                self.position = 0
            case "end" | "G":
                self.position = last
            case "/":
                self._find = LineEdit()
            case _ if key in moves:
                self.position = max(0, min(self.position + moves[key], last))
            case _:
                super().press(key)

    def _press_finding(self, find: LineEdit, key: str) -> bool:
        if key == "esc" or (key == "backspace" and not find.text):
            self._find = None
            self._narrow("")
            return True
        if key in ("home", "end") or not find.press(key):
            return False
        self._narrow(find.text)
        return True

    def _narrow(self, wanted: str) -> None:
        focused = self._found[self.position] if self.position < len(self._found) else 0
        words = wanted.casefold().split()
        self._found = [
            number for number, choice in enumerate(self.choices) if all(word in choice.casefold() for word in words)
        ]
        self.position = self._found.index(focused) if focused in self._found else 0

    def paste(self, text: str) -> bool:
        if self._find is None:
            return False
        self._find.insert(text)
        self._narrow(self._find.text)
        return True

    def click(self, column: int, row: int) -> bool:
        index = self._top + row - (self._find is not None)
        if row < (self._find is not None) or index >= len(self._found):
            return False
        self._pick(self._found[index])
        return True

    def _pick(self, number: int) -> None:
        self.finished = True
        self.done(self.choices[number])

    # --- painting ---------------------------------------------------------------------------------------------------

    def body(self, columns: int, rows: int) -> list[Line]:
        head: list[Line] = []
        if self._find is not None:
            window = self._find.window(max(1, columns - 2))
            head = [[("hint.key", "/ "), ("menu", window.text)]]
        self._room = max(1, rows - len(head))
        self._top = max(0, min(self._top, len(self._found) - self._room, self.position))
        self._top = max(self._top, self.position - self._room + 1)
        # As wide and as high while it is narrowed as it was before: nothing jumps.
        widest = max((cells.measure(visible(choice)) for choice in self.choices), default=0) + 3
        lines = [
            self._line(index, widest) for index in range(self._top, self._top + self._room) if self._is_shown(index)
        ]
        self.cursor = (0, len(head) + self.position - self._top)
        if self._find is not None:
            self.cursor = (2 + window.cursor, 0)
            lines += [[] for _ in range(min(self._room, len(self.choices)) - len(lines))]
        if not self._found:
            said = "nothing to choose from" if not self.choices else f"none of {len(self.choices)} has that"
            lines[:1] = [[("menu", cells.fit(said, max(widest, len(said))))]]
        return [*head, *lines]

    def _is_shown(self, index: int) -> bool:
        return index < len(self._found)

    def _line(self, index: int, widest: int) -> Line:
        number = self._found[index]
        on = index == self.position
        letter = SHORTCUTS[number] if number < len(SHORTCUTS) and self._find is None else " "
        star = "*" if self.choices[number] == self.current else " "
        role = "menu.on" if on else "menu"
        text = cells.fit(f"{star}{visible(self.choices[number])}", widest - 2)
        return [("menu.on" if on else "hint.key", f"{letter} "), (role, text)]
