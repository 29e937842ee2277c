"""Door for addon authors: the flow filter language."""

from midstream.filters import Filter, FilterError, help, match, match_all, parse

# The name that scripts annotate a filter with.
from midstream.filters import Filter as TFilter

__all__ = ["Filter", "FilterError", "TFilter", "help", "match", "match_all", "parse"]
