"""What all boxes over the panes have in common, and the stack of those that are open.

The console owns the stack; the layout paints every open box at its place, the topmost has all keys, pastes and clicks.
A box is no pane: it has no key context, it goes when it is `finished`, and what lay below has the keys again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run, line_width
from midstream.text.escape import visible

Place = Literal["corner", "centre", "top"]


class Overlay:
    """A box that gets every key until it is `finished`; `keys` are the most useful ones and what they do.

    `place`: corner (below, right), centre, or top (for boxes that grow: their first row stays where it is). `cursor` is
    the cell (column, row) inside the frame where the hardware cursor belongs; set it while painting the body.
    """

    keys: Sequence[tuple[str, str]] = (("esc", "close"),)
    place: Place = "corner"
    widest = 100

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.finished = False
        self.cursor: tuple[int, int] = (0, 0)

    @property
    def takes_text(self) -> bool:
        """Whether every letter is text, or means itself: then `?` does not ask for help here, and f1 does."""
        return False

    @property
    def takes_all(self) -> bool:
        """Whether it waits for any key whatever: then none asks for help."""
        return False

    def press(self, key: str) -> None:
        """One key, by our names."""
        if key in ("esc", "q", "ctrl c", "ctrl g"):
            self.finished = True

    def paste(self, text: str) -> bool:
        """Pasted text, for boxes that have a field; False: refused."""
        return False

    def click(self, column: int, row: int) -> bool:
        """A press of the left button at a cell inside the frame; False: not used."""
        return False

    def wheel(self, rows: int) -> None:
        """The mouse wheel, by `rows` down."""
        for _ in range(abs(rows)):
            self.press("up" if rows < 0 else "down")

    def closed(self) -> None:
        """It is not shown any more: stop what goes on for it."""

    def body(self, columns: int, rows: int) -> list[Line]:
        """The lines inside the frame, at most `rows` of at most `columns` cells."""
        raise NotImplementedError

    def lines(self, columns: int, rows: int) -> list[Line]:
        """The box with its frame."""
        body = self.body(columns - 4, rows - 2)
        needed = max([cells.measure(visible(self.title)) + 4, *(line_width(line) for line in body)])
        return framed(self.title, body, min(columns, needed + 4))


class Boxes:
    """The open boxes, the topmost last."""

    def __init__(self) -> None:
        self._open: list[Overlay] = []

    def __iter__(self) -> Iterator[Overlay]:
        return iter(self._open)

    @property
    def top(self) -> Overlay | None:
        """The box that has the keys."""
        return self._open[-1] if self._open else None

    def push(self, box: Overlay) -> None:
        """Lay a box over the others."""
        self._open.append(box)

    def tidy(self) -> None:
        """Take away what is finished; a box may have opened another one while it finished."""
        gone = [box for box in self._open if box.finished]
        self._open = [box for box in self._open if not box.finished]
        for box in gone:
            box.closed()

    def clear(self) -> None:
        """Close all of them."""
        for box in self._open:
            box.finished = True
        self.tidy()


def framed(title: str, body: Sequence[Line], columns: int) -> list[Line]:
    """Lines inside a frame of `columns` cells."""
    columns = max(8, columns)
    inside = columns - 4
    head = cells.cut(f"- {visible(title)} ", columns - 2, "…") if title else ""
    lines: list[Line] = [[("border", "+" + head + "-" * (columns - 2 - cells.measure(head)) + "+")]]
    for line in body:
        left = inside
        runs: list[Run] = [("border", "| ")]
        for role, text in line:
            shown = cells.cut(text, left, "…") if left > 0 else ""
            left -= cells.measure(shown)
            runs.append((role, shown))
        runs += [("menu", " " * max(0, left)), ("border", " |")]
        lines.append(runs)
    lines.append([("border", "+" + "-" * (columns - 2) + "+")])
    return lines
