"""How many flows the spec in a command line names, counted in slices while the person goes on typing.

One per command prompt. What takes no looking is known at once; filters and marks are looked for, and a newer spec ends
an older count. Not the resolving itself: that is the view's, when the command runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from midstream import filters
from midstream.store.specs import matching
from midstream.work.slices import Generation, Token, cooperate

if TYPE_CHECKING:
    from midstream.console.console import Console


class FlowCount:
    """`text` is what to show: `11 flows`, nothing while it is not known."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._view = console.view
        self._turns = Generation()
        self._asked: tuple[str | None, int] = (None, 0)
        self.text = ""

    def ask(self, spec: str | None) -> None:
        """Count for this spec from now on; None: there is none."""
        asked = (spec, self._view.changes)
        if asked == self._asked:
            return
        self.stop()
        self._asked = asked
        if spec is None:
            return
        count = self._at_once(spec.strip())
        if count is not None:
            self._show(count)
        elif (is_meant := self._test(spec)) is not None:
            self._console.spawn(self._count(is_meant, self._turns.begin()), "count flows")

    def stop(self) -> None:
        """Count no further and show nothing."""
        self._turns.cancel()
        self._asked, self.text = (None, 0), ""

    def _at_once(self, word: str) -> int | None:
        match word:
            case "@all":
                return len(self._view)
            case "@shown":
                return len(self._view.shown)
            case "@hidden":
                return len(self._view) - len(self._view.shown)
            case "@focus":
                return int(self._view.focus_id is not None)
            case _ if word.startswith("@") and word not in ("@marked", "@unmarked"):
                try:
                    return sum(1 for _ in matching(word, self._view.all_ids, self._view.get))
                except ValueError:
                    return 0
        return None

    def _test(self, spec: str) -> Callable[[str], object] | None:
        if spec.strip() in ("@marked", "@unmarked"):
            wanted = spec.strip() == "@marked"
            return lambda id_: bool(self._view.row(id_).marked) is wanted
        try:
            matches = filters.parse(spec)
        except filters.FilterError:
            return None
        return lambda id_: (flow := self._view.get(id_)) is not None and matches(flow)

    async def _count(self, is_meant: Callable[[str], object], token: Token) -> None:
        count = 0
        async for some in cooperate(list(self._view.all_ids), token=token):
            count += sum(1 for id_ in some if id_ in self._view and is_meant(id_))
        if token.current:
            self._show(count)
            self._console.request_frame()

    def _show(self, count: int) -> None:
        self.text = f"{count:,} flow{'' if count == 1 else 's'}"
