from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows import comparing
from midstream.flows.comparing import Body, Row, body_rows, head_rows, is_quick
from tests.kit.captured import dns_flow, http_flow, tcp_flow, websocket_flow

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def differing(rows: list[Row]) -> list[tuple[str, str]]:
    return [(row.sign, row.name) for row in rows if row.sign in "~-+"]


@given(st.binary(max_size=400), st.binary(max_size=400), st.sampled_from(["", "gzip", "br", "nonsense"]))
def test_any_two_bodies_are_compared_and_only_equal_ones_are_the_same(left, right, encoding):
    assert not differing(body_rows(left, encoding, left, encoding))
    rows = body_rows(left, "", right, "")
    assert bool(differing(rows)) == (left != right) or left.decode("utf-8", "replace") == right.decode(
        "utf-8", "replace"
    )
    for row in rows:
        assert row.left is None or isinstance(row.left, str)
    body_rows(left, encoding, right, "")


@given(documents, documents)
def test_documents_are_compared_by_path_whatever_their_layout(left, right):
    left, right = [left], [right]
    same = body_rows(json.dumps(left).encode(), "", json.dumps(left, indent=3).encode(), "")
    assert not differing(same)
    rows = body_rows(json.dumps(left).encode(), "", json.dumps(right).encode(), "")
    if left != right and json.dumps(left) != json.dumps(right):
        assert differing(rows)


def test_paths_name_what_was_added_taken_away_and_changed():
    rows = body_rows(b'{"a/b": 1, "gone": [true], "x": {}}', "", b'{"a/b": 2, "x": {}, "new": "\xc3\xa4"}', "")
    assert differing(rows) == [("~", "/a~1b"), ("-", "/gone/0"), ("+", "/new")]


def test_lines_are_found_again_behind_an_insertion():
    rows = body_rows(b"one\ntwo\nthree", "", b"one\nnew\ntwo\nthree", "")
    assert differing(rows) == [("+", "2")]


def test_compressed_bodies_are_decoded_and_binary_ones_shown_where_they_differ():
    assert not differing(body_rows(gzip.compress(b"text"), "gzip", b"text", ""))
    left = bytes(range(256)) * 40
    rows = body_rows(left, "", left[:5000] + b"\x00" + left[5001:], "")
    assert [row.name for row in rows] == ["size", "from byte 4,992"]
    assert rows[1].sign == "~"


def test_a_compressed_document_is_compared_by_path_and_one_that_is_too_large_says_so():
    ours, theirs = (gzip.compress(json.dumps({"a": 1, "b": each}).encode()) for each in (2, 3))
    assert body_rows(ours, "gzip", theirs, "gzip") == [Row("/a", "1", "1"), Row("/b", "2", "3")]
    long = gzip.compress(b"x\n" * comparing.LARGEST)
    assert body_rows(long, "gzip", b"x", "")[0].name.startswith("compared are the first")


def test_what_is_too_large_is_cut_and_said():
    large = b"a line of text\n" * (comparing.LARGEST // 10)
    (row,) = body_rows(large, "", large[:-5], "")
    assert row.name == "the beginning is the same"
    rows = body_rows(large, "", b"b" + large, "")
    assert rows[0] == Row("compared are the first 2 MB", None, None)
    assert len(rows) <= comparing.MOST_ROWS


@pytest.mark.parametrize("text", [b"[" * 100_000 + b"]" * 100_000, b"[" + b"1," * 50_000 + b"1]", b'{"a": NaN}'])
def test_awkward_documents_are_compared_all_the_same(text):
    assert body_rows(text, "", text + b" ", "") is not None
    assert differing(body_rows(text, "", b"[]", ""))


def test_headers_are_compared_by_name_in_any_case_and_order():
    left = http_flow("http://h/", request_headers=((b"A", b"1"), (b"Set", b"x"), (b"Set", b"y"), (b"Gone", b"")))
    right = http_flow("http://h/?q", request_headers=((b"set", b"x"), (b"SET", b"z"), (b"a", b"1"), (b"Come", b"\xff")))
    rows = head_rows(left, right, "request")
    assert differing(rows) == [("~", "url"), ("~", "set"), ("-", "gone"), ("+", "come")]
    assert differing(head_rows(left, http_flow("http://h/", status=None), "response"))


def test_every_kind_of_flow_can_be_compared_with_every_other():
    flows = [
        http_flow("http://h/"),
        http_flow("http://h/", status=None),
        websocket_flow((True, b"a")),
        tcp_flow((True, b"a"), (False, b"b")),
        dns_flow(),
        dns_flow("other.example", answered=False),
    ]
    for left in flows:
        for right in flows:
            for side in {*comparing.sides(left), *comparing.sides(right)}:
                assert bool(differing(head_rows(left, right, side))) in (False, True)
                comparing.bodies(left, right, side)
    assert differing(head_rows(tcp_flow((True, b"a")), tcp_flow((True, b"a"), (False, b"b")), "messages")) == [
        ("+", "2")
    ]


def test_what_takes_long_is_told_beforehand():
    assert is_quick(Body(b"x" * 1000, ""), Body(b"", ""))
    assert not is_quick(Body(b"x" * 100_000, ""), Body(b"", ""))
    assert not is_quick(Body(b"x" * 10_000, "gzip"), Body(b"", ""))
    assert not is_quick(Body(b"\n" * 10_000, ""), Body(b"", ""))
