"""Frames of HTTP/3, and fields of QPACK that need no table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire import http3, qpack


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    end = 0
    try:
        for one in http3.frames(data):
            assert one.start == end < one.end <= len(data)
            end = one.end
        qpack.fields(data)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("3f", 63),
        ("4040", 64),
        ("7bbd", 15293),
        ("9d7f3e7d", 494878333),
        ("c2197c5eff14e88c", 151288809941952652),
    ],
)
def test_numbers(data: str, value: int) -> None:
    """RFC 9000, appendix A.1."""
    assert http3.varint(bytes.fromhex(data), 0) == (value, len(data) // 2)


@pytest.mark.parametrize(
    ("section", "fields"),
    [
        # RFC 9204, appendix B.1, and what other kinds of lines look like.
        ("0000510b2f696e6465782e68746d6c", [(":path", "/index.html")]),
        ("0000d1", [(":method", "GET")]),
        ("0000ff23", [("x-frame-options", "sameorigin")]),
        ("0000" + "23" + "6f776e" + "0161", [("own", "a")]),
        ("0000" + "518c" + "f1e3c2e5f23a6ba0ab90f4ff", [(":path", "www.example.com")]),
        ("0181" + "10" + "80", [("(dynamic entry +0)", ""), ("(dynamic entry 0)", "")]),
        ("0100" + "400161" + "000162", [("(dynamic name 0)", "a"), ("(dynamic name +0)", "b")]),
    ],
)  # fmt: skip
def test_fields(section: str, fields: list[tuple[str, str]]) -> None:
    assert qpack.fields(bytes.fromhex(section)) == fields


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ("", "too early"),
        ("0000ff24", "no entry 99"),
        ("000080", "a table that it says it does not need"),
        ("0000ff" + "ff" * 12, "has no end"),
        ("00005181ff", "no Huffman code"),
        ("00000561", "cut off"),
    ],
)
def test_what_is_no_field_section(section: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        qpack.fields(bytes.fromhex(section))
