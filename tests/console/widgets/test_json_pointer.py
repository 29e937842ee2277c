"""The JSON pointer of each line of a pretty text, against what a parser says."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from midstream.console.widgets.json_pointer import UNKNOWN, Pointer
from midstream.contentviews.json_text import reindent


def pretty(value: object) -> bytes:
    return b"".join(part for part in reindent(json.dumps(value).encode()) if part)


def pointers(text: bytes) -> list[str]:
    found, at = [], 0
    for line in text.split(b"\n"):
        pointer = Pointer(text, at)
        for _ in pointer.find():
            pass
        found.append(pointer.text)
        at += len(line) + 1
    return found


def test_objects_and_lists() -> None:
    text = pretty({"a": 1, "items": [{"sku": "x"}, [], [1, 2]], "b/c~d": {"é": None}})
    assert pointers(text) == [
        "", "/a", "/items", "/items/0", "/items/0/sku", "/items/0", "/items/1", "/items/2", "/items/2/0", "/items/2/1",
        "/items/2", "/items", "/b~1c~0d", "/b~1c~0d/é", "/b~1c~0d", "",
    ]  # fmt: skip


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def expected(value: object, where: str = "") -> list[str]:
    if isinstance(value, dict) and value:
        inner = [
            line
            for key, each in value.items()
            for line in expected(each, f"{where}/{key.replace('~', '~0').replace('/', '~1')}")
        ]
        return [where, *inner, where]
    if isinstance(value, list) and value:
        return [where, *(line for at, each in enumerate(value) for line in expected(each, f"{where}/{at}")), where]
    return [where]


@given(VALUES)
def test_any_json(value: object) -> None:
    assert pointers(pretty(value)) == expected(value)


def test_a_list_of_a_million_is_given_up() -> None:
    text = b"[\n" + b"  1,\n" * 1_000_000 + b"  2\n]"
    pointer = Pointer(text, len(text) - 4)
    steps = sum(1 for _ in pointer.find())
    assert pointer.text == UNKNOWN
    assert steps > 1000
    early = Pointer(text, 2 + 5 * 77)
    list(early.find())
    assert early.text == "/77"
