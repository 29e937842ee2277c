"""Marks with a name of one character: `"a` puts one on the focused flow, `'a` goes there (console.md §4).

They are markers like others (hub/markers.py): saved with the flow, shown in its row, found by `~marker`. Which flow a
key marked last is remembered here, so that the key goes there and not to the others that a command marked alike.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING

from midstream.console.overlays import Overlay
from midstream.console.widgets.canvas import Line
from midstream.flows.errors import CommandError
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.store.rows import Row

BACK = "'"
"""The name that goes to where one was before the last jump."""


def is_name(text: str) -> bool:
    """One letter or digit."""
    return len(text) == 1 and text.isascii() and text.isalnum()


class Marks:
    """See the module; one belongs to the console's commands about the list."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._view = console.view
        self._flows: dict[str, str] = {}  # the flow that was marked by a key last, by the name of the mark
        self._before: str | None = None

    def put(self, name: str) -> None:
        """Mark the focused flow; another one that got this name from here loses it."""
        flow = self._console.focused_flow()
        if flow is None:
            raise CommandError("no flow has the focus")
        call = self._console.master.commands.call
        other = self._row_of(name)
        if other is not None and other.id != flow.id:
            call("flow.mark", [kept for kept in (self._view.get(other.id),) if kept is not None], "")
        call("flow.mark", [flow], name)
        self._flows[name] = flow.id

    def go(self, name: str) -> None:
        """Focus the flow with this mark; of several the next one in the list."""
        if name == BACK:
            if self._before is None or self._before not in self._view:
                raise CommandError("there was no jump from here")
            row = self._view.row(self._before)
        else:
            found = self._row_of(name) or self._next(name)
            if found is None:
                raise CommandError(f"no flow has the mark {name}")
            row = found
        if row.id not in self._view.shown:
            raise CommandError(f"flow {row.number} is hidden by the filter")
        self._before = self._view.focus_id
        options = self._console.master.options
        if self._view.follow and "console_focus_follow" in options:
            options.update(console_focus_follow=False)
        self._view.set_focus(row.id)
        if self._console.shown_name not in ("flows", "detail"):
            self._console.open_pane("flows")

    def named(self) -> list[tuple[str, Row]]:
        """Every named mark and its row, by name; of several with one name all."""
        rows = (self._view.row(id_) for id_ in self._console.tally.marked if id_ in self._view)
        found = ((row.marked, row) for row in rows if is_name(row.marked))
        return sorted(found, key=lambda pair: (pair[0], pair[1].number))

    def _row_of(self, name: str) -> Row | None:
        id_ = self._flows.get(name)
        row = self._view.row(id_) if id_ is not None and id_ in self._view else None
        return row if row is not None and row.marked == name else None

    def _next(self, name: str) -> Row | None:
        index, focus = self._view.index, self._view.focus_id
        rows = [row for each, row in self.named() if each == name]
        here = -1 if focus is None else index(focus) or 0
        shown = sorted(((place, row) for row in rows if (place := index(row.id)) is not None), key=itemgetter(0))
        after = [row for place, row in shown if place > here]
        return next(iter([*after, *(row for _, row in shown), *rows]), None)


class MarkBox(Overlay):
    """Which named marks there are; the next key is the name of one."""

    keys = (("a-z 0-9", "name"), ("esc", "cancel"))

    def __init__(self, console: Console, title: str, marks: Marks, done: Callable[[str], object]) -> None:
        super().__init__(title)
        self._console = console
        self._named = marks.named()
        self._done = done

    def press(self, key: str) -> None:
        if is_name(key) or key == BACK:
            self.finished = True
            self._done(key)
        elif key in ("esc", "ctrl c", "ctrl g"):
            self.finished = True

    def body(self, columns: int, rows: int) -> list[Line]:
        show = self._console.master.showing.text
        lines: list[Line] = [
            [
                ("hint.key", f"{name}  "),
                ("menu", f"{row.number} {visible(row.method)} {visible(show(f'{row.host}{row.path}'))}"),
            ]
            for name, row in self._named[: max(rows - 1, 1)]
        ]
        more = len(self._named) - len(lines)
        last = (
            f"and {more:,} more" if more else "press a letter or a digit" if lines else "no flow has a named mark yet"
        )
        return [*lines, [("menu", last)]]
