"""Heads that are read, and what they say about framing, connection and routing."""

import pytest

from midstream.wire.http1 import (
    CHUNKED,
    NO_BODY,
    UNTIL_CLOSE,
    Limits,
    Refused,
    find_head_end,
    parse_request_head,
    parse_response_head,
)

BROWSER_GET = (
    b"GET /assets/app.js?v=3 HTTP/1.1\r\n"
    b"Host: www.example.com\r\n"
    b'sec-ch-ua: "Chromium";v="124"\r\n'
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    b"Accept: */*\r\n"
    b"accept: text/html\r\n"
    b"X-Empty:\r\n"
    b"\r\n"
)


def request(*lines: bytes, line: bytes = b"GET / HTTP/1.1", host: bool = True):
    start = (line, b"Host: a") if host else (line,)
    return parse_request_head(b"\r\n".join((*start, *lines, b"", b"")))


def response(*lines: bytes, line: bytes = b"HTTP/1.1 200 OK", method: bytes = b"GET"):
    return parse_response_head(b"\r\n".join((line, *lines, b"", b"")), method)


def test_a_request_is_read_as_it_stands():
    head = parse_request_head(BROWSER_GET)
    assert (head.method, head.target, head.version) == (b"GET", b"/assets/app.js?v=3", b"HTTP/1.1")
    assert head.fields[4:] == ((b"accept", b"text/html"), (b"X-Empty", b""))
    assert [name for name, _ in head.fields][3] == b"Accept"
    assert head.framing == NO_BODY
    assert head.keep_alive
    assert not head.hop
    assert not head.expects_continue
    assert head.upgrade is None
    assert head.host == b"www.example.com"


def test_the_block_is_the_raw_lines():
    head = request(b"A:1", b"B:\t 2 \t", b"C:   3")
    assert head.block == b"Host: a\r\nA:1\r\nB:\t 2 \t\r\nC:   3\r\n"
    assert head.fields[1:] == ((b"A", b"1"), (b"B", b"2"), (b"C", b"3"))


def test_a_head_without_fields():
    head = parse_request_head(b"GET / HTTP/1.0\r\n\r\n")
    assert (head.fields, head.block, head.host) == ((), b"", None)


def test_obs_text_is_carried_in_values_targets_and_reasons():
    assert request(b"X: caf\xe9 \x80").fields[1] == (b"X", b"caf\xe9 \x80")
    assert request(line=b"GET /\xc3\xa0 HTTP/1.1").target == b"/\xc3\xa0"
    assert response(line=b"HTTP/1.1 404 Pas trouv\xe9").reason == b"Pas trouv\xe9"


@pytest.mark.parametrize("line", [b"GET http://a/ HTTP/1.1", b"CONNECT a:443 HTTP/1.1", b"GET / HTTP/1.0"])
def test_host_may_be_missing(line: bytes):
    assert request(line=line, host=False).host is None


@pytest.mark.parametrize(
    "line", [b"GET / HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET a HTTP/1.1", b"GET /?u=http://a HTTP/1.1"]
)
def test_host_must_not_be_missing(line: bytes):
    with pytest.raises(Refused, match=r"the HTTP/1\.1 request has no Host field") as caught:
        request(line=line, host=False)
    assert caught.value.status == 400


def test_request_framing():
    assert request(b"Content-Length: 5").framing == 5
    assert request(b"content-length: 0").framing == 0
    assert request(b"Content-Length: %d" % (2**63 - 1)).framing == 2**63 - 1
    assert request(b"Transfer-Encoding: chunked").framing == CHUNKED
    assert request(b"Content-Length: 0", line=b"CONNECT a:1 HTTP/1.1").framing == 0


