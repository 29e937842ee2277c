"""Door for addon authors: the flow filter language."""

from midstream.filters import Filter, FilterError, help, match, match_all, parse

__all__ = ["Filter", "FilterError", "help", "match", "match_all", "parse"]
