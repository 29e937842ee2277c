"""What a command gave back, shown: a line, or a table when it does not fit one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console.overlays import Table
from midstream.flows.flow import Flow
from midstream.text.escape import visible, visible_bytes

if TYPE_CHECKING:
    from midstream.console.console import Console

LONGEST_LINE = 100


def show(console: Console, line: str, result: object) -> None:
    """Show the result of a command line; nothing for None."""
    name = line.split(" ", 1)[0]
    match result:
        case None:
            return
        case bool():
            console.message("true" if result else "false")
        case str() | int() | float():
            _show_text(console, name, visible(str(result), keep_newlines=True))
        case bytes():
            _show_text(console, name, visible_bytes(result, keep_newlines=True))
        case Flow():
            console.message(f"{name}: one flow")
        case Sequence():
            _show_sequence(console, name, result)
        case _:
            console.message(visible(str(result)))


def _show_text(console: Console, name: str, text: str) -> None:
    lines = text.splitlines() or [""]
    if len(lines) == 1 and len(text) <= LONGEST_LINE:
        console.message(text)
    else:
        console.show(Table(name, [[line] for line in lines[:10_000]]))


def _show_sequence(console: Console, name: str, result: Sequence[object]) -> None:
    if not len(result):
        console.message(f"{name}: nothing")
    elif isinstance(result[0], Flow):
        console.message(f"{name}: {len(result):,} flow{'s' if len(result) != 1 else ''}")
    elif isinstance(result[0], str | bytes):
        console.show(Table(name, [[item] for item in result[:10_000]]))
    else:
        rows = [list(row) if isinstance(row, Sequence) else [row] for row in result[:10_000]]
        console.show(Table(name, rows))
