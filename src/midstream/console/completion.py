"""What the word at the cursor of a command line may become: command names, flow specs, choices, paths, option names.

The prompts ask at each tab. The candidates come from the argument types of the hub and the kinds of options; only the
words of `set` and its kin, whose types depend on the word before, are looked up here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from midstream.console.candidates import MOST, Candidates
from midstream.console.completion_filter import SeenValues, complete_filter, operator_meanings
from midstream.console.fuzzy import Searched, scorer
from midstream.hub import lexer
from midstream.hub.arguments.flow import complete_filter as filters_in_full
from midstream.hub.markers import glyph
from midstream.hub.option_kinds import FILTER
from midstream.hub.types import Cmd, Marker, Space
from midstream.store.specs import SPECS

__all__ = ["MOST", "Candidates", "SeenValues", "common_start", "complete_command", "complete_option"]

if TYPE_CHECKING:
    from midstream.hub.commands import CommandManager
    from midstream.hub.option import Option
    from midstream.hub.options import Options

_MOST_NEAR = 20

# Commands whose first argument names an option; the rest of `set` are that option's values.
_NAME_AN_OPTION = frozenset({"set", "console.command.set", "options.reset.one"})


@dataclass(frozen=True, slots=True)
class _Word:
    """The word at the cursor: what is typed of it, and what of it stands right of the cursor."""

    start: int
    end: int
    typed: str
    rest: str


def complete_command(
    line: str, cursor: int, commands: CommandManager, options: Options, values: SeenValues | None = None
) -> Candidates:
    """The candidates for the word before the cursor. What is right of the cursor stays."""
    word = _word_at(line, cursor)
    parsed, coming = commands.parse_partial(line[: word.start])
    words = [part for part in parsed if part.type is not Space]
    wanted = coming[0].type if coming else None
    # The command that the word belongs to may be one inside another.
    inner = max((place for place, part in enumerate(words) if part.type is Cmd), default=0)
    before = [lexer.unquote(part.value) for part in words[inner:]]
    if wanted is str and before[0] in _NAME_AN_OPTION:
        return _fitted(word, *_option_words(before, word.typed, options))
    if values is not None and wanted is not None and (filtered := _values_in(word, wanted, commands, values)):
        return filtered
    found = sorted(set(commands.completions(wanted, word.typed))) if wanted is not None else []
    choices = [choice for choice in found if choice.startswith(word.typed)][:MOST]
    known = commands.commands
    if wanted is Cmd and not choices:
        choices = _near(word.typed, known)
    if wanted is Cmd:
        meanings = {choice: (known[choice].help or "").partition("\n")[0] for choice in choices if choice in known}
    elif wanted is Marker:
        meanings = {choice: glyph(choice) for choice in choices}
    else:
        meanings = _meanings_of_specs(choices)
    return _fitted(word, choices, meanings)


def _near(typed: str, names: Iterable[str]) -> list[str]:
    """The names that fit a few letters, as the palette has it, where none begins with them; the best first."""
    score_of = scorer(typed)
    scores = {name: score for name in names if (score := score_of(Searched(name)))}
    return sorted(scores, key=lambda name: (-scores[name], name))[:_MOST_NEAR]


def _word_at(line: str, cursor: int) -> _Word:
    for token in lexer.lex(line):
        end = token.start + len(token.text)
        if not token.is_space and token.start < cursor <= end:
            quote = token.text[0] if token.text[0] in "\"'" else ""
            is_closed = bool(quote) and len(token.text) > 1 and token.text[-1] == quote
            if is_closed and cursor == end:
                return _Word(token.start, end, token.value, "")
            rest = line[cursor : end - is_closed]
            return _Word(token.start, end, line[token.start + len(quote) : cursor], rest)
    return _Word(cursor, cursor, "", "")


def _fitted(word: _Word, choices: list[str], meanings: Mapping[str, str]) -> Candidates:
    """With what stands right of the cursor: a choice that goes on with it takes it in."""
    going_on = [choice for choice in choices if choice.startswith(word.typed + word.rest)]
    rest = "" if going_on else word.rest
    return Candidates(word.start, word.end, going_on or choices, meanings, word.typed, rest)


def _meanings_of_specs(choices: list[str]) -> dict[str, str]:
    operators = operator_meanings()
    found = {choice: operators.get(choice[choice.rfind("~") :].rstrip(), "") for choice in choices if "~" in choice}
    return found | {choice: SPECS[choice][0] for choice in choices if choice in SPECS}


def _option_words(before: list[str], typed: str, options: Options) -> tuple[list[str], dict[str, str]]:
    """Names of options, and values of the one that is named: `set NAME VALUE`, or `set NAME=VALUE`."""
    command, *words = before
    name, equals, value = typed.partition("=")
    if not words and equals and command == "set" and name in options:
        return [f"{name}={each}" for each in options.option(name).completions(value)][:MOST], {}
    if not words:
        names = [option for option in sorted(options.keys()) if option.startswith(typed)]
        names = names or _near(typed, options.keys())
        return names[:MOST], {each: options.option(each).help for each in names[:MOST]}
    name = words[0].removesuffix("=")
    if command != "set" or name not in options:
        return [], {}
    if options.option(name).kind is FILTER:
        found = filters_in_full(typed)
        return found, _meanings_of_specs(found)
    return options.option(name).completions(typed)[:MOST], {}


def _values_in(word: _Word, wanted: object, commands: CommandManager, values: SeenValues) -> Candidates | None:
    """Behind an operator in a flow spec: the values that were seen."""
    kind = commands.types.get(wanted)
    if "~" not in word.typed or kind is None or kind.display not in ("flow", "flow[]"):
        return None
    found = complete_filter(word.typed, None, values)
    if found.choices and found.start > word.typed.rfind("~"):
        before = word.typed[: found.start]
        meanings = {before + choice: meaning for choice, meaning in found.meanings.items()}
        return Candidates(word.start, word.end, list(meanings), meanings, word.typed, word.rest)
    return None


def complete_option(option: Option, before: str, values: SeenValues | None = None) -> Candidates:
    """The candidates for the value of an option of which `before` is typed."""
    if option.kind is FILTER:
        return complete_filter(before, None, values)
    return Candidates(0, len(before), option.completions(before)[:MOST], typed=before)


def common_start(choices: list[str]) -> str:
    """The longest text that all choices begin with."""
    if not choices:
        return ""
    first, last = min(choices), max(choices)
    for index, character in enumerate(first):
        if index >= len(last) or last[index] != character:
            return first[:index]
    return first
