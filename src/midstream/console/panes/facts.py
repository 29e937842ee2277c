"""Names and values under each other, as the detail pane shows headers and connections: rows made for a `TextViewer`.

Values come from traffic and are escaped here. Nothing here knows what it shows.
"""

from __future__ import annotations

from collections.abc import Iterable

from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Run
from midstream.console.widgets.pieces import LONGEST_PIECE, Piece
from midstream.text.escape import visible, visible_bytes

_WIDEST_NAME = 30
_INDENT = "  "
# Tokens and cookies of several kilobytes would push everything else off the screen.
_FOLD_FROM = 320
_FOLD_TO = 120


def heading(title: str, note: str = "", role: str = "title") -> Piece:
    """A section's title."""
    runs: list[Run] = [(role, title)]
    if note:
        runs.append(("dim", "  " + note))
    return Piece((), runs)


def blank() -> Piece:
    """An empty row."""
    return Piece((), [])


def sentence(text: str, role: str = "text") -> Piece:
    """One line of words, indented as facts are."""
    return Piece([("text", _INDENT)], [(role, visible(text))], words=True)


def facts(pairs: Iterable[tuple[str, str | list[Run]]], role: str = "header.value") -> list[Piece]:
    """Name and value rows; the names take one column, at most 30 cells wide."""
    rows = [(cells.prepare(visible(name)), value) for name, value in pairs]
    column = min(max((cells.width(name) for name, _ in rows), default=0), _WIDEST_NAME)
    pieces = []
    for name, value in rows:
        if cells.width(name) > column:
            name = cells.clip(name, column, cells.ELLIPSIS)[0]
        prefix = [("header.name", _INDENT + cells.fit(name, column)), ("text", "  ")]
        pieces.append(Piece(prefix, _value(value, role), words=True))
    return pieces


def header_facts(fields: Iterable[tuple[bytes, bytes]], folded: bool = True) -> list[Piece]:
    """The fields of a header block, in their order and spelling; long values are folded to their beginning."""
    return facts((_text(name), _folded(value) if folded else _text(value)) for name, value in fields)


def _folded(value: bytes) -> str | list[Run]:
    if len(value) <= _FOLD_FROM:
        return _text(value)
    shown = visible_bytes(value[:_FOLD_TO], expand_tabs=True)
    return [("header.value", shown), ("dim", f"…({len(value) - _FOLD_TO:,} more, f shows all)")]


def _text(data: bytes) -> str:
    # Cut before it is decoded: nobody reads 64 kB of cookie in a table.
    if len(data) <= LONGEST_PIECE:
        return data.decode("utf-8", "surrogateescape")
    return visible_bytes(data[: LONGEST_PIECE - 40]) + f" … {len(data) - LONGEST_PIECE + 40:,} more bytes"


def _value(value: str | list[Run], role: str) -> list[Run]:
    if isinstance(value, str):
        return [(role, visible(value[:LONGEST_PIECE], expand_tabs=True))]
    return value
