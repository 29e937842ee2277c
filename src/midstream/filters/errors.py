"""What may be wrong with a filter, said so that a prompt can point at the place."""

from __future__ import annotations


class FilterError(ValueError):
    """A text that is no filter. `column` counts from 1 and lies inside the text; `reason` is a plain sentence."""

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(f"column {column}: {reason}")
        self.reason = reason
        self.column = column


class BadArgument(ValueError):
    """An argument that cannot be used. `offset` is the index inside the argument; the parser adds the rest."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
