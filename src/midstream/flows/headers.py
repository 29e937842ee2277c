"""HTTP header fields: an ordered, case-insensitive multi-mapping that keeps the bytes of the wire.

Made by the protocol code from the fields it read and by scripts from keywords. Which fields are legal on the wire is
decided when a message is assembled (`wire`); only what would break out of its line is refused here already, in the line
of the script that tries it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeAlias

from midstream.flows.multidict import replaced

HeaderFields = tuple[tuple[bytes, bytes], ...]
AnyHeaders: TypeAlias = "Headers | Iterable[tuple[str | bytes, str | bytes]] | Mapping[Any, Any]"
"""What scripts write where headers are wanted."""


def to_bytes(value: str | bytes) -> bytes:
    """Text as it stands in a header: UTF-8, where surrogates stand for bytes that were no UTF-8."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    raise TypeError(f"Expected str or bytes, but got {type(value).__name__}.")


_LINE_BREAK = re.compile(rb"[\r\n\0]")


def field(name: str | bytes, value: str | bytes) -> tuple[bytes, bytes]:
    """A field to be added. Raises ValueError when it would become more than one field, or none, on the wire."""
    pair = to_bytes(name), to_bytes(value)
    for part in pair:
        if _LINE_BREAK.search(part):
            raise ValueError(f"no header may hold a line break or NUL: {to_str(pair[0])!r} with {to_str(pair[1])!r}")
    return pair


def to_str(value: bytes) -> str:
    """The opposite of `to_bytes`."""
    return value.decode("utf-8", "surrogateescape")


class Headers(MutableMapping[str, str]):
    """Header fields in the order, case and number in which they came.

    `fields` is the truth: an immutable tuple of (name, value) pairs of bytes, replaced at every change, so that
    `headers.fields is before` tells whether anyone touched them. Reading by name ignores case and joins several
    values with ", ". Keywords make a header of each, with dashes for underscores.
    """

    __slots__ = {"fields": "All of them, as a tuple of (name, value) pairs of bytes."}

    fields: HeaderFields

    def __init__(self, fields: Iterable[tuple[bytes, bytes]] = (), **headers: str | bytes) -> None:
        if type(fields) is not tuple:
            fields = tuple((name, value) for name, value in fields)
            if not all(type(part) is bytes for pair in fields for part in pair):
                raise TypeError("Header fields must be bytes.")
        self.fields = fields
        # The proxy gives tuples: one pair is enough to tell text from bytes, all of them would cost on every message.
        if fields and not (type(fields[0][0]) is bytes and type(fields[0][1]) is bytes):
            raise TypeError("Header fields must be bytes.")
        if headers:
            self.update({name.replace("_", "-"): value for name, value in headers.items()})  # type: ignore[misc]

    @classmethod
    def of(cls, headers: AnyHeaders) -> "Headers":
        """Headers out of whatever a script has: headers, a mapping, or pairs, of text or bytes. Raises TypeError."""
        if isinstance(headers, Headers):
            return headers
        pairs: Any = headers.items() if isinstance(headers, Mapping) else headers
        try:
            return cls(tuple([field(name, value) for name, value in pairs]))
        except (TypeError, ValueError) as error:
            raise TypeError(f"headers are Headers, a dict or pairs of names and values: {error}") from None

    def __getitem__(self, name: str | bytes) -> str:
        values = self.get_all(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __setitem__(self, name: str | bytes, value: str | bytes) -> None:
        self.set_all(name, [value])

    def __delitem__(self, name: str | bytes) -> None:
        wanted = to_bytes(name).lower()
        fields = tuple([pair for pair in self.fields if pair[0].lower() != wanted])
        if len(fields) == len(self.fields):
            raise KeyError(name)
        self.fields = fields

    def __contains__(self, name: object) -> bool:
        wanted = to_bytes(name).lower()  # type: ignore[arg-type]
        return any(have.lower() == wanted for have, _ in self.fields)

    def __iter__(self) -> Iterator[str]:
        seen = set()
        for name, _ in self.fields:
            folded = name.lower()
            if folded not in seen:
                seen.add(folded)
                yield to_str(name)

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self.fields})

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Headers):
            return self.fields == other.fields
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __bytes__(self) -> bytes:
        """The header block as HTTP/1 writes it, each line with its CRLF, without the empty line at the end."""
        return b"".join([b"%b: %b\r\n" % pair for pair in self.fields])

    def __repr__(self) -> str:
        return f"Headers[{', '.join(map(repr, self.fields))}]"

    def get(self, name: str | bytes, default: Any = None) -> Any:
        """The value, several joined with ", ", or the default."""
        values = self.get_all(name)
        return ", ".join(values) if values else default

    def get_all(self, name: str | bytes) -> list[str]:
        """The value of every field of that name, an empty list if there is none."""
        wanted = to_bytes(name).lower()
        return [to_str(value) for have, value in self.fields if have.lower() == wanted]

    def set_all(self, name: str | bytes, values: Iterable[str | bytes]) -> None:
        """Replace all fields of that name; the places and spellings of the old ones are kept as far as they reach."""
        raw = to_bytes(name)
        wanted = raw.lower()
        new = [field(raw, value)[1] for value in values]
        self.fields = replaced(self.fields, lambda have: have.lower() == wanted, raw, new)

    def add(self, name: str | bytes, value: str | bytes) -> None:
        """Append one more field at the end."""
        self.fields = (*self.fields, field(name, value))

    def insert(self, index: int, name: str | bytes, value: str | bytes) -> None:
        """Insert one more field at the given place among all fields."""
        fields = self.fields
        self.fields = (*fields[:index], field(name, value), *fields[index:])

    def keys(self, multi: bool = False) -> Any:
        """The names as first spelled; with `multi` one for every field."""
        return [to_str(name) for name, _ in self.fields] if multi else super().keys()

    def values(self, multi: bool = False) -> Any:
        """The joined values; with `multi` one for every field."""
        return [to_str(value) for _, value in self.fields] if multi else super().values()

    def items(self, multi: bool = False) -> Any:
        """Names with joined values; with `multi` every field."""
        return [(to_str(name), to_str(value)) for name, value in self.fields] if multi else super().items()

    def copy(self) -> "Headers":
        """Other headers of the same fields."""
        return Headers(self.fields)

    def get_state(self) -> HeaderFields:
        """The fields, as they stand in a saved flow."""
        return self.fields
