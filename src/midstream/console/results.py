"""What a command gave back, shown: a line of text, a table, or the flows to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console.flow_table import FlowTable
from midstream.console.overlays import Table
from midstream.flows.flow import Flow
from midstream.text.escape import visible, visible_bytes

if TYPE_CHECKING:
    from midstream.console.console import Console

LONGEST_LINE = 100
MOST_ROWS = 10_000


def show(console: Console, name: str, result: object) -> None:
    """Show the result of the command `name`; nothing for None."""
    match result:
        case None:
            return
        case bool():
            console.message("true" if result else "false")
        case str() | int() | float():
            show_text(console, name, str(result))
        case bytes():
            _show_text(console, name, visible_bytes(result, keep_newlines=True))
        case Flow():
            console.show(FlowTable(console, name, [result]))
        case Sequence():
            _show_sequence(console, name, result)
        case _:
            console.message(visible(str(result)))


def show_text(console: Console, name: str, text: str) -> None:
    """Show a text, of whatever it is made."""
    _show_text(console, name, visible(text, keep_newlines=True))


def _show_text(console: Console, name: str, text: str) -> None:
    lines = text.splitlines() or [""]
    if len(lines) == 1 and len(text) <= LONGEST_LINE:
        console.message(text)
    else:
        console.show(Table(_title(name, len(lines)), [[line] for line in lines[:MOST_ROWS]]))


def _show_sequence(console: Console, name: str, result: Sequence[object]) -> None:
    if not len(result):
        console.message(f"{name}: nothing")
    elif isinstance(result[0], Flow):
        console.show(FlowTable(console, name, result))  # type: ignore[arg-type]
    else:
        is_table = isinstance(result[0], Sequence) and not isinstance(result[0], str | bytes)
        rows = [list(row) if is_table and isinstance(row, Sequence) else [row] for row in result[:MOST_ROWS]]
        console.show(Table(_title(name, len(result)), rows))


def _title(name: str, count: int) -> str:
    if count > MOST_ROWS:
        return f"{name}  the first {MOST_ROWS:,} of {count:,}"
    return f"{name}  {count:,}"