@pytest.mark.parametrize(
    ("lines", "line", "method", "framing", "keep_alive"),
    [
        ([b"Content-Length: 5"], b"HTTP/1.1 200 OK", b"GET", 5, True),
        ([b"Content-Length: 5"], b"HTTP/1.1 200 OK", b"HEAD", NO_BODY, True),
        ([], b"HTTP/1.1 200 OK", b"HEAD", NO_BODY, True),
        ([], b"HTTP/1.1 200 OK", b"GET", UNTIL_CLOSE, False),
        ([b"Connection: keep-alive"], b"HTTP/1.1 200 OK", b"GET", UNTIL_CLOSE, False),
        ([b"Transfer-Encoding: Chunked"], b"HTTP/1.1 200 OK", b"GET", CHUNKED, True),
        ([b"Transfer-Encoding: chunked"], b"HTTP/1.1 304 Not Modified", b"GET", NO_BODY, True),
        ([b"Content-Length: 5"], b"HTTP/1.1 304 Not Modified", b"GET", NO_BODY, True),
        ([], b"HTTP/1.1 204 No Content", b"GET", NO_BODY, True),
        ([b"Content-Length: 0"], b"HTTP/1.1 204 No Content", b"GET", NO_BODY, True),
        ([b"Content-Length: 5"], b"HTTP/1.1 204 No Content", b"GET", NO_BODY, False),
        ([b"Transfer-Encoding: chunked"], b"HTTP/1.1 204 No Content", b"GET", NO_BODY, False),
        ([], b"HTTP/1.1 100 Continue", b"POST", NO_BODY, True),
        ([], b"HTTP/1.1 200 Connection established", b"CONNECT", NO_BODY, True),
        ([b"Content-Length: 5"], b"HTTP/1.1 200 OK", b"CONNECT", NO_BODY, True),
        ([b"Content-Length: 5"], b"HTTP/1.1 403 No", b"CONNECT", 5, True),
        ([b"Content-Length: 5"], b"HTTP/1.0 200 OK", b"GET", 5, False),
        ([b"Content-Length: 5", b"Connection: Keep-Alive"], b"HTTP/1.0 200 OK", b"GET", 5, True),
        ([b"Content-Length: 5", b"Connection: x, CLOSE"], b"HTTP/1.1 200 OK", b"GET", 5, False),
    ],
)
def test_response_framing(lines: list[bytes], line: bytes, method: bytes, framing: int, keep_alive: bool):
    head = response(*lines, line=line, method=method)
    assert (head.framing, head.keep_alive) == (framing, keep_alive)


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200", 200, b""),
        (b"HTTP/1.1 200 ", 200, b""),
        (b"HTTP/1.0 599  two  spaces", 599, b" two  spaces"),
        (b"HTTP/1.1 100 Continue\t", 100, b"Continue\t"),
    ],
)
def test_status_lines(line: bytes, status: int, reason: bytes):
    head = response(line=line)
    assert (head.status, head.reason) == (status, reason)


def test_connection_options_of_requests():
    assert not request(b"Connection: close").keep_alive
    assert not request(b"Connection: keep-alive", b"connection: foo ,Close").keep_alive
    assert not request(line=b"GET / HTTP/1.0").keep_alive
    assert request(b"Connection: Keep-Alive", line=b"GET / HTTP/1.0").keep_alive
    assert request(b"Connection: closed").keep_alive


def test_expectation_is_for_http_11():
    assert request(b"Expect: 100-Continue").expects_continue
    assert not request(b"Expect: 100-continue", line=b"GET / HTTP/1.0").expects_continue
    assert not request(b"Expect: 200-ok").expects_continue


def test_upgrade_needs_connection_and_http_11():
    asked = request(b"Connection: keep-alive, Upgrade", b"Upgrade: websocket")
    assert asked.upgrade == b"websocket"
    assert asked.hop
    assert request(b"Upgrade: websocket").upgrade is None
    assert request(b"Upgrade: websocket").hop
    assert request(b"Connection: upgrade", b"Upgrade: h2c", line=b"GET / HTTP/1.0").upgrade is None
    assert request(b"Connection: upgrade", b"Upgrade: a", b"Upgrade: b").upgrade == b"a, b"
    switched = response(b"Connection: upgrade", b"Upgrade: websocket", line=b"HTTP/1.1 101 Switching Protocols")
    assert switched.upgrade == b"websocket"


