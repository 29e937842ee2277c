"""h11 as the oracle: whatever we accept it accepts too, and reads the same, for any split of the bytes.

The other way round it is laxer (tests/wire/test_http1_hostile.py), so nothing is asserted about what only h11 accepts.
What it does not know, and other tests cover: empty lines before a request, obs-text in targets, white space before a
chunk extension, an absolute target without Host.
"""

from itertools import pairwise
from typing import NamedTuple

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from midstream.wire.http1 import (
    CHUNKED,
    FORBIDDEN_IN_TRAILERS,
    NO_BODY,
    UNTIL_CLOSE,
    ChunkedReader,
    Fields,
    Refused,
    find_head_end,
    parse_request_head,
    parse_response_head,
)


class Message(NamedTuple):
    start: tuple[object, ...]
    version: bytes
    fields: Fields
    body: bytes
    trailers: Fields
    complete: bool
    rest: bytes


def ours(slices: list[bytes], method: bytes | None) -> Message | None:
    """Read one message as the proxy does; ``method`` is None for a request. Bytes end as a connection does."""
    buf, end, seen = bytearray(), -1, 0
    arriving = iter(slices)
    for data in arriving:
        seen = len(buf)
        buf += data
        if (end := find_head_end(buf, seen)) >= 0:
            break
    if end < 0:
        return None
    raw, rest = bytes(buf[:end]), bytes(buf[end:])
    if method is None:
        request = parse_request_head(raw)
        start, head = (request.method, request.target), request
    else:
        response = parse_response_head(raw, method)
        start, head = (response.status, response.reason), response
    body, trailers, complete = b"", (), True
    if head.framing == CHUNKED:
        reader = ChunkedReader()
        body = b"".join(piece for data in (rest, *arriving) for piece in reader.feed(data))
        trailers, complete, rest = reader.trailers, reader.done, reader.rest
    else:
        rest += b"".join(arriving)
        length = {NO_BODY: 0, UNTIL_CLOSE: len(rest)}.get(head.framing, head.framing)
        body, rest = rest[:length], rest[length:]
        complete = len(body) == length
    return Message(start, head.version[5:], head.fields, body, trailers, complete, rest)


def theirs(slices: list[bytes], method: bytes | None) -> Message | None:
    """The same by h11; None while the head is not complete. Raises h11.RemoteProtocolError."""
    connection = h11.Connection(h11.SERVER if method is None else h11.CLIENT, max_incomplete_event_size=10**6)
    if method is not None:
        connection.send(
            h11.Request(method=method, target="a:1" if method == b"CONNECT" else "/", headers=[("Host", "a")])
        )
        connection.send(h11.EndOfMessage())
    start, version, fields, body, trailers, complete = (), b"", (), b"", (), False
    for data in (*filter(None, slices), b""):  # to h11 no bytes are the end of the connection
        try:
            connection.receive_data(data)
            events = []
            while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                events.append(event)
                if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed | h11.InformationalResponse):
                    break
        except h11.RemoteProtocolError:
            if data:
                raise
            break  # the connection ends in the midst of a message
        for event in events:
            if isinstance(event, h11.Request):
                start, version, fields = (
                    (event.method, event.target),
                    event.http_version,
                    tuple(event.headers.raw_items()),
                )
            elif isinstance(event, h11.Response | h11.InformationalResponse):
                start, version = (event.status_code, event.reason), event.http_version
                fields, complete = tuple(event.headers.raw_items()), isinstance(event, h11.InformationalResponse)
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                complete, trailers = True, tuple(event.headers.raw_items())
        complete = complete or connection.their_state is h11.SWITCHED_PROTOCOL  # after a CONNECT
        if complete:
            break
    if not start:
        return None
    kept = tuple(field for field in trailers if field[0].lower() not in FORBIDDEN_IN_TRAILERS)
    return Message(start, version, fields, body, kept, complete, b"")


