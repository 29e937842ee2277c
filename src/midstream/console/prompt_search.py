"""The `/` prompt: the pane goes to the first hit as one types, and the number of hits stands at the right.

In the flow list `tab` searches heads, bodies and messages of all shown flows as well (search_flows.py), and `alt enter`
makes a filter of what was typed. Esc goes back to where the search began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console.history import History
from midstream.console.prompt import Prompt
from midstream.console.widgets.canvas import Line
from midstream.filters.nodes import quoted

if TYPE_CHECKING:
    from midstream.console.console import Console

_DEBOUNCE = 0.12
_FLOWS = "flows"


class SearchPrompt(Prompt):
    """See the module."""

    keys: Sequence[tuple[str, str]] = (("enter", "stay there"), ("esc", "back"), ("up", "used before"))

    def __init__(self, console: Console, history: History) -> None:
        super().__init__(console, "/", history=history)
        self._state = console.search
        self._in_flows = console.focused_pane.name == _FLOWS
        self._with_bodies = False
        self._timer: asyncio.TimerHandle | None = None
        if self._in_flows:
            self.keys = (
                ("enter", "stay there"),
                ("tab", "in bodies too"),
                ("alt enter", "as a filter"),
                ("esc", "back"),
                ("up", "used before"),
            )
        self._begun = self._state.begin()

    def press(self, key: str) -> None:
        if self._in_flows and key == "tab" and not self.is_searching_history:
            self._with_bodies = not self._with_bodies
            self.label = "/ also in heads and bodies:" if self._with_bodies else "/"
            self.changed()
        elif self._in_flows and key == "alt enter" and self.edit.text:
            self.close()
            self.history.add(self.edit.text)
            self.console.prompt("filter:", as_filter(self.edit.text, self._with_bodies), kind="filter")
        else:
            super().press(key)

    def changed(self) -> None:
        super().changed()
        self._stop_timer()
        if not self._with_bodies:
            self._state.flows.forget()  # nor are they counted
        self._state.look(self.edit.text)
        if self._with_bodies and self.edit.text:
            # Each start looks at all flows anew.
            self._timer = asyncio.get_running_loop().call_later(_DEBOUNCE, self._look_in_bodies)

    def hint(self) -> Line:
        search = self._state
        if not self.edit.text:
            words = "a regular expression; a capital letter makes case matter"
            return [("prompt.hint", words + ("; tab: in bodies too" if self._in_flows else ""))]
        if search.finder.problem or search.flows.problem:
            return [("prompt.bad", search.flows.problem or search.finder.problem)]
        bodies = search.flows.note if self._with_bodies else ""
        if search.note == "not found" and not search.flows.found:
            return [("prompt.bad", "not found"), ("prompt.hint", f"   {bodies}" if bodies else "")]
        literal = "   no regular expression: found as it stands" if self._is_odd else ""
        return [("prompt.hint", "   ".join(words for words in (search.note, bodies) if words) + literal)]

    @property
    def _is_odd(self) -> bool:
        """Whether there are signs in it that would mean something, were it an expression."""
        finder = self._state.finder
        return finder.is_literal and finder.has_signs

    def accept(self, text: str) -> bool:
        if self._timer is not None:
            self._stop_timer()
            self._look_in_bodies()
        if not text:
            self._state.look("")
        self._state.keep()
        return True

    def cancel(self) -> None:
        self._stop_timer()
        self._state.give_up(self._begun)

    def _look_in_bodies(self) -> None:
        self._timer = None
        self._state.flows.start(self.edit.text)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def as_filter(pattern: str, with_bodies: bool) -> str:
    """The filter that selects what a search finds; filters look at either case."""
    argument = quoted(pattern)
    return f"~u {argument} | ~h {argument} | ~b {argument}" if with_bodies else f"~u {argument}"
