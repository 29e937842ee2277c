"""Domain names in DNS messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire import dns_names

LABELS = st.lists(st.binary(min_size=1, max_size=63), max_size=6).filter(lambda ls: sum(len(x) + 1 for x in ls) < 255)


def wire_of(labels: list[bytes]) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


@given(LABELS)
def test_every_name_survives_as_text(labels: list[bytes]) -> None:
    wire = wire_of(labels)
    text = dns_names.to_text(wire)
    assert dns_names.to_wire(text) == wire
    assert "\r" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("", b"\0"),
        (".", b"\0"),
        ("a.b", b"\1a\1b\0"),
        ("a.b.", b"\1a\1b\0"),
        ("_dmarc.x", b"\6_dmarc\1x\0"),
        ("é.de", b"\x07xn--9ca\2de\0"),
        ("a b", b"\3a b\0"),
        (r"a\.b.c", b"\3a.b\1c\0"),
        (r"\000\255", b"\2\x00\xff\0"),
        (r"\\", b"\1\\\0"),
    ],
)
def test_to_wire(text: str, wire: bytes) -> None:
    assert dns_names.to_wire(text) == wire


@pytest.mark.parametrize(
    "text", ["..", "a..b", ".a", "x" * 64, "a." * 128, r"\256", "é\\000", "é" * 64, "a\\", "\ud800"]
)
def test_to_wire_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="domain name"):
        dns_names.to_wire(text)


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b"\x07xn--9ca\2de\0", "é.de"),
        (b"\x07XN--9CA\0", "XN--9CA"),
        (b"\x05xn--a\0", "xn--a"),
        (b"\3a.b\0", r"a\046b"),
        (b"\1\x1b\0", r"\027"),
    ],
)
def test_to_text(wire: bytes, text: str) -> None:
    assert dns_names.to_text(wire) == text
    assert dns_names.to_wire(text) == wire


def test_reading_pointers() -> None:
    data = b"\1a\1b\0\1c\xc0\x02\xc0\x05"
    cache: dict[int, bytes] = {}
    for _ in range(2):  # with an empty and a filled cache
        assert dns_names.read(data, 0, cache) == (b"\1a\1b\0", 5)
        assert dns_names.read(data, 5, cache) == (b"\1c\1b\0", 9)
        assert dns_names.read(data, 9, cache) == (b"\1c\1b\0", 11)


@pytest.mark.parametrize(
    "data", [b"", b"\1", b"\5abc", b"\xc0", b"\xc0\0", b"\xc0\1", b"\1a\xc0\0", b"\x40a", b"\x80", b"\1a" * 128 + b"\0"]
)
def test_broken_names(data: bytes) -> None:
    with pytest.raises(ValueError, match="domain name"):
        dns_names.read(data, 0, {})


def test_a_loop_behind_a_pointer() -> None:
    with pytest.raises(ValueError, match="points forward"):
        dns_names.read(b"\1a\xc0\0", 2, {})
    with pytest.raises(ValueError, match="points forward"):
        dns_names.read(b"\xc0\x02\xc0\0", 2, {})


def test_a_name_that_grows_too_long_through_pointers() -> None:
    data = (b"\x3f" + b"a" * 63) * 3 + b"\0"
    pointer = len(data)
    with pytest.raises(ValueError, match="longer than 255"):
        dns_names.read(data + b"\x3f" + b"b" * 63 + b"\xc0\0", pointer, {})
    cache: dict[int, bytes] = {}
    dns_names.read(data, 0, cache)
    with pytest.raises(ValueError, match="longer than 255"):
        dns_names.read(data + b"\x3f" + b"b" * 63 + b"\xc0\0", pointer, cache)


@given(st.binary(), st.integers(0, 20))
def test_reading_anything_ends(data: bytes, offset: int) -> None:
    try:
        wire, end = dns_names.read(data, offset, {})
    except ValueError:
        return
    assert len(wire) <= 255
    assert offset < end <= len(data)


@given(st.lists(LABELS, max_size=5))
def test_compressing_and_reading(names: list[list[bytes]]) -> None:
    known: dict[bytes, int] = {}
    data = b""
    offsets = []
    for labels in names:
        offsets.append(len(data))
        data += dns_names.compress(wire_of(labels), known, len(data))
    cache: dict[int, bytes] = {}
    assert [dns_names.read(data, offset, cache)[0] for offset in offsets] == [wire_of(labels) for labels in names]


def test_pointers_reach_no_further_than_they_can() -> None:
    known: dict[bytes, int] = {}
    assert dns_names.compress(b"\1a\0", known, 1 << 14) == b"\1a\0"
    assert known == {}
