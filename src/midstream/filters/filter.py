"""The filter that everyone else sees: a callable made from text once and asked for each flow."""

from __future__ import annotations

from midstream.filters.grammar import parse_text
from midstream.filters.nodes import Node, compile_node
from midstream.filters.operators import OPERATORS
from midstream.flows.flow import Flow


class Filter:
    """Says whether a flow matches. `pattern` is the text it was made from, `node` its tree.

    `test` is the compiled function itself, for loops over very many flows.
    """

    __slots__ = ("node", "pattern", "test")

    def __init__(self, pattern: str, node: Node) -> None:
        self.pattern = pattern
        self.node = node
        self.test = compile_node(node)

    def __call__(self, flow: Flow) -> bool:
        return self.test(flow)

    def __repr__(self) -> str:
        return f"<filter {self.pattern}>"


def parse(text: str) -> Filter:
    """Compile a filter. FilterError (a ValueError with `.column`) when the text is none; blank text is none either."""
    return Filter(text, parse_text(text))


def match(filter_: str | Filter | None, flow: Flow) -> bool:
    """Whether the flow matches; None matches everything. FilterError for a text that is no filter."""
    if filter_ is None:
        return True
    return (parse(filter_) if isinstance(filter_, str) else filter_)(flow)


match_all: Filter = parse("~all")

help: list[tuple[str, str]] = [
    *((f"{op.name} {op.argument}".rstrip(), op.help) for op in OPERATORS),
    ("!", "not"),
    ("&", "and"),
    ("|", "or"),
    ("( )", "what belongs together; side by side means and"),
]
