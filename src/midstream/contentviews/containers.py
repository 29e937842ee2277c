"""Values inside of values, as MsgPack and CBOR have them, as events for YAML; without recursion, so that depth costs
nothing.

The two formats say how one value begins; everything else is here. yaml_tree.py writes the events.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple

from midstream.contentviews.yaml_tree import CUT_OFF, DEEPEST, END, SEPARATOR, Begin, Event, Note, write

UNTIL_BREAK = -2
"""The number of values of a container that a break ends; even, since from it keys and values are told apart."""


class CutShort(ValueError):
    """The data end inside of a value."""


class Item(NamedTuple):
    """What begins at a place: a scalar, or a container of so many values, keys among them. `end` is behind it, or
    behind the head of a container. `event` is None for a break.
    """

    event: Event
    end: int
    values: int | None = None


Reader = Callable[[bytes, int], Item]


def taken(data: bytes, pos: int, length: int) -> bytes:
    """So many bytes from a place on. CutShort when there are fewer."""
    if length > len(data) - pos:
        raise CutShort(f"byte {pos} begins {length:,} bytes of a value, of which {len(data) - pos:,} are there")
    return data[pos : pos + length]


def documents(data: bytes, read: Reader) -> Iterator[bytes | None]:
    """The text of all values, one after the other, in parts. Data that end too early are shown as far as they go."""
    walker = _Walker(data, read)
    while walker.pos < len(data):
        before = walker.pos
        if before:
            yield SEPARATOR
        yield from write(walker.value(), len(data))
        if walker.pos == before:  # the text was cut off
            return


class _Walker:
    def __init__(self, data: bytes, read: Reader) -> None:
        self.pos = 0
        self._data = data
        self._read = read

    def value(self) -> Iterator[Event]:
        try:
            self.pos = yield from walk(self._data, self.pos, self._read)
        except CutShort as error:
            yield Note(f"{CUT_OFF.removeprefix('# ')}{error}")
            self.pos = len(self._data)


def walk(data: bytes, pos: int, read: Reader) -> Generator[Event, None, int]:
    """The events of the value that begins at `pos`; returns the position behind it. ValueError where it is broken."""
    # For each container that has begun, the number of values still to come, counted on below zero where nobody said it.
    left: list[int] = []
    is_map: list[bool] = []
    while True:
        item = read(data, pos)
        if item.event is None:
            if not left or left[-1] >= 0 or (is_map[-1] and left[-1] % 2):
                raise ValueError(f"byte {pos} ends something that has not begun")
            left[-1] = 0
        else:
            if left:
                left[-1] -= 1
            yield item.event
            if item.values is not None:
                if len(left) >= DEEPEST:
                    raise ValueError(f"it is nested deeper than {DEEPEST} levels")
                assert isinstance(item.event, Begin)
                left.append(item.values)
                is_map.append(item.event.kind == "map")
        pos = item.end
        while left and left[-1] == 0:
            yield END
            left.pop()
            is_map.pop()
        if not left:
            return pos
