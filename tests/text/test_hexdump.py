import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.text.hexdump import hexdump, looks_binary


def test_lines() -> None:
    assert list(hexdump(b"hello, world! \x1b[31m")) == [
        "00000000  68 65 6c 6c 6f 2c 20 77 6f 72 6c 64 21 20 1b 5b  hello, world! .[",
        "00000010  33 31 6d                                         31m",
    ]
    assert list(hexdump(b"")) == []


@given(st.binary())
def test_lines_are_plain_and_complete(data: bytes) -> None:
    lines = list(hexdump(data))
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert bytes.fromhex("".join(line[10:57] for line in lines)) == data


@pytest.mark.parametrize(
    ("data", "binary"),
    [
        (b"", False),
        (b"plain text\n", False),
        ("Grüße".encode(), False),
        ("Grüße".encode("latin-1"), False),
        (("ä" * 600).encode()[:1025], False),
        (b"\x1b[31mcolour", False),
        (b"a\x00b", True),
        (b"\x89PNG\r\n\x1a\n\x00", True),
        (bytes(range(1, 32)), True),
        (b"\x93\x94\x80\x81\x9f\x85binary\x99\x98", True),
    ],
)
def test_looks_binary(data: bytes, binary: bool) -> None:
    assert looks_binary(data) is binary
