"""The files that nearly every `.proto` imports and nobody has beside it: their fields, without words.

Source: protobuf.dev/reference/protobuf/google.protobuf.
"""

from __future__ import annotations

_WRAPPED = ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
_BODIES = {
    "any": "message Any { string type_url = 1; bytes value = 2; }",
    "duration": "message Duration { int64 seconds = 1; int32 nanos = 2; }",
    "empty": "message Empty {}",
    "field_mask": "message FieldMask { repeated string paths = 1; }",
    "struct": (
        "message Struct { map<string, Value> fields = 1; } enum NullValue { NULL_VALUE = 0; }"
        "message Value { oneof kind { NullValue null_value = 1; double number_value = 2; string string_value = 3;"
        " bool bool_value = 4; Struct struct_value = 5; ListValue list_value = 6; } }"
        "message ListValue { repeated Value values = 1; }"
    ),
    "timestamp": "message Timestamp { int64 seconds = 1; int32 nanos = 2; }",
    "wrappers": "".join(f"message {name}Value {{ {name.lower()} value = 1; }}" for name in _WRAPPED),
    # Only what options are made of, which have no part in messages.
    "descriptor": "",
}
FILES = {
    f"google/protobuf/{name}.proto": f'syntax = "proto3"; package google.protobuf; {body}'
    for name, body in _BODIES.items()
}
"""The text of each file by the name by which it is imported."""
