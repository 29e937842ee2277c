"""Header fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.headers import Headers

FIELDS = ((b"Aa", b"1"), (b"b", b"2"), (b"aA", b"3"), (b"c", b"4"))

NAME = st.sampled_from(["a", "A", "b", "B-c", "é"])
VALUE = st.text(max_size=5).filter(lambda text: not {"\r", "\n", "\0"} & set(text))
PAIRS = st.lists(st.tuples(NAME, VALUE).map(lambda p: (p[0].encode(), p[1].encode("utf-8", "replace"))), max_size=8)


def test_a_tuple_is_stored_as_it_is() -> None:
    assert Headers(FIELDS).fields is FIELDS


def test_fields_are_replaced_not_changed() -> None:
    headers = Headers(FIELDS)
    headers["b"] = "9"
    assert headers.fields is not FIELDS
    assert FIELDS[1] == (b"b", b"2")


def test_reading() -> None:
    headers = Headers(FIELDS)
    assert headers["AA"] == headers[b"aa"] == "1, 3"
    assert headers.get("aa") == "1, 3"
    assert headers.get("x") is None
    assert headers.get("x", "d") == "d"
    assert headers.get_all("aA") == ["1", "3"]
    assert headers.get_all("x") == []
    assert "AA" in headers
    assert b"x" not in headers
    assert len(headers) == 3
    assert list(headers) == ["Aa", "b", "c"]
    with pytest.raises(KeyError):
        headers["x"]


def test_iterating_over_every_field() -> None:
    headers = Headers(FIELDS)
    assert list(headers.keys()) == ["Aa", "b", "c"]
    assert headers.keys(multi=True) == ["Aa", "b", "aA", "c"]
    assert list(headers.values()) == ["1, 3", "2", "4"]
    assert headers.values(multi=True) == ["1", "2", "3", "4"]
    assert list(headers.items()) == [("Aa", "1, 3"), ("b", "2"), ("c", "4")]
    assert headers.items(multi=True) == [("Aa", "1"), ("b", "2"), ("aA", "3"), ("c", "4")]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (FIELDS[1], FIELDS[3])),
        (["x"], ((b"Aa", b"x"), FIELDS[1], FIELDS[3])),
        (["x", "y"], ((b"Aa", b"x"), FIELDS[1], (b"aA", b"y"), FIELDS[3])),
        (["x", "y", "z"], ((b"Aa", b"x"), FIELDS[1], (b"aA", b"y"), FIELDS[3], (b"AA", b"z"))),
    ],
)
def test_set_all_keeps_places_and_spellings(values: list[str], expected: object) -> None:
    headers = Headers(FIELDS)
    headers.set_all("AA", values)
    assert headers.fields == expected


def test_writing() -> None:
    headers = Headers()
    headers["New"] = "é"
    headers.add("new", b"\xff")
    headers.insert(1, "m", "\udcfe")
    assert headers.fields == ((b"New", "é".encode()), (b"m", b"\xfe"), (b"new", b"\xff"))
    assert headers["new"] == "é, \udcff"
    del headers["NEW"]
    assert headers.fields == ((b"m", b"\xfe"),)
    with pytest.raises(KeyError):
        del headers["new"]
    assert headers.pop("m") == "\udcfe"
    assert headers.setdefault("k", "v") == "v"
    headers.update(K="w")
    assert headers.fields == ((b"k", b"w"),)


def test_keywords_replace_and_use_dashes() -> None:
    fields = [(b"a", b"1"), (b"content-type", b"t"), (b"Content-Type", b"u")]
    assert Headers(fields, content_type="x", b_c=b"z").fields == ((b"a", b"1"), (b"content-type", b"x"), (b"b-c", b"z"))


@pytest.mark.parametrize("fields", [(("a", "b"),), [("a", "b")], ((b"a", "b"),)])
def test_text_fields_are_refused(fields: object) -> None:
    with pytest.raises(TypeError, match="must be bytes"):
        Headers(fields)


def test_other_values_are_refused() -> None:
    with pytest.raises(TypeError, match="Expected str or bytes, but got int"):
        Headers()["a"] = 1
    with pytest.raises(TypeError, match="int"):
        assert 3 in Headers()


def test_of_takes_what_scripts_have() -> None:
    for given_headers in ({"a": "b"}, {b"a": b"b"}, [("a", "b")], ((b"a", b"b"),), Headers(a="b")):
        assert Headers.of(given_headers).fields == ((b"a", b"b"),)


def test_block_repr_copy_and_equality() -> None:
    headers = Headers(FIELDS)
    assert bytes(headers) == b"Aa: 1\r\nb: 2\r\naA: 3\r\nc: 4\r\n"
    assert bytes(Headers()) == b""
    assert repr(Headers(FIELDS[:1])) == "Headers[(b'Aa', b'1')]"
    copy = headers.copy()
    assert copy == headers
    copy["b"] = "x"
    assert copy != headers
    assert headers != FIELDS
    assert Headers(a="1") != Headers(A="1")
    with pytest.raises(TypeError):
        hash(headers)


@given(PAIRS, NAME, st.lists(VALUE, max_size=4))
def test_set_all_then_get_all(pairs: list[tuple[bytes, bytes]], name: str, values: list[str]) -> None:
    headers = Headers(tuple(pairs))
    values = [value.encode("utf-8", "replace").decode() for value in values]
    others = [pair for pair in headers.fields if pair[0].lower() != name.encode().lower()]
    headers.set_all(name, values)
    assert headers.get_all(name) == values
    assert [pair for pair in headers.fields if pair[0].lower() != name.encode().lower()] == others


@given(PAIRS)
def test_mapping_and_fields_agree(pairs: list[tuple[bytes, bytes]]) -> None:
    headers = Headers(pairs)
    assert len(list(headers)) == len(headers)
    assert all(headers[name] == ", ".join(headers.get_all(name)) for name in headers)
    assert sum(len(headers.get_all(name)) for name in headers) == len(pairs)


@pytest.mark.parametrize("bad", ["a\r\nb", "a\nb", "a\rb", "\0", b"a\nb", "a\n"])
def test_what_would_break_out_of_its_line_is_refused_at_once(bad: str | bytes) -> None:
    headers = Headers([(b"A", b"1")])
    changes = [
        lambda: headers.__setitem__("A", bad),
        lambda: headers.__setitem__(bad, "1"),
        lambda: headers.set_all("A", ["1", bad]),
        lambda: headers.add("B", bad),
        lambda: headers.insert(0, bad, "1"),
        lambda: headers.update({"C": bad}),
    ]
    for change in changes:
        with pytest.raises(ValueError, match="no header may hold a line break or NUL"):
            change()
    assert headers.fields == ((b"A", b"1"),)
    with pytest.raises(ValueError, match="line break"):
        Headers(a=bad)
    with pytest.raises(TypeError, match="line break"):
        Headers.of({"a": bad})
