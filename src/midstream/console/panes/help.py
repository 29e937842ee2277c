"""The help pane: the keys that work, by context, and the filter language. All of it derived from what is declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from midstream.console.keymap import CONTEXTS
from midstream.console.overlays.keys_box import EDITING, PROMPT
from midstream.console.panes.list_pane import ListPane
from midstream.console.widgets.canvas import Line, Run
from midstream.filters import OPERATORS
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console

_TITLES = {
    "global": "Everywhere",
    "list": "In every list",
    "flows": "Flow list",
    "detail": "Flow details",
    "options": "Options",
    "commands": "Commands",
    "log": "Event log",
    "queue": "Intercept queue",
    "keys": "Key bindings",
    "help": "Help",
    "prompt": "Prompt",
    "text": "Editing in place",
    "grid": "Grid",
}
_KEY_CELLS = 14
_HELP_CELLS = 24
_EXAMPLES = (
    ("~d example.com & ~m POST", "POST requests to example.com"),
    ("~s & ~c 500 | ~e", "answers with status 500, and failures"),
    ("!(~a) & ~t json", "JSON, but no scripts, styles and pictures"),
    ("(~q) checkout", "requests without an answer yet, with checkout in the URL"),
)
_CONNECTIVES = (
    ("!a", "not a"),
    ("a & b", "both; two filters beside each other mean the same"),
    ("a | b", "one of them"),
    ("( )", "what belongs together"),
    ("word", "alone: the URL matches this regular expression"),
)


class HelpPane(ListPane):
    """See the module. `asked_from` names the contexts whose keys come first: those of the pane it was opened from."""

    name = "help"
    contexts: ClassVar[tuple[str, ...]] = ("help", "list", "global")
    no_cache = ["render"]

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.asked_from: tuple[str, ...] = ()
        self._lines: list[list[Run]] = []

    def entered(self) -> None:
        self._lines = list(_help(self.console, self.asked_from))

    def row_count(self) -> int:
        return len(self._lines)

    def row_text(self, index: int) -> str:
        return "".join(text for _, text in self._lines[index])

    def row_runs(self, index: int, columns: int) -> Line:
        return self._lines[index]

    def head(self, columns: int) -> list[Line]:
        find, back = self.key_hint("console.search", "find   "), self.key_hint("console.view.pop", "back")
        return [[("title", " help   "), *find, *back]]


def _help(console: Console, first: tuple[str, ...]) -> Iterator[list[Run]]:
    order = dict.fromkeys((*first, *_TITLES, *CONTEXTS))
    for context in order:
        lines = list(_keys(console, context))
        if lines:
            yield [("strong", f" {_TITLES.get(context, context)}")]
            yield from lines
            yield []
    yield [("strong", " Prompts and boxes"), ("dim", "  ? shows the keys of a box, f1 those of a prompt or a field")]
    for keys, meaning in (*PROMPT, *EDITING):
        yield [("hint.key", f"   {keys:<18} "), ("text", meaning)]
    yield []
    yield [("strong", " Filters"), ("dim", "  for f, i and every command that takes flows")]
    for operator in OPERATORS:
        words = f"{operator.name} {operator.argument}".strip()
        yield [("hint.key", f"   {words:<{_KEY_CELLS}} "), ("text", operator.help)]
    yield []
    for words, meaning in _CONNECTIVES:
        yield [("hint.key", f"   {words:<{_KEY_CELLS}} "), ("text", meaning)]
    yield []
    yield [("strong", " Examples")]
    for words, meaning in _EXAMPLES:
        yield [("hint.key", f"   {words:<28} "), ("text", meaning)]


def _keys(console: Console, context: str) -> Iterator[list[Run]]:
    if context not in CONTEXTS:
        return
    for binding in console.keys.keymap.in_context(context):
        keys = visible(" ".join(binding.keys))
        runs: list[Run] = [
            ("hint.key", f"   {keys:<{_KEY_CELLS}} "),
            ("text", f"{visible(binding.help) or '-':<{_HELP_CELLS}}"),
        ]
        problem = console.bindings.problem(binding)
        runs.append(("failed", f" {visible(problem)}") if problem else ("dim", f" {visible(binding.command)}"))
        if binding.when_text:
            runs.append(("dim", f"   when {visible(binding.when_text)}"))
        yield runs
