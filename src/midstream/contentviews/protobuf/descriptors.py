"""Descriptor sets, which `protoc --descriptor_set_out` writes: definitions that are a protobuf message themselves.

The numbers of its fields are those of google/protobuf/descriptor.proto.
"""

from __future__ import annotations

from midstream.contentviews.protobuf.types import Definitions, EnumType, FieldType, MessageType
from midstream.wire import protobuf as wire

_KINDS = {
    1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 6: "fixed64", 7: "fixed32", 8: "bool", 9: "string",
    10: "group", 11: "message", 12: "bytes", 13: "uint32", 14: "enum", 15: "sfixed32", 16: "sfixed64", 17: "sint32",
    18: "sint64",
}  # fmt: skip
_REPEATED = 3
_PACKABLE = frozenset(_KINDS.values()) - {"string", "bytes", "message", "group"}
_DEEPEST = 60  # with the parts of the package

Values = dict[int, list[int | bytes]]


def read(data: bytes) -> Definitions:
    """The definitions of a FileDescriptorSet. ValueError when the data are none."""
    definitions = Definitions()
    links: list[tuple[FieldType, str]] = []
    methods: list[tuple[str, str, str]] = []
    files = _messages(_values(data), 1)
    for file in files:
        package = _text(file, 2)
        has_packed = _text(file, 12) in ("proto3", "editions")
        for each in _messages(file, 4):
            _message(definitions, links, each, package, has_packed)
        for each in _messages(file, 5):
            _enum(definitions, each, package)
        for each in _messages(file, 6):
            service = _joined(package, _text(each, 1))
            for method in _messages(each, 2):
                methods.append((f"/{service}/{_text(method, 1)}", _text(method, 2), _text(method, 3)))
        for each in _messages(file, 7):
            extension = _field(each, has_packed)
            links.append((extension, package))
            extended = definitions.messages.get(_text(each, 2).lstrip("."))
            if extended is not None:
                extended.add(extension)
    if not definitions.messages:
        raise ValueError("there are no messages in it: this is no descriptor set")
    for one, scope in links:
        if one.type_name:
            definitions.link(one, scope)
    for path, given, returned in methods:
        definitions.methods[path] = (
            definitions.messages.get(given.lstrip(".")), definitions.messages.get(returned.lstrip("."))
        )  # fmt: skip
    return definitions


def _message(
    definitions: Definitions, links: list[tuple[FieldType, str]], values: Values, scope: str, has_packed: bool
) -> None:
    name = _joined(scope, _text(values, 1))
    if name.count(".") > _DEEPEST:
        raise ValueError(f"messages are nested deeper than {_DEEPEST} levels")
    options = next(iter(_messages(values, 7)), {})
    message = MessageType(name, is_map_entry=bool(_number(options, 7)))
    definitions.messages[name] = message
    for each in _messages(values, 2):
        one = _field(each, has_packed)
        message.add(one)
        links.append((one, name))
    for each in _messages(values, 3):
        _message(definitions, links, each, name, has_packed)
    for each in _messages(values, 4):
        _enum(definitions, each, name)


def _field(values: Values, has_packed: bool) -> FieldType:
    kind = _KINDS.get(_number(values, 5), "")
    is_repeated = _number(values, 4) == _REPEATED
    options = next(iter(_messages(values, 8)), {})
    is_packed = bool(_number(options, 2)) if 2 in options else has_packed
    return FieldType(
        _number(values, 3),
        _text(values, 1),
        kind,
        is_repeated,
        is_repeated and is_packed and kind in _PACKABLE,
        _text(values, 6),
    )


def _enum(definitions: Definitions, values: Values, scope: str) -> None:
    name = _joined(scope, _text(values, 1))
    enum = definitions.enums[name] = EnumType(name)
    for each in _messages(values, 2):
        enum.add(_text(each, 1), wire.signed(_number(each, 2)))


# --- values by field number -------------------------------------------------------------------------------------------


def _values(data: bytes) -> Values:
    found: Values = {}
    for one in wire.fields(data):
        is_content = one.wire_type in (wire.LENGTH, wire.GROUP)
        found.setdefault(one.number, []).append(data[one.value : one.content_end] if is_content else one.value)
    return found


def _messages(values: Values, number: int) -> list[Values]:
    return [_values(each) for each in values.get(number, ()) if isinstance(each, bytes)]


def _text(values: Values, number: int) -> str:
    last = values.get(number, [b""])[-1]
    return last.decode("utf-8", "replace") if isinstance(last, bytes) else ""


def _number(values: Values, number: int) -> int:
    last = values.get(number, [0])[-1]
    return last if isinstance(last, int) else 0


def _joined(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name
