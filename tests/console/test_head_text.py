from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.console.head_text import BadHead, read_request, read_response, write_request, write_response

token = st.from_regex(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+", fullmatch=True)
value = st.from_regex(rb"([\x21-\x7e\x80-\xff]([\x20-\x7e\t\x80-\xff]*[\x21-\x7e\x80-\xff])?)?", fullmatch=True)
fields = st.lists(st.tuples(token, value), max_size=8).map(tuple)
url = st.from_regex(rb"https?://[a-z.]+(/[\x21-\x7e\x80-\xff]*)?", fullmatch=True)


@given(token, url, fields)
def test_an_untouched_request_head_is_the_same_bytes(method, url, fields):
    text = write_request(method, url, b"HTTP/1.1", fields)
    assert read_request(text) == (method, url, b"HTTP/1.1", fields)


@given(st.integers(100, 599), value, fields)
def test_an_untouched_response_head_is_the_same_bytes(status, reason, fields):
    text = write_response(b"HTTP/1.1", status, reason, fields)
    assert read_response(text) == (b"HTTP/1.1", status, reason, fields)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_the_line(data):
    for read in (read_request, read_response):
        try:
            read(data)
        except BadHead as error:
            assert str(error).startswith("line ")


def test_line_ends_of_windows_editors():
    assert read_request(b"GET http://x/ HTTP/1.1\r\nA: b\r\n\r\n").fields == ((b"A", b"b"),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "line 1: the head is empty"),
        (b"GET http://x/\n", "line 1: a request begins"),
        (b"G(T http://x/ HTTP/1.1", "line 1: 'G(T' is no method"),
        (b"GET http://x/ HTTP", "line 1: 'HTTP' is no version"),
        (b"GET http://x/ HTTP/1.1\nno colon", "line 2: a header is 'name: value', not 'no colon'"),
        (b"GET http://x/ HTTP/1.1\na: b\n folded", "line 3: "),
        (b"GET http://x/ HTTP/1.1\nb d: x", "line 2: 'b d' is no header name"),
        (b"GET http://x/ HTTP/1.1\na: b\n\nbody", "line 3: an empty line ends a head"),
        (b"GET http://x/ HTTP/1.1\na: b\rc: d", "line 2: the value of 'a' holds a control character"),
    ],
)
def test_what_is_no_head_names_its_line(text, problem):
    with pytest.raises(BadHead) as caught:
        read_request(text)
    assert str(caught.value).startswith(problem)
