"""The two lines of a flow in the list form (option `console_flowlist_layout`): the address, and below it the rest.

For narrow terminals and long addresses. flow_paint.py paints them; the words of each part are those of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from midstream.console.panes import flow_row
from midstream.console.widgets.canvas import Run
from midstream.text.escape import visible
from midstream.text.times import clock

if TYPE_CHECKING:
    from midstream.console.panes.flow_row import Sight
    from midstream.store.rows import Row

COUNT: Final = 2
_USUAL: Final = frozenset({"", "HTTP/1.1", "HTTP/1.0"})


def lines_of(row: Row, digits: int, sight: Sight, focused: bool) -> list[list[Run]]:
    """Both lines."""
    number = str(row.number).rjust(digits)
    first: list[Run] = [flow_row.marks(row, focused), ("dim", f"{number} "), flow_row.method(row), ("text", " ")]
    first += _address(row, sight)
    if row.shared.version not in _USUAL:
        first.append(("dim", f"  {visible(row.shared.version[:40])}"))
    second: list[Run] = [("text", " " * (digits + 3)), ("dim", f"{clock(row.created)} ")]
    for cell in (flow_row.code(row), flow_row.kind(row), flow_row.size(row), flow_row.duration(row, sight.now)):
        second += [("text", " "), cell]
    if row.duration is not None and row.duration < 1:
        second.append(("dim", "ms"))
    if row.failed:
        second.append(("failed", f"  {visible(flow_row.without_host(sight.show(row.failed), row.host))}"))
    if row.shared.comment:
        second.append(("text", f"  {visible(sight.show(row.shared.comment))}"))
    return [first, second]


def _address(row: Row, sight: Sight) -> list[Run]:
    scheme: list[Run] = [("dim", f"{visible(row.scheme)}://")] if row.kind in ("http", "ws") else []
    return [*scheme, *flow_row.address(row, sight.show)]
