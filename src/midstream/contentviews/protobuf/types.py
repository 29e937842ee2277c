"""What definitions say: messages with their fields, enums, and which messages the methods of services take and give.

Made by proto_file.py from `.proto` files and by descriptors.py from descriptor sets, read by the other modules here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from midstream.wire import protobuf as wire

VARINTS = frozenset({"int32", "int64", "uint32", "uint64", "sint32", "sint64", "bool", "enum"})
FIXED_32 = frozenset({"fixed32", "sfixed32", "float"})
FIXED_64 = frozenset({"fixed64", "sfixed64", "double"})
SCALARS = VARINTS - {"enum"} | FIXED_32 | FIXED_64 | {"string", "bytes"}


def wire_type(kind: str) -> int:
    """How a value of this kind stands in a message."""
    if kind in VARINTS:
        return wire.VARINT
    if kind in FIXED_32:
        return wire.FIXED32
    if kind in FIXED_64:
        return wire.FIXED64
    return wire.GROUP if kind == "group" else wire.LENGTH


@dataclass(slots=True)
class FieldType:
    """A field of a message. `kind` is a scalar of the language, `message`, `group` or `enum`; for the last three
    `message` or `enum` is the type, None where its definition was not found.
    """

    number: int
    name: str
    kind: str
    is_repeated: bool = False
    is_packed: bool = False
    type_name: str = ""  # as it is written, until it is resolved
    message: MessageType | None = None
    enum: EnumType | None = None


@dataclass(slots=True, repr=False, eq=False)
class MessageType:
    """`name` is the full one, as `shop.Order`."""

    name: str
    fields: dict[int, FieldType] = field(default_factory=dict)
    by_name: dict[str, FieldType] = field(default_factory=dict)
    is_map_entry: bool = False

    def add(self, one: FieldType) -> None:
        self.fields[one.number] = one
        self.by_name[one.name] = one


@dataclass(slots=True, repr=False, eq=False)
class EnumType:
    """`name` is the full one; of two names for one number the first is shown."""

    name: str
    names: dict[int, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, number: int) -> None:
        self.names.setdefault(number, name)
        self.numbers[name] = number


@dataclass(slots=True)
class Definitions:
    """All that was read. `methods` are by path (`/shop.Shop/Buy`): what the request holds and what the response holds.
    `missing` are imports and types that were not found: what they would have named is shown by number.
    """

    messages: dict[str, MessageType] = field(default_factory=dict)
    enums: dict[str, EnumType] = field(default_factory=dict)
    methods: dict[str, tuple[MessageType | None, MessageType | None]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def resolve(self, name: str, scope: str) -> MessageType | EnumType | None:
        """The type that a name means inside of a package or message: the innermost one."""
        if name.startswith("."):
            return self.messages.get(name[1:]) or self.enums.get(name[1:])
        while True:
            full = f"{scope}.{name}" if scope else name
            found = self.messages.get(full) or self.enums.get(full)
            if found is not None or not scope:
                return found
            scope = scope.rpartition(".")[0]

    def link(self, one: FieldType, scope: str) -> None:
        """Find the type of a field."""
        match self.resolve(one.type_name, scope):
            case MessageType() as message:
                one.message = message
                one.kind = "group" if one.kind == "group" else "message"
                one.is_packed = False
            case EnumType() as enum:
                one.enum, one.kind = enum, "enum"
            case None:
                one.kind, one.is_packed = "", False
                self.missing.append(one.type_name)
