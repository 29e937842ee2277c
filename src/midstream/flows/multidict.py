"""Ordered mappings in which a key may occur several times: query strings, cookies, forms.

`MultiDict` owns its pairs, `MultiDictView` reads and writes them through to a message. Both hold the pairs as one
immutable tuple in `fields`, replaced at every change. HTTP headers have their own class, `flows.headers.Headers`.
"""

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any, TypeVar

KT = TypeVar("KT")
VT = TypeVar("VT")
RawT = TypeVar("RawT")

Fields = tuple[tuple[KT, VT], ...]


def replaced(fields: Fields[KT, VT], matches: Callable[[KT], bool], key: KT, values: Sequence[VT]) -> Fields[KT, VT]:
    """`fields` with the values of one key replaced in place.

    Old places and spellings are used up in order, places without a new value vanish, further values go to the end.
    """
    left = iter(values)
    result: list[tuple[KT, VT]] = []
    for pair in fields:
        if not matches(pair[0]):
            result.append(pair)
            continue
        for value in left:
            result.append((pair[0], value))
            break
    result.extend((key, value) for value in left)
    return tuple(result)


class MultiMapping(MutableMapping[KT, VT]):
    """The behaviour that `MultiDict` and `MultiDictView` share. Reading a key gives its first value."""

    __slots__ = ()

    fields: Fields[KT, VT]

    @staticmethod
    def _folded(key: Any) -> Any:
        """What two spellings of one key have in common."""
        return key

    def __getitem__(self, key: KT) -> VT:
        wanted = self._folded(key)
        for name, value in self.fields:
            if self._folded(name) == wanted:
                return value
        raise KeyError(key)

    def __setitem__(self, key: KT, value: VT) -> None:
        self.set_all(key, [value])

    def __delitem__(self, key: KT) -> None:
        if key not in self:
            raise KeyError(key)
        self.set_all(key, [])

    def __contains__(self, key: object) -> bool:
        wanted = self._folded(key)
        return any(self._folded(name) == wanted for name, _ in self.fields)

    def __iter__(self) -> Iterator[KT]:
        seen = set()
        for name, _ in self.fields:
            folded = self._folded(name)
            if folded not in seen:
                seen.add(folded)
                yield name

    def __len__(self) -> int:
        return len({self._folded(name) for name, _ in self.fields})

    def __eq__(self, other: object) -> bool:
        if isinstance(other, MultiMapping):
            return bool(self.fields == other.fields)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}[{', '.join(map(repr, self.fields))}]"

    def get_all(self, key: KT) -> list[VT]:
        """All values of a key, an empty list if there are none."""
        wanted = self._folded(key)
        return [value for name, value in self.fields if self._folded(name) == wanted]

    def set_all(self, key: KT, values: Iterable[VT]) -> None:
        """Replace all values of a key; the places and spellings of the old ones are kept as far as they reach."""
        wanted = self._folded(key)
        self.fields = replaced(self.fields, lambda name: self._folded(name) == wanted, key, list(values))

    def add(self, key: KT, value: VT) -> None:
        """Append one more value at the end."""
        self.insert(len(self.fields), key, value)

    def insert(self, index: int, key: KT, value: VT) -> None:
        """Insert one more value at the given place among all pairs."""
        fields = self.fields
        self.fields = (*fields[:index], (key, value), *fields[index:])

    def keys(self, multi: bool = False) -> Any:
        """The keys; with `multi` one for every pair."""
        return [name for name, _ in self.fields] if multi else super().keys()

    def values(self, multi: bool = False) -> Any:
        """The first value of each key; with `multi` every value."""
        return [value for _, value in self.fields] if multi else super().values()

    def items(self, multi: bool = False) -> Any:
        """The keys with their first values; with `multi` every pair."""
        return list(self.fields) if multi else super().items()

    def copy(self) -> "MultiDict[KT, VT]":
        """An independent `MultiDict` of the same pairs."""
        return MultiDict(self.fields)


class MultiDict(MultiMapping[KT, VT]):
    """A multi-mapping of its own."""

    __slots__ = {"fields": "All of them, as a tuple of (name, value) pairs."}

    def __init__(self, fields: Iterable[tuple[KT, VT]] = ()) -> None:
        self.fields = fields if type(fields) is tuple else tuple((key, value) for key, value in fields)

    def copy(self) -> "MultiDict[KT, VT]":
        """An independent mapping of the same kind and pairs."""
        return type(self)(self.fields)


class MultiDictView(MultiMapping[KT, VT]):
    """A multi-mapping that lives in something else: every read asks the getter, every change calls the setter."""

    __slots__ = ("_getter", "_setter")

    def __init__(self, getter: Callable[[], Iterable[tuple[KT, VT]]], setter: Callable[[Fields[KT, VT]], None]) -> None:
        self._getter = getter
        self._setter = setter

    @property
    def fields(self) -> Fields[KT, VT]:
        """The pairs as they are now."""
        return tuple((key, value) for key, value in self._getter())

    @fields.setter
    def fields(self, value: Fields[KT, VT]) -> None:
        self._setter(value)


def pairs_of(value: Any) -> Fields[Any, Any]:
    """The pairs of whatever a script assigns: a multi-mapping, a dict, or any iterable of pairs."""
    if isinstance(value, MultiMapping):
        return value.fields
    return tuple((key, val) for key, val in (value.items() if hasattr(value, "items") else value))


def spliced(old: Iterable[tuple[Any, RawT]], new: Iterable[Any], encode: Callable[[Any], RawT]) -> list[RawT]:
    """The raw form of `new` items, reusing for each item that stood there before the bytes in which it came.

    `old` is (item, raw) pairs; items are hashable. Without this, changing one cookie would rewrite all others (P1).
    """
    have: dict[Any, list[RawT]] = {}
    for item, raw in old:
        have.setdefault(item, []).append(raw)
    for raws in have.values():
        raws.reverse()
    return [have[item].pop() if have.get(item) else encode(item) for item in new]
