"""Which part of a line is what: the colours of a body's text. One line at a time, as it is painted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from midstream.console.widgets.canvas import Line, Run

Colour = Callable[[str], Line]

_PARTS = re.compile(
    r"""("(?:[^"\\]|\\.)*+"?)(\s*:)?|(-?[0-9][0-9.eE+-]*)|(true|false|null)|([^"\-0-9tfn]+|.)""", re.DOTALL
)
# A mapping in YAML: `name: `, or `name:` at the end; the name bare or in single quotes. A list: `- `.
_YAML_NAME = re.compile(r"""(\s*(?:- )*)('(?:[^']|'')*'|[^\s"'\[\]{},][^"'\[\]{},:]*)(:)(?= |$)""")
_YAML_TEXT = re.compile(r"""(\s*(?:- )?)('(?:[^']|'')*'?|[^\s"'\[\]{},].*)""", re.DOTALL)
# Comments, tags by their names and what stands in them, and the text between them.
_MARKUP = re.compile(r"""(<!--.*?(?:-->|$))|(</?[^\s<>"'/=]+)((?:[^<>"']|"[^"]*"?|'[^']*'?)*+)|([^<]+|<)""", re.DOTALL)
# Comments, strings, the name of a property at the beginning of the line, numbers, words, and all the rest.
_CODE = re.compile(
    r"""(//.*|/\*.*?(?:\*/|$))|("(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|`(?:[^`\\]|\\.)*+`?)"""
    r"""|((?:^\s*)[\w$-]+(?=\s*:(?:[^:]|$)))|(?<![\w$-])(-?\#?[0-9][\w.%]*)|([\w$]+)|([^\w$"'`/#-]+|.)""",
    re.DOTALL,
)
_CODE_WORDS = (
    "async await break case catch class const continue default delete do else export extends false finally for function"
    " get if import in instanceof let new null of return set static super switch this throw true try typeof undefined"
    " var void while with yield"
)
_RESERVED = frozenset(_CODE_WORDS.split())
_ATTRIBUTES = re.compile(r"""("[^"]*"|'[^']*')|([^"']+|.)""", re.DOTALL)


def plain(line: str) -> Line:
    """A line in one role."""
    return [("text", line)]


def failed(line: str) -> Line:
    """A line of words about a failure."""
    return [("failed", line)]


def json_colours(line: str) -> list[Run]:
    """The runs of one visible line of JSON."""
    runs: list[Run] = []
    for string, colon, number, word, other in _PARTS.findall(line):
        if string and colon:
            runs.append(("syntax.key", string))
            runs.append(("text", colon))
        elif string:
            runs.append(("syntax.string", string))
        elif number:
            runs.append(("syntax.number", number))
        elif word:
            runs.append(("syntax.word", word))
        else:
            runs.append(("text", other))
    return runs


def yaml_colours(line: str) -> list[Run]:
    """The runs of one visible line of YAML, which may be JSON."""
    runs: list[Run] = []
    name = _YAML_NAME.match(line)
    if name is not None:
        runs = [("text", name[1]), ("syntax.key", name[2]), ("text", name[3])]
        line = line[name.end() :]
    text = _YAML_TEXT.fullmatch(line)
    word = text[2].rstrip(",") if text is not None else ""
    if text is None or word in ("true", "false", "null") or word.lstrip("-")[:1].isdigit():
        runs += json_colours(line)
    else:
        runs += [("text", text[1]), ("syntax.string", text[2])]
    return [run for run in runs if run[1]]


def markup_colours(line: str) -> list[Run]:
    """The runs of one visible line of XML or HTML."""
    runs: list[Run] = []
    for comment, tag, attributes, text in _MARKUP.findall(line):
        if comment:
            runs.append(("syntax.comment", comment))
        elif tag:
            runs.append(("syntax.key", tag))
            for string, other in _ATTRIBUTES.findall(attributes):
                runs.append(("syntax.string", string) if string else ("text", other))
        else:
            runs.append(("text", text))
    return runs


def code_colours(line: str) -> list[Run]:
    """The runs of one visible line of JavaScript or CSS."""
    runs: list[Run] = []
    for comment, string, name, number, word, other in _CODE.findall(line):
        if comment:
            runs.append(("syntax.comment", comment))
        elif string:
            runs.append(("syntax.string", string))
        elif name:
            runs.append(("syntax.key", name))
        elif number:
            runs.append(("syntax.number", number))
        elif word in _RESERVED:
            runs.append(("syntax.word", word))
        else:
            runs.append(("text", word or other))
    return runs


COLOURS: Mapping[str, Colour] = {
    "yaml": yaml_colours,
    "xml": markup_colours,
    "css": code_colours,
    "javascript": code_colours,
    "error": failed,
}
"""By the name that a content view gives."""
