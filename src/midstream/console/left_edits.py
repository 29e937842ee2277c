"""Tables and texts whose changes were not applied when their pane went: they stand there again when they are opened.

A click on another tab or a command that goes to the flow list takes a pane away without a question; nothing that was
typed is lost by that. What was discarded on purpose is not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.pane import Pane

MOST_KEPT = 50
"""Panes that are kept; beyond that the oldest goes."""


class Editing(Protocol):
    """What a pane that edits in place says of itself; an empty `key` is never kept."""

    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def is_changed(self) -> bool: ...
    def title(self) -> str: ...


class LeftEdits:
    """See the module. One for each console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._kept: dict[tuple[str, ...], Editing] = {}

    def open(self, key: tuple[str, ...], make: Callable[[], Pane]) -> None:
        """Show what was left under a key, else what `make` makes."""
        kept = self._kept.pop(key, None)
        if kept is None:
            self._console.open_pane(make())
            return
        self._console.open_pane(kept)  # type: ignore[arg-type]
        self._console.message(f"{kept.title()}: the changes that you left here are back")

    def keep(self, pane: Editing) -> None:
        """A pane has gone, or another one lies over it."""
        if not pane.key or not pane.is_changed or self._console.stacks.holds(pane):  # type: ignore[arg-type]
            return
        self._kept.pop(pane.key, None)
        self._kept[pane.key] = pane
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._console.message(f"{pane.title()}: not applied; the changes are there when you open it again", "warn")
