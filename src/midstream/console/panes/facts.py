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
_GAP = "  "
_TWO_FROM = 98  # columns from which two headers stand beside each other
_LEAST = 8  # cells that are left of a folded value


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


def header_facts(fields: Iterable[tuple[bytes, bytes]], columns: int, folded: bool = True) -> tuple[list[Piece], int]:
    """The fields of a header block in their order and spelling, two beside each other where that leaves room; and how
    many values are folded to their beginning, as those are that take more than a row.
    """
    rows = [(cells.prepare(visible(_text(name))), value) for name, value in fields]
    column = min(max((cells.width(name) for name, _ in rows), default=0), _WIDEST_NAME)
    half = (columns - len(_INDENT)) // 2 if columns >= _TWO_FROM else columns - len(_INDENT)
    room = half - column - 2 * len(_GAP)
    pieces: list[Piece] = []
    beside: list[Run] = []  # a field that waits for another one to stand beside it
    count = 0
    for name, value in rows:
        shown, is_folded = _header_value(value, room, columns - len(_INDENT) - column - len(_GAP), folded)
        count += is_folded
        named: Run = ("header.name", cells.fit(name, column) + _GAP)
        width = sum(cells.measure(text) for _, text in shown)
        is_short = half < columns - len(_INDENT) and width <= room
        if is_short and beside:
            pieces.append(Piece([("header.name", _INDENT), beside[0]], [*beside[1:], named, *shown]))
            beside = []
            continue
        if beside:
            pieces.append(Piece([("header.name", _INDENT), beside[0]], beside[1:]))
            beside = []
        if is_short:
            beside = [named, *shown, ("text", " " * (room - width) + _GAP)]
        else:
            pieces.append(Piece([("header.name", _INDENT), named], shown, words=True))
    if beside:
        pieces.append(Piece([("header.name", _INDENT), beside[0]], beside[1:]))
    return pieces, count


def _header_value(value: bytes, room: int, whole: int, folded: bool) -> tuple[list[Run], bool]:
    """The runs of a value, and whether it is folded: to `room` cells if it takes more than `whole` ones."""
    text = visible(_text(value), expand_tabs=True)
    if not folded or (len(text) <= whole and cells.measure(text) <= whole):
        return [("header.value", text)], False
    size = f"…({len(value):,})"
    kept = cells.clip(cells.prepare(text[: max(room, _LEAST)]), max(room - len(size), _LEAST))[0]
    return [("header.value", kept), ("dim", size)], True


def _text(data: bytes) -> str:
    # Cut before it is decoded: nobody reads 64 kB of cookie in a table.
    if len(data) <= LONGEST_PIECE:
        return data.decode("utf-8", "surrogateescape")
    return visible_bytes(data[: LONGEST_PIECE - 40]) + f" … {len(data) - LONGEST_PIECE + 40:,} more bytes"


def _value(value: str | list[Run], role: str) -> list[Run]:
    if isinstance(value, str):
        return [(role, visible(value[:LONGEST_PIECE], expand_tabs=True))]
    return value
