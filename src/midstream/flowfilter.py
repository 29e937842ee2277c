"""The language that selects flows: `from midstream import flowfilter`.

    matches = flowfilter.parse("~m POST & ~d api.example")  # FilterError, a ValueError, for a text that is none
    if matches(flow): ...

`help` is a list of all operators and what they mean.
"""

from midstream.filters import Filter, FilterError, help, match, match_all, parse

# The name that scripts annotate a filter with.
from midstream.filters import Filter as TFilter

__all__ = ["Filter", "FilterError", "TFilter", "help", "match", "match_all", "parse"]
