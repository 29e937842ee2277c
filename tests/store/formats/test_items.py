"""Cutting a file into items, with readers that give little at a time and lengths that lie."""

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.store.formats.items import Item, Items
from midstream.store.formats.tnetstring import TNetstringError


class Trickle:
    """A file that gives less than it is asked for, as pipes do."""

    def __init__(self, data: bytes, most: int) -> None:
        self._file = io.BytesIO(data)
        self._most = most

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._most))


def framed(payload: bytes) -> bytes:
    return b"%d:%s}" % (len(payload), payload)


@given(st.lists(st.binary(max_size=30)), st.integers(1, 40))
def test_items_come_whole_however_the_bytes_arrive(payloads: list[bytes], most: int) -> None:
    items = list(Items(Trickle(b"".join(map(framed, payloads)), most)))
    assert [item.data for item in items] == [framed(payload) for payload in payloads]
    assert [item.offset for item in items] == [
        sum(len(framed(before)) for before in payloads[:index]) for index in range(len(payloads))
    ]


@given(st.binary(max_size=60))
def test_any_bytes_give_items_or_the_one_error(data: bytes) -> None:
    try:
        for item in Items(io.BytesIO(data)):
            assert item.data is not None and data[item.offset :].startswith(item.data)
    except TNetstringError as error:
        assert error.offset is not None and error.offset <= len(data)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (b"5:abc", "the file ends in the middle of a flow"),
        (b"12", "the file ends in the middle of a flow"),
        (b"3:abc", "the file ends in the middle of a flow"),
        (b"hello", "expected a flow, which begins with a length of 1 to 12 digits"),
        (b"1234567890123:", "expected a flow"),
        (b":", "expected a flow"),
        (b'{"log": {}}', "this is JSON"),
        (b"\xef\xbb\xbf{}", "this is JSON"),
    ],
)
def test_damage_is_told_after_what_is_whole(damage: bytes, message: str) -> None:
    items = iter(Items(io.BytesIO(framed(b"a") + damage)))
    assert next(items) == Item(0, b"1:a}")
    with pytest.raises(TNetstringError, match=message) as caught:
        next(items)
    assert caught.value.offset == 4


def test_a_long_length_takes_no_memory() -> None:
    file = io.BytesIO(b"999999999999:" + b"x" * 100_000)
    tracemalloc.start()
    try:
        with pytest.raises(TNetstringError, match="ends in the middle"):
            next(iter(Items(file)))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_what_is_too_large_is_passed_over() -> None:
    data = framed(b"x" * 100) + framed(b"a")
    assert list(Items(io.BytesIO(data), max_item=50)) == [Item(0, None), Item(105, b"1:a}")]


def test_files_in_text_mode_are_refused() -> None:
    with pytest.raises(TypeError, match="binary mode"):
        list(Items(io.StringIO("1:a}")))  # type: ignore[arg-type]
