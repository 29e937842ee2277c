"""The flow filter language: `parse("~d example & !~a")` gives a compiled predicate. See `grammar` and `operators`."""

from midstream.filters.errors import FilterError
from midstream.filters.filter import Filter, help, match, match_all, parse
from midstream.filters.operators import OPERATORS, Operator

__all__ = ["OPERATORS", "Filter", "FilterError", "Operator", "help", "match", "match_all", "parse"]
