import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.panes.line_values import json_value
from midstream.flows.errors import CommandError

TEXT = '{\n  "items": [\n    {\n      "sku": "A-1",\n      "qty": 1\n    },\n    []\n  ],\n  "ok": true\n}'
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def value(text: str, line: int) -> str:
    lines = text.split("\n")
    return json_value(lines.__getitem__, line, len(lines))


@pytest.mark.parametrize(
    ("line", "copied"),
    [
        (1, '[\n  {\n    "sku": "A-1",\n    "qty": 1\n  },\n  []\n]'),
        (2, '{\n  "sku": "A-1",\n  "qty": 1\n}'),
        (3, "A-1"),
        (4, "1"),
        (6, "[]"),
        (8, "true"),
    ],
)
def test_what_a_line_holds(line, copied):
    assert value(TEXT, line) == copied


@given(VALUES)
def test_the_first_line_holds_all(anything):
    text = json.dumps(anything, indent=2)
    copied = value(text, 0)
    assert copied in (text, anything)


def test_what_is_not_over_is_its_line():
    assert value('{\n  "a": [\n    1', 1) == "["


def test_a_value_of_a_megabyte_is_refused():
    text = json.dumps(["x" * 1000] * 1000, indent=2)
    with pytest.raises(CommandError, match="larger than 256 kB"):
        value(text, 0)
