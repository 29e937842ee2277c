"""Makes docs/reference/parity-console.md: mitmproxy's keys and screen, and where each is here or why it changed.

Called by make_reference.py. The facts of mitmproxy, and the reasons, are tests/parity/keys.tsv and console.tsv; what a
key does here is read from the default set.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tests.parity import report

from midstream.console.key_names import parse_chord
from midstream.console.keymap import CONTEXTS, LEADER, Binding, Keymap

HEAD = [
    "What the screen of mitmproxy 12.2.3 has, and where it is here. [Options and commands](parity.md) have a table of",
    "their own, [the differences](../differences.md) more reasons. `?` shows the keys that work where you are.",
]
# Keys that no file binds there: those of lines of text, boxes and signals. Tests press each of them.
BUILT_IN = ("built in", "SIGINT")
_OURS = {
    "commonkey": "global",
    "flowlist": "flows",
    "flowview": "detail",
    "eventlog": "log",
    "keybindings": "keys",
    "grideditor": "grid",
}
_MOST = 6
BAR = "\\|"
_ASKING = ("console.choose", "console.choose.cmd", "console.command.confirm")  # their first argument is words


@dataclass(frozen=True, slots=True)
class Place:
    """A key in one of our contexts, with what it runs there (None: nothing), and whether that is the known command."""

    context: str
    keys: str
    binding: Binding | None
    is_same: bool


def lines(keymap: Keymap) -> list[str]:
    """The page without its title."""
    made = [*HEAD, "", "## Keys", "", "| key | there | does | here | why |", "|---|---|---|---|---|"]
    for row in report.rows("keys.tsv"):
        cells = (_code(row["key"]), row["contexts"].replace(",", ", "), row["purpose"], here(row, keymap), row["why"])
        made.append(_row(cells))
    section = ""
    for row in report.rows("console.tsv"):
        if row["section"] != section:
            section = row["section"]
            made += ["", f"## {section}", "", "| what | in mitmproxy | here | why |", "|---|---|---|---|"]
        made.append(_row((row["item"], row["there"], row["here"], row["why"])))
    return made


def here(row: dict[str, str], keymap: Keymap) -> str:
    """Where a key of theirs is: the same one, one that does it in another way, or others."""
    if row["command"] in BUILT_IN:
        return "the same key" if row["why"] else "the same"
    found = places(row, keymap)
    if not row["here"] and all(place.is_same for place in found):
        return "the same"
    words: dict[str, list[str]] = {}
    for place in found:
        does = "the same" if place.is_same else _code(place.binding.command) if place.binding is not None else "nothing"
        words.setdefault(f"{_code(place.keys)}: {does}", []).append(place.context)
    if len(words) > _MOST:  # the keys of a menu
        return " ".join(dict.fromkeys(_code(place.keys) for place in found))
    return "; ".join(f"{what} ({', '.join(contexts)})" for what, contexts in words.items())


def places(row: dict[str, str], keymap: Keymap) -> list[Place]:
    """What is bound here for a row: to its own keys, or to those that it names instead."""
    if row["here"]:
        wanted = [each.partition(" ")[::2] for each in row["here"].split(", ")]
    else:
        contexts = [_OURS.get(name, name) for name in row["contexts"].split(",")]
        wanted = [(context, row["key"]) for context in dict.fromkeys(contexts)]
    return [_place(context, keys, row["command"], keymap) for context, keys in wanted]


def _place(context: str, keys: str, command: str, keymap: Keymap) -> Place:
    chord = parse_chord(keys, LEADER)
    for each in CONTEXTS[context]:
        for binding in keymap.bound(chord, each):
            return Place(context, keys, binding, _words(binding.command) == _words(command))
    return Place(context, keys, None, False)


def _words(command: str) -> list[str]:
    """A command line, without what it says to people."""
    words = shlex.split(command)
    return [words[0], *words[2:]] if words[0] in _ASKING else words


def _row(cells: tuple[str, ...]) -> str:
    """Bars inside a cell would end it."""
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def _code(text: str) -> str:
    return f"`{text}`"
