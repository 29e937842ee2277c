"""The filter prompt: the list narrows while the filter is typed; and the breadcrumbs that enter pushes.

120 ms after the last key the filter is compiled and the view refiltered in slices. An incomplete expression keeps the
last good result and marks its column. Esc gives the old list back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from midstream.console.completion import Candidates, complete_filter
from midstream.console.history import History
from midstream.console.prompt import Prompt
from midstream.console.widgets.canvas import Line
from midstream.filters import Filter, FilterError, parse

if TYPE_CHECKING:
    from midstream.console.console import Console

DEBOUNCE = 0.12


class Breadcrumbs:
    """The filters that hold one after the other; together they are the option `view_filter`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.texts: list[str] = []

    @property
    def combined(self) -> str:
        """All of them as one filter text."""
        return self.with_another("")

    def with_another(self, text: str) -> str:
        """All of them and one more that is not (yet) pushed."""
        texts = [*self.texts, text] if text else self.texts
        if len(texts) <= 1:
            return "".join(texts)
        return " & ".join(f"({each})" for each in texts)

    def follow_option(self) -> None:
        """The option was set elsewhere: it is the only crumb now."""
        value = self._option_value()
        if value != self.combined:
            self.texts = [value] if value else []

    def push(self, text: str) -> None:
        """One more filter. FilterError if it is none."""
        parse(text)
        self.texts.append(text)
        self._apply()

    def pop(self) -> bool:
        """Drop the last one; False: there is none."""
        if not self.texts:
            return False
        self.texts.pop()
        self._apply()
        return True

    def _option_value(self) -> str:
        options = self._console.master.options
        return (options.view_filter or "") if "view_filter" in options else self._console.view.filter_text

    def _apply(self) -> None:
        options = self._console.master.options
        text = self.combined
        if "view_filter" in options and (options.view_filter or "") != text:
            options.update(view_filter=text or None)
        if self._console.view.filter_text != text:
            # Without a view addon, or while a filter that was being typed is still the view's.
            self._console.spawn(self._console.view.refilter(parse(text) if text else None), "filter the list")


class FilterPrompt(Prompt):
    """Live: the list is what the filter finds so far; an error names its column."""

    keys = (("enter", "keep"), ("tab", "complete"), ("esc", "the old list"), ("up", "used before"))

    def __init__(self, console: Console, history: History) -> None:
        super().__init__(console, "filter:", history=history)
        self._crumbs = console.breadcrumbs
        self._timer: asyncio.TimerHandle | None = None
        self._error: FilterError | None = None
        self._tried = ""
        self._applied = ""
        self._progress: tuple[int, int, int] | None = None

    def changed(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(DEBOUNCE, self._try)

    def roles(self, text: str) -> list[str]:
        roles = ["prompt"] * len(text)
        if self._error is not None and text == self._tried and 0 < self._error.column <= len(text):
            roles[self._error.column - 1] = "prompt.bad"
        return roles

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
        return complete_filter(self.edit.text[: self.edit.cursor])

    def accept(self, text: str) -> bool:
        self._stop_timer()
        text = text.strip()
        if not text:
            self._restore()
            return True
        try:
            self._crumbs.push(text)
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
            self._refilter(self._crumbs.with_another(text))
        self.console.request_frame()

    def _compile(self, text: str) -> None:
        if text:
            # Alone first: the column of an error counts in what was typed, not in all crumbs together.
            parse(text)

    def _refilter(self, text: str) -> None:
        self._applied = text or " "
        filter_: Filter | None = parse(text) if text else None
        self._progress = (0, 0, len(self.console.view))
        self.console.spawn(self.console.view.refilter(filter_, self._show_progress), "filter the list")

    def _show_progress(self, found: int, examined: int, total: int) -> None:
        self._progress = (found, examined, total)
        self.console.request_frame()


def _flows(count: int) -> str:
    return f"{count:,} flow{'' if count == 1 else 's'}"
