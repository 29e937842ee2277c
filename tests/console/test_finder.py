"""What `/` finds: smart case, regular expressions, words that are none, hostile texts, expressions that backtrack."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.finder import LONGEST, MOST_SPANS, Finder, finder, is_exact
from tests.kit.hostile import TEXTS
from tests.kit.stopwatch import within

_ANY_TEXT = st.one_of(
    st.text(st.characters(), max_size=60),
    st.text("aAbB(){}[]\\.*+?|^$ \udc80\x1bäÄİß", max_size=20),
    st.sampled_from(TEXTS),
)


def _spans(pattern: str, text: str | bytes) -> list[tuple[int, int]]:
    return list(finder(pattern).spans(text))


@pytest.mark.parametrize(
    ("pattern", "text", "spans"),
    [
        ("cart", "GET /Cart/cart", [(5, 9), (10, 14)]),
        ("Cart", "GET /Cart/cart", [(5, 9)]),
        (r"v\d+/", "/v1/v22/", [(1, 4), (4, 8)]),
        (r"\S+x", "AAx", [(0, 3)]),  # the S of \S is no capital
        ("(?P<N>a)", "A", [(0, 1)]),
        ("^b", "a\nb", [(2, 3)]),  # lines
        ("x*", "axxa", [(1, 3)]),  # nothing is no place
        ("(", "f(x)", [(1, 2)]),  # no expression: the words as they stand
        ("f(", "F(x)", [(0, 2)]),
        ("[a", "[A", [(0, 2)]),
        ("", "abc", []),
        ("ä", "Ä", [(0, 1)]),
        ("ss", "ß", []),
    ],
)
def test_finds_what_was_meant(pattern: str, text: str, spans: list[tuple[int, int]]) -> None:
    assert _spans(pattern, text) == spans
    assert finder(pattern).holds(text) is bool(spans)


@pytest.mark.parametrize(
    ("pattern", "data", "spans"),
    [
        ("cart", b"\xffCART", [(1, 5)]),
        ("é", "xé".encode(), [(1, 3)]),
        (r"\u00e4x", b"\\u00e4x", [(0, 7)]),  # means nothing in bytes: the words as they stand
        ("\udcff", b"a\xff", [(1, 2)]),
        ("\ud800", b"\xed\xa0\x80", [(0, 3)]),
    ],
)
def test_finds_in_bytes(pattern: str, data: bytes, spans: list[tuple[int, int]]) -> None:
    assert _spans(pattern, data) == spans
    assert finder(pattern).holds(data) is bool(spans)


@given(_ANY_TEXT, _ANY_TEXT)
def test_any_pattern_is_found_in_any_text_or_not(pattern: str, text: str) -> None:
    found = finder(pattern)
    spans = list(found.spans(text))
    assert found.holds(text) is bool(spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    data = text.encode("utf-8", "surrogatepass")
    assert all(0 <= start < end <= len(data) for start, end in found.spans(data))


@given(_ANY_TEXT, _ANY_TEXT, _ANY_TEXT)
def test_what_was_typed_is_found_where_it_stands(before: str, words: str, after: str) -> None:
    words = words[:LONGEST]
    found = finder(words)
    if words and found.is_literal:
        assert found.holds(before + words + after)


@given(st.text("ab(|)*+?.", max_size=12))
def test_agrees_with_re(pattern: str) -> None:
    try:
        expected = re.search(pattern, "aabab.ba", re.MULTILINE | re.IGNORECASE)
    except re.error:
        return
    if expected is not None and expected[0] and not finder(pattern).is_literal:
        assert next(finder(pattern).spans("aabab.ba")) == expected.span()


def test_an_expression_that_backtracks_is_given_up() -> None:
    found = finder("(a|aa)+$")
    trap = "a" * 60_000 + "b"
    with within(2):
        for _ in range(1000):  # rows of a list
            assert not found.holds(trap)
    assert found.problem == "the regular expression '(a|aa)+$' takes too long here: it was given up"


def test_many_places_are_told_up_to_a_number() -> None:
    assert len(_spans("a", "a" * 5000)) == MOST_SPANS


def test_a_pasted_pattern_is_cut() -> None:
    assert Finder("x" * 100_000).pattern == "x" * LONGEST


@pytest.mark.parametrize(
    ("pattern", "exact"),
    [("abc", False), ("aBc", True), (r"\W\D\S", False), (r"\x4Ab", False), (r"\N{LATIN SMALL LETTER A}", False)],
)
def test_smart_case(pattern: str, exact: bool) -> None:
    assert is_exact(pattern) is exact
