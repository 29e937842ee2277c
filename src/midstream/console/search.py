"""Find in the focused pane: `/`, then `n` and `N`. What is looked for is the same in every pane.

While the prompt is open the pane goes to the first hit as one types, and esc takes it back; hits are counted beside, in
slices, so that the loop is never held. Lists of options, commands and keys show only what was found. Panes that are no
lists of rows look through their texts themselves. Bodies of all flows are searched by search_flows.py; what that finds,
`n` and `N` stop at as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from midstream.console.finder import Finder
from midstream.console.search_flows import FlowSearch
from midstream.console.search_rows import SearchRows
from midstream.work.slices import Budget, Generation, Token

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.pane import Pane

_AT_ONCE = 0.01
_PIECE = 64  # rows between two looks at the clock


class Search:
    """The last text looked for, and what is known about its hits. `finder` is asked by whoever paints them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.finder = Finder("")
        self.flows = FlowSearch(console, self._flow_found)
        self.pane: Pane | None = None  # where it was looked for last
        self.note = ""  # "3 of 41", "not found", and whether it began from the other end
        self._wrapped = ""
        self._below = self._landed = -1  # the rows that a search in bodies began at, and went to
        self._seen = 0  # of what it found: that this is the nearest is known
        self._newest = Generation()
        self._origin: tuple[Pane, object, Finder] | None = None  # while it is typed

    @property
    def pattern(self) -> str:
        return self.finder.pattern

    @property
    def is_typed(self) -> bool:
        """Whether a prompt for it is open."""
        return self._origin is not None

    # --- typing -----------------------------------------------------------------------------------------------------

    def begin(self) -> object:
        """A prompt is open: from here on everything starts at the place where the pane stands now. For `give_up`."""
        pane = self._console.focused_pane
        self._origin = pane, pane.search_place(), self.finder
        self.note = ""
        return self._origin

    def look(self, pattern: str) -> None:
        """What is typed so far: go to its first hit behind the place where the search began, or back there."""
        if self._origin is None:
            return
        pane, place, _ = self._origin
        self.pane = pane
        pane.search_return(place)
        if (total := pane.narrow(None)) is None:
            self._look(pane, pattern, backwards=False)
        else:
            self._use(pattern)
            left = pane.narrow(self.finder) if pattern else total
            self.note = self._wrapped = ""
            if pattern:
                self._counted(left or 0, total if left else 0)
        self._console.request_frame(now=True)

    def keep(self) -> None:
        """Enter: stay at the hit. A list that was narrowed to nothing shows all again."""
        if self._origin is not None and self.note == "not found":
            pane, place, _ = self._origin
            if pane.narrow(None) is not None:
                pane.search_return(place)
        self._origin = None
        self._say()

    def give_up(self, begun: object) -> None:
        """Esc: as if nothing had been typed. Another search that has begun meanwhile goes on."""
        if self._origin is None or self._origin is not begun:
            return
        (pane, place, before), self._origin = self._origin, None
        self._newest.cancel()
        self.flows.stop()
        self.finder, self.note = before, ""
        if pane.search_rows() is None:
            pane.search(before.pattern)
        pane.search_return(place)
        self._console.request_frame(now=True)

    # --- hopping ----------------------------------------------------------------------------------------------------

    def start(self, pattern: str) -> None:
        """Look for another text; an empty one ends the search."""
        self._look(self._console.focused_pane, pattern, backwards=False)
        self._say()

    def again(self, backwards: bool) -> None:
        """The next hit, or the one before."""
        if not self.pattern:
            self._console.message("nothing was searched for: / asks what", log=False)
            return
        self.flows.go_on()
        self._look(self._console.focused_pane, self.pattern, backwards)
        self._say()

    def _look(self, pane: Pane, pattern: str, backwards: bool) -> None:
        self._use(pattern)
        self.pane, self.note, self._wrapped, self._landed = pane, "", "", -1
        if not pattern:
            self.flows.forget()
            pane.search("")
        elif not pane.search(pattern, backwards):
            self.note = "not found"
        elif pane.search_rows() is None and (hits := pane.search_hits()) is not None:
            self._counted(*hits)

    def _use(self, pattern: str) -> None:
        self._newest.cancel()
        if pattern != self.pattern:
            self.finder = Finder(pattern)
            self.flows.forget()

    def opened(self, pane: Pane) -> None:
        """A pane was opened: all of it. Of a flow whose body holds what all flows were searched for, show where."""
        pane.narrow(None)
        flow = pane.focused_flow() if pane.name == "detail" else None
        tab = self.flows.found.get(flow.id) if flow is not None else None
        show = getattr(pane, "show_tab", None)
        if tab and show is not None:
            show(tab)
            pane.search(self.pattern)
            self.pane = pane

    # --- rows -------------------------------------------------------------------------------------------------------

    def through(self, rows: SearchRows, pattern: str, backwards: bool) -> bool:
        """Go to the next row that holds it, and count those that do; a long search goes on beside."""
        self._use(pattern)
        if not pattern:
            return True
        token = self._newest.begin()
        work = self._work(rows, backwards)
        budget = Budget(_AT_ONCE)
        found = False
        for now in work:
            found = now
            if budget.spent():
                self._console.spawn(self._go_on(work, token, found), "search")
                return True
        return found

    async def _go_on(self, work: Iterator[bool], token: Token, found: bool) -> None:
        budget = Budget()
        for now in work:
            found = now
            if budget.spent():
                await budget.rest()
            if not token.current:
                return
        if not found and token.current:
            self.note = "not found"
        self._say()

    def _work(self, rows: SearchRows, backwards: bool) -> Iterator[bool]:
        """All of it, in pieces; each says whether a hit was found so far."""
        here, step = rows.position(), 0
        while (count := rows.count()) and step < count:
            step += 1
            index = (here - step if backwards else here + step) % count
            if self._holds(rows, index):
                if step == count and rows.position() == index:
                    self._wrapped = ""  # the only one
                elif (index >= here) if backwards else (index <= here):
                    self._wrapped = "from the end again" if backwards else "from the start again"
                rows.go(index)
                yield True
                yield from self._count(rows)
                return
            if step % _PIECE == 0:
                yield False
        yield False

    def _count(self, rows: SearchRows) -> Iterator[bool]:
        position, which, total, index = rows.position(), 0, 0, 0
        while index < rows.count():
            if self._holds(rows, index):
                total += 1
                which += index <= position
            index += 1
            if index % _PIECE == 0:
                yield True
        self._counted(which, total)
        yield True

    def _holds(self, rows: SearchRows, index: int) -> bool:
        return self.finder.holds(rows.text(index)) or rows.id(index) in self.flows.found

    # --- telling ----------------------------------------------------------------------------------------------------

    def _counted(self, which: int, total: int) -> None:
        words = [f"{which:,} of {total:,}" if total else "not found", self._wrapped]
        self.note = "   ".join(word for word in words if word)

    def _flow_found(self) -> None:
        """The search through all flows has come further, or ended."""
        pane = self._origin[0] if self._origin is not None else self._console.focused_pane
        rows = pane.search_rows() if pane.name == "flows" else None
        if rows is not None:
            self._land(rows)
        if not self.flows.is_running:
            if rows is not None:
                self._console.spawn(self._recount(rows, self._newest.begin()), "search")
            elif not self.is_typed:
                self._console.message(f"/{self.pattern}   {self.flows.note}", log=False)
        self._console.request_frame()

    def _land(self, rows: SearchRows) -> None:
        """No row has it: go to the first flow below that does. The newest are found first, so while it is typed and
        nobody has moved on, to one that is nearer and found later.
        """
        at, count = rows.position(), rows.count()
        is_first = self.note == "not found"
        if not is_first and not (self.is_typed and self._landed == at):
            return
        # All of them may be very many: only those that are new are compared with where it stands.
        found = islice(self.flows.found, 0 if is_first else self._seen, None)
        indexes = [index for index in map(self._console.view.index, found) if index is not None]
        self._seen = len(self.flows.found)
        if not indexes:
            return
        if is_first:
            self.note, self._below = "", at
        else:
            indexes.append(at)
        self._landed = min(indexes, key=lambda index: (index - self._below - 1) % count)
        rows.go(self._landed)

    async def _recount(self, rows: SearchRows, token: Token) -> None:
        self._wrapped = ""
        budget = Budget()
        for _ in self._count(rows):
            if budget.spent():
                await budget.rest()
            if not token.current:
                return
        self._say()

    def _say(self) -> None:
        """In the prompt while there is one (it asks for `note`), else as a message."""
        self._console.request_frame()
        if self.is_typed or not self.pattern:
            return
        if self.finder.problem:
            self._console.message(self.finder.problem, "warn", log=False)
        elif self.note == "not found" and not self.flows.is_running:
            self._console.message(f"not found: {self.pattern}", "warn", log=False)
        else:
            bodies = self.flows.note if self.flows.found or self.flows.is_running else ""
            said = "   ".join(words for words in (f"/{self.pattern}", self.note, bodies) if words)
            self._console.message(said, "warn" if self.flows.problem else "info", log=False)
