"""The classes of hostile heads in design/promises.md: each refused, with the reason that a person reads."""

import re

import pytest

from midstream.wire.http1 import Refused, find_head_end, parse_request_head, parse_response_head
from tests.kit.stopwatch import within

BOTH = "the message has both Content-Length and Transfer-Encoding"
SEVERAL_LENGTHS = "the message has more than one Content-Length field"
SEVERAL_CODINGS = "the message has more than one Transfer-Encoding field"

FRAMING = [
    ([b"Content-Length: 5", b"Transfer-Encoding: chunked"], BOTH, 400),
    ([b"Transfer-Encoding: chunked", b"Content-Length: 5"], BOTH, 400),
    ([b"Content-Length: 0", b"transfer-encoding:\tchunked"], BOTH, 400),
    ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"], SEVERAL_CODINGS, 400),
    ([b"Transfer-Encoding: chunked", b"Transfer-encoding: cow"], SEVERAL_CODINGS, 400),
    ([b"Content-Length: 5", b"Content-Length: 6"], SEVERAL_LENGTHS, 400),
    ([b"Content-Length: 5", b"content-length: 5"], SEVERAL_LENGTHS, 400),
    *[
        ([b"Content-Length: " + value], f"the Content-Length '{value.decode()}' is not a number", 400)
        for value in (b"+5", b"-5", b"5.0", b"0x5", b"", b"5, 5", b"5,6", b"5 5", b"1e3", b"5_0", b"5;q=1")
    ],
    ([b"Content-Length: \xb2"], "the Content-Length '\\xb2' is not a number", 400),
    ([b"Content-Length: 9223372036854775808"], "the Content-Length '9223372036854775808' is too large", 400),
    ([b"Content-Length: 00000000000000000005"], "the Content-Length '00000000000000000005' is too large", 400),
    *[
        ([b"Transfer-Encoding: " + value], f"the Transfer-Encoding '{value.decode()}' is not supported", 501)
        for value in (b"gzip", b"gzip, chunked", b"chunked, chunked", b"identity", b"xchunked", b"chunked;x", b"", b",")
    ],
]

LINES = [
    (b"X : 1", "white space stands between the header name 'X' and its colon"),
    (b"Transfer-Encoding : chunked", "white space stands between the header name 'Transfer-Encoding' and its colon"),
    (b"Content-Length\t: 5", "white space stands between the header name 'Content-Length' and its colon"),
    (b" folded: 1", "a header line is folded (it starts with white space)"),
    (b"A: 1\r\n more", "a header line is folded (it starts with white space)"),
    (b"A: 1\r\n\tmore", "a header line is folded (it starts with white space)"),
    (b"no colon", "the header line 'no colon' has no colon"),
    (b": 1", "a header line has no name"),
    (b"A B: 1", "the header name 'A B' contains a character that no name may have"),
    (b"A(: 1", "the header name 'A(' contains a character that no name may have"),
    (b"\xc3\xa9: 1", "the header name '\\xc3\\xa9' contains a character that no name may have"),
    (b"A\x00: 1", "the header name 'A\\x00' contains a character that no name may have"),
    (b"A: 1\x00", "the header 'A' contains NUL"),
    (b"A: 1\nB: 2", "a header line ends in a bare LF"),
    (b"A: 1\n", "a header line ends in a bare LF"),
    (b"A: 1\rB: 2", "a header line contains a bare CR"),
    (b"A: 1\r", "a header line contains a bare CR"),
    (b"A: \x1b[31m", "the header 'A' contains a control character"),
    (b"A: \x7f", "the header 'A' contains a control character"),
    (b"A: x\x0by", "the header 'A' contains a control character"),
    (b"Transfer-Encoding: \x0bchunked", "the header 'Transfer-Encoding' contains a control character"),
]

