"""Help: the keys of the pane it was opened from, then those of every pane, then the filter language.

Derived from the key bindings and the table of operators (P4); nothing is written down here twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import urwid

from midstream import filters
from midstream.console.pane import Pane
from midstream.console.widgets.canvas import Line, RowsCanvas, paint_blank, paint_row
from midstream.console.widgets.scroll import Scroll

if TYPE_CHECKING:
    from midstream.console.console import Console

_EXAMPLES = (
    ("~d example.com & ~m POST", "POST requests to a host"),
    ("~s & ~c 500", "responses with status 500"),
    ('!(~t "image") & ~hq "authorization: bearer"', "no images, and with a token"),
)
_KEY_ROOM = 14
_HELP_ROOM = 30


class Help(Pane):
    """See the module."""

    name = "help"
    contexts: ClassVar[tuple[str, ...]] = ("help", "list", "global")
    no_cache = ["render"]

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._scroll = Scroll(line_moves=True)
        self._lines: list[Line] = []
        self._about = ""

    def title(self) -> str:
        return f"help: {self._about}" if self._about else "help"

    def entered(self) -> None:
        before = self.console.pane_before(self)
        self._about = before.name if before is not None else ""
        contexts = before.contexts if before is not None else ("global",)
        self._lines = [*self._keys(contexts), *_filter_lines()]
        self._scroll = Scroll(line_moves=True)

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        columns, rows = size
        self._scroll.resize(len(self._lines), rows)
        top = self._scroll.top
        painted = [paint_row(line, columns) for line in self._lines[top : top + rows]]
        painted += [paint_blank(columns)] * (rows - len(painted))
        return RowsCanvas(painted, columns, (0, 0) if focus else None)

    def navigate(self, move: str) -> None:
        self._scroll.move(move)
        self.console.request_frame(now=True)

    def search(self, pattern: str, backwards: bool = False) -> bool:
        if not pattern:
            return True
        count = len(self._lines)
        step = -1 if backwards else 1
        for distance in range(1, count + 1):
            index = (self._scroll.top + step * distance) % count
            if pattern.lower() in "".join(text for _, text in self._lines[index]).lower():
                self._scroll.top = index
                self.console.request_frame(now=True)
                return True
        return False

    def _keys(self, contexts: tuple[str, ...]) -> list[Line]:
        lines: list[Line] = []
        keymap = self.console.keys.keymap
        for context in contexts:
            bindings = [binding for binding in keymap.in_context(context) if binding.help]
            if not bindings:
                continue
            lines += [[("title", f" {context}")]] if not lines else [[], [("title", f" {context}")]]
            for binding in bindings:
                keys = " ".join(binding.keys)
                lines.append(
                    [
                        ("hint.key", f"   {keys:<{_KEY_ROOM}}"),
                        ("text", f" {binding.help:<{_HELP_ROOM}}"),
                        ("dim", f" {binding.command}"),
                    ]
                )
        return lines


def _filter_lines() -> list[Line]:
    lines: list[Line] = [[], [("title", " filters")]]
    for operator, text in filters.help:
        lines.append([("hint.key", f"   {operator:<{_KEY_ROOM}}"), ("text", f" {text}")])
    lines.append([])
    lines += [[("strong", f"   {example:<46}"), ("dim", text)] for example, text in _EXAMPLES]
    return lines
