"""Heads that people and addons assembled: refused or mended, and always framed."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire.http1 import (
    CHUNKED,
    NO_BODY,
    UNTIL_CLOSE,
    Outgoing,
    Refused,
    check_outgoing_request,
    check_outgoing_response,
    parse_request_head,
    parse_response_head,
    request_head_bytes,
    response_head_bytes,
)


def ask(
    *fields: Any, body: int = NO_BODY, method: Any = b"POST", target: Any = b"/", version: Any = b"HTTP/1.1"
) -> Outgoing:
    return check_outgoing_request(method, target, version, ((b"Host", b"a"), *fields), body)


def answer(
    *fields: Any, body: int = 0, status: Any = 200, reason: Any = b"OK", version: Any = b"HTTP/1.1", method=b"GET"
):
    return check_outgoing_response(version, status, reason, fields, body, method)


BAD_PARTS: list[tuple[dict[str, Any], str]] = [
    ({"method": b"G T"}, "the method 'G T' contains a character that no method may have"),
    ({"method": b""}, "the method '' contains a character that no method may have"),
    ({"method": "GET"}, "the method is str, not bytes"),
    ({"target": b"/ HTTP/1.1\r\nX: 1"}, "the request target '/ HTTP/1.1\\r\\nX: 1' is empty or contains white space"),
    ({"target": b""}, "the request target '' is empty or contains white space"),
    ({"target": None}, "the request target is NoneType, not bytes"),
    ({"version": b"HTTP/2.0"}, "the version 'HTTP/2.0' is neither HTTP/1.0 nor HTTP/1.1"),
    ({"version": "HTTP/1.1"}, "the version is str, not bytes"),
]

BAD_FIELDS: list[tuple[tuple[Any, Any], str]] = [
    ((b"X", b"a\r\nB: c"), "the header 'X' contains CR or LF"),
    ((b"X", b"a\nB: c"), "the header 'X' contains CR or LF"),
    ((b"X", b"a\r"), "the header 'X' contains CR or LF"),
    ((b"X", b"a\x00"), "the header 'X' contains NUL"),
    ((b"X", b"\x1b"), "the header 'X' contains a control character"),
    ((b"X Y", b""), "the header name 'X Y' is empty or contains a character that no name may have"),
    ((b"X:", b""), "the header name 'X:' is empty or contains a character that no name may have"),
    ((b"", b"x"), "the header name '' is empty or contains a character that no name may have"),
    ((b"A: 1\r\nX", b"x"), "the header name 'A: 1\\r\\nX' is empty or contains a character that no name may have"),
    (("X", b"x"), "the name of a header is str, not bytes"),
    ((b"X", "x"), "the value of the header 'X' is str, not bytes"),
    ((b"X", None), "the value of the header 'X' is NoneType, not bytes"),
    ((b"X", 5), "the value of the header 'X' is int, not bytes"),
]


@pytest.mark.parametrize(("parts", "reason"), BAD_PARTS)
def test_bad_request_lines(parts: dict[str, Any], reason: str):
    with pytest.raises(Refused, match="^" + re.escape(reason)):
        ask(**parts)


@pytest.mark.parametrize(("field", "reason"), BAD_FIELDS)
def test_bad_fields(field: tuple[Any, Any], reason: str):
    for check in (ask, answer):
        with pytest.raises(Refused, match="^" + re.escape(reason)):
            check((b"A", b"1"), field, (b"B", b"2"))


@pytest.mark.parametrize("status", [99, 600, "200", None])
def test_bad_status(status: Any):
    with pytest.raises(Refused, match=r"^the status .* is not a number from 100 to 599"):
        answer(status=status)


def test_bad_reason():
    with pytest.raises(Refused, match=r"^the reason phrase .* contains a control character"):
        answer(reason=b"OK\r\nSet-Cookie: a=1")
    with pytest.raises(Refused, match=r"^the reason phrase is str, not bytes"):
        answer(reason="OK")


def test_two_hosts():
    with pytest.raises(Refused, match="the request has more than one Host field"):
        ask((b"host", b"b"))


def test_connect_has_no_body():
    assert ask((b"Transfer-Encoding", b"chunked"), method=b"CONNECT", target=b"a:1").fields == ((b"Host", b"a"),)
    assert ask((b"Content-Length", b"0"), method=b"CONNECT", target=b"a:1", body=0).framing == 0
    for body in (5, CHUNKED):
        with pytest.raises(Refused, match="a CONNECT request must not have a body"):
            ask(method=b"CONNECT", target=b"a:1", body=body)


def test_outer_white_space_goes():
    assert ask((b"X", b" a\t")).fields[1] == (b"X", b"a")


REQUESTS: list[tuple[list[tuple[bytes, bytes]], int, list[tuple[bytes, bytes]], int, int]] = [
    # fields, body to be written -> fields, framing, how many repairs
    ([], NO_BODY, [], NO_BODY, 0),
    ([], 0, [], NO_BODY, 0),
    ([], 5, [(b"Content-Length", b"5")], 5, 0),
    ([], CHUNKED, [(b"Transfer-Encoding", b"chunked")], CHUNKED, 0),
    ([(b"content-length", b"5"), (b"X", b"1")], 5, [(b"content-length", b"5"), (b"X", b"1")], 5, 0),
    ([(b"content-length", b"3"), (b"X", b"1")], 5, [(b"content-length", b"5"), (b"X", b"1")], 5, 1),
    ([(b"Content-Length", b"+5")], 5, [(b"Content-Length", b"5")], 5, 1),
    ([(b"Content-Length", b"5"), (b"content-length", b"5")], 5, [(b"Content-Length", b"5")], 5, 1),
    ([(b"Content-Length", b"0")], NO_BODY, [(b"Content-Length", b"0")], 0, 0),
    ([(b"Content-Length", b"5")], NO_BODY, [(b"Content-Length", b"0")], 0, 1),
    ([(b"Content-Length", b"5")], CHUNKED, [(b"Transfer-Encoding", b"chunked")], CHUNKED, 1),
    ([(b"Transfer-Encoding", b"Chunked")], 5, [(b"Transfer-Encoding", b"chunked")], CHUNKED, 0),
    ([(b"Transfer-Encoding", b"chunked")], CHUNKED, [(b"Transfer-Encoding", b"chunked")], CHUNKED, 0),
    ([(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"5")], 5, [(b"Content-Length", b"5")], 5, 1),
    ([(b"Transfer-Encoding", b"gzip, chunked")], 5, [(b"Content-Length", b"5")], 5, 1),
    ([(b"Transfer-Encoding", b"gzip")], CHUNKED, [(b"Transfer-Encoding", b"chunked")], CHUNKED, 1),
    ([(b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"x")], 5, [(b"Content-Length", b"5")], 5, 2),
    ([(b"Transfer-Encoding", b"chunked")], NO_BODY, [], NO_BODY, 1),
]


@pytest.mark.parametrize(("fields", "body", "expected", "framing", "repairs"), REQUESTS)
def test_framing_of_requests(fields, body, expected, framing, repairs):
    checked = ask(*fields, body=body)
    assert checked.fields[1:] == tuple(expected)
    assert checked.framing == framing
    assert len(checked.repairs) == repairs


def test_repairs_name_the_field():
    (repair,) = ask((b"content-length", b"3"), body=5).repairs
    assert repair == "the header 'content-length' was '3' and is now '5'"
    (repair,) = ask((b"Transfer-Encoding", b"gzip"), body=5).repairs
    assert repair == "the header 'Transfer-Encoding' with the value 'gzip' does not fit the body and was left out"


def test_http_10_has_no_chunks():
    checked = ask((b"Transfer-Encoding", b"chunked"), body=5, version=b"HTTP/1.0")
    assert (checked.fields[1:], checked.framing) == (((b"Content-Length", b"5"),), 5)
    for body in (CHUNKED, UNTIL_CLOSE):
        with pytest.raises(Refused, match="the length of the request body is not known"):
            ask(body=body, version=b"HTTP/1.0")
    checked = answer((b"Transfer-Encoding", b"chunked"), body=CHUNKED, version=b"HTTP/1.0")
    assert (checked.fields, checked.framing) == ((), UNTIL_CLOSE)


def test_a_length_of_nothing_fits_where_no_body_may_be():
    """Libraries, ours too, write one into every response they make."""
    assert answer((b"Content-Length", b"0"), status=204, body=0) == ((), NO_BODY, ())
    assert len(answer((b"Content-Length", b"5"), status=204, body=0).repairs) == 1


def test_responses_are_always_framed():
    assert answer(body=0).fields == ((b"Content-Length", b"0"),)
    assert answer(body=NO_BODY).fields == ((b"Content-Length", b"0"),)
    assert answer(body=7) == (((b"Content-Length", b"7"),), 7, ())
    assert answer(body=UNTIL_CLOSE) == ((), UNTIL_CLOSE, ())
    assert answer((b"Transfer-Encoding", b"chunked"), body=7).framing == CHUNKED


@pytest.mark.parametrize(("status", "method"), [(101, b"GET"), (204, b"GET"), (200, b"CONNECT")])
@pytest.mark.parametrize("field", [(b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")])
def test_answers_that_must_not_speak_of_a_body(status: int, method: bytes, field: tuple[bytes, bytes]):
    checked = answer((b"A", b"1"), field, status=status, method=method, body=5)
    assert checked[:2] == (((b"A", b"1"),), NO_BODY)
    assert len(checked.repairs) == 1


@pytest.mark.parametrize(("status", "method"), [(304, b"GET"), (200, b"HEAD")])
def test_answers_that_may_speak_of_a_body_they_lack(status: int, method: bytes):
    def kept(*fields: tuple[bytes, bytes], version: bytes = b"HTTP/1.1") -> tuple[tuple[bytes, bytes], ...]:
        checked = answer(*fields, status=status, method=method, version=version)
        assert checked.framing == NO_BODY
        return checked.fields

    length, coding = (b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")
    assert kept() == ()
    assert kept(length) == (length,)
    assert kept(length, length) == (length,)
    assert kept(coding) == (coding,)
    assert kept(coding, version=b"HTTP/1.0") == ()
    assert kept((b"Content-Length", b"x")) == ()
    assert kept((b"Content-Length", b"4"), length) == ()
    assert kept(coding, length) == (length,)


wild = st.binary(max_size=6)
names = st.one_of(wild, st.sampled_from([b"Content-Length", b"transfer-encoding", b"X-A", b"Host", b"Connection"]))
field_values = st.one_of(
    wild, st.sampled_from([b"5", b"chunked", b"Chunked", b"5, 5", b"a\r\nB: c", b" x ", b"keep-alive"])
)
methods = st.one_of(wild, st.sampled_from([b"GET", b"POST", b"CONNECT"]))
bodies = st.sampled_from([0, 5, NO_BODY, CHUNKED, UNTIL_CLOSE])
versions = st.sampled_from([b"HTTP/1.0", b"HTTP/1.1"])


@given(methods, wild, versions, st.lists(st.tuples(names, field_values), max_size=5), bodies)
def test_what_passes_is_read_back_alike(method, target, version, fields, body):
    try:
        checked = check_outgoing_request(method, b"/" + target, version, ((b"Host", b"a"), *fields), body)
    except Refused as refused:
        assert refused.reason.isprintable()
        return
    head = parse_request_head(request_head_bytes(method, b"/" + target, version, checked.fields))
    assert (head.fields, head.framing) == (checked.fields, checked.framing)


@given(st.integers(100, 599), wild, versions, st.lists(st.tuples(names, field_values), max_size=5), bodies)
def test_what_passes_as_response_is_read_back_alike(status, reason, version, fields, body):
    for method in (b"GET", b"HEAD"):
        try:
            checked = check_outgoing_response(version, status, reason, tuple(fields), body, method)
        except Refused as refused:
            assert refused.reason.isprintable()
            return
        head = parse_response_head(response_head_bytes(version, status, reason, checked.fields), method)
        assert (head.fields, head.framing) == (checked.fields, checked.framing)
