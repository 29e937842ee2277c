"""Messages as events for YAML: by the names that definitions give, and by number, with a guess at the kind, without.

What a field is, the wire format tells in part only: a number may be signed in two ways, bytes may be a text, a message
or numbers. The likeliest is shown, another as a comment. writing.py reads all of it back.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Generator, Iterator

from midstream.contentviews.protobuf.types import FieldType, MessageType, wire_type
from midstream.contentviews.yaml_tree import (
    DEEPEST,
    END,
    LIST,
    MAP,
    Begin,
    Event,
    Value,
    binary,
    number,
    text,
    text_value,
)  # fmt: skip
from midstream.wire import protobuf as wire

MOST_FIELDS = 200_000  # of one message
_STEP = 500
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SHORT = 64
_WORDS = re.compile(r"[\w .,;:/?&=@%+-]*")  # which nobody takes for anything but a text
_MOST_PACKED = 20

Groups = dict[int, list[wire.Field]]


def events(data: bytes, message: MessageType | None) -> Iterator[Event]:
    """What a message holds. ValueError where it is none."""
    reader = _Reader(data)
    groups = yield from reader.collected(0, len(data))
    if not groups:
        yield Begin("map", comment="an empty message")
        yield END
        return
    yield from reader.message(groups, message, MAP, 0)


class _Reader:
    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    def collected(self, start: int, end: int) -> Generator[None, None, Groups]:
        """The fields of a message by number, in the order in which the numbers come first. For `yield from`."""
        groups: Groups = {}
        for count, one in enumerate(wire.fields(self._data, start, end), 1):
            groups.setdefault(one.number, []).append(one)
            if count % _STEP == 0:
                yield None
                if count > MOST_FIELDS:
                    raise ValueError(f"a message has more than {MOST_FIELDS:,} fields")
        return groups

    def message(self, groups: Groups, message: MessageType | None, begin: Begin, depth: int) -> Iterator[Event]:
        yield begin
        for field_number, group in groups.items():
            known = message.fields.get(field_number) if message is not None else None
            if known is not None and (yield from self._fits(known, group)):
                yield text(known.name)
                yield from self._known(known, group, depth)
            else:
                yield str(field_number)
                yield from self._unknown(group, depth)
        yield END

    # --- without definitions ---

    def _unknown(self, group: list[wire.Field], depth: int) -> Iterator[Event]:
        if len(group) == 1:
            yield from self._guess(group[0], depth)
            return
        yield LIST
        for one in group:
            yield from self._guess(one, depth)
        yield END

    def _guess(self, one: wire.Field, depth: int) -> Iterator[Event]:
        if one.wire_type == wire.VARINT:
            yield _guessed_varint(one.value)
        elif one.wire_type == wire.FIXED32:
            yield _guessed_fixed(one.value, 32)
        elif one.wire_type == wire.FIXED64:
            yield _guessed_fixed(one.value, 64)
        elif one.wire_type == wire.GROUP:
            if depth >= DEEPEST:
                yield self._too_deep(one)
                return
            groups = yield from self.collected(one.value, one.content_end)
            yield from self.message(groups, None, Begin("map", "!group"), depth + 1)
        else:
            yield from self._guessed_content(one, depth)

    def _guessed_content(self, one: wire.Field, depth: int) -> Iterator[Event]:
        content = self._data[one.value : one.content_end]
        plain = _plain_text(content)
        # A message whose first field has a length begins with a line feed; nobody begins a text with one.
        begins_as_text = plain is not None and content[:1] not in (b"\n", b"\t", b"\r")
        is_odd = plain is None or (len(content) <= _SHORT and not _WORDS.fullmatch(plain))
        groups: Groups | None = None
        if content and (not begins_as_text or is_odd) and depth < DEEPEST:
            try:
                groups = yield from self.collected(one.value, one.content_end)
            except ValueError:
                pass
        if plain is not None and (begins_as_text or groups is None):
            shown = text_value(plain)
            if groups is not None and isinstance(shown, str):
                numbers = ", ".join(map(str, groups))
                yield Value(shown, f"or a message of field{'s' if len(groups) > 1 else ''} {numbers}")
            else:
                yield shown
        elif groups is not None:
            yield from self.message(groups, None, MAP, depth + 1)
        else:
            other = _other_meaning(content)
            yield Value(binary(content), other) if other else binary(content)

    def _too_deep(self, one: wire.Field) -> Value:
        return Value(binary(self._data[one.value : one.content_end]), f"nested deeper than {DEEPEST} levels")

    # --- with definitions ---

    def _fits(self, known: FieldType, group: list[wire.Field]) -> Generator[None, None, bool]:
        """Whether all fields of a number are what the definitions say."""
        expected = wire_type(known.kind)
        for one in group:
            if not known.kind:
                continue
            if one.wire_type != expected:
                if not (known.is_repeated and one.wire_type == wire.LENGTH and expected != wire.GROUP):
                    return False
                try:
                    wire.packed(self._data[one.value : one.content_end], expected)
                except ValueError:
                    return False
            elif known.kind in ("message", "group"):
                try:
                    yield from self.collected(one.value, one.content_end)
                except ValueError:
                    return False
        return True

    def _known(self, known: FieldType, group: list[wire.Field], depth: int) -> Iterator[Event]:
        if known.message is not None and known.message.is_map_entry:
            entries = yield from self._map_entries(known.message, group)
            if entries is not None:
                yield from self._map(known.message, entries, depth)
                return
        if not known.is_repeated and len(group) == 1:
            yield from self._known_value(known, group[0], depth)
            return
        yield LIST
        for one in group:
            if known.kind and one.wire_type != wire_type(known.kind):
                expected = wire_type(known.kind)
                for count, value in enumerate(wire.packed(self._data[one.value : one.content_end], expected), 1):
                    yield _scalar(known, value)
                    if count % _STEP == 0:
                        yield None
            else:
                yield from self._known_value(known, one, depth)
        yield END

    def _known_value(self, known: FieldType, one: wire.Field, depth: int) -> Iterator[Event]:
        if known.kind in ("message", "group"):
            if depth >= DEEPEST:
                yield self._too_deep(one)
                return
            groups = yield from self.collected(one.value, one.content_end)
            yield from self.message(groups, known.message, MAP, depth + 1)
        elif known.kind in ("string", "bytes"):
            yield _content(known, self._data[one.value : one.content_end])
        elif not known.kind:
            yield from self._guess(one, depth)
        else:
            yield _scalar(known, one.value)

    def _map_entries(
        self, entry: MessageType, group: list[wire.Field]
    ) -> Generator[None, None, dict[str, wire.Field | None] | None]:
        """The key as text and the field with the value of each entry; None unless all are plain and keys different."""
        entries: dict[str, wire.Field | None] = {}
        for one in group:
            groups = yield from self.collected(one.value, one.content_end)
            if any(key not in (1, 2) or len(values) > 1 for key, values in groups.items()):
                return None
            for field_number, values in groups.items():
                if not (yield from self._fits(entry.fields[field_number], values)):
                    return None
            key_type = entry.fields[1]
            if 1 not in groups:
                key = _default(key_type)
            elif key_type.kind == "string":
                plain = _plain_text(self._data[groups[1][0].value : groups[1][0].content_end])
                if plain is None:
                    return None
                key = text(plain)
            else:
                key = _scalar(key_type, groups[1][0].value)
            if key in entries or key.startswith("!"):
                return None
            entries[key] = groups[2][0] if 2 in groups else None
        return entries

    def _map(self, entry: MessageType, entries: dict[str, wire.Field | None], depth: int) -> Iterator[Event]:
        yield MAP
        for key, value in entries.items():
            yield key
            if value is not None:
                yield from self._known_value(entry.fields[2], value, depth + 1)
            elif entry.fields[2].kind in ("message", "group"):
                yield MAP
                yield END
            else:
                yield _default(entry.fields[2])
        yield END


# --- values -----------------------------------------------------------------------------------------------------------


def _guessed_varint(value: int) -> Event:
    signed = wire.signed(value)
    return Value(str(signed), f"u64: {value}" if signed < 0 else f"!sint: {wire.zigzag(value)}")


def _guessed_fixed(value: int, bits: int) -> Event:
    real: float = struct.unpack("<f" if bits == 32 else "<d", value.to_bytes(bits // 8, "little"))[0]
    if 1e-5 <= abs(real) < 1e12:
        return Value(f"!fixed{bits} {_real(real, bits)}", f"u{bits}: {value}")
    signed = wire.signed(value, bits)
    if -(1 << 20) <= signed < 0:
        return Value(f"!fixed{bits} {signed}", f"u{bits}: {value}")
    return Value(f"!fixed{bits} {value}", f"i{bits}: {signed}") if signed < 0 else f"!fixed{bits} {value}"


def _real(value: float, bits: int) -> str:
    """The shortest text that means just this number."""
    if bits == 32 and value == value and abs(value) != float("inf"):
        packed = struct.pack("<f", value)
        for digits in range(6, 10):
            short = float(f"{value:.{digits}g}")
            try:
                if struct.pack("<f", short) == packed:
                    return number(short)
            except OverflowError:
                continue
    return number(value)


def _scalar(known: FieldType, value: int) -> str:
    """A number of the wire as its kind means it."""
    match known.kind:
        case "int32" | "int64":
            return str(wire.signed(value))
        case "sint32" | "sint64":
            return str(wire.zigzag(value))
        case "bool":
            return ("false", "true")[value] if value < 2 else str(value)
        case "enum":
            signed = wire.signed(value)
            name = known.enum.names.get(signed) if known.enum is not None else None
            return str(signed) if name is None else text(name)
        case "sfixed32":
            return str(wire.signed(value, 32))
        case "sfixed64":
            return str(wire.signed(value))
        case "float":
            return _real(struct.unpack("<f", value.to_bytes(4, "little"))[0], 32)
        case "double":
            return _real(struct.unpack("<d", value.to_bytes(8, "little"))[0], 64)
    return str(value)


def _content(known: FieldType, content: bytes) -> Event:
    if known.kind == "string":
        try:
            return text_value(content.decode())
        except UnicodeDecodeError:
            return Value(binary(content), "a string that is no UTF-8")
    return binary(content)


def _default(known: FieldType) -> str:
    """What a value is that was left out."""
    if known.kind == "string":
        return "''"
    if known.kind == "bytes":
        return binary(b"")
    return _scalar(known, 0) if known.kind else "''"


def _plain_text(content: bytes) -> str | None:
    try:
        plain = content.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(plain) else plain


def _other_meaning(content: bytes) -> str:
    """What bytes that are neither text nor message may be beside bytes."""
    if len(content) <= 2 * _SHORT:
        try:
            values = wire.packed(content, wire.VARINT)
        except ValueError:
            return ""
        if max(values) < 1 << 35 and b"".join(map(wire.put_varint, values)) == content:
            more = ", …" if len(values) > _MOST_PACKED else ""
            return f"packed: [{', '.join(map(str, values[:_MOST_PACKED]))}{more}]"
    return ""
