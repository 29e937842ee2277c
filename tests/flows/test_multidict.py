"""Ordered multi-mappings."""

import pytest

from midstream.flows.multidict import MultiDict, MultiDictView, pairs_of, spliced


def test_reading_gives_the_first_value() -> None:
    data = MultiDict([("a", 1), ("b", 2), ("a", 3)])
    assert data["a"] == 1
    assert data.get("x") is None
    assert data.get_all("a") == [1, 3]
    assert data.get_all("x") == []
    assert "b" in data
    assert list(data) == ["a", "b"]
    assert len(data) == 2
    assert list(data.items()) == [("a", 1), ("b", 2)]
    assert data.items(multi=True) == [("a", 1), ("b", 2), ("a", 3)]
    assert data.keys(multi=True) == ["a", "b", "a"]
    assert list(data.keys()) == ["a", "b"]
    assert data.values(multi=True) == [1, 2, 3]
    assert list(data.values()) == [1, 2]
    with pytest.raises(KeyError):
        data["x"]


def test_writing_keeps_places() -> None:
    data = MultiDict([("a", 1), ("b", 2), ("a", 3)])
    data["a"] = 9
    assert data.fields == (("a", 9), ("b", 2))
    data.add("a", 8)
    data.insert(0, "c", 7)
    assert data.fields == (("c", 7), ("a", 9), ("b", 2), ("a", 8))
    del data["a"]
    assert data.fields == (("c", 7), ("b", 2))
    with pytest.raises(KeyError):
        del data["a"]


def test_copies_are_independent() -> None:
    data = MultiDict([("a", 1)])
    copy = data.copy()
    assert copy == data
    copy["a"] = 2
    assert data["a"] == 1
    assert copy != data
    assert data != {"a": 1}
    assert repr(data) == "MultiDict[('a', 1)]"


def test_a_view_reads_and_writes_through() -> None:
    store = [("a", "1")]

    def write(fields: tuple[tuple[str, str], ...]) -> None:
        store[:] = fields

    view = MultiDictView(lambda: store, write)
    store.append(("b", "2"))
    assert view["b"] == "2"
    view.add("c", "3")
    del view["a"]
    assert store == [("b", "2"), ("c", "3")]
    copy = view.copy()
    copy["b"] = "x"
    assert store[0] == ("b", "2")


def test_pairs_of_takes_what_scripts_have() -> None:
    for value in ({"a": "b"}, [("a", "b")], [["a", "b"]], MultiDict([("a", "b")])):
        assert pairs_of(value) == (("a", "b"),)


def test_spliced_reuses_what_stood_there() -> None:
    old = [("x", "X1"), ("y", "Y1"), ("x", "X2")]
    assert spliced(old, ["y", "x", "x", "x", "z"], lambda item: f"new {item}") == ["Y1", "X1", "X2", "new x", "new z"]
