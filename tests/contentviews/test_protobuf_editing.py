"""Messages of Protocol Buffers that a person edits: what was not touched keeps its bytes, the rest is encoded anew."""

from pathlib import Path

import pytest

from midstream.contentviews import yaml_nodes
from midstream.contentviews.protobuf import definitions, reading, writing
from midstream.contentviews.protobuf.types import MessageType
from midstream.contentviews.stepped import joined
from midstream.contentviews.yaml_tree import write

SHOP = definitions.of(Path(__file__).parent / "golden" / "Protobuf" / "named" / "shop.proto")
ORDER = SHOP.messages["shop.Order"]
ITEM = SHOP.messages["shop.Item"]


def shown(data: bytes, message: MessageType | None = None) -> str:
    return joined(write(reading.events(data, message), len(data))).decode()


def edited(data: bytes, before: str, after: str, message: MessageType | None = None) -> bytes:
    text = shown(data, message)
    assert before in text, text
    new = yaml_nodes.read(text.replace(before, after))
    return writing.encode(new, message, yaml_nodes.read(text), data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("", "{}  # an empty message\n"),
        ("0a00", "1: ''\n"),
        ("0a020800", "1:\n  1: 0  # !sint: 0\n"),
        ("0a03fffefd", "1: !binary fffefd\n"),
        ("0a03610062", "1: !binary 610062  # packed: [97, 0, 98]\n"),
        ("08010802", "1:\n- 1  # !sint: -1\n- 2  # !sint: 1\n"),
        ("0a03610a62", "1: |-\n  a\n  b\n"),
        ("0a0161", "1: a\n"),
        ("0a023132", "1: '12'\n"),
        ("0a022831", "1: (1  # or a message of field 5\n"),
        ("0a05" + "0a03616263", "1:\n  1: abc\n"),
        ("0a26" + "0a24" + "61" * 36, f"1:\n  1: {'a' * 36}\n"),
        ("0d0000803f", "1: !fixed32 1.0  # u32: 1065353216\n"),
        ("0dcdcccc3d", "1: !fixed32 0.1  # u32: 1036831949\n"),
        ("0d01000000", "1: !fixed32 1\n"),
        ("0dffffffff", "1: !fixed32 -1  # u32: 4294967295\n"),
        ("09" + "ff" * 8, "1: !fixed64 -1  # u64: 18446744073709551615\n"),
        ("09000000000000f0ff", "1: !fixed64 18442240474082181120  # i64: -4503599627370496\n"),
        ("08ffffffffffffffffff01", "1: -1  # u64: 18446744073709551615\n"),
        ("0b08010c", "1: !group\n  1: 1  # !sint: -1\n"),
    ],
)
def test_without_definitions(data: str, text: str) -> None:
    assert shown(bytes.fromhex(data)) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("0801", "1: 1  # !sint: -1\n"),  # not what the definition says
        ("0a0161", "name: a\n"),
        ("0a01ff", "name: !binary ff  # a string that is no UTF-8\n"),
        ("0a01610a0162", "name:\n- a\n- b\n"),
        ("2801", "sizes:\n- 1\n"),
        ("2a0201022803", "sizes:\n- 1\n- 2\n- 3\n"),
        ("4063", "kind: 99\n"),
        ("4001", "kind: BOOK\n"),
        ("6002", "sold: 2\n"),
        ("3a00", "stock:\n  '': 0\n"),
        ("3a050a01611005", "stock:\n  a: 5\n"),
        ("3a030a01613a030a0161", "stock:\n- key: a\n- key: a\n"),  # which a map cannot say
        ("3a021805", "stock:\n- 3: 5  # !sint: -3\n"),
        ("4a02ffff", "9: !binary ffff\n"),
        ("19000000000000f07f", "price: .inf\n"),
        ("f80101", "31: 1  # !sint: -1\n"),
    ],
)
def test_with_definitions(data: str, text: str) -> None:
    assert shown(bytes.fromhex(data), ITEM) == text
    node = yaml_nodes.read(text)
    assert writing.encode(node, ITEM, node, bytes.fromhex(data)) == bytes.fromhex(data)


