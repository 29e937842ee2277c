"""The fields of a form: a line of text, one of several, switches. Plain objects that take keys and paint their lines.

Another kind of field (a text of many lines) derives from `Field`. The form owns the labels and the moves between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from midstream.console.completion import Candidates, common_start
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run
from midstream.console.widgets.line_edit import KillRing, LineEdit
from midstream.text.escape import visible

_SHOWN_CANDIDATES = 40
_Cell = tuple[int, int, int]  # row, first cell, cell behind


class Field:
    """`cursor` is the cell (column, row) in its own lines where the hardware cursor belongs. `when` says whether it is
    asked now, which may depend on other fields.
    """

    def __init__(self, name: str, label: str = "", when: Callable[[], bool] | None = None) -> None:
        self.name = name
        self.label = label or name
        self.cursor = (0, 0)
        self._when = when

    @property
    def takes_text(self) -> bool:
        """Whether every letter is text in it."""
        return False

    @property
    def takes_all(self) -> bool:
        """Whether it waits for any key whatever."""
        return False

    def is_asked(self) -> bool:
        return self._when is None or self._when()

    @property
    def value(self) -> object:
        """What it holds."""
        raise NotImplementedError

    def check(self) -> str:
        """Why it does not hold something that can be used, or nothing."""
        return ""

    def press(self, key: str) -> bool:
        """One key; False: not used, so that the form may use it."""
        return False

    def paste(self, text: str) -> bool:
        """Pasted text; False: refused."""
        return False

    def click(self, column: int, row: int) -> bool:
        """A press of the left button at a cell of its lines; False: nothing changed."""
        return False

    def lines(self, columns: int, on: bool) -> list[Line]:
        """Its lines, of at most `columns` cells; `on`: it has the keys."""
        raise NotImplementedError


class TextField(Field):
    """One line of text. `complete` gives the candidates for the word at the cursor (text, cursor), `problem` says of a
    text why it cannot be used. tab completes as long as that adds something, and moves on when it does not.
    """

    def __init__(
        self,
        name: str,
        label: str = "",
        text: str = "",
        *,
        when: Callable[[], bool] | None = None,
        complete: Callable[[str, int], Candidates] | None = None,
        problem: Callable[[str], str] | None = None,
        hint: Callable[[str], str] | str = "",
        kill_ring: KillRing | None = None,
        secret: bool = False,
    ) -> None:
        super().__init__(name, label, when)
        self.edit = LineEdit(text, kill_ring=kill_ring, secret=secret)
        self._complete = complete
        self._problem = problem
        self._hint = hint
        self._candidates: Sequence[str] = ()

    @property
    def takes_text(self) -> bool:
        return True

    @property
    def value(self) -> str:
        return self.edit.text

    def check(self) -> str:
        return self._problem(self.edit.text) if self._problem is not None else ""

    def press(self, key: str) -> bool:
        if key == "tab":
            return self._tab()
        if key in ("up", "down", "enter", "esc"):
            return False
        before = self.edit.text
        used = self.edit.press(key)
        if self.edit.text != before:
            self._candidates = ()
        return used

    def paste(self, text: str) -> bool:
        self.edit.insert(text)
        self._candidates = ()
        return True

    def _tab(self) -> bool:
        if self._complete is None or self._candidates:
            self._candidates = ()
            return False
        found = self._complete(self.edit.text, self.edit.cursor)
        longer = common_start(found.choices)
        text = self.edit.text
        was = text[found.start : found.end]
        if longer and longer != was and longer.startswith(found.typed):
            self.edit.set_text(text[: found.start] + longer + found.rest + text[found.end :], found.start + len(longer))
        self._candidates = [] if len(found.choices) < 2 else found.choices
        return self.edit.text != text or bool(self._candidates)

    def click(self, column: int, row: int) -> bool:
        return False

    def lines(self, columns: int, on: bool) -> list[Line]:
        window = self.edit.window(columns)
        self.cursor = (window.cursor, 0)
        used = cells.measure(window.text)
        hint = self._hint(self.edit.text) if callable(self._hint) else self._hint
        problem = self.check() if self.edit.text else ""
        # An empty field has to be seen as one.
        room = max(0, min(columns, max(24, used + 1)) - used)
        runs: list[Run] = [("prompt", window.text), ("prompt", " " * room)]
        left = columns - used - room
        if (problem or hint) and left > 8:
            runs.append(("failed" if problem else "dim", cells.cut(f"  {visible(problem or hint)}", left, "…")))
        shown: list[Line] = [runs]
        if on and self._candidates:
            names = "  ".join(visible(choice) for choice in self._candidates[:_SHOWN_CANDIDATES])
            shown.append([("dim", cells.cut(f"{len(self._candidates)}: {names}", columns, "…"))])
        return shown


class ChoiceField(Field):
    """One of several, in a row (or in several, when there is no room): left and right, a letter, or a click."""

    def __init__(
        self,
        name: str,
        label: str,
        choices: Sequence[str],
        current: str = "",
        *,
        when: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(name, label, when)
        self.choices = list(choices)
        self.number = self.choices.index(current) if current in self.choices else 0
        self._cells: list[_Cell] = []

    @property
    def value(self) -> str:
        return self.choices[self.number] if self.choices else ""

    def choose(self, choice: str) -> None:
        """Take one, if it is among them."""
        if choice in self.choices:
            self.number = self.choices.index(choice)

    def offer(self, choices: Sequence[str]) -> None:
        """Other choices; what was chosen stays chosen if it is among them."""
        current = self.value
        self.choices = list(choices)
        self.number = self.choices.index(current) if current in self.choices else 0

    def check(self) -> str:
        return "" if self.choices else "there is nothing to choose from"

    def press(self, key: str) -> bool:
        if not self.choices:
            return False
        match key:
            case "left":
                self.number = (self.number - 1) % len(self.choices)
            case "right" | "space":
                self.number = (self.number + 1) % len(self.choices)
            case "home":
                self.number = 0
            case "end":
                self.number = len(self.choices) - 1
            case _:
                return len(key) == 1 and self._next_with(key)
        return True

    def _next_with(self, letter: str) -> bool:
        for step in range(1, len(self.choices) + 1):
            number = (self.number + step) % len(self.choices)
            if self.choices[number].startswith(letter):
                self.number = number
                return True
        return False

    def click(self, column: int, row: int) -> bool:
        for number, (at, first, behind) in enumerate(self._cells):
            if at == row and first <= column < behind:
                self.number = number
                return True
        return False

    def lines(self, columns: int, on: bool) -> list[Line]:
        texts = [f"{'>' if number == self.number else ' '} {choice}" for number, choice in enumerate(self.choices)]
        chosen = "menu.on" if on else "strong"
        roles = [chosen if number == self.number else "menu" for number in range(len(texts))]
        rows, self._cells = _in_rows(texts, roles, columns, gap=1)
        if self.choices:
            row, column, _ = self._cells[self.number]
            self.cursor = (column, row)
        return rows


class ToggleField(Field):
    """Switches in a row: left and right move among them, space turns one on or off; a click does both.

    `value` is the set of those that are on.
    """

    def __init__(
        self,
        name: str,
        label: str,
        switches: Sequence[str],
        on: Sequence[str] = (),
        *,
        when: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(name, label, when)
        self.switches = list(switches)
        self.on = {switch for switch in on if switch in self.switches}
        self.at = 0
        self._cells: list[_Cell] = []

    @property
    def value(self) -> frozenset[str]:
        return frozenset(self.on)

    def press(self, key: str) -> bool:
        match key:
            case "left":
                self.at = (self.at - 1) % len(self.switches)
            case "right":
                self.at = (self.at + 1) % len(self.switches)
            case "space":
                self.on ^= {self.switches[self.at]}
            case _:
                return False
        return True

    def click(self, column: int, row: int) -> bool:
        for number, (at, first, behind) in enumerate(self._cells):
            if at == row and first <= column < behind:
                self.at = number
                self.on ^= {self.switches[number]}
                return True
        return False

    def lines(self, columns: int, on: bool) -> list[Line]:
        texts = [f"[{'x' if switch in self.on else ' '}] {switch}" for switch in self.switches]
        roles = ["menu.on" if on and number == self.at else "menu" for number in range(len(texts))]
        rows, self._cells = _in_rows(texts, roles, columns, gap=2)
        row, column, _ = self._cells[self.at]
        self.cursor = (column + 1, row)
        return rows


def _in_rows(texts: Sequence[str], roles: Sequence[str], columns: int, gap: int) -> tuple[list[Line], list[_Cell]]:
    """Texts beside each other, in as many rows as they need, and where each is."""
    rows: list[list[Run]] = [[]]
    places: list[_Cell] = []
    used = 0
    for text, role in zip(texts, roles, strict=True):
        shown = cells.cut(visible(text), columns, "…")
        size = cells.measure(shown)
        if used and used + gap + size > columns:
            rows.append([])
            used = 0
        if used:
            rows[-1].append(("menu", " " * gap))
            used += gap
        rows[-1].append((role, shown))
        places.append((len(rows) - 1, used, used + size))
        used += size
    return list(rows), places
