"""What the palette can find: commands, what keys are bound to, options, panes, flows, marks, filters that have a name.

Made when the palette opens, from what is there at that moment; flows come from rows, newest first, and none is loaded.
Each entry knows how it is shown, what is searched in it, and what enter does. The box is overlays/palette.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from midstream.console import filter_names
from midstream.console.fuzzy import LONGEST, Searched
from midstream.console.go_to import go_to_flow
from midstream.console.key_names import show_chord
from midstream.console.keymap import CONTEXTS
from midstream.hub import lexer

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.store.rows import Row

KINDS = ("commands", "options", "panes", "flows", "marks", "filters")
MOST = 5000
_MOST_FLOWS = 2000
_MOST_MARKS = 500
_LONGEST_VALUE = 60
_WEIGHT = {"commands": 30, "panes": 60, "options": 10, "filters": 20, "marks": 5, "flows": 0}
_HAS_KEY = 120  # what has a key is used more


class Entry:
    """One thing that can be found. `id` is what is remembered of it; `do` gets the console; `weight` is its lead."""

    __slots__ = ("_searched", "do", "help", "id", "keys", "kind", "name", "row", "weight")

    def __init__(
        self, kind: str, name: str, help: str, do: Callable[[Console], object], keys: str = "", row: Row | None = None
    ) -> None:
        self.kind = kind
        self.name = name
        self.help = help
        self.do = do
        self.keys = keys
        self.row = row
        self.id = f"{kind} {name}"
        self.weight = _WEIGHT[kind] + _HAS_KEY * bool(keys)
        self._searched: Searched | None = None

    @property
    def searched(self) -> Searched:
        """The text that is looked through."""
        if self._searched is None:
            self._searched = Searched(f"{self.name} {self.help}", is_name=self.row is None)
        return self._searched


class Recent:
    """What was used through the palette, newest last, and how often: it comes first and counts more."""

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()
        self._order: dict[str, None] = {}

    def note(self, id_: str) -> None:
        """It was used now."""
        self._uses[id_] += 1
        self._order.pop(id_, None)
        self._order[id_] = None

    def bonuses(self) -> dict[str, int]:
        """What the scores of some get on top."""
        return {id_: 100 + min(uses, 5) * 50 for id_, uses in self._uses.items()}

    def newest(self) -> list[str]:
        """The ids, newest first."""
        return list(reversed(self._order))


def entries(console: Console) -> list[Entry]:
    """Everything that can be found now, at most 5,000."""
    return list(islice(_all(console), MOST))


def _all(console: Console) -> Iterator[Entry]:
    yield from _commands(console)
    yield from _panes(console)
    yield from _options(console)
    yield from _named_filters(console)
    yield from _marked(console)
    yield from _flows(console)


# --- commands -------------------------------------------------------------------------------------------------------


def _commands(console: Console) -> Iterator[Entry]:
    known = console.master.commands.commands
    bound: dict[str, tuple[str, str]] = {}
    contexts = console.contexts()
    # The keys of this pane count before those of others.
    order = [*contexts, *(context for context in CONTEXTS if context not in contexts)]
    for context in order:
        for binding in console.keys.keymap.in_context(context):
            # Two menus may call different things the same: edit a body, copy it.
            menu = console.keys.keymap.title(binding.keys[:1], (context,)) if len(binding.keys) > 1 else ""
            words = f"{menu}: {binding.help}" if menu and binding.help else binding.help
            bound.setdefault(binding.command, (show_chord(binding.keys), words))
    for line, (keys, words) in bound.items():
        name = line.partition(" ")[0]
        if name in known and line != name and not line.startswith(("console.choose", "console.command ")):
            yield Entry("commands", line, words, partial(_run, line=line), keys)
    for name, command in sorted(known.items()):
        keys, words = bound.get(name, ("", ""))
        first = (command.help or "").partition("\n")[0]
        needs = any(not parameter.is_optional for parameter in command.parameters)
        do = _ask_for if needs else _run
        yield Entry("commands", name, words or first, partial(do, line=name), keys)


def _run(console: Console, line: str) -> None:
    console.run_command(line)


def _ask_for(console: Console, line: str) -> None:
    console.prompt(":", f"{line} ")


# --- panes and options ----------------------------------------------------------------------------------------------


def _panes(console: Console) -> Iterator[Entry]:
    for name in console.pane_names:
        yield Entry("panes", f"pane {name}", "Open the pane", partial(_open, name=name))


def _open(console: Console, name: str) -> None:
    console.open_pane(name)


def _options(console: Console) -> Iterator[Entry]:
    options = console.master.options
    for name in sorted(options.keys()):
        option = options.option(name)
        value = "" if option.kind.editor == "secret" else _value(option.current())
        words = f"= {value or '-'}  {option.help}"
        yield Entry("options", name, words, partial(_set, name=name))


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)
    return text[:_LONGEST_VALUE]


def _set(console: Console, name: str) -> None:
    console.run_command(f"console.command.set {lexer.quote(name)}")


# --- flows, marks, filters ------------------------------------------------------------------------------------------


def _flows(console: Console) -> Iterator[Entry]:
    view = console.view
    for id_ in islice(reversed(list(view.all_ids)), _MOST_FLOWS):
        yield _flow_entry("flows", view.row(id_), "flow")


def _marked(console: Console) -> Iterator[Entry]:
    view = console.view
    for id_ in islice(console.tally.marked, _MOST_MARKS):
        if id_ in view:
            row = view.row(id_)
            yield _flow_entry("marks", row, f"mark {row.marked.strip(':')}")


def _flow_entry(kind: str, row: Row, word: str) -> Entry:
    entry = Entry(
        kind,
        f"{word} {row.number}",
        f"{row.method} {row.host}{row.path}"[:LONGEST],
        partial(_go_to, id_=row.id),
        "",
        row,
    )
    entry.id = f"{kind} {row.id}"
    return entry


def _go_to(console: Console, id_: str) -> None:
    go_to_flow(console, id_)


def _named_filters(console: Console) -> Iterator[Entry]:
    for name, text in filter_names.named(console.master.options).items():
        yield Entry("filters", f"@{name}", text, partial(_show_filtered, name=name))


def _show_filtered(console: Console, name: str) -> None:
    console.breadcrumbs.use(name)
    console.open_pane("flows")
