"""The tree pane: hosts, the segments of their paths, and flows, with what is below each counted.

Made from rows while it is open for the first time, in slices, and kept true by the view's changes from then on. The
focus belongs to a node or a flow, so that new ones above do not move it. `enter` on a node filters the flow list.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from midstream.console.host_tree import MORE_ABOVE, MORE_BELOW, MOST, HostTree, Item, Node, filter_for
from midstream.console.panes import flow_row
from midstream.console.panes.list_pane import ListPane
from midstream.console.search_rows import SearchRows
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run, line_width
from midstream.text.escape import visible
from midstream.text.sizes import human_size
from midstream.work.slices import cooperate

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.finder import Finder
    from midstream.flows.flow import Flow
    from midstream.store.rows import Row
    from midstream.store.view import Change

_AT_ONCE = 1000  # flows that are read within the key press
_NUMBERS_FROM = 60  # columns from which all of it is shown
_DEEPEST_INDENT = 20
_MORE = frozenset({MORE_ABOVE, MORE_BELOW})
# New lines are looked for again after so many times what it took: a hundred thousand of them take a while.
_REST = 20
SEARCHED = 5_000  # lines, for it is done within a key press


class TreePane(ListPane):
    """See the module."""

    name = "tree"
    contexts: ClassVar[tuple[str, ...]] = ("tree", "list", "global")

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.view = console.view
        self.tree = HostTree()
        self._lines: list[Item] = []
        self._shape = -1
        self._look_again = 0.0
        self._focus: Item | None = None
        self._unfolded: list[Node] = []  # by a search that is still typed
        self._searched_from: Item | None = None
        self._wanted = ""  # a flow that was to be revealed before it was read
        self._share = 0.0  # of the flows that are read, while they are
        self._is_fed = False
        self._later: asyncio.TimerHandle | None = None

    # -- the model ----------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        if not self._is_fed:
            self._is_fed = True
            self.view.on_change.append(self._on_change)
            if len(self.view) <= _AT_ONCE:
                self._take(self.view.all_ids)
            else:
                self._share = 0.001
                self.console.spawn(self._read(), "host tree")

    async def _read(self) -> None:
        ids = list(self.view.all_ids)
        done = 0
        async for chunk in cooperate(ids):
            self._take(chunk)
            done += len(chunk)
            self._share = done / len(ids)
            self.console.request_frame()
        self._share = 0.0
        if self._wanted:
            self.reveal(self._wanted)

    def _take(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            if id_ in self.view:
                self.tree.note(self.view.row(id_))

    def _on_change(self, change: Change) -> None:
        if change.kind in ("add", "update") and change.id is not None:
            self.tree.note(self.view.row(change.id))
        elif change.kind == "remove" and change.id is not None:
            self.tree.remove(change.id)
        elif change.kind == "refresh" and len(self.tree) > len(self.view):
            self._forget_removed()
        else:
            return
        self.console.request_frame()

    def _forget_removed(self) -> None:
        if not len(self.view):
            self.tree.clear()
            return
        for id_ in self.tree.ids():
            if id_ not in self.view:
                self.tree.remove(id_)

    # -- the lines ----------------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        self._refresh()
        return len(self._lines)

    def _refresh(self) -> None:
        """Look for the lines again if there may be others, and go on with the same one in focus."""
        if self._shape == self.tree.shape:
            return
        began = time.perf_counter()
        if began < self._look_again:
            self._refresh_later(self._look_again - began)
            return
        focus = self._focused()
        self._lines = list(self.tree.lines())
        self._shape = self.tree.shape
        self._look_again = time.perf_counter() + _REST * (time.perf_counter() - began)
        if focus is not None:
            self._refocus(focus)

    def _refresh_later(self, seconds: float) -> None:
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(seconds, self._refreshed)

    def _refreshed(self) -> None:
        self._later = None
        self.console.request_frame()

    def _refocus(self, item: Item) -> None:
        here = self.scroll.focus
        if here < len(self._lines) and self._lines[here] == item:
            return
        try:
            found = self._lines.index(item)
        except ValueError:
            return
        # The picture moves along, so that the line stays where the eye is.
        self.scroll.top += found - here
        self.scroll.focus = found

    def _focused(self) -> Item | None:
        at = self.scroll.focus
        return self._lines[at] if 0 <= at < len(self._lines) else None

    def left(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None

    # -- moving -------------------------------------------------------------------------------------------------------

    def navigate(self, move: str) -> None:
        item = self._focused()
        if move in ("left", "right") and item is not None:
            self._fold(item, move)
        elif move == "select" and item is not None:
            self._select(item)
        else:
            super().navigate(move)
            return
        self.console.request_frame(now=True)

    def _fold(self, item: Item, move: str) -> None:
        node, id_ = item
        if move == "right":
            self.tree.set_open(node, True)
        elif node.is_open:
            self.tree.set_open(node, False)
            if id_:
                self._put_focus((node, ""))
        elif node.parent is not None and node.parent.parent is not None:
            self._put_focus((node.parent, ""))
        self._look_again = 0.0

    def _put_focus(self, item: Item) -> None:
        self._look_again = 0.0
        self._refresh()
        self.scroll.count = len(self._lines)
        if item in self._lines:
            self.scroll.go(self._lines.index(item))

    def _select(self, item: Item) -> None:
        node, id_ = item
        if not id_ or id_ in _MORE:
            self.console.breadcrumbs.push(filter_for(node))
            self.console.open_pane("flows")
        elif id_ not in self.view:
            self.console.message("this flow was removed", "warn", log=False)
        elif id_ in self.view.shown:
            self.view.set_focus(id_)
            self.console.open_pane("detail")
        else:
            self.console.message(f"flow {self.view.row(id_).number} is hidden by the filter", "warn", log=False)

    def reveal(self, id_: str) -> None:
        """Unfold the way to a flow and go there."""
        node = self.tree.node_of(id_)
        self._wanted = id_ if node is None and self._share else ""
        if node is None:
            return
        above: Node | None = node
        while above is not None and above.parent is not None:
            self.tree.set_open(above, True)
            above = above.parent
        self._put_focus((node, id_))
        if self._focused() != (node, id_):  # one of very many
            self._put_focus((node, ""))

    # -- searching ----------------------------------------------------------------------------------------------------

    def search_rows(self) -> SearchRows:
        """Also what is folded, unless that is too much: it is unfolded where something is found. Of flows only those
        that are shown.
        """
        items = list(islice(self.tree.lines(folded=True), SEARCHED))
        if len(items) == SEARCHED:
            return super().search_rows()
        places = {item: index for index, item in enumerate(items)}
        return SearchRows(
            lambda: len(items),
            lambda: 0 if (here := self._focused()) is None else places.get(here, 0),
            lambda index: self._text(items[index]),
            lambda index: self._found(items[index]),
        )

    def _found(self, item: Item) -> None:
        above = item[0].parent if not item[1] else item[0]
        while above is not None and above.parent is not None:
            if not above.is_open:
                self._unfolded.append(above)
                self.tree.set_open(above, True)
            above = above.parent
        self._put_focus(item)
        self.console.request_frame(now=True)

    def search_place(self) -> tuple[int, int, Finder | None]:
        self._unfolded.clear()
        self._searched_from = self._focused()
        return super().search_place()

    def search_return(self, place: object) -> None:
        for node in self._unfolded:
            self.tree.set_open(node, False)
        self._unfolded.clear()
        self._look_again = 0.0
        self._refresh()
        super().search_return(place)
        if self._searched_from is not None:
            self._refocus(self._searched_from)

    def focused_flow(self) -> Flow | None:
        item = self._focused()
        return self.view.get(item[1]) if item is not None and item[1] and item[1] not in _MORE else None

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        index = self.scroll.top + row - self._list_top
        if button == 1 and 0 <= index < len(self._lines) and row >= self._list_top:
            node, id_ = self._lines[index]
            sign = _indent(node)
            if not id_ and sign <= column <= sign + 1:
                self.scroll.focus = index
                self.tree.set_open(node, not node.is_open)
                self._look_again = 0.0
                self.console.request_frame(now=True)
                return True
        return super().clicked(size, button, column, row)

    def why_not(self, command: str) -> str:
        if command == "console.nav.select" and not self._lines:
            return "there are no flows"
        return ""

    # -- painting -----------------------------------------------------------------------------------------------------

    def title(self) -> str:
        return "hosts and paths"

    def head(self, columns: int) -> list[Line]:
        hosts = len(self.tree.root.children)
        counted = f" tree  {hosts:,} host{'' if hosts == 1 else 's'}, {self.tree.root.count:,} flows"
        if self._share:
            counted += f"  reading {self._share:.0%}"
        names = f"{'flows':>7} {'codes':>16} {'failed':>6} {'size':>6} "
        gap = columns - len(counted) - len(names)
        wide = columns >= _NUMBERS_FROM and gap > 0
        return [[("title", counted + " " * gap + names if wide else counted)]]

    def nothing(self) -> str:
        return "No flows yet." if not self._share else "reading …"

    def row_text(self, index: int) -> str:
        return self._text(self._lines[index])

    def _text(self, item: Item) -> str:
        node, id_ = item
        return _flow_text(self.view.row(id_)) if id_ and id_ in self.view else node.name

    def row_runs(self, index: int, columns: int) -> Line:
        node, id_ = self._lines[index]
        if id_ in _MORE:
            more = len(node.flows if id_ == MORE_ABOVE else node.children) - MOST
            words = f"{more:,} earlier flows" if id_ == MORE_ABOVE else f"{more:,} more"
            return [("dim", f"{' ' * (_indent(node) + 4)}… {words}: enter shows them in the list")]
        if id_:
            return self._flow_runs(node, id_) if id_ in self.view else []
        sign = "▾" if node.is_open else "▸"
        role = "host" if not node.depth else "path"
        slash = "/" if node.depth else ""
        runs: list[Run] = [
            ("text", " " * _indent(node)),
            ("dim", f"{sign} "),
            (role, visible(self.console.master.showing.text(f"{slash}{node.name}"))),
        ]
        numbers = _numbers(node) if columns >= _NUMBERS_FROM else [("dim", f" {node.count:,} ")]
        room = columns - line_width(numbers)
        kept = _cut(runs, room)
        return [*kept, ("text", " " * max(room - line_width(kept), 0)), *numbers]

    def _flow_runs(self, node: Node, id_: str) -> list[Run]:
        row = self.view.row(id_)
        show = self.console.master.showing.text
        query = row.path.partition("?")[2]
        runs: list[Run] = [
            ("text", " " * (_indent(node) + 2)),
            flow_row.marks(row),
            ("dim", f"{row.number} "),
            flow_row.method(row),
            ("text", " "),
            flow_row.code(row),
            ("text", " "),
            flow_row.kind(row),
            ("text", " "),
            flow_row.size(row),
        ]
        if query:
            runs.append(("query", f"  ?{visible(show(query))}"))
        return runs


def _flow_text(row: Row) -> str:
    return f"{row.number} {row.method} {row.path} {row.status or ''} {row.failed}"


def _indent(node: Node) -> int:
    return 1 + 2 * min(node.depth, _DEEPEST_INDENT)


def _cut(runs: list[Run], room: int) -> list[Run]:
    kept: list[Run] = []
    for role, text in runs:
        shown = cells.cut(text, room, cells.ELLIPSIS)
        kept.append((role, shown))
        room -= cells.measure(shown)
    return kept


def _numbers(node: Node) -> list[Run]:
    codes = [(family, count) for family, count in enumerate(node.codes) if family and count]
    # The bad ones count: 2xx says little where there are others.
    worst = [f"{family}xx {count:,}" for family, count in codes[-2:]]
    role = f"status.{codes[-1][0]}xx" if codes else "dim"
    return [
        ("text", f" {node.count:>7,} "),
        (role, cells.fit(" ".join(worst), 16, "right")),
        ("failed" if node.failed else "dim", f" {node.failed or '-':>6} "),
        ("dim", f"{human_size(node.size) if node.size else '-':>6} "),
    ]
