"""From lines of (role, text) runs to one urwid canvas: how the console's own rows and pop-ups are painted.

Texts are clipped and padded by terminal cells. What comes from traffic must have passed `text.escape.visible` before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import urwid

from midstream.console.widgets import cells

Run = tuple[str, str]
Line = Sequence[Run]


def width(text: str) -> int:
    """Terminal cells of a text."""
    return cells.width(cells.prepare(text))


def clip(text: str, room: int, mark: str = "") -> str:
    """At most `room` cells of the text, ending in `mark` if something was cut off."""
    return cells.clip(cells.prepare(text), room, mark)[0]


def clip_left(text: str, room: int, mark: str = "…") -> str:
    """The end of the text, in at most `room` cells."""
    text = cells.prepare(text)
    excess = cells.width(text) - room
    return text if excess <= 0 else cells.prepare(mark) + cells.skip(text, excess + cells.width(mark))


def line_width(line: Line) -> int:
    """Terminal cells of all runs."""
    return sum(width(text) for _, text in line)


def paint(
    lines: Iterable[Line], columns: int, rows: int, fill: str = "text", cursor: tuple[int, int] | None = None
) -> urwid.TextCanvas:
    """Exactly `rows` rows of `columns` cells; missing rows and cells are painted in the role `fill`."""
    texts: list[bytes] = []
    attributes: list[list[tuple[object, int]]] = []
    for line in lines:
        if len(texts) == rows:
            break
        text, attribute = _paint_line(line, columns, fill)
        texts.append(text)
        attributes.append(attribute)
    empty = b" " * columns
    while len(texts) < rows:
        texts.append(empty)
        attributes.append([(fill, columns)])
    if cursor is not None and not (0 <= cursor[0] < columns and 0 <= cursor[1] < rows):
        cursor = None
    return urwid.TextCanvas(texts, attributes, maxcol=columns, cursor=cursor, check_width=False)


def _paint_line(line: Line, columns: int, fill: str) -> tuple[bytes, list[tuple[object, int]]]:
    parts: list[bytes] = []
    attribute: list[tuple[object, int]] = []
    left = columns
    for role, text in line:
        if left <= 0:
            break
        shown, used = cells.clip(cells.prepare(text), left)
        left -= used
        data = cells.encode(shown)
        if data:
            parts.append(data)
            attribute.append((role, len(data)))
    if left > 0:
        parts.append(b" " * left)
        attribute.append((fill, left))
    return b"".join(parts), attribute