REQUEST_LINES = [
    (b"GET /\x00 HTTP/1.1", "the request line contains NUL", 400),
    (b"GET /\x1b HTTP/1.1", "the request line contains a control character", 400),
    (b"GET /\t HTTP/1.1", "the request line contains a control character", 400),
    (b"GET / HTTP/1.1\rX", "the request line contains a bare CR", 400),
    (b"GET /\n HTTP/1.1", "the request line ends in a bare LF", 400),
    (b"GET /a b HTTP/1.1", "the request target '/a b' contains white space", 400),
    (b"GET  / HTTP/1.1", "the request line 'GET  / HTTP/1.1' is not 'method target version'", 400),
    (b"GET / HTTP/1.1 ", "the request line 'GET / HTTP/1.1 ' is not 'method target version'", 400),
    (b" GET / HTTP/1.1", "the request line ' GET / HTTP/1.1' is not 'method target version'", 400),
    (b"GET /", "the request line 'GET /' is not 'method target version'", 400),
    (b"GET", "the request line 'GET' is not 'method target version'", 400),
    (b"GET / http/1.1", "the request line 'GET / http/1.1' is not 'method target version'", 400),
    (b"G(T / HTTP/1.1", "the method 'G(T' contains a character that no method may have", 400),
    (b"G\xc9T / HTTP/1.1", "the method 'G\\xc9T' contains a character that no method may have", 400),
    (b"GET / HTTP/1.2", "the version 'HTTP/1.2' is neither HTTP/1.0 nor HTTP/1.1", 505),
    (b"GET / HTTP/0.9", "the version 'HTTP/0.9' is neither HTTP/1.0 nor HTTP/1.1", 505),
    (b"PRI * HTTP/2.0", "the version 'HTTP/2.0' is neither HTTP/1.0 nor HTTP/1.1", 505),
]

STATUS_LINES = [
    (b"HTTP/1.1 99 x", "the status '99' is not a number from 100 to 599"),
    (b"HTTP/1.1 600 x", "the status '600' is not a number from 100 to 599"),
    (b"HTTP/1.1 2000 x", "the status '2000' is not a number from 100 to 599"),
    (b"HTTP/1.1 20 x", "the status '20' is not a number from 100 to 599"),
    (b"HTTP/1.1 +20 x", "the status '+20' is not a number from 100 to 599"),
    (b"HTTP/1.1  200 x", "the status '' is not a number from 100 to 599"),
    (b"HTTP/1.1", "the status '' is not a number from 100 to 599"),
    (b"HTTP/2 200", "the response begins with 'HTTP/2', not with HTTP/1.0 or HTTP/1.1"),
    (b"<html> 200", "the response begins with '<html>', not with HTTP/1.0 or HTTP/1.1"),
    (b"", "an empty line stands before the response"),
    (b"HTTP/1.1 200 a\rb", "the status line contains a bare CR"),
    (b"HTTP/1.1 200 a\nb", "the status line ends in a bare LF"),
    (b"HTTP/1.1 200 a\x00b", "the status line contains NUL"),
    (b"HTTP/1.1 200 \x1b[2J", "the status line contains a control character"),
    (b"HTTP/1.1 200 \x7f", "the status line contains a control character"),
]


def head(start: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join((start, *lines, b"", b""))


def assert_refused(raw: bytes, reason: str, status: int | None, parse) -> None:
    with pytest.raises(Refused, match="^" + re.escape(reason)) as caught:
        parse(raw)
    assert caught.value.reason.isprintable()
    assert status is None or caught.value.status == status


@pytest.mark.parametrize(("lines", "reason", "status"), FRAMING)
def test_framing_of_requests(lines: list[bytes], reason: str, status: int):
    assert_refused(head(b"POST / HTTP/1.1", b"Host: a", *lines), reason, status, parse_request_head)


@pytest.mark.parametrize(("lines", "reason", "status"), FRAMING)
@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"CONNECT"])
@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK", b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified"])
def test_framing_of_responses(lines: list[bytes], reason: str, status: int, method: bytes, start: bytes):
    assert_refused(head(start, *lines), reason, None, lambda raw: parse_response_head(raw, method))


