"""Checks of saved values."""

from typing import Any

import pytest

from midstream.flows import state as s


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (s.text, ["", "x"], [b"x", None, 1]),
        (s.binary, [b""], ["x", None, bytearray(b"x")]),
        (s.flag, [True, False], [1, 0, None]),
        (s.integer, [0, -5], [True, "1", 1.5, float("nan"), float("inf"), None]),
        (s.number, [1, 1.5, float("inf")], [True, "1", None, 10**400]),
        (s.optional(s.text), [None, "x"], [1]),
        (s.one_of("a", "b"), ["a"], ["c", None]),
        (s.plain_dict, [{}, {"a": [1]}], [[], {1: 2}, None]),
        (s.notes, [{}, {"a": [1], 2: None}], [[], None]),
    ],
)
def test_checks(check: s.Check, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert check(value, "x") == value
    for value in bad:
        with pytest.raises(s.StateError, match=r"^x"):
            check(value, "x")


def test_whole_floats_are_integers() -> None:
    assert s.integer(5.0, "x") == 5


def test_sequences_become_tuples() -> None:
    assert s.listed(s.integer)([1, 2], "x") == (1, 2)
    assert s.row(s.text, s.integer)(["a", 1], "x") == ("a", 1)
    assert s.address(["h", 1], "x") == ("h", 1)
    assert s.address(("::1", 1, 0, 0), "x") == ("::1", 1, 0, 0)


@pytest.mark.parametrize(
    ("check", "value", "sentence"),
    [
        (s.listed(s.integer), "ab", "x: expected a list, got str"),
        (s.listed(s.integer), [1, "a"], r"x\[1\]: expected an integer, got str"),
        (s.row(s.text), ["a", "b"], "x: expected 1 items, got 2"),
        (s.row(s.text), {"a": 1}, "x: expected a list, got dict"),
        (s.address, ["h"], "x: an address has 2 to 4 items, got 1"),
        (s.address, ["h", "1"], r"x\[1\]: expected an integer, got str"),
        (s.address, "h:1", "x: expected an address, got str"),
        (s.one_of("a", "b"), "c", "x: 'c' is none of a, b"),
    ],
)
def test_errors_say_where(check: s.Check, value: Any, sentence: str) -> None:
    with pytest.raises(s.StateError, match=sentence):
        check(value, "x")


def test_read_wants_exactly_its_keys() -> None:
    schema = s.Schema({"a": s.integer, "b": s.text})
    assert s.read({"a": 1, "b": "x"}, "thing", schema) == {"a": 1, "b": "x"}
    assert s.read({"a": 1}, "thing", schema, frozenset({"b"})) == {"a": 1}
    for state, sentence in (
        ({"a": 1}, "thing: key 'b' is missing"),
        ({"a": 1, "b": "x", "c": 2}, "thing: unknown key 'c'"),
        ({"a": 1, "b": 2}, "thing.b: expected text, got int"),
        ([], "thing: expected a dict, got list"),
    ):
        with pytest.raises(s.StateError, match=sentence):
            s.read(state, "thing", schema)
