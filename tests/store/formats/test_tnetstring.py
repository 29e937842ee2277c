"""The codec of flow files: what is written is read again, and no bytes do harm."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.store.formats.tnetstring import MAX_DEPTH, Parser, TNetstringError, parse
from midstream.store.formats.tnetstring_dump import dump

LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.binary()
    | st.text()
    | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))
)
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LEAF, inner, max_size=4), max_leaves=12
)


@given(VALUE)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert parse(dump(value)) == value


def test_an_example() -> None:
    value = {"b": [True, 1.5, "x", b"y", -3], "a": None}
    data = b"41:1:b;26:4:true!3:1.5^1:x;1:y,2:-3#]1:a;0:~}"
    assert dump(value) == data
    assert parse(data) == value
    assert dump((1, bytearray(b"x"))) == b"8:1:1#1:x,]"


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_the_one_error(data: bytes) -> None:
    try:
        value = parse(data)
    except TNetstringError as error:
        assert error.offset is not None and 0 <= error.offset <= len(data)
    else:
        assert not data or dump(value)


@given(VALUE, st.data())
def test_damaged_bytes_give_a_value_or_the_one_error(value: Any, data: st.DataObject) -> None:
    good = dump(value)
    position = data.draw(st.integers(0, len(good) - 1))
    for damaged in (good[:position] + data.draw(st.binary(max_size=3)) + good[position + 1 :], good[:position]):
        try:
            parse(damaged)
        except TNetstringError as error:
            assert error.offset is not None and error.offset <= len(damaged)


@pytest.mark.parametrize(
    ("data", "message", "offset"),
    [
        (b"", "expected a length", 0),
        (b"x", "expected a length", 0),
        (b"-1:x,", "expected a length", 0),
        (b"1234567890123:", "expected a length of 1 to 12 digits", 0),
        (b"999999999999:x,", "the length 999999999999 reaches beyond the end", 0),
        (b"3:abc", "reaches beyond the end", 0),
        (b"0:~x", "bytes after the value", 3),
        (b"1:x~", "b'x' is not null", 0),
        (b"3:yes!", "b'yes' is not a boolean", 0),
        (b"3:1_0#", "b'1_0' is not an integer", 0),
        (b"2:+1#", r"b'\+1' is not an integer", 0),
        (b"5000:" + b"9" * 5000 + b"#", "is not an integer", 0),
        (b"1:x^", "b'x' is no number", 0),
        (b"1:x?", r"b'\?' is no type of value", 0),
        (b"9:1:a,5:xx,]", "the length 5 reaches beyond the end", 6),
        (b"4:1:a;}", "a key without a value", 2),
        (b"6:0:]0:~}", "a list or a dict as a key", 2),
    ],
)
def test_errors_say_what_and_where(data: bytes, message: str, offset: int) -> None:
    with pytest.raises(TNetstringError, match=message) as caught:
        parse(data)
    assert caught.value.offset == offset


def nested(depth: int) -> bytes:
    data = b"0:]"
    for _ in range(depth - 1):
        data = b"%d:%s]" % (len(data), data)
    return data


def test_nesting_is_bounded() -> None:
    assert dump(parse(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(TNetstringError, match="nested more than 100 deep"):
        parse(nested(MAX_DEPTH + 1))
    with pytest.raises(TNetstringError, match="nested"):
        parse(nested(20_000))


def test_the_number_of_values_is_bounded() -> None:
    data = b"300:" + b"0:}" * 100 + b"]"
    assert parse(data, max_values=101) == [{}] * 100
    with pytest.raises(TNetstringError, match="more than 100 values"):
        parse(data, max_values=100)


def test_what_has_no_form_is_refused_and_named() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for value, message in (
        ({"metadata": {"x": [1, object()]}}, r"flow\.metadata\.x\[1\]: a value of type object cannot be written"),
        (endless, "nested more than 100 deep"),
        (1 << 4000, "too many digits"),
        ("\ud800", r"'\\ud800' cannot be written as UTF-8"),
        ({(1, 2): 3}, r"\(1, 2\) cannot be a key"),
        ({1: {2}}, r"flow\.1: a value of type set"),
    ):
        with pytest.raises(TNetstringError, match=message) as caught:
            dump(value, "flow")
        assert caught.value.offset is None


def test_the_number_of_lists_and_dicts_is_bounded_before_they_fill_the_memory() -> None:
    data = b"0:}" * 3_000_000
    with pytest.raises(TNetstringError, match="more than 1000000 lists and dicts") as caught:
        parse(b"%d:%b]" % (len(data), data))
    assert caught.value.offset is not None and caught.value.offset < 3_100_000  # long before the end


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), VALUE, max_size=4), max_size=5))
def test_a_parser_that_remembers_reads_the_same(values: list[Any]) -> None:
    parser = Parser(shared=frozenset("a"), tables=frozenset("b"))
    for value in [*values, *values]:
        assert lists(parser.parse(dump(value))) == lists(value)


def lists(value: Any) -> Any:
    """With lists for the tuples of tables."""
    if isinstance(value, dict):
        return {key: lists(each) for key, each in value.items()}
    return [lists(each) for each in value] if isinstance(value, list | tuple) else value


@given(VALUE, st.data())
def test_a_parser_that_remembers_refuses_the_same(value: Any, data: st.DataObject) -> None:
    good = dump({"a": value, "b": [[b"x", b"y"], value]})
    parser = Parser(shared=frozenset("a"), tables=frozenset("b"))
    parser.parse(good)
    position = data.draw(st.integers(0, len(good) - 1))
    damaged = good[:position] + data.draw(st.binary(max_size=3)) + good[position + 1 :]
    try:
        expected: Any = lists(parse(damaged))
    except TNetstringError:
        expected = TNetstringError
    try:
        assert repr(lists(parser.parse(damaged))) == repr(expected)
    except TNetstringError:
        assert expected is TNetstringError
