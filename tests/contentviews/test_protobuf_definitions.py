"""Definitions of Protocol Buffers: `.proto` files of all versions, imports, descriptor sets, which one is chosen."""

import os
from pathlib import Path

import pytest

from midstream.contentviews.api import Metadata
from midstream.contentviews.protobuf import chosen, definitions
from midstream.contentviews.protobuf.types import Definitions
from midstream.flows.http import HTTPFlow
from midstream.testing import tflow

GOLDEN = Path(__file__).parent / "golden" / "Protobuf"


def of(tmp_path: Path, text: str, **others: str) -> Definitions:
    for name, content in others.items():
        path = tmp_path / f"{name.replace('__', '/')}.proto"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "main.proto").write_text(text)
    return definitions.of(tmp_path / "main.proto")


def kinds(known: Definitions, message: str) -> dict[str, str]:
    return {one.name: one.kind + " packed" * one.is_packed for one in known.messages[message].fields.values()}


def test_a_file_and_what_protoc_makes_of_it_say_the_same() -> None:
    by_text = definitions.of(GOLDEN / "named" / "shop.proto")
    by_protoc = definitions.of(GOLDEN / "descriptor_set" / "shop.pb")
    for name, message in by_text.messages.items():
        assert kinds(by_protoc, name) == kinds(by_text, name), name
        assert list(by_protoc.messages[name].fields) == list(message.fields)
    assert {path: [one.name for one in types if one] for path, types in by_text.methods.items()} == {
        path: [one.name for one in types if one] for path, types in by_protoc.methods.items()
    }
    assert by_text.methods.keys() == {"/shop.Shop/Buy", "/shop.Shop/Watch"}
    assert not by_text.missing


def test_the_language(tmp_path: Path) -> None:
    known = of(
        tmp_path,
        """
        edition = "2023"; // a comment
        package a.b;
        option java_package = "x";
        option (own) = { a: 1 [b] { c: "}" } };
        /* another;
           message Nothing { */
        message Outer {
          option deprecated = true;
          reserved 5, 9 to 11; reserved "gone";
          extensions 100 to max;
          message Inner { Outer again = 1; .a.b.Outer absolute = 2; b.Outer partly = 3; Kind kind = 4; }
          enum Kind { option allow_alias = true; NONE = 0; ALSO = 0; NEGATIVE = -1; HEX = 0x10 [deprecated = true]; }
          optional Inner inner = 1 [(own).x = { y: 1 }, json_name = "it"];
          repeated Kind kinds = 2;
          repeated int32 loose = 3 [features.repeated_field_encoding = EXPANDED];
          oneof one { string message = 4; bytes enum = 6; }
          map<string, Inner> inners = 7;
          Missing missing = 8;
          repeated string texts = 0x0c;
        }
        extend Outer { float extra = 100; }
        service S { option x = 1; rpc M (Outer) returns (stream .a.b.Outer.Inner) { option y = 1; }
          rpc N(Outer) returns (Missing); }
        """,
    )
    assert kinds(known, "a.b.Outer") == {
        "inner": "message", "kinds": "enum packed", "loose": "int32", "message": "string", "enum": "bytes",
        "inners": "message", "missing": "", "texts": "string", "extra": "float",
    }  # fmt: skip
    assert kinds(known, "a.b.Outer.Inner") == {
        "again": "message", "absolute": "message", "partly": "message", "kind": "enum",
    }  # fmt: skip
    assert known.enums["a.b.Outer.Kind"].numbers == {"NONE": 0, "ALSO": 0, "NEGATIVE": -1, "HEX": 16}
    assert known.missing == ["Missing"]
    request, response = known.methods["/a.b.S/M"]
    assert request is not None
    assert response is not None
    assert (request.name, response.name) == ("a.b.Outer", "a.b.Outer.Inner")
    assert known.methods["/a.b.S/N"] == (request, None)


def test_proto2(tmp_path: Path) -> None:
    known = of(
        tmp_path,
        """message M { required int32 a = 1; repeated int32 b = 2; repeated int32 c = 3 [packed=true];
        repeated group Part = 4 { optional string name = 5; } }""",
    )
    assert kinds(known, "M") == {"a": "int32", "b": "int32", "c": "int32 packed", "part": "group"}
    assert kinds(known, "M.Part") == {"name": "string"}


