"""Helpers for text: scripts get of them what they got from mitmproxy, written down from running that program."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.compat.shims import human, strutils, typecheck


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch):
    """Times without a zone."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_always_bytes_and_str() -> None:
    assert strutils.always_bytes(None) is None and strutils.always_str(None) is None
    assert strutils.always_bytes("é") == b"\xc3\xa9" and strutils.always_bytes("é", "latin-1") == b"\xe9"
    assert strutils.always_str(b"\xff", "utf8", "replace") == "\ufffd" and strutils.always_str("x") == "x"
    for function in (strutils.always_bytes, strutils.always_str):
        with pytest.raises(TypeError, match="not int"):
            function(1)  # type: ignore[arg-type]


def test_escaping_bytes() -> None:
    data = b"abc\x00\xff\n\t\r\\'\""
    assert strutils.bytes_to_escaped_str(data) == "abc\\x00\\xff\\n\\t\\r\\\\'\""
    assert strutils.bytes_to_escaped_str(data, keep_spacing=True) == "abc\\x00\\xff\n\t\r\\\\'\""
    assert strutils.bytes_to_escaped_str(data, escape_single_quotes=True) == "abc\\x00\\xff\\n\\t\\r\\\\\\'\""
    assert strutils.bytes_to_escaped_str(b"\\n\\\n", keep_spacing=True) == "\\\\n\\\\\n"
    with pytest.raises(ValueError, match="not str"):
        strutils.bytes_to_escaped_str("x")  # type: ignore[arg-type]


@given(st.binary(), st.booleans(), st.booleans())
def test_unescaping_brings_the_bytes_back(data: bytes, keep_spacing: bool, quotes: bool) -> None:
    assert strutils.escaped_str_to_bytes(strutils.bytes_to_escaped_str(data, keep_spacing, quotes)) == data


@pytest.mark.parametrize(
    ("text", "data"),
    [(r"a\x00\xff\n\\", b"a\x00\xff\n\\"), ("a\nb", b"a\nb"), ("é", b"\xc3\xa9"), (r"\'", b"'"), (r"\101", b"A")],
)
def test_unescaping(text: str, data: bytes) -> None:
    assert strutils.escaped_str_to_bytes(text) == data


@pytest.mark.parametrize("text", ["\\", r"\xzz", b"x"])
def test_what_cannot_be_unescaped(text: str) -> None:
    with pytest.raises(ValueError):
        strutils.escaped_str_to_bytes(text)


@pytest.mark.parametrize(
    ("data", "is_binary"),
    [
        (b"", False), (b"abc", False), (b"\x00abc", False), (b"\x00", True), (b"\x01" * 2, True), (b"a\x80", True),
        (b"a" * 50 + b"\xff\x00" * 50, True), ("日本語".encode(), False), (b"a" * 98 + b"\xe6\x97", False),
        (b"\xff" * 10 + b"a" * 90, False), (b"\xff" * 31 + b"a" * 69, True), (b"\n\r\t" * 10, False),
        ("é".encode() * 50 + b"\xff", False), ("日".encode() * 40, False), (b"\x01" * 29 + b"a" * 71, False),
        (b"\x01" * 30 + b"a" * 70, True), (b"\x7f" * 50, False), (b"\x0b\x0c" * 25, False), (b"\x0e" * 50, True),
        (b"\xff" * 30 + b"\n" * 70, True), (b"\x7f" * 50 + b"\xff" * 20, True),
    ],
)  # fmt: skip
def test_is_mostly_bin(data: bytes, is_binary: bool) -> None:
    assert strutils.is_mostly_bin(data) is is_binary


def test_small_things_of_strutils() -> None:
    assert [strutils.is_xml(data) for data in (b"<a", b" \n<a>", b"<", b"", b"a<", b"\x00<")] == [True] * 3 + [
        False
    ] * 3
    assert [strutils.clean_hanging_newline(text) for text in ("a\nb", "a\n\n", "\n")] == ["a\nb", "a\n", ""]
    assert strutils.cut_after_n_lines("a\nb\nc", 2) == "a\nb\n" and strutils.cut_after_n_lines("a\nb", 5) == "a\nb"
    assert strutils.escape_control_characters("a\x00\x1b\n\x7fé\u202e") == "a..\n.é\u202e"
    assert strutils.escape_control_characters("a\n\t", keep_spacing=False) == "a.."
    assert list(strutils.hexdump(b"0123456789abcdefXY\x00\xff")) == [
        ("0000000000", "30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66", "0123456789abcdef"),
        ("0000000010", "58 59 00 ff                                    ", "XY.."),
    ]


def test_special_areas() -> None:
    text, areas = "foo 'b {ar' { \"q\" baz", [r"'.*?'", r'".*?"']
    assert strutils.split_special_areas(text, areas) == ["foo ", "'b {ar'", " { ", '"q"', " baz"]
    hidden = strutils.escape_special_areas(text, areas, "{")
    assert hidden == "foo 'b \ue07bar' { \"q\" baz"
    assert strutils.unescape_special_areas(hidden) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0b"), (1023, "1023b"), (1024, "1.0k"), (1536, "1.5k"), (10000, "9.8k"), (1048575, "1024k"),
        (99 * 2**20, "99.0m"), (100 * 2**20, "100m"), (2**30, "1.0g"), (2**50, "1024t"), (-5, "-5b"),
    ],
)  # fmt: skip
def test_pretty_size(size: int, text: str) -> None:
    assert human.pretty_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0, "0ms"), (0.0999, "100ms"), (1, "1.00s"), (9.99, "9.99s"), (10, "10.0s"), (119, "119s")],
)
def test_pretty_duration(seconds: float | None, text: str) -> None:
    assert human.pretty_duration(seconds) == text


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (None, "<no address>"), (("127.0.0.1", 80), "127.0.0.1:80"), (("::1", 80, 0, 0), "[::1]:80"),
        (("::ffff:1.2.3.4", 5), "1.2.3.4:5"), (("example.com", 443), "example.com:443"), (("0.0.0.0", 1), "*:1"),
        (("::", 8), "*:8"),
    ],
)  # fmt: skip
def test_format_address(address: tuple[object, ...] | None, text: str) -> None:
    assert human.format_address(address) == text


def test_sizes_and_times(utc: None) -> None:
    assert human.parse_size(None) is None and human.parse_size("5m") == 5 * 2**20
    with pytest.raises(ValueError, match="is not a size"):
        human.parse_size("1kb")
    assert human.format_timestamp(1700000000.9) == "2023-11-14 22:13:20"
    assert human.format_timestamp_with_milli(1.23456) == "1970-01-01 00:00:01.234"
    assert os.environ["TZ"] == "UTC"


def test_windows() -> None:
    assert list(typecheck.window([1, 2, 3, 4], 1, 1)) == [(None, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, None)]
    assert list(typecheck.window([1, 2], 0, 2)) == [(1, 2, None), (2, None, None)]
    assert list(typecheck.window([], 1, 1)) == []
    assert list(typecheck.window([1], 0, 3)) == [(1, None, None, None)]


def test_rules_in_one_line() -> None:
    rule, subject, replacement = typecheck.parse_spec("/~q/a/b")
    assert (rule.pattern, subject, replacement) == ("~q", "a", "b")
    assert typecheck.parse_spec("|a|b")[1:] == ("a", "b")
    assert typecheck.parse_spec("/~q/b/c/d")[1:] == ("b", "c/d")
    for wrong in ("", "/", "/a", "/~x(/a/b"):
        with pytest.raises(ValueError):
            typecheck.parse_spec(wrong)