def compare(data: bytes, cuts: list[int], method: bytes | None) -> Message | None:
    """Assert that both read ``data`` alike if we accept it; None if we do not."""
    whole, single = [data], [data[at : at + 1] for at in range(len(data))]
    split = [data[a:b] for a, b in pairwise([0, *sorted(cuts), len(data)])]
    results = []
    for slices in (whole, split, single):
        try:
            results.append(ours(slices, method))
        except Refused:
            results.append("refused")
    assert results[1] == results[0] == results[2]
    if results[0] is None or results[0] == "refused":
        return None
    if method is None:
        # Empty lines before a request, which RFC 9112 §2.2 wants ignored, are all that h11 reads more strictly.
        while split and b"".join(split).startswith(b"\r\n"):
            split = [b"".join(split)[2:]]
    # h11 writes the coding in lower case; to us the value is the sender's.
    fields = tuple((n, v.lower() if n.lower() == b"transfer-encoding" else v) for n, v in results[0].fields)
    assert theirs(split, method) == results[0]._replace(rest=b"", fields=fields)
    return results[0]


# Messages made of good and bad parts, so that both outcomes are common.
names = st.sampled_from(
    [b"X-A", b"x-b", b"Accept", b"Expect", b"Connection", b"X_Y", b"!#$", b"A B", b"", b"Proxy-Connection"]
)
values = st.sampled_from(
    [b"1", b"", b"a  b\tc", b"caf\xe9", b"close", b"keep-alive", b"100-continue", b"\x00", b"a\rb", b"x\x7f"]
)
spaces = st.sampled_from([b"", b" ", b"  ", b"\t", b" \t "])
ends = st.sampled_from([b"\r\n"] * 30 + [b"\n", b"\r\n ", b"\r"])
framings = st.sampled_from(
    [b"", b"Content-Length: 5\r\n", b"content-length:0\r\n", b"Transfer-Encoding: chunked\r\n"] * 4
    + [b"Content-Length: 5\r\nContent-Length: 5\r\n", b"Content-Length: +5\r\n", b"Transfer-Encoding: gzip\r\n"]
    + [b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"TRANSFER-ENCODING: Chunked\r\n"]
)
rest = st.sampled_from(
    [
        b"",
        b"hello",
        b"hello world",
        b"0\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5;e=1\r\nhello\r\n00\r\nT: 1\r\nt: 2 \r\n\r\n",
        b"a\r\n0123456789\r\n0\r\nHost: x\r\n\r\nGET",
        b"3\r\nabcd\r\n",
        b"-1\r\n",
    ]
)
cut_lists = st.lists(st.integers(0, 60), max_size=6)


@st.composite
def heads(draw: st.DrawFn, starts: st.SearchStrategy[bytes]) -> bytes:
    lines = [draw(starts), draw(ends)]
    for _ in range(draw(st.integers(0, 4))):
        lines += [draw(names), b":", draw(spaces), draw(values), draw(spaces), draw(ends)]
    return b"".join(lines) + draw(framings) + draw(ends)


request_starts = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\nHost: a",
        b"POST http://a/?b#c HTTP/1.1\r\nhost: a",
        b"PUT * HTTP/1.0",
        b'x!-~ /%00<>"{}| HTTP/1.1\r\nHost:',
    ]
    * 4
    + [
        b"GET / HTTP/1.1",
        b"GET /  HTTP/1.1\r\nHost: a",
        b"GET / HTTP/1.2\r\nHost: a",
        b"GET /\r\nHost: a",
        b"\r\nHEAD / HTTP/1.0",
    ]
)
response_starts = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 404 Not  Found ",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 304 ",
        b"HTTP/1.1 500",
        b"HTTP/1.1 599 \xe9",
    ]
    * 4
    + [b"HTTP/1.1 099 x", b"HTTP/1.1 200\x00", b"HTTP/2.0 200 OK", b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 2000 OK"]
)


@settings(max_examples=400)
@given(heads(request_starts), rest, cut_lists)
@example(b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", b"", [1, 2, 3])
def test_requests(head: bytes, after: bytes, cuts: list[int]):
    compare(head + after, cuts, None)


@settings(max_examples=400)
@given(heads(response_starts), rest, cut_lists, st.sampled_from([b"GET", b"HEAD", b"POST", b"CONNECT"]))
def test_responses(head: bytes, after: bytes, cuts: list[int], method: bytes):
    compare(head + after, cuts, method)


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize(
    ("raw", "accepted"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\nServer:\r\nX:  1\t\r\n\r\nuntil the end", True),
        (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", False),
    ],
)
def test_the_oracle_itself_sees_both_outcomes(raw: bytes, accepted: bool, method: bytes):
    assert (compare_or_none(raw, method) is not None) == accepted


def compare_or_none(raw: bytes, method: bytes) -> Message | None:
    return compare(raw, [3, 20, 40], method)
