"""Writing, and leaving out what ends at a proxy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire.http1 import (
    Fields,
    chunk,
    field_lines,
    last_chunk,
    parse_request_head,
    parse_response_head,
    request_head_bytes,
    response_head_bytes,
    strip_hop_by_hop,
    strip_hop_lines,
)

TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
tokens = st.text(TOKEN, min_size=1, max_size=12).map(str.encode)
texts = st.binary(max_size=40).map(lambda raw: bytes(c for c in raw if c == 9 or (c >= 32 and c != 127)))
values = texts.map(lambda text: text.strip(b" \t"))
targets = st.binary(min_size=1, max_size=40).map(lambda raw: b"/" + bytes(c for c in raw if c > 32 and c != 127))
harmless_fields = st.lists(st.tuples(tokens.map(lambda name: b"x-" + name), values), max_size=12).map(tuple)


@given(tokens, targets, st.sampled_from([b"HTTP/1.0", b"HTTP/1.1"]), harmless_fields)
def test_a_request_reads_back_as_written(method: bytes, target: bytes, version: bytes, fields: Fields):
    fields = ((b"hOST", b"a"), *fields)
    raw = request_head_bytes(method, target, version, fields)
    head = parse_request_head(raw)
    assert head[:4] == (method, target, version, fields)
    assert b"%b %b %b\r\n%b\r\n" % (method, target, version, head.block) == raw


@given(st.integers(100, 599), texts, st.sampled_from([b"HTTP/1.0", b"HTTP/1.1"]), harmless_fields)
def test_a_response_reads_back_as_written(status: int, reason: bytes, version: bytes, fields: Fields):
    raw = response_head_bytes(version, status, reason, fields)
    head = parse_response_head(raw, b"GET")
    assert head[:4] == (version, status, reason, fields)
    assert head.block == field_lines(fields)


def test_chunks():
    assert chunk(b"hello world!!!!!") == b"10\r\nhello world!!!!!\r\n"
    assert chunk(b"") == b""
    assert last_chunk() == b"0\r\n\r\n"
    assert last_chunk(((b"A", b"1"), (b"B", b""))) == b"0\r\nA: 1\r\nB: \r\n\r\n"


def both(*lines: bytes, keep_upgrade: bool = False) -> list[bytes]:
    """The lines that remain, by fields and by raw lines, which must agree."""
    head = parse_request_head(b"\r\n".join((b"GET / HTTP/1.1", *lines, b"Host: a", b"", b"")))
    raw = strip_hop_lines(head.block, head.fields, keep_upgrade)
    assert parse_request_head(b"GET / HTTP/1.1\r\n%b\r\n" % raw).fields == strip_hop_by_hop(head.fields, keep_upgrade)
    assert raw.endswith(b"Host: a\r\n")
    return raw.split(b"\r\n")[:-2]


@pytest.mark.parametrize("value", [b"keep-alive", b"Close", b"a, close", b"", b"TE, x"])
def test_what_ends_here_is_left_out(value: bytes):
    lines = both(
        b"X-1: 1",
        b"Connection: " + value,
        b"connection: b",
        b"Keep-Alive: timeout=5",
        b"Proxy-Connection: keep-alive",
        b"Proxy-Authorization: Basic eDp5",
        b"proxy-other: 1",
        b"Upgrade: h2c",
        b"HTTP2-Settings: AAA",
        b"TE: gzip",
        b"X-2:  2 ",
        b"A: secret",
        b"Content-Length: 5",
    )
    gone = [b"A: secret"] if value.startswith(b"a") else []
    assert lines == [b"X-1: 1", b"X-2:  2 ", *([] if gone else [b"A: secret"]), b"Content-Length: 5"]


def test_lines_that_stay_are_not_touched():
    assert both(b"Connection: close", b"A:1", b"a:\t2 ", b"C:") == [b"A:1", b"a:\t2 ", b"C:"]
    assert both(b"X:1", b"Y: x") == [b"X:1", b"Y: x"]


def test_framing_fields_are_written_plainly():
    assert both(b"Content-Length:\t5 ") == [b"Content-Length: 5"]
    assert both(b"transfer-encoding:chunked", b"Connection: close") == [b"transfer-encoding: chunked"]


def test_a_line_is_not_mistaken_for_the_tail_of_another():
    assert both(b"X-Connection: close", b"Connection: close") == [b"X-Connection: close"]
    assert both(b"X: Connection: close", b"Connection:close") == [b"X: Connection: close"]


def test_connection_cannot_remove_what_is_for_the_ends():
    lines = [
        b"Cookie: a=1",
        b"Authorization: x",
        b"X-Forwarded-For: 1.2.3.4",
        b"Content-Length: 3",
        b"Expect: 100-continue",
    ]
    listed = b"Connection: cookie, authorization, x-forwarded-for, content-length, host, expect, X-Mine"
    assert both(listed, *lines, b"x-mine: 1") == lines


def test_te_keeps_asking_for_trailers():
    assert both(b"TE: Trailers") == [b"TE: Trailers"]
    assert both(b"TE: trailers", b"Connection: TE, close") == [b"TE: trailers"]
    assert both(b"TE: gzip;q=1, trailers") == [b"TE: trailers"]
    assert both(b"TE:") == []


def test_an_upgrade_may_pass():
    lines = [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"]
    assert both(*lines, keep_upgrade=True) == lines
    assert both(*lines) == lines[2:]
    mixed = [b"Connection: keep-alive, upgrade", b"Keep-Alive: 5", b"Upgrade: websocket"]
    assert both(*mixed, keep_upgrade=True) == [b"Connection: Upgrade", b"Upgrade: websocket"]
    assert both(b"Connection: close", b"Upgrade: websocket", keep_upgrade=True) == [b"Upgrade: websocket"]


hop_lines = st.sampled_from(
    [
        b"Connection: close",
        b"Connection: x-a",
        b"TE: trailers",
        b"TE: x",
        b"Upgrade: a",
        b"Proxy-X:1",
        b"X-A: 1",
        b"x-b:2",
    ]
)


@given(st.lists(hop_lines, max_size=6), st.booleans())
def test_fields_and_lines_agree(lines: list[bytes], keep_upgrade: bool):
    both(*lines, keep_upgrade=keep_upgrade)
