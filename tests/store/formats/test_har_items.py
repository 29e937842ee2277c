"""HAR files are cut into entries however they come, and whatever is wrong with one of them."""

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.store.formats import har_items
from midstream.store.formats.har_items import HarError, HarItem, entries

ENTRIES: list[Any] = [{"a": '\\"}]{[', "b": [{}, [], 1.5, None]}, [], "text \\", 17, True, {}, {"ü": "€\u2028\n"}]


class Dripping:
    """Gives at most so many bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self.file = io.BytesIO(data)
        self.size = size

    def read(self, size: int, /) -> bytes:
        return self.file.read(min(size, self.size))


def har(*items: Any, before: str = "", after: str = "") -> bytes:
    body = ",".join(json.dumps(item, ensure_ascii=False) for item in items)
    return f'{{"x": {{"entries": [1]}}, "log": {{{before}"entries": [{body}]{after}}} }}'.encode()


def cut(data: bytes, size: int = 1 << 20, most: int = 1 << 20) -> list[HarItem]:
    return list(entries(Dripping(data, size), most))


@pytest.mark.parametrize("size", range(1, 12))
def test_any_pieces_give_the_same_entries(size: int) -> None:
    data = har(*ENTRIES, before='"pages": [{"id": "}"}], ', after=', "comment": "entries"')
    assert [item.value for item in cut(data, size)] == ENTRIES
    assert [item.number for item in cut(data, size)] == [1, 2, 3, 4, 5, 6, 7]
    for item in cut(data, size):
        assert data[item.offset :].startswith(json.dumps(item.value, ensure_ascii=False).encode()[:3])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(st.lists(JSON), st.integers(1, 30), st.booleans())
def test_any_entries(values: list[Any], size: int, escaped: bool) -> None:
    data = json.dumps({"log": {"entries": values}}, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    found = cut(data, size)
    assert [item.value for item in found if not item.problem] == json.loads(data.decode("utf-8", "surrogateescape"))[
        "log"
    ]["entries"]


@pytest.mark.parametrize("size", [1, 1000])
def test_a_file_that_is_cut_anywhere_gives_every_whole_entry(size: int) -> None:
    data = har(*ENTRIES)
    ends = []
    for item in cut(data):
        ends.append(item.offset + len(json.dumps(item.value, ensure_ascii=False).encode()))
    for length in range(len(data) - 2):
        found = []
        with pytest.raises(HarError):
            for item in entries(Dripping(data[:length], size)):
                found.append(item.value)
        assert found == ENTRIES[: len(found)]
        assert len(found) >= sum(1 for end in ends if end < length)


@given(st.binary(max_size=60))
def test_any_bytes_raise_nothing_else(data: bytes) -> None:
    for text in (data, b'{"log":{"entries":[' + data, b'{"log":{"entries":[' + data + b"]}}"):
        try:
            cut(text, 3)
        except HarError as error:
            assert 0 <= error.offset <= len(text)


def test_a_broken_entry_costs_itself() -> None:
    data = b'{"log":{"entries":[{"a":1},{"b" 2},{"c":' + b"[" * 100_000 + b"]" * 100_000 + b'},{"d":NaN1},{"e":2},]}}'
    found = cut(data)
    assert [item.value for item in found if not item.problem] == [{"a": 1}, {"e": 2}]
    assert "nested too deep" in found[2].problem or "it is no JSON" in found[2].problem


def test_an_entry_that_is_too_large_takes_no_memory() -> None:
    class Endless:
        """A string that is 200 MB long, then the end of the file."""

        def __init__(self) -> None:
            self.parts = [b'{"log":{"entries":[{"x":"', *[b"x" * 65536] * 3200, b'"},{"y":1}]}}']

        def read(self, _: int, /) -> bytes:
            return self.parts.pop(0) if self.parts else b""

    tracemalloc.start()
    try:
        found = list(entries(Endless(), 1 << 20))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert "larger than 1 MB" in found[0].problem and found[1].value == {"y": 1}


@pytest.mark.parametrize("unit", [b"{},", b'{"a":1.5},', b'"aa",', b"[[[[[]]]]],", b'{"a":"x","bb":[]},'])
def test_an_entry_of_very_many_values_takes_no_memory(unit: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are no large file, and would be gigabytes as objects."""
    monkeypatch.setattr(har_items, "MOST_VALUES", 50_000)
    data = b'{"log":{"entries":[[' + unit * 150_000 + b'1],{"x":[",,,{{{"]}]}}'
    found = list(entries(io.BytesIO(data)))
    assert found[0].value is None and "more than 50000 values" in found[0].problem
    assert found[1].value == {"x": [",,,{{{"]}


def test_what_stands_in_texts_counts_for_nothing() -> None:
    text = '[{,\\",}]' * 300_000
    (item,) = cut(json.dumps({"log": {"entries": [{"a": text}]}}).encode(), 1 << 16, 1 << 30)
    assert item.value == {"a": text}


def test_what_is_no_har_is_told() -> None:
    for text in (b"{}", b'{"log": 1}', b'{"log": {}}', b'{"log": {"entries": {}}}'):
        with pytest.raises(HarError, match="no HAR"):
            cut(text)
    with pytest.raises(HarError, match="expected a comma"):
        cut(b'{"log":{"entries":[1 2]}}')
