from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from midstream.console.finder import Finder
from midstream.console.widgets.text_find import MOST, TextFind


def find(pattern: str) -> TextFind:
    found = TextFind()
    found.look_for(Finder(pattern))
    return found


@given(
    st.text(alphabet="ab\n\udcffß日", max_size=60), st.sampled_from(["a", "ab", "^b", "a$", "a\nb", "B", "日", "a|b"])
)
def test_the_places_are_those_of_the_expression(text, pattern):
    flags = re.MULTILINE | (0 if pattern.lower() != pattern else re.IGNORECASE)
    assert find(pattern).spans(text) == [match.span() for match in re.finditer(pattern, text, flags)]


def test_the_next_and_the_one_before_go_round():
    found, text = find("ab"), "ab..ab..ab"
    assert [found.next(text, at, backwards=False, here=False) for at in (0, 3, 4, 8, 9)] == [4, 4, 8, 0, 0]
    assert [found.next(text, at, backwards=True, here=False) for at in (0, 4, 5, 8)] == [8, 0, 4, 4]
    assert [found.next(text, at, backwards=False, here=True) for at in (0, 1, 8, 9)] == [0, 4, 8, 0]
    assert [found.place(text, at) for at in (0, 4, 5, 9)] == [(1, 3), (2, 3), (2, 3), (3, 3)]
    assert found.next("none", 0, backwards=False, here=True) is None


def test_a_changed_text_is_looked_at_anew():
    found = find("a")
    assert found.spans("aa") == [(0, 1), (1, 2)]
    assert found.spans("ba") == [(1, 2)]
    found.look_for(Finder(""))
    assert found.spans("ba") == []


def test_places_beyond_those_of_one_look_are_found_and_very_many_are_not_counted():
    lines = "\n".join(["a a"] * 900)
    assert find("a").spans(lines) == [match.span() for match in re.finditer("a", lines)]
    assert find("^a").spans(lines) == [match.span() for match in re.finditer("(?m)^a", lines)]
    assert find("a").spans("a" * 1500) == [(at, at + 1) for at in range(1500)]
    assert MOST // 2 < len(find("a").spans("a" * 60_000)) <= MOST
    assert find("a").place("a" * 60_000, 3) is None
