"""The filter bar: the list narrows while the filter is typed, and enter pushes it as a breadcrumb (breadcrumbs.py).

120 ms after the last key the filter is compiled and the view refiltered in slices. An incomplete expression keeps the
last good result and marks its column. Esc gives the old list back. Operators and values that were seen are offered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from midstream.console.completion import Candidates
from midstream.console.completion_filter import SeenValues, complete_filter
from midstream.console.history import History
from midstream.console.prompt import Prompt
from midstream.console.widgets.canvas import Line
from midstream.filters import Filter, FilterError, parse
from midstream.flows.errors import CommandError, OptionsError
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

DEBOUNCE = 0.12


class FilterPrompt(Prompt):
    """Live: the list is what the filter finds so far; an error names its column."""

    keys = (
        ("enter", "keep"),
        ("tab", "complete"),
        ("alt s", "keep with a name"),
        ("esc", "the old list"),
        ("up", "used before"),
    )

    def __init__(self, console: Console, history: History, text: str = "", instead_of: int | None = None) -> None:
        """`instead_of`: the breadcrumb that is edited."""
        super().__init__(console, "filter:", text, history=history)
        self._crumbs = console.breadcrumbs
        self._instead_of = instead_of
        self._values = SeenValues(console.view)
        self._timer: asyncio.TimerHandle | None = None
        self._error: FilterError | None = None
        self._tried = ""
        self._applied = ""
        self._progress: tuple[int, int, int] | None = None
        if text:
            self.changed()

    def press(self, key: str) -> None:
        if key == "alt s" and self.edit.text.strip() and not self.is_searching_history:
            self._enter()
            if self.finished:
                name_filter(self.console, self.edit.text.strip())
        else:
            super().press(key)

    def changed(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(DEBOUNCE, self._try)
        self._offer()

    def _offer(self) -> None:
        """Show what the word at the cursor may become, while there is something to choose from."""
        if self.chosen >= 0 or self.is_searching_history:
            return
        found = self.complete()
        is_begun = found.typed != "" and found.choices != [found.typed]
        self.candidates = found if is_begun and found.choices else None
        self.is_offered = self.candidates is not None

    def roles(self, text: str) -> list[str]:
        roles = ["prompt"] * len(text)
        if 0 < (column := self.error_column()) <= len(text):
            roles[column - 1] = "prompt.bad"
        return roles

    def error_column(self) -> int:
        return self._error.column if self._error is not None and self.edit.text == self._tried else 0

    def hint(self) -> Line:
        if self._error is not None and self.edit.text == self._tried:
            good = f"  last good: {_flows(len(self.console.view.shown))}"
            return [("prompt.bad", str(self._error)), ("prompt.hint", good)]
        if self._progress is None:
            return ()
        found, examined, total = self._progress
        if examined < total:
            return [("prompt.hint", f"{found:,} of {total:,} so far, {examined * 100 // max(1, total)} %")]
        return [("prompt.hint", f"{found:,} of {_flows(total)}")]

    def complete(self) -> Candidates:
        return complete_filter(self.edit.text[: self.edit.cursor], self._crumbs.names, self._values)

    def accept(self, text: str) -> bool:
        self._stop_timer()
        text = text.strip()
        if not text:
            if self._instead_of is not None:
                self._crumbs.drop(self._instead_of)
            self._restore()
            return True
        try:
            if self._instead_of is None:
                self._crumbs.push(text)
            else:
                self._crumbs.replace(self._instead_of, text)
        except FilterError as error:
            self._error, self._tried = error, text
            if text != self.edit.text:
                self.edit.set_text(text)
            return False
        return True

    def cancel(self) -> None:
        self._stop_timer()
        self._restore()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _restore(self) -> None:
        if self._applied:
            self._refilter(self._crumbs.combined)

    def _try(self) -> None:
        self._timer = None
        if self.finished:
            return
        text = self.edit.text.strip()
        self._tried, self._error = self.edit.text, None
        try:
            self._compile(text)
        except FilterError as error:
            self._error = error
        else:
            self._refilter(self._crumbs.with_another(text, self._instead_of))
        self.console.request_frame()

    def _compile(self, text: str) -> None:
        if text:
            # Alone first: the column of an error counts in what was typed, not in all crumbs together.
            parse(text, self._crumbs.names)

    def _refilter(self, text: str) -> None:
        self._applied = text or " "
        filter_: Filter | None = parse(text) if text else None
        self._progress = (0, 0, len(self.console.view))
        self.console.spawn(self.console.view.refilter(filter_, self._show_progress), "filter the list")

    def _show_progress(self, found: int, examined: int, total: int) -> None:
        self._progress = (found, examined, total)
        self.console.request_frame()


def name_filter(console: Console, text: str) -> None:
    """Ask for a name for a filter; the prompt stays when it is none."""

    def done(name: str) -> None:
        try:
            console.master.commands.call("console.filter.save", name, text)
        except (CommandError, OptionsError) as error:
            raise ValueError(str(error)) from None

    console.prompt(f"a name for {visible(text)}:", kind="text", done=done)


def _flows(count: int) -> str:
    return f"{count:,} flow{'' if count == 1 else 's'}"
