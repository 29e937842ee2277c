"""The keys pane (console.md §3.6): every binding by context, with its command, its help and where it comes from.

On top stand the entries of key files that were skipped. Bindings that do not work now say why, and so do those that
others took the place of. What the keys do to the focused row: key_commands.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from midstream.console.key_names import show_chord
from midstream.console.keymap import CONTEXTS, Binding, Keymap
from midstream.console.panes.help_box import HelpBox, Words
from midstream.console.panes.list_pane import ListPane
from midstream.console.widgets.canvas import Line, Run
from midstream.console.widgets.table import Column, Placed, heading, lay_out, row
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

COLUMNS = (
    Column("cursor", "", width=2, gap=0),
    Column("sign", "", width=2, gap=0),
    Column("keys", "keys", width=12, gap=0),
    Column("where", "where", width=13),
    Column("command", "command"),
    Column("help", "help", width=22, shown_from=64),
    Column("source", "source", width=16, shown_from=100),
)
_NARROW = 100  # below this many columns the help is shorter, for the commands' sake
# What is bound nearest to a pane's own keys comes first, what is bound everywhere last.
_ORDER = [*(name for name in CONTEXTS if name not in ("list", "global")), "list", "global"]


@dataclass(frozen=True, slots=True)
class _Row:
    """An error line, or a binding with the contexts in which it stands; `reason` is why it does not work."""

    binding: Binding | None = None
    error: str = ""
    reason: str = ""
    is_lost: bool = False

    @property
    def where(self) -> str:
        return ", ".join(self.binding.contexts) if self.binding is not None else ""


class KeysPane(ListPane):
    """See the module. `focused_binding` is what the commands of the pane are about."""

    name = "keys"
    contexts: ClassVar[tuple[str, ...]] = ("keys", "list", "global")
    no_cache = ["render"]
    box_beside = False
    narrows = True

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._rows: list[_Row] = []
        self._all: list[_Row] = []
        self._revision: object = None

    def entered(self) -> None:
        self.console.bindings.were_seen = True

    @property
    def focused_binding(self) -> Binding | None:
        """The binding in focus, if it counts."""
        focused = self._focused()
        return focused.binding if focused is not None and not focused.is_lost else None

    def _focused(self) -> _Row | None:
        self._list()
        return self._rows[self.scroll.focus] if self.scroll.focus < len(self._rows) else None

    def navigate(self, move: str) -> None:
        if move == "select":
            self.console.run_command("console.key.edit.focus")
        else:
            super().navigate(move)

    def find_key(self, key: str) -> None:
        """Go to the next binding that counts and begins with a key."""
        self.narrow(None)
        self._list()
        self.scroll.count = len(self._rows)
        places = [
            place
            for place, each in enumerate(self._rows)
            if each.binding is not None and not each.is_lost and each.binding.keys[0] == key
        ]
        if not places:
            self.console.message(f"{key} is bound to nothing")
            return
        after = [place for place in places if place > self.scroll.focus] if self.scroll.focus in places else places
        self.scroll.go((after or places)[0])
        self.console.request_frame(now=True)

    def show(self, keys: tuple[str, ...]) -> None:
        """Go to what was bound last to these keys."""
        self.narrow(None)
        self._list()
        found = [each.binding is not None and not each.is_lost and each.binding.keys == keys for each in self._rows]
        if True in found:
            self.scroll.count = len(self._rows)
            self.scroll.go(found.index(True))

    # -- the list -----------------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        self._list()
        return len(self._rows)

    def row_text(self, index: int) -> str:
        return _text(self._rows[index])

    def copies(self) -> Mapping[str, Callable[[], str]]:
        focused = self._focused()
        if focused is None or (binding := focused.binding) is None:
            return super().copies()
        keys, run = show_chord(binding.keys), binding.command
        entry = f"- {{keys: {json.dumps(keys)}, in: [{', '.join(binding.contexts)}], run: {json.dumps(run)}}}"
        return {"name": lambda: keys, "command": lambda: run, "line": lambda: entry}

    def nothing(self) -> str:
        return "No keys are bound."

    def why_not(self, command: str) -> str:
        if command.startswith("console.key.") and command.endswith(".focus") and self.focused_binding is None:
            return "no binding is selected"
        if command.startswith("console.keymap.save") and not self.console.bindings.session:
            return "no key was changed"
        return ""

    def _list(self) -> None:
        bindings = self.console.bindings
        revision = bindings.revision, self.narrowed_by
        if revision == self._revision:
            return
        focused = self._rows[self.scroll.focus] if self.scroll.focus < len(self._rows) else None
        self._revision = revision
        self._all = [_Row(error=error) for error in bindings.errors]
        self._all += _binding_rows(self.console.keys.keymap, self.console)
        self._rows = self.left_of(self._all, _text, is_sorted=False)
        if focused is not None and focused.binding is not None:
            likeness = [_likeness(each, focused) for each in self._rows]
            if best := max(likeness, default=0):
                self.scroll.count = len(self._rows)
                self.scroll.go(likeness.index(best))

    # -- painting -----------------------------------------------------------------------------------------------------

    def head(self, columns: int) -> list[Line]:
        self._list()
        bindings = self.console.bindings
        count, total = len(self._rows), len(self._all)
        if self.narrowed_by is None:
            count = total = sum(not each.is_lost and not each.error for each in self._all)
        line: list[Run] = [("title", " keys  "), *self.narrowed_title(count, total)]
        if errors := len(bindings.errors):
            line.append(("failed", f"{errors} skipped in key files   "))
        if broken := sum(bool(each.reason) and not each.is_lost for each in self._all):
            line.append(("failed", f"{broken} not available   "))
        if changes := len(bindings.session):
            line.append(("strong", f"{changes} of this session   "))
        line += self.key_hint("console.search", "find")
        return [line, heading(_layout(columns))]

    def row_runs(self, index: int, columns: int) -> Line:
        shown = self._rows[index]
        cursor = "> " if index == self.scroll.focus else "  "
        binding = shown.binding
        if binding is None:
            return [("strong", cursor), ("failed", f"! {visible(shown.error)}")]
        dim = "dim" if shown.is_lost else None
        sign = (
            "- "
            if shown.is_lost
            else "! "
            if shown.reason
            else "? "
            if any(map(self.console.bindings.legacy_meaning, binding.keys))
            else "  "
        )
        words = (dim or "failed", shown.reason) if shown.reason else ("text", self._help(binding))
        return row(
            _layout(columns),
            {
                "cursor": ("strong", cursor),
                "sign": (dim or "failed", sign),
                "keys": (dim or "hint.key", visible(show_chord(binding.keys))),
                "where": (dim or "text", shown.where),
                "command": (dim or "text", visible(binding.command)),
                "help": (words[0], visible(words[1])),
                "source": ("dim", visible(binding.source)),
            },
        )

    def box(self, columns: int) -> HelpBox | None:
        shown = self._focused()
        if shown is None:
            return None
        binding = shown.binding
        if binding is None:
            return HelpBox("skipped", [("failed", visible(shown.error))])
        lines: list[Words] = [[("strong", visible(binding.command))]]
        if shown.reason:
            lines.append(("failed", visible(shown.reason)))
        lines.append(visible(self._help(binding)))
        facts: list[Run] = [
            ("dim", "in "),
            ("text", shown.where),
            ("dim", "   from "),
            ("text", visible(binding.source)),
        ]
        if binding.when_text:
            facts += [("dim", "   when "), ("text", visible(binding.when_text))]
        lines.append(facts)
        lines += [
            (
                "dim",
                f"This terminal cannot tell {key} from {meaning}, and runs what that is bound to.",
            )
            for key in binding.keys
            if (meaning := self.console.bindings.legacy_meaning(key))
        ]
        return HelpBox(visible(show_chord(binding.keys)), lines)

    def _help(self, binding: Binding) -> str:
        command = self.console.master.commands.commands.get(binding.command.partition(" ")[0])
        return binding.help or ((command.help or "").partition("\n")[0] if command is not None else "") or "No help."


def _text(shown: _Row) -> str:
    """What a search looks at."""
    binding = shown.binding
    if binding is None:
        return shown.error
    return " ".join(
        (show_chord(binding.keys), shown.where, binding.command, binding.help, binding.source, shown.reason)
    )


def _layout(columns: int) -> tuple[Placed, ...]:
    grown = (("where", 15), ("help", 30), ("keys", 14)) if columns >= _NARROW else ()
    return lay_out(COLUMNS, columns, grown)


def _binding_rows(keymap: Keymap, console: Console) -> Iterator[_Row]:
    found: dict[tuple[object, ...], _Row] = {}
    for context in _ORDER:
        standing = [(binding, "") for binding in keymap.in_context(context)]
        said = {_said(binding) for binding, _ in standing}
        # What was bound again is not lost.
        lost = [(x.binding, x.reason) for x in keymap.lost if x.context == context and _said(x.binding) not in said]
        for binding, reason in (*standing, *lost):
            key = (_said(binding), binding.source, reason)
            if (before := found.get(key)) is not None and before.binding is not None:
                contexts = tuple(dict.fromkeys((*before.binding.contexts, context)))
                found[key] = replace(before, binding=replace(before.binding, contexts=contexts))
            else:
                found[key] = _Row(
                    replace(binding, contexts=(context,)), "", reason or console.bindings.problem(binding), bool(reason)
                )
    yield from found.values()


def _said(binding: Binding) -> tuple[object, ...]:
    return binding.keys, binding.command, binding.when_text


def _likeness(one: _Row, other: _Row) -> int:
    """How much two rows are about the same: the focus follows a binding that got another key or was taken away."""
    if one.binding is None or other.binding is None or one.binding.command != other.binding.command:
        return 0
    same_keys = one.binding.keys == other.binding.keys
    return 1 + 4 * same_keys + 2 * (not one.is_lost) + (one.binding.contexts == other.binding.contexts)
