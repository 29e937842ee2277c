"""The filter that everyone else sees: a callable made from text once and asked for each flow."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from midstream.filters.grammar import parse_text
from midstream.filters.nodes import Node, compile_node, terms
from midstream.filters.operators import OPERATORS
from midstream.filters.row_tests import RowLike, RowTest, compile_rows
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.text.patterns import Allowance, TooSlow

logger = logging.getLogger(__name__)

TELL_AGAIN = 10.0  # seconds
_OF_BODIES = frozenset({"~b", "~bq", "~bs"})


class Filter:
    """Says whether a flow matches. `pattern` is the text it was made from, `node` its tree.

    A flow on which its regular expressions take too long does not match, whatever the rest says, and is logged.
    """

    __slots__ = ("_allowance", "_of_rows", "_row_test", "_test", "_told_at", "node", "pattern")

    def __init__(self, pattern: str, node: Node, allowance: Allowance | None = None) -> None:
        self.pattern = pattern
        self.node = node
        self._test = compile_node(node)
        self._allowance = allowance if allowance is not None and allowance.is_needed else None
        self._told_at = -TELL_AGAIN
        self._row_test: RowTest | None = None
        self._of_rows = Allowance()

    def on_row(self, row: RowLike) -> bool | None:
        """What it says about the flow of this row, whose row is fresh; None if only the flow itself can tell."""
        if self._row_test is None:
            self._row_test = compile_rows(self.node, self._of_rows)
        allowance = self._of_rows
        if not allowance.is_needed:
            return self._row_test(row)
        allowance.renew()
        try:
            return self._row_test(row)
        except TooSlow:
            return None  # the flow may answer by something else first, and tells the log if not

    def __call__(self, flow: Flow) -> bool:
        allowance = self._allowance
        if allowance is None:
            return self._test(flow)
        allowance.renew()
        try:
            return self._test(flow)
        except TooSlow as slow:
            self._tell(slow, flow)
            return False

    def _tell(self, slow: TooSlow, flow: Flow) -> None:
        # Once in a while: whoever sends one such body sends many.
        now = time.monotonic()
        if now - self._told_at >= TELL_AGAIN:
            self._told_at = now
            logger.warning("filter %s is skipped for %s: %s", self.pattern, described(flow), slow)

    @property
    def takes_time(self) -> bool:
        """Whether it searches by regular expressions: on hostile data each flow may take its whole allowance."""
        return self._allowance is not None

    @property
    def looks_at_bodies(self) -> bool:
        """Whether it cannot be judged before the body is there."""
        return any(term.name in _OF_BODIES for term in terms(self.node))

    def __repr__(self) -> str:
        return f"<filter {self.pattern}>"


def described(flow: Flow) -> str:
    """A flow in a line of the log."""
    return flow.request.pretty_url if isinstance(flow, HTTPFlow) else f"a {flow.type} flow"


def parse(text: str, names: Mapping[str, str] | None = None) -> Filter:
    """Compile a filter. FilterError (a ValueError with `.column`) when the text is none; blank text is none either.

    `names`: filters by name, which the text may use as `@name`.
    """
    allowance = Allowance()
    return Filter(text, parse_text(text, allowance, names), allowance)


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
