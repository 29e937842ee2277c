import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.contentviews.api import Metadata
from midstream.contentviews.json_text import NotJson, begins_as_json, reindent
from midstream.contentviews.views.json import JSON

VALUES = st.recursive(
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


@given(VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_the_value_is_the_same(value: object, ascii_only: bool, indent: int | str | None) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    whole = b"".join(part for part in reindent(data) if part is not None)
    assert json.loads(whole.decode("utf-8", "surrogatepass")) == value


@pytest.mark.parametrize(
    ("data", "begins"),
    [
        (b'{"a": 1}', True),
        (b" \r\n[1, 2]", True),
        (b'["' + b"x" * 5000 + b'"]', True),
        (b"[" + b"true, " * 5000 + b"true]", True),
        (b"[" + b"12345678901, " * 5000, True),
        (b'["unfinished', False),
        (b"[12:00:01] a line of a log", False),
        (b"{{ template }}", False),
        (b"plain", False),
        (b"", False),
        (b'"a string"', False),
    ],
    ids=range(11),
)
def test_a_look_at_the_beginning(data: bytes, begins: bool) -> None:
    assert begins_as_json(data) is begins


@given(VALUES, st.integers(0, 200))
def test_any_beginning_of_json_is_cut_short_or_whole(value: object, at: int) -> None:
    data = json.dumps([value]).encode("utf-8", "surrogatepass")[:at]
    try:
        list(reindent(data))
    except NotJson as error:
        assert "ends before" in str(error) or not data


@given(VALUES, st.sampled_from([(",", ":"), (", ", ": ")]), st.sampled_from(["", "\n"]))
def test_an_edited_text_is_written_as_it_came(value: object, separators: tuple[str, str], end: str) -> None:
    original = (json.dumps(value, separators=separators) + end).encode()
    view, metadata = JSON(), Metadata(content_type="application/json", original_data=original)
    shown = view.prettify(original, metadata)
    assert view.reencode(shown, metadata) == original
    assert view.reencode(shown + "\n\n", metadata) == original, "editors put a line break at the end"


@pytest.mark.parametrize(
    ("original", "old", "new", "result"),
    [
        (b'{"a":1.50,"a":[2e3,"x, y: z"]}', "1.50", "1.60", b'{"a":1.60,"a":[2e3,"x, y: z"]}'),
        (b'{"a": 1, "b": [1, 2]}\n', "2", "3", b'{"a": 1, "b": [1, 3]}\n'),
        (b'{\n  "a": 1\n}\n', "1", "7", b'{\n  "a": 7\n}\n'),
        (b'{"a":1,"b":%s}' % (b"9" * 5000), '"a": 1', '"a": 2', b'{"a":2,"b":%s}' % (b"9" * 5000)),
        (b'\xef\xbb\xbf \n{"a": 1}\r\n', "1", "2", b'\xef\xbb\xbf \n{"a": 2}\r\n'),
        (b"no json", "no json", '{"a": 1}', b'{"a":1}'),
    ],
)
def test_what_was_edited_alone_changes(original: bytes, old: str, new: str, result: bytes) -> None:
    view, metadata = JSON(), Metadata(content_type="application/json", original_data=original)
    shown = view.prettify(original, metadata) if b"{" in original else original.decode()
    assert view.reencode(shown.replace(old, new), metadata) == result


@pytest.mark.parametrize(
    ("original", "text", "reason"),
    [
        (b"{}", '{\n  "a": 1,\n}', "line 3, column 1"),
        (b'"\xff"', '"a"', "not in UTF-8"),
        (b"[]", "[" * 100_000, "nested too deeply|no JSON"),
    ],
)
def test_what_is_no_json_is_not_taken(original: bytes, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        JSON().reencode(text, Metadata(original_data=original))


@pytest.mark.parametrize(("original", "new"), [('{"a":1,"b":"é"}'.encode(), "2"), (b'{"a":1}', '"é"')])
def test_what_the_type_says_is_no_utf_8_is_not_written_as_such(original: bytes, new: str) -> None:
    view = JSON()
    metadata = Metadata(content_type="application/json; charset=iso-8859-1", original_data=original)
    shown = view.prettify(original, metadata)
    with pytest.raises(ValueError, match="not in UTF-8"):
        view.reencode(shown.replace("1", new), metadata)