def test_imports_are_looked_for_up_to_the_root(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    known = of(
        tmp_path,
        'syntax = "proto3"; import public "api/tea.proto"; import "google/protobuf/wrappers.proto"; import "no.proto";'
        "message M { api.Tea tea = 1; google.protobuf.StringValue text = 2; }",
        api__tea='syntax = "proto3"; package api; import "api/cup.proto"; message Tea { Cup cup = 1; }',
        api__cup='syntax = "proto3"; package api; import "main.proto"; message Cup { string colour = 1; }',
    )
    assert kinds(known, "api.Tea") == {"cup": "message"}
    assert kinds(known, "google.protobuf.StringValue") == {"value": "string"}
    assert known.missing == ["no.proto"]
    inner = definitions.of(tmp_path / "api" / "tea.proto")
    assert kinds(inner, "api.Tea") == {"cup": "message"}


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    text = 'syntax = "proto3"; import "tea.proto"; message M { Tea tea = 1; }'
    first = of(tmp_path, text, tea='syntax = "proto3"; message Tea { string a = 1; }')
    assert definitions.of(tmp_path / "main.proto") is first
    (tmp_path / "tea.proto").write_text('syntax = "proto3"; message Tea { string changed = 1; }')
    os.utime(tmp_path / "tea.proto", ns=(1, 1))
    assert kinds(definitions.of(tmp_path / "main.proto"), "Tea") == {"changed": "string"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("message M { string a = ; }", r"main.proto:1: there must be a number here, and not ';'"),
        ("message M {\n string a = 1", r"main.proto:2: the file ends too early"),
        ("import tea;", r"a text in quotes here, and not 'tea'"),
        ("massage M {}", r"'massage' begins nothing"),
        ("service S { string a = 1; }", r"begins nothing that may stand in a service"),
        ("message A {" * 60, r"nested deeper than 40 levels"),
        ('option a = "', "main.proto:1"),
        ("message M { int32 a = 99999999999999999999999999999999999999999999999999999; }", ""),
        ("\xff", ""),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, text: str, reason: str) -> None:
    if not reason:  # read, or refused in one line: both will do
        try:
            of(tmp_path, text)
        except ValueError as error:
            assert "\n" not in str(error)
        return
    with pytest.raises(ValueError, match=reason):
        of(tmp_path, text)


def chosen_for(path: Path, target: str = "/", content_type: str = "") -> chosen.Chosen:
    flow = tflow(resp=True)
    assert isinstance(flow, HTTPFlow)
    flow.request.path = target
    flow.request.headers["content-type"] = content_type
    return chosen.for_message(Metadata(flow=flow, http_message=flow.request, protobuf_definitions=path))


def test_which_message_it_is(tmp_path: Path) -> None:
    shop = GOLDEN / "named" / "shop.proto"
    assert chosen_for(shop) == (None, [])
    for target, content_type, name in (
        ("/shop.Shop/Buy", "", "shop.Order"),
        ("/gateway/shop.Shop/Watch?x=1", "", "shop.Order"),
        ("/other", 'application/x-protobuf; messageType="shop.Receipt"', "shop.Receipt"),
        ("/other", "application/x-protobuf; proto=shop.Item", "shop.Item"),
    ):
        message = chosen_for(shop, target, content_type).message
        assert message is not None
        assert message.name == name
    of(tmp_path, 'syntax = "proto3"; import "away.proto"; message Only { away.Thing a = 1; }')
    message, remarks = chosen_for(tmp_path / "main.proto")
    assert message is not None
    assert message.name == "Only"
    assert remarks == ["not found by main.proto: away.Thing, away.proto"]
    (tmp_path / "main.proto").write_text("message")
    message, remarks = chosen_for(tmp_path / "main.proto")
    assert message is None
    assert "main.proto:1: the file ends too early" in remarks[0]
    assert chosen.for_message(Metadata()) == (None, [])
