"""The field in which a cell of a table is typed: a line of text, checked as the cell that it stands for.

`grid.py` makes one for the cell that is edited, gives it the keys that type, and asks it for the bytes. It knows no
rows: what a cell may hold is told by `check`.
"""

from __future__ import annotations

from collections.abc import Callable

from midstream.console.completion import common_start
from midstream.console.grids.kind import BadCell, Kind
from midstream.console.widgets.line_edit import KillRing, LineEdit, Window


class CellField:
    """See the module. `problem` says why what is typed cannot be the cell; `offered` is what tab found for it."""

    def __init__(self, data: bytes, kind: Kind, check: Callable[[bytes], str], kill_ring: KillRing | None) -> None:
        text = kind.text_of(data)
        self._edit = LineEdit(text, kill_ring=kill_ring, multiline="\n" in text)
        self._kind = kind
        self._check = check
        self._before = data
        self.problem = ""
        self.offered: list[str] = []
        self._typed()

    @property
    def text(self) -> str:
        return self._edit.text

    @property
    def is_changed(self) -> bool:
        """Whether it stands for other bytes than the cell had."""
        return self.data() != self._before

    def data(self) -> bytes:
        """The bytes that the text stands for. ValueError when it stands for none."""
        return self._kind.bytes_of(self._edit.text)

    def window(self, width: int) -> Window:
        """What to paint in so many cells."""
        return self._edit.window(width)

    def press(self, key: str) -> bool:
        """Type; False: the key means nothing here."""
        if not self._edit.press(key):
            return False
        self.offered = []
        self._typed()
        return True

    def paste(self, text: str) -> None:
        """Pasted text; a line end is typed as an escape where the field has one line."""
        text = text.replace("\r\n", "\n").rstrip("\n")
        self._edit.insert(text if self._edit.multiline else self._kind.text_of(text.encode("utf-8", "replace")))
        self._typed()

    def complete(self) -> bool:
        """Go on with what is typed as far as it can mean only one thing; False: there is nothing to complete."""
        text, at = self._edit.text, self._edit.cursor
        found = self._kind.complete(text[:at]) if at else []
        common = common_start(found)
        if len(found) < 2 and common == text[:at]:
            return False
        if len(common) > at:
            self._edit.set_text(common + text[at:], len(common))
        self.offered = found if len(found) > 1 else []
        self._typed()
        return bool(found)

    def _typed(self) -> None:
        try:
            data = self.data()
        except ValueError as error:
            self.problem = str(error)
        else:
            # What came so may stay so (P1).
            self.problem = self._check(data) if data != self._before else ""


def reason_of(bad: BadCell | None, column: int) -> str:
    """Why the cell of a column cannot be applied; nothing when another one is the bad one."""
    return bad.reason if bad is not None and bad.column == column else ""
