"""Guessing character encodings."""

import encodings

import pytest

from midstream.flows import charset


@pytest.mark.parametrize(
    ("content_type", "content", "expected"),
    [
        ("text/plain", b"x", "latin-1"),
        ("", b"x", "latin-1"),
        ("text/plain; charset=UTF-8", b"x", "UTF-8"),
        ('text/plain; a=b; Charset="koi8-r"', b"x", "koi8-r"),
        ("application/json", b"x", "utf8"),
        ("application/problem+json", b"x", "utf8"),
        ("application/javascript", b"x", "utf8"),
        ("text/html", b"x", "utf8"),
        ("text/html", b'<meta charset="latin2">', "latin2"),
        ("text/html", b"<META http-equiv=x content='text/html; charset=gbk'>", "gb18030"),
        ("text/html; charset=ascii", b'<meta charset="latin2">', "ascii"),
        ("text/xml", b'<?xml version="1.0" encoding="latin-1"?>', "latin-1"),
        ("application/xhtml+xml", b"x", "utf8"),
        ("text/css", b'@charset "latin-1";', "latin-1"),
        ("text/css", b"x", "utf8"),
        ("text/plain; charset=gb2312", b"x", "gb18030"),
        ("text/plain; charset=latin-1", b"\xef\xbb\xbfx", "utf-8-sig"),
        ("text/plain", b"\xff\xfex\0", "utf-16"),
        ("text/plain", b"\0\0\xfe\xff", "utf-32"),
    ],
)
def test_guess(content_type: str, content: bytes, expected: str) -> None:
    assert charset.guess(content_type, content) == expected


def test_a_byte_order_mark_can_be_ignored() -> None:
    assert charset.guess("text/plain", b"\xef\xbb\xbfx", bom=False) == "latin-1"


def test_declarations_far_inside_are_not_searched() -> None:
    assert charset.guess("text/html", b" " * 5000 + b'<meta charset="latin2">') == "utf8"


def test_content_type_parts() -> None:
    assert charset.parse_content_type("Text/HTML; Charset=x ; b") == ("text", "html", {"charset": "x"})
    assert charset.parse_content_type("garbage") is None
    assert charset.assemble_content_type("a", "b", {"c": "d", "e": "f"}) == "a/b; c=d; e=f"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("utf8", True), ("ISO-8859-1", True), ("windows-1252", True), ("Shift_JIS", True), ("utf-8-sig", True),
        ("koi8-u", True), ("hex", False), ("nope", False), ("a\0b", False), ("punycode", False), ("é", False),
        ("unicode-escape", False), ("aliases", False), ("", False), ("../x", False),
    ],
)  # fmt: skip
def test_is_text_codec(name: str, known: bool) -> None:
    assert charset.is_text_codec(name) is known


def test_unknown_names_are_not_remembered() -> None:
    before = len(encodings._cache)
    assert not any(charset.is_text_codec(f"nope-{number}") for number in range(100))
    assert len(encodings._cache) == before
