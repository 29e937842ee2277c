"""The prompt that sets one option (`i` for the intercept filter): the value is checked while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.console.completion import Candidates, complete_option
from midstream.console.completion_filter import SeenValues
from midstream.console.history import History
from midstream.console.panes.option_edit import type_words
from midstream.console.prompt import Prompt
from midstream.console.widgets.canvas import Line
from midstream.flows.errors import OptionsError

if TYPE_CHECKING:
    from midstream.console.console import Console


class OptionPrompt(Prompt):
    """Asks for the value of an option that holds one text or number; an empty text means none where that is allowed."""

    keys = (("enter", "set"), ("tab", "complete"), ("esc", "cancel"), ("up", "used before"))

    def __init__(self, console: Console, name: str, history: History) -> None:
        self.option = console.master.options.option(name)
        value = self.option.current()
        super().__init__(console, f"{name} =", "" if value is None else str(value), history=history)
        self._problem = ""
        self._checked: str | None = None

    def hint(self) -> Line:
        self._check()
        if self._problem:
            return [("prompt.bad", self._problem)]
        return [("prompt.hint", f"{type_words(self.option)}   {self.option.help}")]

    def roles(self, text: str) -> list[str]:
        roles = ["prompt"] * len(text)
        if 0 < (column := self.error_column()) <= len(roles):
            roles[column - 1] = "prompt.bad"
        return roles

    def error_column(self) -> int:
        self._check()
        return _column_in(self._problem)

    def complete(self) -> Candidates:
        return complete_option(self.option, self.edit.text[: self.edit.cursor], SeenValues(self.console.view))

    def accept(self, text: str) -> bool:
        try:
            value = self.option.parse([text if text or not self._may_be_nothing() else None])
            self.console.master.options.update(**{self.option.name: value})
        except (OptionsError, ValueError, TypeError) as error:
            # The prompt stays: what was typed is not lost.
            self._problem, self._checked = str(error), text
            return False
        return True

    def _may_be_nothing(self) -> bool:
        return self.option.type.optional

    def _check(self) -> None:
        text = self.edit.text
        if text == self._checked:
            return
        self._checked, self._problem = text, ""
        try:
            self.option.parse([text if text or not self._may_be_nothing() else None])
        except (OptionsError, ValueError, TypeError) as error:
            prefix = f"option {self.option.name}: "
            self._problem = str(error).removeprefix(prefix)


def _column_in(problem: str) -> int:
    """The column that a message names (`column 20: …`), or 0."""
    _, found, rest = problem.partition("column ")
    number = rest.split(":", 1)[0].split(" ", 1)[0]
    return int(number) if found and number.isascii() and number.isdigit() else 0
