"""The edits tab of the detail pane: who changed what on the flow, as a diff. Taking back is the command `flow.undo`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any

from midstream.console.panes.facts import blank
from midstream.console.widgets.canvas import Run
from midstream.console.widgets.pieces import Piece
from midstream.flows.change import Change, Part
from midstream.flows.flow import Flow
from midstream.flows.parts import lines_of
from midstream.text.escape import visible
from midstream.text.times import clock

_MOST_LINES = 60  # of one part; difflib is quadratic
_LONGEST = 16 * 1024  # bytes of a body that are compared
_MOST_PIECES = 1000  # of all changes, as they are made at once; a long line counts as many

_WORDS = {"content": "body", "marked": "mark", "status_code": "status"}
_ROLES = {"-": "edit.before", "+": "edit.after", " ": "dim"}


def edits_pieces(flow: Flow, show: Callable[[str], str] = str) -> tuple[list[Piece], dict[int, int]]:
    """The recorded changes, the oldest first, and the number of the change that a line tells of; `show` is what may be
    shown of a text.
    """
    shown: list[tuple[int, list[Piece]]] = []
    left, number = _MOST_PIECES, len(flow.changes)
    while number and left > 0:
        pieces = [*_change(number, flow.changes[number - 1], show), blank()]
        shown.append((number, pieces))
        left -= sum(1 + len(text) // 128 for piece in pieces for _, text in piece.runs)
        number -= 1
    all_pieces = [_summary(flow), blank()]
    numbers: dict[int, int] = {}
    if number:
        all_pieces += [Piece([], [("dim", f"… {number} earlier changes; flow.changes lists them")]), blank()]
    for which, pieces in reversed(shown):
        if not flow.changes[which - 1].undone:
            numbers |= dict.fromkeys(range(len(all_pieces), len(all_pieces) + len(pieces) - 1), which)
        all_pieces += pieces
    return all_pieces, numbers


def _summary(flow: Flow) -> Piece:
    begins = flow.timestamp_start
    runs: list[Run] = [
        ("title", f"Received {clock(begins)} -> now"),
        ("dim", "   enter undoes one   s compares"),
    ]
    return Piece((), runs)


def _change(number: int, change: Change, show: Callable[[str], str]) -> Iterator[Piece]:
    """A line that says when, what and who; one for each side where it is short, a diff below it where it is not."""
    undone = ", undone" if change.undone else ""
    head: list[Run] = [
        ("strong", f"{number:>2}  "),
        ("dim", f"{clock(change.timestamp)}  "),
        ("title", visible(_what(change))),
        ("text", f"  {visible(change.who)}"),
        ("dim", f"  {visible(change.during)}{undone}"),
    ]
    yield Piece((), head)
    for part in change.parts:
        lines = list(_lines(part, show))
        if len(change.parts) > 1 or part.name.endswith("content"):
            yield Piece([("text", "      ")], [("header.name", visible(part.name))])
        if [sign for sign, _ in lines] == ["+"]:
            yield Piece([("edit.before", "      - ")], [("dim", "(absent)")])
        for sign, line in lines[:_MOST_LINES]:
            text = visible(line[:4096], expand_tabs=True)
            yield Piece([(_ROLES[sign], f"      {sign} ")], [(_ROLES[sign], text)])
        if [sign for sign, _ in lines] == ["-"]:
            yield Piece([("edit.after", "      + ")], [("dim", "(gone)")])
        if len(lines) > _MOST_LINES:
            yield Piece([("text", "        ")], [("dim", f"… {len(lines) - _MOST_LINES} more lines")])


def _what(change: Change) -> str:
    """What was done, in a few words: `header added`, `body changed`."""
    words: list[str] = []
    for part in change.parts[:3]:
        name = part.name.rpartition(".")[2]
        if name in ("headers", "trailers") and part.before is not None and part.after is not None:
            gone, come = len(part.before), len(part.after)
            word = "added" if come > gone else "removed" if come < gone else "changed"
            words.append(f"{name.removesuffix('s')} {word}")
        else:
            word = "added" if part.before is None else "removed" if part.after is None else "changed"
            words.append(f"{_WORDS.get(name, name.replace('_', ' '))} {word}")
    more = len(change.parts) - len(words)
    return ", ".join(dict.fromkeys(words)) + (f" and {more} more" if more else "")


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