def test_only_what_was_edited_changes() -> None:
    # A number longer than it need be, a field that comes twice with others between, an unknown field.
    data = bytes.fromhex("0881 00 1201 61 0882 00 9a06 01 ff 1201 62".replace(" ", ""))
    assert edited(data, "- a", "- changed") == data.replace(b"\x12\x01a", b"\x12\x07changed")
    assert edited(data, "- b", "- b\n- c") == data + b"\x12\x01c"
    assert edited(data, "- a\n", "") == data.replace(b"\x12\x01a", b"\x12\x01b")[:-3]
    assert edited(data, "99: !binary ff", "98: 7") == data.replace(b"\x9a\x06\x01\xff", b"") + b"\x90\x06\x07"


def test_maps_lists_and_messages_by_definition() -> None:
    item = bytes.fromhex("2a020102" + "3a050a01611005" + "4a0208 01".replace(" ", "") + "4001")
    assert edited(item, "- 2", "- 300", ITEM) == item.replace(b"\x2a\x02\x01\x02", b"\x2a\x03\x01\xac\x02")
    assert edited(item, "sizes:\n- 1\n- 2\n", "", ITEM) == item[4:]
    assert edited(item, "a: 5", "b: 6", ITEM) == item.replace(b"\x0a\x01a\x10\x05", b"\x0a\x01b\x10\x06")
    assert edited(item, "a: 5", "a: 5\n  c: -1", ITEM).endswith(b"\x40\x01")
    assert edited(item, "kind: BOOK", "kind: FOOD", ITEM) == item[:-1] + b"\x02"
    whole = b"\x0a" + bytes([len(item)]) + item + b"\x12\x03Ada"
    assert edited(whole, "buyer: Ada", "buyer: Bob", ORDER) == whole.replace(b"Ada", b"Bob")
    assert edited(whole, "kind: BOOK", "sold: true", ORDER) == whole[:-7] + b"\x60\x01" + whole[-5:]


def test_a_message_of_ones_own() -> None:
    text = (
        "name: tea\ncount: -1\nprice: 2.5\npicture: !binary 00ff\nsizes: [1, 300]\ntags: [a]\nstock: {a: 1}\n"
        "kind: FOOD\n"
        "maker: {offset: -3, id: 18446744073709551615, rating: 0.1}\nbin: 7\nsold: true\n77: !sint -2\n78: !fixed32 1\n"
    )
    data = writing.encode(yaml_nodes.read(text), ITEM)
    assert shown(data, ITEM).startswith("name: tea\ncount: -1\nprice: 2.5\npicture: !binary 00ff\nsizes:\n- 1\n- 300\n")
    assert writing.encode(yaml_nodes.read(shown(data, ITEM)), ITEM) == data


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nme: 1", "line 1: shop.Item has no field 'nme'"),
        ("count: a", "line 1: there must be a whole number here"),
        ("count: 2147483648", "is not within"),
        ("name: tea\nkind: TEA", "line 2: 'TEA' is no value of kind; there are UNKNOWN, BOOK, FOOD"),
        ("sold: maybe", "true or false"),
        ("price: much", "a number here"),
        ("picture: text", "bytes look like !binary 00ff"),
        ("picture: !binary 0", "no run of hex digits"),
        ("name: {a: 1}", "name is of the kind string and no message"),
        ("maker: 5", "of the kind message"),
        ("77: 1.5", "!fixed32 or !fixed64"),
        ("77: null", "a value here"),
        ("77: !odd 1", "!odd is no tag"),
        ("77: [[1]]", "a list inside of a list"),
        ("0: 1", "no number of a field"),
        ("1: a\nname: b", "field 1 is there twice"),
        ("- 1", "there must be a map here"),
        ("maker: {rating: 1.0e+300}", "too large for 32 bits"),
    ],
)
def test_what_cannot_be_encoded(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        writing.encode(yaml_nodes.read(text), ITEM)


def test_names_need_definitions() -> None:
    with pytest.raises(ValueError, match="without definitions there is no field 'name'"):
        writing.encode(yaml_nodes.read("name: 1"), None)
