"""The wire format of Protocol Buffers: fields are found where they are, and written as they are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire import protobuf as wire

numbers = st.integers(0, 2**64 - 1)
field_numbers = st.integers(1, 2**29 - 1)


@given(numbers)
def test_numbers(value: int) -> None:
    data = wire.put_varint(value)
    assert wire.varint(data, 0, len(data)) == (value, len(data))
    assert wire.from_zigzag(wire.zigzag(value)) == value
    assert wire.signed(value) & (1 << 64) - 1 == value


@given(st.lists(st.tuples(field_numbers, st.one_of(st.tuples(st.just(wire.VARINT), numbers), st.tuples(
    st.just(wire.FIXED32), st.integers(0, 2**32 - 1)), st.tuples(st.just(wire.FIXED64), numbers),
    st.tuples(st.just(wire.LENGTH), st.binary()), st.tuples(st.just(wire.GROUP), st.just(b"\x08\x01"))))))  # fmt: skip
def test_fields(values: list[tuple[int, tuple[int, int | bytes]]]) -> None:
    data = b"".join(wire.put(number, kind, value) for number, (kind, value) in values)
    found = list(wire.fields(data))
    assert b"".join(data[one.start : one.end] for one in found) == data
    for one, (number, (kind, value)) in zip(found, values, strict=True):
        assert (one.number, one.wire_type) == (number, kind)
        assert (value if isinstance(value, int) else one.value) == one.value
        assert isinstance(value, int) or data[one.value : one.content_end] == value


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    end = 0
    try:
        for one in wire.fields(data):
            assert one.start == end < one.end <= len(data)
            end = one.end
    except ValueError as error:
        assert str(error)
    else:
        assert end == len(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("00", "the number 0"),
        ("0801ff", "the number at byte 2 has no end"),
        ("08" + "ff" * 11, "no end"),
        ("0a05aa", "field 1 at byte 0 has 5 bytes, of which 1 are there"),
        ("0d0000", "ends inside of field 1"),
        ("0b", "group 1 has no end"),
        ("0b14", "byte 1 ends a group that has not begun"),
        ("0c", "of the type 4"),
        ("0e", "of the type 6"),
        ("0b" * 60, "deeper than 40"),
    ],
)
def test_what_is_no_message(data: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(wire.fields(bytes.fromhex(data)))


def test_packed_numbers() -> None:
    assert wire.packed(b"\x01\xac\x02", wire.VARINT) == [1, 300]
    assert wire.packed(b"\1\0\0\0\2\0\0\0", wire.FIXED32) == [1, 2]
    assert wire.packed(b"\1\0\0\0\0\0\0\0", wire.FIXED64) == [1]
    with pytest.raises(ValueError, match="no whole number"):
        wire.packed(b"\1\0\0", wire.FIXED32)
