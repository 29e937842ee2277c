import re
import threading
import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.text import patterns as patterns_module
from midstream.text.patterns import LEAST, LIMIT, Allowance, Pattern, TooSlow, check, check_template, literal, searcher
from tests.kit.stopwatch import within
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


@pytest.fixture(autouse=True)
def _nothing_was_given_up_just_now() -> None:
    patterns_module._here.ran_out = 0.0


@given(pattern=patterns, flags=flag_sets, text=st.text(alphabet="abcABx1é .\n\r", max_size=12))
def test_what_re_finds_is_found(pattern: str, flags: int, text: str) -> None:
    assert searcher(pattern, flags, Allowance())(text) == (re.search(pattern, text, flags) is not None)


@given(pattern=patterns.filter(str.isascii), flags=flag_sets, data=st.binary(max_size=12))
def test_what_re_finds_in_bytes_is_found(pattern: str, flags: int, data: bytes) -> None:
    raw = pattern.encode()
    assert searcher(raw, flags, Allowance())(data) == (re.search(raw, data, flags) is not None)


# Braces that are no repetition, and [ within a set: `regex` has other meanings for both.
PIECES = ["{", "}", "{e}", "{d}", "{i<=1}", "{id}", "{1", "{,", "{,2}", "{1,}", "{}", "[[:alpha:]]", "[[:foo:]]", "[[]"]
PIECES += [
    "[]{e}]",
    "[^]{]",
    r"[\]{e}]",
    "[a-c{e}]",
    r"\{e}",
    r"\[",
    r"\\",
    "[&&[b]]",
    "a",
    "b",
    "(?:ab)",
    "(?#[)",
    r"\N{DIGIT ONE}",
]


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=4), text=st.text(alphabet="abei{}[]:&1,\\ ", max_size=8))
def test_what_is_no_syntax_for_re_is_none_here(pieces: list[str], text: str) -> None:
    pattern = "".join(pieces)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = re.search(pattern, text) is not None
        except re.error:
            return
        for data in (text, pattern, text + pattern):
            expected = re.search(pattern, data) is not None
            assert searcher(pattern, 0, Allowance())(data) == expected
            if r"\N" not in pattern:
                assert searcher(pattern.encode(), 0, Allowance())(data.encode()) == expected


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
    with within(GENEROUS):
        try:
            assert not search(data)  # a clever engine may see that there is nothing to find
        except TooSlow as slow:
            assert slow.pattern == pattern
            assert repr(pattern) in str(slow)


def test_searches_of_one_question_share_their_time() -> None:
    allowance = Allowance()
    bomb = searcher(rb"(a|aa)+$", 0, allowance)
    other = searcher(rb"(?:[a-z]|[a-y])+[0-9]", 0, allowance)
    with within(20 * LIMIT):  # twenty times LIMIT would be more than a second
        for search, data in [(bomb, b"a" * 40 + b"!"), (other, b"a" * 40 + b"!")] * 10:
            with pytest.raises(TooSlow):
                search(data)
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
    allowance.renew()
    assert search(b"aaa")


def test_moderate_searches_share_the_time_of_one_question_too() -> None:
    allowance = Allowance()
    search = searcher(rb"a+a+b", 0, allowance)
    with within(GENEROUS), pytest.raises(TooSlow):
        for _ in range(2_000):  # each of about 2 ms, and none is given up by itself
            search(b"a" * 500)


def test_several_questions_about_the_same_data_hold_the_thread_once() -> None:
    allowances = [Allowance() for _ in range(6)]
    granted = []
    for allowance in allowances:
        allowance.renew()
        granted.append(allowance.left)
        with pytest.raises(TooSlow):
            searcher(rb"(a|aa)+$", 0, allowance)(b"a" * 40 + b"!")
    assert granted == [LIMIT, *[LEAST] * 5]
    assert sum(granted) < 0.1


def test_without_threads_large_data_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    search = searcher(rb"needle-\d", 0, Allowance())
    with monkeypatch.context() as broken:
        broken.setattr(threading.Thread, "start", no_more)
        for _ in range(6):
            with pytest.raises(TooSlow):
                search(b"abc " * 250_000)
    assert searcher(rb"needle-\d", 0, Allowance())(b"abc " * 250_000 + b"needle-1")


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


TEMPLATES = st.lists(st.sampled_from(["a", "é", r"\g<0>", r"\n", r"\\", "x", " ", r"\1", r"\g<1>"]), max_size=4).map(
    "".join
)


@given(pattern=patterns, flags=flag_sets, template=TEMPLATES, text=st.text(alphabet="abcABx1é .\n\r", max_size=12))
def test_what_re_replaces_is_replaced(pattern: str, flags: int, template: str, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check_template(pattern, flags, template)
        except re.error:
            with pytest.raises(re.error):
                re.sub(pattern, template, text, flags=flags)
            return
        wanted = re.sub(pattern, template, text, flags=flags)
        found = re.search(pattern, text, flags)
    rule = Pattern(pattern, flags)
    assert rule.replace(text, template) == wanted
    match = rule.find(text)
    assert (match and (match.span(), match.groups())) == (found and (found.span(), found.groups()))


@given(data=st.binary(max_size=20), by=st.binary(max_size=9))
def test_literal_templates_stand_for_themselves(data: bytes, by: bytes) -> None:
    wanted = re.sub(rb"[a-c\\]", lambda _: by, data)
    assert Pattern(rb"[a-c\\]").replace(data, literal(by)) == wanted
    text = by.decode("latin-1")
    assert Pattern("x").replace("axb", literal(text)) == f"a{text}b"


def test_where_nothing_is_found_nothing_is_copied() -> None:
    data = b"x" * 1000
    assert Pattern(b"y").replace(data, b"z") is data


@pytest.mark.parametrize("in_thread", [False, True])
def test_a_replacement_that_backtracks(in_thread: bool) -> None:
    rule = Pattern(rb"(a|aa)+$")
    with within(5.0 if in_thread else GENEROUS, clock=time.process_time), pytest.raises(TooSlow):
        rule.replace(b"a" * 60 + b"!", b"", in_thread=in_thread)
    for _ in range(8):  # each gets half the time of the last
        with pytest.raises(TooSlow):
            rule.replace(b"a" * 60 + b"!", b"", in_thread=in_thread)
    with within(GENEROUS, clock=time.process_time), pytest.raises(TooSlow):
        rule.replace(b"a" * 60 + b"!", b"", in_thread=in_thread)


def test_a_find_that_backtracks() -> None:
    with pytest.raises(TooSlow, match="takes too long here"):
        Pattern("(a|aa)+$").find("a" * 60 + "!")


def test_replacements_do_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns_module, "MOST_REPLACED", 10)
    assert Pattern(b"a").replace(b"a" * 9, b"b") == b"b" * 9
    with pytest.raises(TooSlow):
        Pattern(b"a").replace(b"a" * 10, b"b")
    monkeypatch.setattr(patterns_module, "LARGEST_RESULT", 1000)
    with pytest.raises(TooSlow):
        Pattern(b"a").replace(b"aa", b"b" * 500)


@pytest.mark.parametrize(
    ("pattern", "template"), [("a", r"\1"), ("(a)", r"\2"), ("a", r"\g<x>"), ("a", r"\q"), ("a", r"\g<")]
)
def test_templates_that_do_not_fit(pattern: str, template: str) -> None:
    with pytest.raises(re.error):
        check_template(pattern, 0, template)
