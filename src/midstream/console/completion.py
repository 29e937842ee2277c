"""What the word at the cursor of a command line may become: command names, flow specs, choices, paths, option names.

The command prompt asks at each tab. The candidates come from the argument types of the hub; only the words of `set` and
its kin, whose types depend on the word before, are looked up here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from midstream.filters import OPERATORS
from midstream.hub import lexer
from midstream.hub.option_kinds import FILTER
from midstream.hub.types import Cmd

if TYPE_CHECKING:
    from midstream.hub.commands import CommandManager
    from midstream.hub.option import Option
    from midstream.hub.options import Options

MOST = 500
# Commands whose first argument names an option; the rest of `set` are that option's values.
_NAME_AN_OPTION = frozenset({"set", "console.command.set", "options.reset.one"})


@dataclass(slots=True)
class Candidates:
    """`choices` replace `text[start:end]` of the line; `meanings` explain those that have an explanation."""

    start: int
    end: int
    choices: list[str]
    meanings: Mapping[str, str] = field(default_factory=dict)


def complete_command(line: str, cursor: int, commands: CommandManager, options: Options) -> Candidates:
    """The candidates for the word before the cursor."""
    before = line[:cursor]
    tokens = lexer.lex(before)
    words = [token for token in tokens if not token.is_space]
    if tokens and not tokens[-1].is_space:
        start, word, place = tokens[-1].start, tokens[-1].value.lstrip("\"'"), len(words) - 1
    else:
        start, word, place = cursor, "", len(words)
    name = words[0].value if words else ""
    if place >= 1 and name in _NAME_AN_OPTION:
        meanings = {option: options.option(option).help for option in options.keys()} if place == 1 else {}  # noqa: SIM118
        return Candidates(start, cursor, _option_words(name, place, words, word, options), meanings)
    parsed, coming = commands.parse_partial(before)
    if word and parsed:
        wanted = parsed[-1].type
    elif place == 0:
        wanted = Cmd
    else:
        wanted = coming[0].type if coming else None
    if wanted is None:
        return Candidates(start, cursor, [])
    found = sorted(set(commands.completions(wanted, word)))[:MOST]
    choices = [choice for choice in found if choice.startswith(word)]
    known = commands.commands
    meanings = {choice: (known[choice].help or "").partition("\n")[0] for choice in choices if choice in known}
    return Candidates(start, cursor, choices, meanings or _operators())


def _option_words(name: str, place: int, words: list[lexer.Token], word: str, options: Options) -> list[str]:
    if place == 1:
        return [option for option in sorted(options.keys()) if option.startswith(word)][:MOST]
    option_name = words[1].value
    if name != "set" or option_name not in options:
        return []
    return options.option(option_name).completions(word)[:MOST]


def complete_option(option: Option, before: str) -> Candidates:
    """The candidates for the value of an option of which `before` is typed."""
    if option.kind is FILTER:
        return complete_filter(before)
    return Candidates(0, len(before), option.completions(before)[:MOST])


def complete_filter(before: str) -> Candidates:
    """The operators that the end of a filter may become."""
    start = max(before.rfind("~"), 0)
    found = FILTER.complete(before) if FILTER.complete is not None else []
    return Candidates(start, len(before), [choice[start:] for choice in found], _operators())


def _operators() -> dict[str, str]:
    return {operator.name: operator.help for operator in OPERATORS}


def common_start(choices: list[str]) -> str:
    """The longest text that all choices begin with."""
    if not choices:
        return ""
    first, last = min(choices), max(choices)
    for index, character in enumerate(first):
        if index >= len(last) or last[index] != character:
            return first[:index]
    return first
