import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.widgets.json_text import NotJson, coloured, reindent

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)


def pretty(data: bytes) -> str:
    return b"".join(part for part in reindent(data) if part is not None).decode()


def test_one_value_to_a_line() -> None:
    assert pretty(b'{"sku":"A-1009","qty":2,"none":[ ],"list":[1,{}]}') == (
        '{\n  "sku": "A-1009",\n  "qty": 2,\n  "none": [],\n  "list": [\n    1,\n    {}\n  ]\n}'
    )


def test_tokens_stay_as_they_are() -> None:
    text = pretty(rb'{"a":1.0e400,"a":12345678901234567890123,"b":"\u0041\/"}')
    assert '"a": 1.0e400,' in text
    assert '"a": 12345678901234567890123,' in text
    assert r'"b": "\u0041\/"' in text


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[1", b"[1 2]", b"{]", b"hello", b'{"a":1} {"a":2}', b'["\n"]', b"[1]x", b"[,1]", b'"\xff'],
    ids=repr,
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(NotJson):
        pretty(data)


def test_deep_nesting_is_bounded() -> None:
    data = b"[" * 100_000 + b"]" * 100_000
    size = 0
    with pytest.raises(NotJson, match="nested"):
        for part in reindent(data):
            size += len(part or b"")
    assert size < 20 * len(data)


def test_work_is_cut_into_steps() -> None:
    parts = list(reindent(b"[" + b"1," * 50_000 + b"1]"))
    assert parts.count(None) > 10


@given(JSON, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_the_value_is_the_same(value: object, ascii_only: bool, indent: int | str | None) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    whole = b"".join(part for part in reindent(data) if part is not None)
    assert json.loads(whole.decode("utf-8", "surrogatepass")) == value


@given(st.text(max_size=60))
def test_colours_change_no_text(line: str) -> None:
    assert "".join(text for _, text in coloured(line)) == line


def test_colours() -> None:
    assert coloured('  "a": "b", 12, true') == [
        ("text", "  "),
        ("syntax.key", '"a"'),
        ("text", ":"),
        ("text", " "),
        ("syntax.string", '"b"'),
        ("text", ", "),
        ("syntax.number", "12"),
        ("text", ", "),
        ("syntax.word", "true"),
    ]
