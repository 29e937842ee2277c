"""How many colours a terminal shows: the values of the option `console_colours`, and what they mean to urwid."""

from typing import Final, Literal, TypeAlias

Count: TypeAlias = Literal[1, 16, 88, 256, 16777216]

COLOURS: Final[dict[str, Count | None]] = {"auto": None, "none": 1, "16": 16, "256": 256, "true": 16777216}