def test_transfer_encoding_in_http_10():
    reason = "an HTTP/1.0 message must not have Transfer-Encoding"
    raw = head(b"POST / HTTP/1.0", b"Host: a", b"Transfer-Encoding: chunked")
    assert_refused(raw, reason, 400, parse_request_head)
    raw = head(b"HTTP/1.0 200 OK", b"Transfer-Encoding: chunked")
    assert_refused(raw, reason, None, lambda raw: parse_response_head(raw, b"GET"))


@pytest.mark.parametrize("value", [b"Chunked", b"cHuNkEd", b"CHUNKED"])
def test_requests_must_spell_chunked_plainly(value: bytes):
    raw = head(b"POST / HTTP/1.1", b"Host: a", b"Transfer-Encoding: " + value)
    assert_refused(raw, f"the Transfer-Encoding '{value.decode()}' is not spelled 'chunked'", 400, parse_request_head)


@pytest.mark.parametrize("line", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_connect_with_a_body(line: bytes):
    raw = head(b"CONNECT a:443 HTTP/1.1", b"Host: a:443", line)
    assert_refused(raw, "a CONNECT request must not have a body", 400, parse_request_head)


@pytest.mark.parametrize("hosts", [(b"Host: a", b"Host: b"), (b"Host: a", b"host: a"), (b"Host:", b"HOST: a")])
def test_two_hosts(hosts: tuple[bytes, bytes]):
    raw = head(b"GET / HTTP/1.1", *hosts)
    assert_refused(raw, "the request has more than one Host field", 400, parse_request_head)


@pytest.mark.parametrize(("line", "reason"), LINES)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_field_lines(line: bytes, reason: str, place: str):
    lines = {"first": (line, b"Host: a"), "middle": (b"Host: a", line, b"B: 2"), "last": (b"Host: a", line)}[place]
    assert_refused(head(b"GET / HTTP/1.1", *lines), reason, 400, parse_request_head)
    assert_refused(head(b"HTTP/1.1 200 OK", *lines), reason, None, lambda raw: parse_response_head(raw, b"GET"))


@pytest.mark.parametrize(("line", "reason", "status"), REQUEST_LINES)
def test_request_lines(line: bytes, reason: str, status: int):
    assert_refused(head(line, b"Host: a"), reason, status, parse_request_head)


@pytest.mark.parametrize(("line", "reason"), STATUS_LINES)
def test_status_lines(line: bytes, reason: str):
    assert_refused(head(line, b"A: 1"), reason, None, lambda raw: parse_response_head(raw, b"GET"))


def test_a_head_must_end_in_an_empty_line():
    for raw in (b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n", b"GET / HTTP/1.1\r\nHost: a\n\n"):
        assert_refused(raw, "the head does not end in an empty line", 400, parse_request_head)


def test_a_second_head_is_not_read_as_part_of_the_first():
    raw = head(b"GET / HTTP/1.1", b"Host: a") + head(b"GET /2 HTTP/1.1", b"Host: a")
    assert find_head_end(raw) == len(raw) // 2
    assert_refused(raw, "an empty line stands inside the header", 400, parse_request_head)


def test_reasons_are_short_and_printable_however_long_the_line():
    with pytest.raises(Refused) as caught:
        parse_request_head(head(b"GET / HTTP/1.1", b"\x1b]0;pwn\x07" * 5000 + b": 1"))
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 400


def test_hostile_white_space_is_read_in_linear_time():
    lines = [b"A:" + b" " * 200 + b"x" + b" \t" * 100 for _ in range(100)]
    raw = head(b"GET / HTTP/1.1", b"Host: a", *lines)
    with within(0.5):
        assert len(parse_request_head(raw).fields) == 101
        assert_refused(
            head(b"GET / HTTP/1.1", b"Host: a", b"A:" + b" " * 60000 + b"\x01"),
            "the header 'A'",
            400,
            parse_request_head,
        )
