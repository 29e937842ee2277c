"""What is written is YAML that says the same when it is read, whatever texts, keys and depths there are."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.contentviews import yaml_nodes as nodes
from midstream.contentviews.stepped import joined
from midstream.contentviews.yaml_tree import (
    CUT_OFF,
    END,
    LIST,
    MAP,
    Begin,
    Event,
    Note,
    Value,
    binary,
    number,
    text,
    text_value,
    write,
)  # fmt: skip

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary())
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner), st.lists(st.tuples(inner, inner)).map(tuple)), max_leaves=15
)  # a tuple of pairs is a map, whose keys may be anything


def events(value: Any, comment: str = "") -> Iterator[Event]:
    match value:
        case None:
            yield "null"
        case bool():
            yield Value(str(value).lower(), comment) if comment else str(value).lower()
        case int():
            yield str(value)
        case float():
            yield number(value)
        case str():
            yield text_value(value)
        case bytes():
            yield binary(value)
        case list():
            yield Begin("list", "!t" if comment else "", comment)
            for each in value:
                yield from events(each, comment)
            yield END
        case _:
            yield MAP
            for key, each in value:
                yield from events(key, comment)
                yield from events(each, comment)
            yield END


def plain(node: nodes.Node) -> Any:
    if nodes.is_map(node):
        return tuple((plain(key), plain(value)) for key, value in nodes.pairs(node))
    if nodes.is_list(node):
        return [plain(each) for each in nodes.items(node)]
    match nodes.tag(node):
        case "null":
            return None
        case "bool":
            return nodes.flag(node)
        case "int":
            return nodes.whole_number(node)
        case "float":
            return nodes.real_number(node)
        case "!binary":
            return nodes.hex_bytes(node)
    return nodes.string(node)


def written(value: Any, comment: str = "") -> str:
    return joined(write(events(value, comment), 1000)).decode("utf-8", "surrogateescape")


@given(values, st.sampled_from(["", "a comment\nof two lines # and: more"]))
def test_it_reads_back(value: Any, comment: str) -> None:
    node = nodes.read(written(value, comment))
    assert node is not None
    assert repr(plain(node)) == repr(value).replace("-nan", "nan")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ((("a", [1, (("b", "x\ny"),)]), ("c", ())), "a:\n- 1\n- b: |-\n    x\n    y\nc: {}\n"),
        ([[1, [2]], []], "- - 1\n  - - 2\n- []\n"),
        ((([1, 2], "k"),), "? - 1\n  - 2\n: k\n"),
        ((("k" * 600, 1),), f"? {'k' * 600}\n: 1\n"),
        (1e30, "1.0e+30\n"),
    ],
)
def test_how_it_looks(value: Any, shown: str) -> None:
    assert written(value) == shown


def test_long_values_are_cut_and_not_encoded_again() -> None:
    node = nodes.read(joined(write(iter([text("a" * 70_000)]), 70_000)).decode())
    assert node is not None
    with pytest.raises(ValueError, match="line 1: of this long value only the beginning was shown"):
        nodes.string(node)
    node = nodes.read(joined(write(iter([binary(b"a" * 70_000)]), 70_000)).decode())
    assert node is not None
    with pytest.raises(ValueError, match="only the beginning"):
        nodes.hex_bytes(node)


def test_a_text_that_becomes_too_long_is_cut_off() -> None:
    many = (event for _ in range(100_000) for event in (MAP, "k", "'a value'", END))
    shown = joined(write(iter([LIST, *many, END]), 100)).decode()
    assert len(shown) < 300_000
    assert CUT_OFF in shown[-100:]
    with pytest.raises(ValueError, match=r"was cut off for reading"):
        nodes.read(shown)


def test_notes_stand_on_lines_of_their_own() -> None:
    assert joined(write(iter([MAP, "a", Note("here\nit ends")]), 1)) == b"a:\n# here.it ends\n"


@pytest.mark.parametrize(
    ("edited", "reason"),
    [
        ("a: &x 1\nb: *x", "line 1: anchors and aliases"),
        ("a: [", r"the text:1"),
        ("\ta", "the text:1"),
        ("x" * 1_100_000, "at most 1,048,576"),
        ("[" * 100, "deeper"),
    ],
)
def test_what_is_not_read(edited: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        nodes.read(edited)


def test_documents_keep_their_lines() -> None:
    first, second = nodes.documents("a: 1\n---\nb: [1]\nc: *x\n")
    assert nodes.read(first) is not None
    with pytest.raises(ValueError, match=r"the text:4"):
        nodes.read(second)
    assert nodes.documents("") == []
