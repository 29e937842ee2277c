r"""Cut a command line into tokens, and quote values so that they survive it.

Any input lexes: what is wrong with a line is said later, by the command. There is no escape inside quotes, an open
quote runs to the end, and tokens that touch are still two arguments (`a"b c"` is `a` and `b c`).
Used by the command manager and the prompt. Not the grammar of filters, which has operators.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"""(?P<space>[ \r\n\t]+)|"[^"]*"?|'[^']*'?|[^ \r\n\t"']+""")
_NEEDS_QUOTES = re.compile(r"""[ \r\n\t"']""")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the line as it was typed; all `text` together are the line again."""

    text: str
    start: int
    is_space: bool

    @property
    def value(self) -> str:
        return unquote(self.text)


def lex(line: str) -> list[Token]:
    """All tokens of the line, runs of white space included."""
    return [
        Token(found.group(), found.start(), found.lastgroup == "space")  # one match after the other covers the line
        for found in _TOKEN.finditer(line)
    ]


def split(line: str) -> list[str]:
    """The unquoted words of the line: a command and its arguments."""
    return [token.value for token in lex(line) if not token.is_space]


def unquote(text: str) -> str:
    """Without its outer quotes if it has a pair of equal ones; an open quote stays."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def quote(value: str) -> str:
    r"""`value` as one token. With both kinds of quotes in it, `"` is written `\x22`, which str arguments expand."""
    if value and not _NEEDS_QUOTES.search(value):
        return value
    if '"' not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace('"', r"\x22")
    return f'"{escaped}"'
