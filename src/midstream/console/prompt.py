"""The line at the bottom that asks for a text; the base of the command, option and filter prompts (each in
its own file).

The console opens one, gives it keys and pasted text, paints `lines` and closes it when `finished`. Line editing is the
`LineEdit` of widgets/; here stand history, completion, the reverse search and what is shown around the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from midstream.console.completion import Candidates, common_start
from midstream.console.history import MOST_MATCHES, History
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run, line_width
from midstream.console.widgets.line_edit import LineEdit
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

Done = Callable[[str], object]

# What a completed word ends in when more of it is to come: a folder, a header's name, the argument of an operator.
_GOES_ON = ("/", "[", " ")


class Prompt:
    """A prompt for free text. Subclasses say how the text is coloured, checked and completed.

    `keys` are the most useful keys and what they do.
    """

    keys: Sequence[tuple[str, str]] = (("enter", "take"), ("esc", "cancel"), ("up", "used before"))

    def __init__(
        self, console: Console, label: str, text: str = "", *, done: Done | None = None, history: History | None = None
    ) -> None:
        self.console = console
        self.label = label
        self.done = done
        self.history = history if history is not None else History()
        self.edit = LineEdit(text, kill_ring=console.kill_ring, multiline=True, last_words=self._last_words)
        self.finished = False
        self.problem = ""  # why the text was refused
        self.candidates: Candidates | None = None
        self.chosen = -1
        self.is_offered = False  # whether the candidates are shown without being asked for
        self._search: LineEdit | None = None  # what ctrl r looks for
        self._window: tuple[int, int, int] = (0, 0, 0)  # the cell of the text as painted, its first index and its last

    # --- what subclasses say ----------------------------------------------------------------------------------------

    def roles(self, text: str) -> list[str]:
        """The role of each character of the text."""
        return ["prompt"] * len(text)

    def hint(self) -> Line:
        """What stands at the right: remaining parameters, errors, counts."""
        return [("prompt.bad", self.problem)]

    def error_column(self) -> int:
        """Which character of the text is wrong, from 1; a caret stands below it. 0: none, or it is not known."""
        return 0

    def changed(self) -> None:
        """The text is another."""
        self.problem = ""

    def complete(self) -> Candidates:
        """Candidates for the word at the cursor."""
        return Candidates(self.edit.cursor, self.edit.cursor, [])

    def accept(self, text: str) -> bool:
        """Enter; False: the text is refused (`done` raises ValueError) and the prompt stays, so nothing is lost."""
        try:
            if self.done is not None:
                self.done(text)
        except ValueError as error:
            self.problem = str(error)
        return not self.problem

    def cancel(self) -> None:
        """The prompt was left without an answer."""

    # --- keys -------------------------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        """One key, by our names."""
        if self._search is not None:
            self._press_searching(self._search, key)
            return
        match key:
            case "enter":
                self._enter()
            case "esc" | "ctrl c" | "ctrl g":
                if self.candidates is not None and key == "esc" and not self.is_offered:
                    self._close_menu()
                else:
                    self.close()
            case "tab" | "shift tab":
                self._tab(-1 if key == "shift tab" else 1)
            case "up" | "ctrl p":
                self._step(self.history.older(self.edit.text))
            case "down" | "ctrl n":
                self._step(self.history.newer(self.edit.text))
            case "ctrl r":
                self._search = LineEdit(kill_ring=self.console.kill_ring)
                self._find()
            case _:
                before = self.edit.text
                self.edit.press(key)
                self._close_menu()
                if self.edit.text != before:
                    self.history.rewind()
                    self.changed()

    def paste(self, text: str) -> None:
        """Pasted text is text, whatever it holds."""
        if self._search is not None:
            self._search.insert(text)
            self._find()
            return
        # Lines become words; only alt enter begins another line.
        self.edit.insert(" ".join(text.split("\r\n")).replace("\n", " ").replace("\r", " "))
        self._close_menu()
        self.history.rewind()
        self.changed()

    def close(self) -> None:
        """Leave without an answer."""
        if not self.finished:
            self.finished = True
            self.cancel()

    def _enter(self) -> None:
        text = self.edit.text
        # Finished before `accept`: what it runs may open the next prompt.
        self.finished = True
        if self.accept(text):
            self.history.add(text)
        else:
            self.finished = False

    @property
    def is_searching_history(self) -> bool:
        """Whether keys go to the search that ctrl r began."""
        return self._search is not None

    def _close_menu(self) -> None:
        self.candidates, self.chosen, self.is_offered = None, -1, False

    def _step(self, line: str | None) -> None:
        if line is not None:
            self.edit.set_text(line)
            self.changed()

    def _tab(self, step: int) -> None:
        is_first = self.candidates is None or not self.candidates.choices or self.is_offered
        if is_first:
            was_offered, self.is_offered = self.is_offered, False
            self.candidates, self.chosen = self.complete(), -1
            choices = self.candidates.choices
            if len(choices) < 2:
                if choices:
                    self._insert(choices[0], final=True)
                self._close_menu()
                return
            start = common_start(choices)
            if len(start) > len(self.candidates.typed) and start.startswith(self.candidates.typed):
                self._insert(start, partial=True)
                return
            if not was_offered:
                return
        assert self.candidates is not None
        self.chosen = (self.chosen + step) % len(self.candidates.choices) if self.chosen >= 0 or step > 0 else -1
        self.chosen = self.chosen % len(self.candidates.choices)
        self._insert(self.candidates.choices[self.chosen])

    def written(self, choice: str, rest: str, goes_on: bool) -> tuple[str, int]:
        """How a candidate, and what stood right of the cursor, stand in the line; and where in it the cursor goes."""
        return choice + rest, len(choice)

    def _insert(self, choice: str, final: bool = False, partial: bool = False) -> None:
        assert self.candidates is not None
        start, end, text = self.candidates.start, self.candidates.end, self.edit.text
        goes_on = partial or choice.endswith(_GOES_ON)
        written, cursor = self.written(choice, self.candidates.rest, goes_on)
        if final and not goes_on and not self.candidates.rest:
            written += " " if not text[end:].startswith(" ") else ""
            cursor += 1
        self.edit.set_text(text[:start] + written + text[end:], start + cursor)
        self.candidates.end = start + len(written)
        self.changed()

    # --- search in what was used before -------------------------------------------------------------------------------

    def _press_searching(self, search: LineEdit, key: str) -> None:
        choices = self.candidates.choices if self.candidates is not None else []
        match key:
            case "esc" | "ctrl c" | "ctrl g":
                self._search = None
                self._close_menu()
            case "ctrl r" | "down" | "ctrl n" | "tab":
                self.chosen = min(self.chosen + 1, len(choices) - 1)
            case "up" | "ctrl p" | "shift tab":
                self.chosen = max(self.chosen - 1, 0)
            case "enter" | "right" | "ctrl e":
                # Only taken into the line, so that it can be looked at and changed.
                self._search = None
                if 0 <= self.chosen < len(choices):
                    self.edit.set_text(choices[self.chosen])
                    self.history.rewind()
                self._close_menu()
                self.changed()
            case _:
                if search.press(key):
                    self._find()

    def _find(self) -> None:
        assert self._search is not None
        found = self.history.matches(self._search.text)
        self.candidates = Candidates(0, len(self.edit.text), found)
        self.chosen = 0 if found else -1

    def _last_words(self) -> list[str]:
        return [words[-1] for line in reversed(self.history.lines) if (words := line.split())]

    # --- painting ---------------------------------------------------------------------------------------------------

    def line(self, columns: int) -> tuple[list[Run], int]:
        """The row to paint, and the cursor's column."""
        if self._search is not None:
            return self._search_line(self._search, columns)
        runs: list[Run] = [("prompt.label", f" {self.label} ")]
        used = line_width(runs)
        hint = [(role, text) for role, text in self.hint() if text]
        room = max(10, columns - used - (line_width(hint) + 2 if hint else 0))
        wanted = min(cells.measure(self.edit.text) + 1, columns - used)
        if room < wanted:
            # The typed text needs the room more than a hint does, but not all of it when something is wrong.
            is_wrong = any(role == "prompt.bad" for role, _ in hint)
            room = min(wanted, max(room, columns // 2)) if is_wrong else wanted
        window = self.edit.window(max(1, room))
        self._window = (used, window.start, window.end)
        runs += self._coloured(window.text, window.start, window.end)
        if hint:
            left = columns - line_width(runs) - 1
            total = line_width(hint) + 1
            if left > 8:
                runs.append(("prompt", " " * max(2, left - total)))
                for role, text in hint:
                    runs.append((role, cells.cut(text, max(0, columns - line_width(runs) - 1), "…")))
        return runs, used + window.cursor

    def _search_line(self, search: LineEdit, columns: int) -> tuple[list[Run], int]:
        label = " used before: "
        window = search.window(max(1, columns // 3))
        runs: list[Run] = [("prompt.label", label), ("prompt", window.text), ("prompt.hint", "  → ")]
        found = self.candidates.choices if self.candidates is not None else []
        if not found:
            runs.append(("prompt.bad", "none has that" if self.history.lines else "nothing was used before"))
        else:
            count = f"{len(found)}{'+' if len(found) >= MOST_MATCHES else ''}"
            right = f"  {self.chosen + 1} of {count}   enter takes it "
            room = max(0, columns - line_width(runs) - len(right))
            runs += [("prompt", cells.cut(visible(found[self.chosen]), room, "…")), ("prompt.hint", right)]
        return runs, cells.measure(label) + window.cursor

    def under(self) -> Line | None:
        """The row below the prompt while a character is wrong: a caret that points to it."""
        column = self.error_column()
        cell, start, end = self._window
        if not column or self._search is not None or not start < column <= end + 1:
            return None
        before = self.edit.text[start : column - 1]
        return [("prompt.bad", " " * (cell + sum(cells.measure(visible(each)) for each in before)) + "^")]

    def _coloured(self, shown: str, start: int, end: int) -> list[Run]:
        text = self.edit.text
        if shown != text[start:end]:
            return [("prompt", shown)]  # placeholders stand in it: positions do not agree any more
        roles = self.roles(text)
        runs: list[Run] = []
        for index in range(start, end):
            if runs and runs[-1][0] == roles[index]:
                runs[-1] = (roles[index], runs[-1][1] + text[index])
            else:
                runs.append((roles[index], text[index]))
        return runs
