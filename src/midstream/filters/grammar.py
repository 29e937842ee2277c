"""The grammar of flow filters: text in, tree out, or a FilterError that names the column.

    filter  = or { or }            side by side means "and" and binds loosest: `a b | c` is a and (b or c)
    or      = and { "|" and }
    and     = not { "&" not }
    not     = { "!" } atom
    atom    = "(" filter ")" | NAME [ argument ] | argument      a lone argument is searched in the URL
    argument = WORD | QUOTED
    NAME    = "~" and what follows up to white space, the end, a quote, "~" or one of ( ) & | !
    WORD    = a run of anything but ( ) ~ quotes and white space; so "a&b" is one word
              (a number ends before & | ! too: `~c 200|~c 204`)
    (where filters have names, `@name` that stands alone means that filter, in brackets)
    QUOTED  = "..." or '...'; a backslash is removed and the character after it is taken as it is (t n r f: controls)

It knows no operator; names are looked up in the table of `operators`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from midstream.filters.errors import BadArgument, FilterError
from midstream.filters.nodes import And, Node, Not, Or, Term
from midstream.filters.operators import BARE_WORD, OPERATORS, Operator
from midstream.text.patterns import Allowance
from midstream.text.suggest import did_you_mean

# Deeper than any filter that a person can read, and far from Python's recursion limit.
DEEPEST = 50

_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[^()~\"' \t\r\n]+")
_NUMBER = re.compile(r"[^()~\"' \t\r\n&|!]+")
_NAMED = re.compile(r"@[A-Za-z][A-Za-z0-9_-]*(?![^()~\"' \t\r\n])")
_NAME = re.compile(r"~[^()~\"' \t\r\n&|!]*")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_BY_NAME = {operator.name: operator for operator in OPERATORS}


def parse_text(text: str, allowance: Allowance | None = None, names: Mapping[str, str] | None = None) -> Node:
    """The tree of a filter text; the searches of its regular expressions draw on `allowance`.

    With `names`, filters by their names, `@name` stands for one of them; the tree has it in full.
    """
    return _Parser(text, allowance or Allowance(), names).parse()


class _Parser:
    def __init__(
        self, text: str, allowance: Allowance, names: Mapping[str, str] | None, inside: tuple[str, ...] = ()
    ) -> None:
        self._text = text
        self._allowance = allowance
        self._names = names
        self._inside = inside  # the named filters that this one is part of
        self._at = 0
        self._depth = 0

    def parse(self) -> Node:
        if not self._text.strip(" \t\r\n"):
            raise FilterError("a filter is needed here", 1)
        node = self._filter()
        if self._peek() == ")":
            raise self._error('")" has no "(" before it')
        return node

    # -- rules --------------------------------------------------------------------------------------------------------

    def _filter(self) -> Node:
        parts = [self._or()]
        while self._peek() not in ("", ")"):
            parts.append(self._or())
        return _join(And, parts)

    def _or(self) -> Node:
        parts = [self._and()]
        while self._infix("|"):
            parts.append(self._and())
        return _join(Or, parts)

    def _and(self) -> Node:
        parts = [self._not()]
        while self._infix("&"):
            parts.append(self._not())
        return _join(And, parts)

    def _not(self) -> Node:
        negated = False
        first = None
        while self._peek() == "!":
            first = self._at if first is None else first
            negated = not negated
            self._at += 1
        if first is not None and self._peek() in ("", ")"):
            raise FilterError('"!" needs something after it', first + 1)
        atom = self._atom()
        return Not(atom) if negated else atom

    def _atom(self) -> Node:
        char = self._peek()
        if char == "(":
            return self._group()
        if char == "~":
            return self._operator()
        if char in ("&", "|"):
            raise self._error(f'"{char}" needs something before it (to search for it, put it in quotes)')
        if char == ")":
            raise self._error('")" has no "(" before it' if not self._depth else "something is missing before this")
        named = _NAMED.match(self._text, self._at) if self._names is not None else None
        return self._term(BARE_WORD, self._at) if named is None else self._named(named[0][1:])

    def _named(self, name: str) -> Node:
        assert self._names is not None
        text = self._names.get(name)
        if text is None:
            near = did_you_mean(name, self._names)
            raise self._error(f"there is no filter named {name}{near} (to search for it, put it in quotes)")
        if name in self._inside:
            raise self._error(f"the filter named {name} is made of itself")
        try:
            node = _Parser(text, self._allowance, self._names, (*self._inside, name)).parse()
        except FilterError as error:
            raise self._error(f"the filter named {name}: {error.reason}") from None
        self._at += 1 + len(name)
        return node

    def _group(self) -> Node:
        start = self._at
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"brackets are nested more than {DEEPEST} deep")
        self._at += 1
        if self._peek() == ")":
            raise FilterError('"()" is empty', start + 1)
        if not self._peek():
            raise FilterError('"(" is not closed', start + 1)
        node = self._filter()
        if self._peek() != ")":
            raise FilterError('"(" is not closed', start + 1)
        self._at += 1
        self._depth -= 1
        return node

    def _operator(self) -> Node:
        start = self._at
        match = _NAME.match(self._text, start)
        name = match[0] if match is not None else "~"
        operator = _BY_NAME.get(name)
        if operator is None:
            raise self._error(f"{name} is no operator{did_you_mean(name, _BY_NAME)}")
        self._at += len(name)
        if not operator.argument:
            return Term(name, None, operator.build("", self._allowance))
        after = self._text[self._at : self._at + 1]
        following = self._peek()
        if operator.argument == "number":
            after = following
        if after in ("&", "|", "!") or following in ("", "(", ")", "~"):
            raise FilterError(f"{name} needs a {operator.argument} after it", start + 1)
        return self._term(operator, start)

    def _term(self, operator: Operator, start: int) -> Term:
        argument, offsets = self._argument(_NUMBER if operator.argument == "number" else _WORD)
        try:
            test = operator.build(argument, self._allowance)
        except BadArgument as bad:
            # Behind its end an argument has no column of its own: point at the last character.
            column = offsets[min(bad.offset, len(offsets) - 1)] if offsets else start
            raise FilterError(bad.reason, column + 1) from None
        return Term(operator.name, argument, test)

    # -- characters ---------------------------------------------------------------------------------------------------

    def _peek(self) -> str:
        """The next character that is no white space, or nothing at the end."""
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match is not None else self._at
        return self._text[self._at : self._at + 1]

    def _infix(self, sign: str) -> bool:
        if self._peek() != sign:
            return False
        column = self._at + 1
        self._at += 1
        if self._peek() in ("", ")"):
            raise FilterError(f'"{sign}" needs something after it', column)
        return True

    def _argument(self, word: re.Pattern[str]) -> tuple[str, range | list[int]]:
        """The argument and, for each of its characters, the index where it stands."""
        if self._peek() in ('"', "'"):
            return self._quoted()
        match = word.match(self._text, self._at)
        assert match is not None  # all other characters were dealt with by the callers
        self._at = match.end()
        return match[0], range(*match.span())

    def _quoted(self) -> tuple[str, list[int]]:
        text, start = self._text, self._at
        quote = text[start]
        chars: list[str] = []
        offsets: list[int] = []
        at = start + 1
        while at < len(text) and text[at] != quote:
            offsets.append(at)
            char = text[at]
            if char == "\\" and at + 1 < len(text):
                at += 1
                char = _CONTROLS.get(text[at], text[at])
            chars.append(char)
            at += 1
        if at >= len(text):
            raise FilterError("the quote is not closed", start + 1)
        self._at = at + 1
        return "".join(chars), offsets

    def _error(self, reason: str) -> FilterError:
        return FilterError(reason, self._at + 1)


def _join(kind: type[And | Or], parts: list[Node]) -> Node:
    if len(parts) == 1:
        return parts[0]
    flat: list[Node] = []
    for part in parts:
        # a & (b & c) is a & b & c: fewer calls for each flow.
        flat.extend(part.parts if isinstance(part, And | Or) and type(part) is kind else (part,))
    return kind(tuple(flat))
