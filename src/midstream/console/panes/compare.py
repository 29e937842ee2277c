"""Two flows side by side, or one line below the other where the screen is narrow (console.md §3.3).

What differs flows/comparing.py says; large bodies are compared in the worker process while the heads are shown. Which
flows are compared the command `console.compare` says. Only differences are shown, unless all is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import urwid

from midstream.console.fetching import Fetching
from midstream.console.panes.flow_row import address
from midstream.console.panes.list_pane import ListPane
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run
from midstream.flows import comparing
from midstream.flows.comparing import Row
from midstream.hub.body_rows import rows_of_bodies
from midstream.text.escape import visible
from midstream.work.slices import Generation, Token

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow
    from midstream.store.view import Change

BESIDE_FROM = 100
RECEIVED = "received"  # stands for the id of what is in no list: a flow as it was before it was edited
_ROLES = {"=": "dim", "~": "edited", "-": "edit.before", "+": "edit.after", " ": "title"}
_LEAD = 12  # cells shown before the first difference of two long texts


class _Shown(NamedTuple):
    """One row of the pane: a row of the comparison, or one side of it."""

    row: Row
    side: str = ""  # "left" or "right" where the two stand below each other


class Compare(ListPane):
    """See the module."""

    name = "compare"
    contexts: ClassVar[tuple[str, ...]] = ("compare", "global")
    box_beside = False

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._ids = ("", "")
        self._received: Flow | None = None
        self._side = ""
        self.shows_all = False
        self._beside: bool | None = None  # None: as the width says
        self._columns = 0
        self._rows: list[Row] = []
        self._shown: list[_Shown] = []
        self._is_waiting = False
        self._stale = True
        self._newest = Generation()
        self._fetching = Fetching(console, self._again), Fetching(console, self._again)

    # -- what is compared ---------------------------------------------------------------------------------------------

    def compare(self, left: Flow, right: Flow) -> None:
        """Show these two."""
        self._received = None
        self._show((left.id, right.id))

    def compare_edits(self, received: Flow, now: Flow) -> None:
        """Show what a person made of a flow."""
        self._received = received
        self._show((RECEIVED, now.id))

    def _show(self, ids: tuple[str, str]) -> None:
        self._ids = ids
        sides = self.sides()
        self._side = self._side if self._side in sides else (sides[0] if sides else "")
        self._anew()

    def entered(self) -> None:
        if self._on_change not in self.console.view.on_change:
            self.console.view.on_change.append(self._on_change)
        self._stale = True

    def left(self) -> None:
        if self._on_change in self.console.view.on_change:
            self.console.view.on_change.remove(self._on_change)
        self._newest.cancel()
        for fetching in self._fetching:
            fetching.forget()
        self._is_waiting = False

    def _again(self) -> None:
        self._stale = True

    def _on_change(self, change: Change) -> None:
        if change.kind == "refresh" or (change.id in self._ids and change.kind != "focus"):
            self._stale = True
            self.console.request_frame()

    def _flows(self) -> tuple[Flow, Flow] | None:
        """Both; None when one was deleted."""
        left, right = (self._received if id_ == RECEIVED else self.console.view.get(id_) for id_ in self._ids)
        return (left, right) if left is not None and right is not None else None

    def meant_id(self) -> str | None:
        meant = self._ids[0] if self._ids[1] == RECEIVED else self._ids[1]
        return meant if meant in self.console.view else None

    def focused_flow(self) -> Flow | None:
        meant = self.meant_id()
        return self.console.view.get(meant) if meant is not None else None

    def sides(self) -> Sequence[str]:
        """The tabs."""
        flows = self._flows()
        return () if flows is None else list(dict.fromkeys(each for flow in flows for each in comparing.sides(flow)))

    def swap(self) -> None:
        """The left flow to the right."""
        self._ids = (self._ids[1], self._ids[0])
        self._anew()

    def toggle_all(self) -> None:
        """Only what differs, or everything."""
        self.shows_all = not self.shows_all
        self._arrange()

    def toggle_beside(self) -> None:
        """Side by side, or one below the other."""
        self._beside = not self._is_beside
        self._arrange()

    def step(self, by: int) -> bool:
        """Go to the next difference (1) or the one before (-1), around the end; False: there is none."""
        places = self._differences()
        if not places:
            return False
        here = self.scroll.focus
        onwards = [at for at in places if (at - here) * by > 0]
        self._go((onwards[0] if by > 0 else onwards[-1]) if onwards else places[0 if by > 0 else -1])
        return True

    def _differences(self) -> list[int]:
        """The first row of each run of rows that differ, or each of them where only they are shown."""
        found = []
        for at, shown in enumerate(self._shown):
            before = self._shown[at - 1].row if at else None
            if shown.row.sign in "~-+" and shown.side != "right" and before is not shown.row:
                found.append(at)
        return found

    # -- comparing ----------------------------------------------------------------------------------------------------

    def _anew(self) -> None:
        self._stale = True
        self.scroll.focus = self.scroll.top = 0
        self.console.request_frame(now=True)

    def _refresh(self) -> None:
        self._stale = False
        flows = self._flows()
        token = self._newest.begin()
        if flows is None:
            self._rows, self._is_waiting = [], False
        else:
            if not all(fetching.is_whole(flow) for fetching, flow in zip(self._fetching, flows, strict=True)):
                self._rows, self._is_waiting = [], True
                self._arrange()
                return
            left, right = (self.console.master.showing.flow(flow) for flow in flows)
            self._rows = comparing.head_rows(left, right, self._side)
            self._is_waiting = comparing.bodies(left, right, self._side) is not None
            if self._is_waiting:
                self.console.spawn(self._compare_bodies(left, right, self._side, token), "comparing")
        self._arrange()

    async def _compare_bodies(self, left: Flow, right: Flow, side: str, token: Token) -> None:
        rows = await rows_of_bodies(left, right, side, self.console.master.worker)
        if token.current:
            self._is_waiting = False
            self._rows += [Row("Body", None, None), *rows] if rows else []
            self._arrange()

    def _arrange(self) -> None:
        """Which rows are shown, from what is known."""
        kept: list[Row] = []
        for row in self._rows:
            if self.shows_all or row.sign != "=":
                if row.sign == " " and kept and kept[-1].sign == " " and kept[-1].name in ("Headers", "Trailers"):
                    kept.pop()  # a heading below which nothing differs
                kept.append(row)
        if kept and kept[-1].sign == " " and kept[-1].name in ("Headers", "Body", "Trailers"):
            kept.pop()
        if self._is_beside:
            self._shown = [_Shown(row) for row in kept]
        else:
            self._shown = [each for row in kept for each in _stacked(row)]
        self.scroll.resize(len(self._shown), self.scroll.height)
        self.console.request_frame()

    @property
    def _is_beside(self) -> bool:
        return self._columns >= BESIDE_FROM if self._beside is None else self._beside

    # -- the pane -----------------------------------------------------------------------------------------------------

    def title(self) -> str:
        names = [self._number(id_) for id_ in self._ids]
        return f"compare {names[0]} with {names[1]}"

    def _number(self, id_: str) -> str:
        if id_ == RECEIVED:
            return RECEIVED
        return str(self.console.view.row(id_).number) if id_ in self.console.view else "-"

    def why_not(self, command: str) -> str:
        if command in ("console.compare.next", "console.compare.prev") and not self._differences():
            return "nothing differs here"
        return ""

    def navigate(self, move: str) -> None:
        sides = self.sides()
        steps = {"next": 1, "previous": -1, "right": 1, "left": -1}
        if move in steps and sides:
            here = sides.index(self._side) if self._side in sides else 0
            self._side = sides[(here + steps[move]) % len(sides)]
            self._anew()
        elif move != "select":
            super().navigate(move)

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        was_beside = self._is_beside
        self._columns = size[0]
        if self._stale:
            self._refresh()
        elif was_beside != self._is_beside:
            self._arrange()
        return super().render(size, focus)

    def head(self, columns: int) -> Sequence[Line]:
        tabs: list[Run] = [("text", " ")]
        for side in self.sides():
            word = side.capitalize()
            tabs += [("tab.on", f"[{word}]") if side == self._side else ("tab", f" {word} "), ("text", " ")]
        count = len([row for row in self._rows if row.sign in "~-+"])
        words = "comparing bodies …" if self._is_waiting else f"{count:,} difference{'' if count == 1 else 's'}"
        tabs += [("dim", f"  {words}, {'all' if self.shows_all else 'only these'} shown")]
        names = [self._name(id_) for id_ in self._ids]
        if self._is_beside:
            name, half, other = self._widths(columns)
            left, right = cells.fit(names[0], half), cells.fit(names[1], other)
            return [tabs, [("title", " " * (name + 2) + left), ("border", " | "), ("title", right)]]
        return [tabs, [("edit.before", " - "), ("title", names[0])], [("edit.after", " + "), ("title", names[1])]]

    def _name(self, id_: str) -> str:
        if id_ == RECEIVED:
            return "as received"
        if id_ not in self.console.view:
            return "this flow was deleted"
        row = self.console.view.row(id_)
        where = "".join(text for _, text in address(row, self.console.master.showing.text))
        return f"{row.number}  {visible(row.method)} {where}"

    def nothing(self) -> str:
        if not self._ids[0]:
            return "c in the flow list compares a flow with a marked or a chosen one."
        if self._flows() is None:
            return "One of the two flows is not there any more."
        return "Nothing differs so far …" if self._is_waiting else "Nothing differs here."

    def row_count(self) -> int:
        return len(self._shown)

    def row_text(self, index: int) -> str:
        row = self._shown[index].row
        return " ".join([row.name, row.left or "", row.right or ""])

    def _widths(self, columns: int) -> tuple[int, int, int]:
        """Cells of the names, of the left and of the right half."""
        name = max(12, min(32, columns // 5))
        rest = max(columns - name - 2 - 3, 2)
        return name, rest // 2, rest - rest // 2

    def row_runs(self, index: int, columns: int) -> Line:
        row, side = self._shown[index]
        sign, role = row.sign, _ROLES[row.sign]
        if sign == " ":
            return [("title", f" {visible(row.name)}")]
        left, right = (None if text is None else visible(text, expand_tabs=True) for text in (row.left, row.right))
        if side:
            text = left if side == "left" else right
            mark = {"left": "-", "right": "+"}[side] if sign == "~" else sign
            side_role = {"-": "edit.before", "+": "edit.after"}.get(mark, "dim")
            name = min(32, columns // 3)
            room = max(columns - name - 4, 0)
            label = cells.fit(visible(row.name), name)
            return [
                (side_role, f"{mark} "),
                ("header.name", label),
                (role, "  "),
                (side_role, _part(text, left, right, room)),
            ]
        name, half, other = self._widths(columns)
        ours, theirs = _part(left, left, right, half), _part(right, left, right, other)
        roles = ("dim", "dim") if sign == "=" else ("edit.before", "edit.after")
        return [
            (role, f"{sign} "),
            ("header.name", cells.fit(visible(row.name), name)),
            (roles[0], cells.fit(ours, half)),
            ("border", " | "),
            (roles[1], cells.fit(theirs, other)),
        ]


def _stacked(row: Row) -> list[_Shown]:
    if row.sign == "~":
        return [_Shown(row, "left"), _Shown(row, "right")]
    return [_Shown(row, "right" if row.sign == "+" else "left")]


def _part(text: str | None, left: str | None, right: str | None, room: int) -> str:
    """What of a long text is shown: where the two begin to differ."""
    if text is None:
        return ""
    if len(text) <= room or left is None or right is None or left == right:
        return text
    same = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    start = same - _LEAD
    return text if start <= 0 or same < room - _LEAD else f"…{text[start:]}"
