"""The edits tab of the detail pane: who changed what on the flow, as a diff. Taking back is the command `flow.undo`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any

from midstream.console.panes.facts import blank, heading
from midstream.console.widgets.pieces import Piece
from midstream.flows.change import Change, Part
from midstream.flows.flow import Flow
from midstream.flows.parts import lines_of
from midstream.text.escape import visible
from midstream.text.times import clock

_MOST_LINES = 60  # of one part; difflib is quadratic
_LONGEST = 16 * 1024  # bytes of a body that are compared
_MOST_PIECES = 1000  # of all changes, as they are made at once; a long line counts as many

_ROLES = {"-": "edit.before", "+": "edit.after", " ": "dim"}


def edits_pieces(flow: Flow, show: Callable[[str], str] = str) -> list[Piece]:
    """The recorded changes, the oldest first; `show` is what may be shown of a text."""
    shown: list[list[Piece]] = []
    left, number = _MOST_PIECES, len(flow.changes)
    while number and left > 0:
        shown.append([*_change(number, flow.changes[number - 1], show), blank()])
        left -= sum(1 + len(text) // 128 for piece in shown[-1] for _, text in piece.runs)
        number -= 1
    if number:
        shown.append([Piece([], [("dim", f"… {number} earlier changes; flow.changes lists them")]), blank()])
    return [piece for pieces in reversed(shown) for piece in pieces]


def _change(number: int, change: Change, show: Callable[[str], str]) -> Iterator[Piece]:
    undone = ", undone" if change.undone else ""
    yield heading(f"{number} {visible(change.who)}", f"{visible(change.during)}  {clock(change.timestamp)}{undone}")
    for part in change.parts:
        yield Piece([("text", "  ")], [("header.name", visible(part.name))])
        lines = list(_lines(part, show))
        for sign, line in lines[:_MOST_LINES]:
            text = visible(line[:4096], expand_tabs=True)
            yield Piece([(_ROLES[sign], f"  {sign} ")], [(_ROLES[sign], text)])
        if len(lines) > _MOST_LINES:
            yield Piece([("text", "    ")], [("dim", f"… {len(lines) - _MOST_LINES} more lines")])


def _lines(part: Part, show: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Of a text only the lines that are not the same on both sides."""
    # What may be shown of a body is known of the whole: a line of it does not say that it is a secret.
    cut = part._replace(before=_start(part.before), after=_start(part.after))
    rows = [(sign, show(text)) for sign, text in lines_of(cut)]
    if len(rows) != 2 or not part.name.endswith("content") or cut != part:
        for sign, text in rows:
            whole = part.before if sign == "-" else part.after
            size = f"{len(whole):,} bytes" if isinstance(whole, bytes) else ""
            yield sign, text if len(text) <= 4096 else f"{text[:4060]}… {size}"
        return
    before, after = (text.split("\n")[: 4 * _MOST_LINES] for _, text in rows)
    for line in difflib.unified_diff(before, after, n=1, lineterm=""):
        if line[:3] not in ("---", "+++", "@@ "):
            yield line[0], line[1:]


def _start(value: Any) -> Any:
    return value[:_LONGEST] if isinstance(value, bytes) else value