@pytest.mark.parametrize(
    "line",
    [
        b"Connection: keep-alive",
        b"KEEP-ALIVE: timeout=5",
        b"Proxy-Connection: keep-alive",
        b"pRoXy-Whatever: 1",
        b"TE: gzip, trailers",
        b"HTTP2-Settings: x",
        b"Content-Length: 5 ",
        b"Content-Length:\t5",
        b"Transfer-Encoding:chunked",
        b"Transfer-Encoding: chunked\t",
    ],
)
def test_heads_that_must_not_be_copied(line: bytes):
    assert request(line).hop


@pytest.mark.parametrize("line", [b"TE: trailers", b"Proxy-Status: x", b"Transfer-Encoding: chunked", b"Proxy: x"])
def test_heads_that_may_be_copied(line: bytes):
    assert not request(line).hop


def test_a_line_inside_another_value_does_not_vouch_for_a_hidden_one():
    assert request(b"X: Content-Length: 5", b"Content-Length:\t5").hop


def test_many_invented_names_do_not_change_what_names_mean():
    for batch in range(40):
        request(*[b"x-%d-%d: 1" % (batch, i) for i in range(200)])
    assert request(b"Connection: close").hop
    assert not request(b"x-0-0: 1").hop


# find_head_end


def test_the_end_is_found_wherever_the_bytes_are_split():
    data = b"\r\n\r\n" + BROWSER_GET + b"body"
    end = 4 + len(BROWSER_GET)
    assert find_head_end(data) == end
    for size in range(len(data)):
        found = find_head_end(data[:size])
        assert found == (end if size >= end else -1)
        assert found >= 0 or find_head_end(bytearray(data), size) == end


def test_one_byte_after_the_other():
    data = b"\r\n" + BROWSER_GET
    buf = bytearray()
    for byte in data[:-1]:
        seen = len(buf)
        buf.append(byte)
        assert find_head_end(buf, seen) == -1
    assert find_head_end(buf + data[-1:], len(buf)) == len(data)


def test_empty_lines_before_a_request_are_dropped():
    for count in range(5):
        raw = b"\r\n" * count + BROWSER_GET
        assert find_head_end(raw) == len(raw)
        assert parse_request_head(raw) == parse_request_head(BROWSER_GET)


def test_endless_empty_lines():
    with pytest.raises(Refused, match="too many empty lines stand before the message"):
        find_head_end(b"\r\n" * 5)
    with pytest.raises(Refused, match="too many empty lines stand before the message"):
        parse_request_head(b"\r\n" * 5 + BROWSER_GET)


def test_an_endless_head_is_cut_at_the_limit():
    limits = Limits(max_head=100)
    assert find_head_end(b"G" * 100, 0, limits) == -1
    with pytest.raises(Refused, match="the head is longer than 100 bytes") as caught:
        find_head_end(b"G" * 101, 100, limits)
    assert caught.value.status == 431
    with pytest.raises(Refused, match="the head is longer than 100 bytes"):
        find_head_end(b"G" * 97 + b"\r\n\r\n", 0, limits)
    with pytest.raises(Refused, match="the head is longer than 100 bytes"):
        parse_request_head(BROWSER_GET, limits)
    assert find_head_end(b"G" * 96 + b"\r\n\r\n" + b"b" * 1000, 0, limits) == 100


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost: a\n\r\n", b"\n"])
def test_a_bare_lf_is_refused_before_the_head_ends(head: bytes):
    with pytest.raises(Refused, match="a header line ends in a bare LF"):
        find_head_end(head)


def test_too_many_fields():
    limits = Limits(max_fields=3)
    assert len(parse_request_head(b"GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n", limits).fields) == 3
    for extra in (b"C: 3\r\n", b"C: 3 \r\n"):
        with pytest.raises(Refused, match="the message has more than 3 header fields") as caught:
            parse_request_head(b"GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n" + extra + b"\r\n", limits)
        assert caught.value.status == 431
