"""The tree of a parsed filter, its canonical text, and its compilation to one function.

Made by `grammar`, used by `Filter`. `parse(str(node))` gives an equal tree again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from midstream.flows.flow import Flow

Test: TypeAlias = Callable[[Flow], bool]
Node: TypeAlias = "Term | Not | And | Or"

_PLAIN_ARGUMENT = re.compile(r"[^()~\"'\s]+")


@dataclass(frozen=True, slots=True)
class Term:
    """One operator with its argument ("" for none). Equal terms have equal names and arguments."""

    name: str
    argument: str | None
    test: Test = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.name if self.argument is None else f"{self.name} {quoted(self.argument)}"


@dataclass(frozen=True, slots=True)
class Not:
    inner: Node

    def __str__(self) -> str:
        return f"!{_inner(self.inner)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " & ".join(map(_inner, self.parts))


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more parts."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " | ".join(map(_inner, self.parts))


def quoted(argument: str) -> str:
    """The argument as it may stand in a filter: as it is, or in quotes with backslashes."""
    if _PLAIN_ARGUMENT.fullmatch(argument):
        return argument
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'


def compile_node(node: Node) -> Test:
    """One function for the whole tree."""
    match node:
        case Term():
            return node.test
        case Not():
            inner = compile_node(node.inner)
            return lambda flow: not inner(flow)
        case And():
            return _all([compile_node(part) for part in node.parts])
        case Or():
            return _any([compile_node(part) for part in node.parts])
        case _:
            assert_never(node)


def terms(node: Node) -> Iterator[Term]:
    """All that stand in it."""
    match node:
        case Term():
            yield node
        case Not():
            yield from terms(node.inner)
        case And() | Or():
            for part in node.parts:
                yield from terms(part)
        case _:
            assert_never(node)


def _inner(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)


def _all(tests: list[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda flow: first(flow) and second(flow)

    def every(flow: Flow) -> bool:
        for test in tests:  # noqa: SIM110 - a generator for all() costs more than the tests
            if not test(flow):
                return False
        return True

    return every


def _any(tests: list[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda flow: first(flow) or second(flow)

    def some(flow: Flow) -> bool:
        for test in tests:  # noqa: SIM110 - as above
            if test(flow):
                return True
        return False

    return some
