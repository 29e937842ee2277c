import re
import threading
import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.text.patterns import LEAST, LIMIT, Allowance, TooSlow, check, searcher
from tests.kit.waiting import until

GENEROUS = 1.0  # seconds; the promise is 0.1, and a busy machine is no reason to fail

ATOMS = ["a", "b", "ab", ".", r"\d", r"\w", r"\s", r"\b", "[a-c]", "[^a]", "é", r"\.", "x", "1", " ", "^", "$", r"\n"]
patterns = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        inner.map("({})".format),
        inner.map("(?:{})*".format),
        inner.map("(?:{})+?".format),
        inner.map("(?:{}){{1,2}}".format),
        inner.map("(?={})".format),
        inner.map("(?!{})".format),
    ),
    max_leaves=6,
)
flag_sets = st.sets(st.sampled_from([re.IGNORECASE, re.MULTILINE, re.DOTALL])).map(lambda chosen: sum(map(int, chosen)))


@given(pattern=patterns, flags=flag_sets, text=st.text(alphabet="abcABx1é .\n\r", max_size=12))
def test_what_re_finds_is_found(pattern: str, flags: int, text: str) -> None:
    assert searcher(pattern, flags, Allowance())(text) == (re.search(pattern, text, flags) is not None)


@given(pattern=patterns.filter(str.isascii), flags=flag_sets, data=st.binary(max_size=12))
def test_what_re_finds_in_bytes_is_found(pattern: str, flags: int, data: bytes) -> None:
    raw = pattern.encode()
    assert searcher(raw, flags, Allowance())(data) == (re.search(raw, data, flags) is not None)


@given(pattern=st.text(alphabet="ab[](){}*+?|^$\\.-,1?:=!<>P&~i", max_size=10))
def test_what_re_accepts_can_be_searched(pattern: str) -> None:
    try:
        check(pattern)
    except (re.error, ValueError, OverflowError, RecursionError):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            searcher(pattern, 0, Allowance())("ab1")
        except TooSlow:
            pass


def test_a_pattern_that_is_none_is_refused_in_the_words_of_re() -> None:
    with pytest.raises(re.error, match="unterminated"):
        check("(a")
    with pytest.raises(re.error):
        check(r"\p{L}")


BOMBS = [
    (r"(a|aa)+$", b"a" * 40 + b"!"),
    (r"(a+)+$", b"a" * 40 + b"!"),
    (r"(?:[a-z]|[a-y])+[0-9]", b"a" * 40 + b"!"),
    (r"(x+x+)+y", b"x" * 60),
    (r"(.*)*=", b"a" * 100_000),
    (r"(?s)x.*y", b"lorem x " * 16_000),
    (r"(?s)x.*y", b"lorem x " * 1_000_000),
    (r"(a|aa)+$", b"a" * 200_000 + b"!"),
]


@pytest.mark.parametrize(("pattern", "data"), BOMBS, ids=lambda value: str(value[:12]))
def test_a_search_that_backtracks_is_given_up(pattern: str, data: bytes) -> None:
    allowance = Allowance()
    search = searcher(pattern.encode(), 0, allowance)
    start = time.perf_counter()
    try:
        assert not search(data)  # a clever engine may see that there is nothing to find
    except TooSlow as slow:
        assert slow.pattern == pattern
        assert repr(pattern) in str(slow)
    assert time.perf_counter() - start < GENEROUS


def test_searches_of_one_question_share_their_time() -> None:
    allowance = Allowance()
    bomb = searcher(rb"(a|aa)+$", 0, allowance)
    other = searcher(rb"(?:[a-z]|[a-y])+[0-9]", 0, allowance)
    start = time.perf_counter()
    for search, data in [(bomb, b"a" * 40 + b"!"), (other, b"a" * 40 + b"!")] * 10:
        with pytest.raises(TooSlow):
            search(data)
    # Twenty times LIMIT would be more than a second.
    assert time.perf_counter() - start < 20 * LIMIT
    assert allowance.left == 0


def test_who_runs_out_of_time_again_and_again_gets_less() -> None:
    allowance = Allowance()
    search = searcher(rb"(a|aa)+$", 0, allowance)
    granted = []
    for _ in range(6):
        allowance.renew()
        granted.append(allowance.left)
        with pytest.raises(TooSlow):
            search(b"a" * 40 + b"!")
    assert granted == sorted(granted, reverse=True)
    assert granted[0] == LIMIT
    assert granted[-1] == LEAST
    assert search(b"aaa")


def test_large_data_is_searched_as_well() -> None:
    data = b"abc " * 250_000 + b"needle-17"
    assert searcher(rb"needle-\d+$", 0, Allowance())(data)
    assert not searcher(rb"needle-\d+x", 0, Allowance())(data)


async def test_abandoned_searches_are_few_and_end() -> None:
    def running() -> int:
        return sum(thread.name == "regular expression" for thread in threading.enumerate())

    data = b"lorem x " * 200_000
    search = searcher(rb"(?s)x.*y", 0, Allowance())
    for _ in range(12):
        with pytest.raises(TooSlow):
            search(data)
        assert running() <= 4
    await until(lambda: running() == 0, "the threads end", patience=60)
