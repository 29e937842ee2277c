"""The edits tab of the detail pane: who changed what on the flow, as a diff. Taking back is the command `flow.undo`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator

from midstream.console.panes.facts import blank, heading
from midstream.console.widgets.pieces import Piece
from midstream.flows.change import Change, Part
from midstream.flows.flow import Flow
from midstream.flows.parts import lines_of
from midstream.text.escape import visible
from midstream.text.times import clock

_MOST_LINES = 60  # of one part; difflib is quadratic
_LONGEST = 16 * 1024  # characters of a body that are compared

_ROLES = {"-": "edit.before", "+": "edit.after", " ": "dim"}


def edits_pieces(flow: Flow, show: Callable[[str], str] = str) -> list[Piece]:
    """All recorded changes, the oldest first; `show` is what may be shown of a text."""
    pieces: list[Piece] = []
    for number, change in enumerate(flow.changes, 1):
        pieces += [*_change(number, change, show), blank()]
    return pieces


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
    rows = [(sign, show(text[:_LONGEST]), len(text)) for sign, text in lines_of(part)]
    if len(rows) != 2 or not part.name.endswith("content") or max(size for _, _, size in rows) > _LONGEST:
        for sign, text, size in rows:
            yield sign, text if size <= 4096 else f"{text[:4096]}… {size:,} characters"
        return
    texts = [text for _, text, _ in rows]
    before, after = (text.split("\n")[: 4 * _MOST_LINES] for text in texts)
    for line in difflib.unified_diff(before, after, n=1, lineterm=""):
        if line[:3] not in ("---", "+++", "@@ "):
            yield line[0], line[1:]
