"""What the end of a filter may become: operators with their meaning, values that were seen, and named filters.

The filter bar asks at every key, prompts and the options pane at each tab. Values come from rows, the newest first and
never more than a few thousand of them, so that nothing is loaded and nobody waits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice

from midstream.console.candidates import MOST, Candidates
from midstream.filters import OPERATORS
from midstream.filters.nodes import quoted
from midstream.hub.markers import glyph
from midstream.store.rows import Row
from midstream.store.view import View

_MOST_ROWS = 5000
_MOST_VALUES = 50

# The word at the end, and the operator that it is the argument of.
_WORD = re.compile(r"(?:(?P<operator>~[A-Za-z]+)[ \t]+)?(?P<word>[~@]?[^()~\"' \t\r\n&|!]*)$")
# An argument goes up to white space: & and | belong to it.
_VALUE = re.compile(r"(?P<operator>~[A-Za-z]+)[ \t]+(?P<quote>[\"']?)(?P<word>[^()~\"' \t\r\n]*)$")
_SIGNS = re.compile(r"[\\^$|?*+()\[\]{}]")


def _client(row: Row) -> str:
    return row.shared.client


_OF_ROWS: dict[str, Callable[[Row], str]] = {
    "~d": lambda row: row.host if row.kind in ("http", "ws") else "",
    "~m": lambda row: row.method if row.kind in ("http", "ws") else "",
    "~c": lambda row: str(row.status) if row.status is not None and row.kind in ("http", "ws") else "",
    "~t": lambda row: row.content_type if row.kind == "http" else "",
    "~ts": lambda row: row.content_type if row.kind == "http" and row.status is not None else "",
    "~tq": lambda row: row.content_type if row.kind == "http" and row.status is None else "",
    "~marker": lambda row: row.marked,
    "~src": _client,
}


class SeenValues:
    """The values that the flows of a view have, the most frequent first; counted once for each operator."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._counted: dict[str, list[tuple[str, int]]] = {}

    def of(self, operator: str) -> list[tuple[str, int]]:
        """Values and how many of the newest flows have them."""
        value_of = _OF_ROWS.get(operator)
        if value_of is None:
            return []
        if operator not in self._counted:
            rows = (self._view.row(id_) for id_ in islice(reversed(tuple(self._view.all_ids)), _MOST_ROWS))
            counts = Counter(value for row in rows if (value := value_of(row)))
            self._counted[operator] = counts.most_common(_MOST_VALUES)
        return self._counted[operator]


def complete_filter(
    before: str, names: Mapping[str, str] | None = None, values: SeenValues | None = None
) -> Candidates:
    """The candidates for the end of `before`, which is what stands left of the cursor."""
    found = _VALUE.search(before)
    if found is not None and values is not None and (seen := values.of(found["operator"])):
        return _values(found, seen, len(before))
    found = _WORD.search(before)
    word = found["word"] if found is not None else ""
    start = len(before) - len(word)
    if word.startswith("@"):
        fitting = {f"@{name}": text for name, text in (names or {}).items() if f"@{name}".startswith(word)}
        return Candidates(start, len(before), list(fitting), fitting, word)
    if word and not word.startswith("~"):
        return Candidates(len(before), len(before), [])
    meanings = operator_meanings()
    choices = [
        f"{operator.name} " if operator.argument else operator.name
        for operator in OPERATORS
        if operator.name.startswith(word)
    ]
    explained = {choice: meanings[choice.rstrip()] for choice in choices}
    named = {} if word else {f"@{name}": text for name, text in (names or {}).items()}
    return Candidates(start, len(before), [*choices, *named][:MOST], explained | named, word)


def _values(found: re.Match[str], seen: list[tuple[str, int]], end: int) -> Candidates:
    typed = found["word"]
    wanted = typed.casefold()
    fitting = [(value, count) for value, count in seen if wanted in value.casefold()]
    # What begins with it first; else the order is that of the numbers.
    fitting.sort(key=lambda each: not each[0].casefold().startswith(wanted))
    is_number = found["operator"] == "~c"
    meanings: dict[str, str] = {}
    for value, count in fitting:
        word = value if is_number else quoted(_escaped(value))
        what = f"{count:,} flow{'' if count == 1 else 's'}"
        meanings[word] = f"{glyph(value)}  {what}" if found["operator"] == "~marker" else what
    return Candidates(found.start("quote"), end, list(meanings), meanings, typed)


def _escaped(value: str) -> str:
    """As an expression; dots stay, so that hosts can be read."""
    return _SIGNS.sub(lambda sign: f"\\{sign[0]}", value)


def operator_meanings() -> dict[str, str]:
    """What each operator selects."""
    return {operator.name: operator.help for operator in OPERATORS}
