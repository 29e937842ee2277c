"""The command palette (console.md §3.10): a line to type into, and below it what fits, best first.

Opened by `console.palette`. Enter does what suits the entry; tab shows entries of one kind only. What can be found
stands in palette_entries.py, how well something fits in fuzzy.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nlargest
from typing import TYPE_CHECKING

from midstream.console import fuzzy
from midstream.console.overlays.box import Overlay, Place
from midstream.console.palette_entries import KINDS, Entry, Recent
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run
from midstream.console.widgets.line_edit import LineEdit
from midstream.console.widgets.table import fit_runs
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

_MOST = 200  # rows: whoever does not find something among them types another letter
_ROWS = 14
_PROMPT = "> "


class Palette(Overlay):
    """`recent` outlives the box."""

    keys: Sequence[tuple[str, str]] = (
        ("enter", "do it"),
        ("down", "next"),
        ("tab", "one kind"),
        ("esc", "close"),
    )
    place: Place = "top"
    widest = 96

    def __init__(self, console: Console, entries: Sequence[Entry], recent: Recent) -> None:
        super().__init__("palette")
        self._console = console
        self._all = entries
        self._recent = recent
        self._edit = LineEdit(kill_ring=console.kill_ring)
        self._kind = ""  # all of them
        self._found: list[Entry] = []
        self._count = 0
        self._searched: tuple[str, str] | None = None
        self._fitting: Sequence[Entry] = entries  # those that fitted what was typed before
        self.position = 0
        self._top = 0
        self._room = 1
        self._kinds_at: list[tuple[int, int, str]] = []
        self._search()

    # --- keys -------------------------------------------------------------------------------------------------------

    @property
    def takes_text(self) -> bool:
        return True

    def press(self, key: str) -> None:
        page = max(1, self._room - 1)
        moves = {"up": -1, "ctrl p": -1, "down": 1, "ctrl n": 1, "page_up": -page, "page_down": page}
        match key:
            case "esc" | "ctrl c" | "ctrl g":
                self.finished = True
            case "enter":
                self._do(self.position)
            case "tab" | "shift tab":
                kinds = ["", *(kind for kind in KINDS if any(entry.kind == kind for entry in self._all))]
                self._show_kind(kinds[(kinds.index(self._kind) + (1 if key == "tab" else -1)) % len(kinds)])
            case _ if key in moves:
                self.position = max(0, min(self.position + moves[key], len(self._found) - 1))
            case _:
                self._edit.press(key)
                self._search()

    def paste(self, text: str) -> bool:
        self._edit.insert(text[: fuzzy.LONGEST])
        self._search()
        return True

    def click(self, column: int, row: int) -> bool:
        if row == 1 + self._room:
            for first, behind, kind in self._kinds_at:
                if first <= column < behind:
                    self._show_kind("" if kind == self._kind else kind)
                    return True
        index = self._top + row - 1
        if not 1 <= row <= self._room or index >= len(self._found):
            return False
        self._do(index)
        return True

    def _do(self, index: int) -> None:
        if index >= len(self._found):
            return
        entry = self._found[index]
        self.finished = True
        self._recent.note(entry.id)
        # First of all the box goes: what the entry does may be about what is below it.
        self._console.boxes.tidy()
        entry.do(self._console)

    def _show_kind(self, kind: str) -> None:
        self._kind = kind
        self._search()

    # --- searching --------------------------------------------------------------------------------------------------

    def _search(self) -> None:
        typed = self._edit.text.strip()
        asked = (typed, self._kind)
        if asked == self._searched:
            return
        before, self._searched = self._searched, asked
        # What did not fit does not fit when more is typed.
        grown = before is not None and before[1] == self._kind and before[0] and typed.startswith(before[0])
        pool = self._fitting if grown else [each for each in self._all if self._kind in ("", each.kind)]
        self.position = self._top = 0
        if not typed:
            self._count, self._fitting, self._found = len(pool), pool, self._first(pool)
            return
        score, bonuses = fuzzy.scorer(typed), self._recent.bonuses()
        scored = [
            (points + entry.weight + bonuses.get(entry.id, 0), -number)
            for number, entry in enumerate(pool)
            if (points := score(entry.searched))
        ]
        self._fitting = [pool[-number] for _, number in scored]
        self._count = len(scored)
        self._found = [pool[-number] for _, number in nlargest(_MOST, scored)]

    def _first(self, pool: Sequence[Entry]) -> list[Entry]:
        """Before anything is typed: what was used last, then everything in order."""
        order = {id_: place for place, id_ in enumerate(self._recent.newest())}
        used = sorted((entry for entry in pool if entry.id in order), key=lambda entry: order[entry.id])
        return [*used, *(entry for entry in pool[:_MOST] if entry.id not in order)][:_MOST]

    # --- painting ---------------------------------------------------------------------------------------------------

    def body(self, columns: int, rows: int) -> list[Line]:
        self._room = max(1, min(_ROWS, rows - 2))
        self._top = max(min(self._top, self.position), self.position - self._room + 1)
        window = self._edit.window(max(1, columns - len(_PROMPT)))
        self.cursor = (len(_PROMPT) + window.cursor, 0)
        lines: list[Line] = [
            [("hint.key", _PROMPT), ("menu", cells.fit(window.text, columns - len(_PROMPT), ellipsis=""))]
        ]
        shown = range(self._top, self._top + self._room)
        lines += [self._row(self._found[at], at == self.position, columns) for at in shown if at < len(self._found)]
        if not self._found:
            lines.append([("dim", cells.fit("nothing is called like that", columns))])
        lines += [[] for _ in range(self._room + 1 - len(lines))]
        return [*lines[: self._room + 1], self._foot(columns)]

    def _row(self, entry: Entry, on: bool, columns: int) -> Line:
        name = visible(entry.name)
        words = visible(self._console.master.showing.text(entry.help) if entry.row is not None else entry.help)
        keys = visible(entry.keys)
        room = columns - (cells.measure(keys) + 2 if keys else 0)
        base, hit = ("menu.on", "menu.on") if on else ("menu", "strong")
        marked = set(fuzzy.places(self._edit.text, name))
        runs: list[Run] = [("menu.on" if on else "hint.key", "> " if on else "  ")]
        runs += (
            [(hit if at in marked else base, character) for at, character in enumerate(name)]
            if marked
            else [(base, name)]
        )
        # Names stand in a column, as far as they are not longer than that.
        pad = max(2, min(34, columns // 2) - cells.measure(name))
        runs += [(base, " " * pad), (base if on else "dim", words)]
        fitted = fit_runs(runs, max(1, room), base)
        return [*fitted, (base, "  "), ("menu.on" if on else "hint.key", keys)] if keys else fitted

    def _foot(self, columns: int) -> Line:
        there = Counter(entry.kind for entry in self._all)
        runs: list[Run] = []
        used = 0
        self._kinds_at = []
        for kind in KINDS:
            if not there[kind]:
                continue
            word = f"[{kind}]" if kind == self._kind else f" {kind} "
            runs.append(("strong" if kind == self._kind else "dim", word))
            self._kinds_at.append((used, used + len(word), kind))
            used += len(word)
        count = f"{self._count:,} of {sum(there.values()):,}"
        return [*runs, ("dim", count.rjust(columns - used))] if used + len(count) < columns else [("dim", count)]
