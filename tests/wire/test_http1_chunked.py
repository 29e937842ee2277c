"""Chunked bodies: the same result for every split, hostile sizes refused, cost linear."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire.http1 import FORBIDDEN_IN_TRAILERS, ChunkedReader, Limits, Refused, chunk, last_chunk
from tests.kit.stopwatch import within


def read(data: bytes, cuts: list[int] | None = None, limits: Limits | None = None) -> tuple[bytes, ChunkedReader]:
    """The body of ``data`` fed in slices between ``cuts`` (any order)."""
    reader = ChunkedReader(limits) if limits else ChunkedReader()
    body = b""
    for start, end in pairwise([0, *sorted(cuts or []), len(data)]):
        body += b"".join(reader.feed(data[start:end]))
    return body, reader


def byte_by_byte(data: bytes) -> list[int]:
    return list(range(1, len(data)))


def test_a_body_with_everything():
    data = b'5;a=1;b="x y"\r\nhello\r\n6 ;c\r\n world\r\n0;last\r\nX-Sum: 1\r\nx-Two: 2\r\n\r\nGET /'
    for cuts in ([], byte_by_byte(data)):
        body, reader = read(data, cuts)
        assert body == b"hello world"
        assert reader.done
        assert reader.trailers == ((b"X-Sum", b"1"), (b"x-Two", b"2"))
        assert reader.rest == b"GET /"


def test_one_feed_gives_one_piece():
    assert ChunkedReader().feed(b"1\r\na\r\n1\r\nb\r\n2\r\ncd") == [b"abcd"]
    assert ChunkedReader().feed(b"1\r\n") == []
    assert ChunkedReader().feed(b"") == []


def test_bytes_after_the_end_are_kept():
    reader = ChunkedReader()
    assert reader.feed(b"0\r\n\r\nab") == []
    assert reader.feed(b"cd") == []
    assert reader.rest == b"abcd"


@pytest.mark.parametrize("size", [b"a", b"A", b"0a", b"0000000A", b"000000000000000a"])
def test_spellings_of_a_size(size: bytes):
    body, reader = read(size + b"\r\n0123456789\r\n000\r\n\r\n")
    assert (body, reader.done) == (b"0123456789", True)


def test_not_done_before_the_last_byte():
    data = b"3\r\nabc\r\n0\r\nA: 1\r\n\r\n"
    for size in range(len(data)):
        assert not read(data[:size])[1].done


def test_trailers_that_would_fool_a_recipient_are_dropped():
    names = [*FORBIDDEN_IN_TRAILERS, b"Connection", b"Proxy-Foo", b"TE", b"TRANSFER-ENCODING"]
    trailers = b"".join(name + b": x\r\n" for name in names)
    _, reader = read(b"0\r\n" + trailers + b"ETag: 1\r\n\r\n")
    assert reader.trailers == ((b"ETag", b"1"),)


HOSTILE = [
    (b"+5\r\n", "the chunk size '+5' is not a hexadecimal number"),
    (b"-5\r\n", "the chunk size '-5' is not a hexadecimal number"),
    (b"0x5\r\n", "the chunk size '0x5' is not a hexadecimal number"),
    (b" 5\r\n", "the chunk size ' 5' is not a hexadecimal number"),
    (b"5 \r\n", "the chunk size '5 ' is not a hexadecimal number"),
    (b"5 5\r\n", "the chunk size '5 5' is not a hexadecimal number"),
    (b"5_0\r\n", "the chunk size '5_0' is not a hexadecimal number"),
    (b"\r\n", "the chunk size '' is not a hexadecimal number"),
    (b";a\r\n", "the chunk size ';a' is not a hexadecimal number"),
    (b"g\r\n", "the chunk size 'g' is not a hexadecimal number"),
    (b"5\r\r\n", "the chunk size '5\\r' is not a hexadecimal number"),
    (b"\xb2\r\n", "the chunk size '\\xb2' is not a hexadecimal number"),
    (b"8000000000000000\r\n", "the chunk size '8000000000000000' is too large"),
    (b"ffffffffffffffff\r\n", "the chunk size 'ffffffffffffffff' is too large"),
    (b"00000000000000005\r\n", "the chunk size '00000000000000005' is too large"),
    (b"5\nhello", "a chunk size line ends in a bare LF"),
    (b"\n", "a chunk size line ends in a bare LF"),
    (b"5;a\x00\r\n", "a chunk extension contains a control character"),
    (b"5;a\rb\r\n", "a chunk extension contains a control character"),
    (b"5;a\n5\r\n", "a chunk size line ends in a bare LF"),
    (b"5\r\nhello!\r\n", "the data of a chunk is not followed by CRLF; it runs past its size"),
    (b"5\r\nhello\n0\r\n", "the data of a chunk is not followed by CRLF; it runs past its size"),
    (b"5\r\nhello\r0", "the data of a chunk is not followed by CRLF; it runs past its size"),
    (b"0\r\nA : 1\r\n\r\n", "white space stands between the header name 'A' and its colon"),
    (b"0\r\nA: 1\r\n B: 2\r\n\r\n", "a header line is folded (it starts with white space)"),
    (b"0\r\nA: \x00\r\n\r\n", "the header 'A' contains NUL"),
    (b"0\r\nA: 1\n\n", "a trailer line ends in a bare LF"),
    (b"0\r\n\n", "a trailer line ends in a bare LF"),
    (b"0\r\nGET / HTTP/1.1\r\n\r\n", "the header line 'GET / HTTP/1.1' has no colon"),
]


@pytest.mark.parametrize(("data", "reason"), HOSTILE)
def test_hostile_bodies(data: bytes, reason: str):
    for before in (b"", b"3\r\nabc\r\n"):
        for cuts in ([], byte_by_byte(before + data)):
            with pytest.raises(Refused, match="^" + re.escape(reason)) as caught:
                read(before + data, cuts)
            assert caught.value.reason.isprintable()


def test_bounds():
    limits = Limits(max_chunk_line=20, max_trailers=20, max_fields=2)
    fits = b"1;" + b"e" * 18 + b"\r\na\r\n0\r\nT: " + b"t" * 13 + b"\r\n\r\n"
    for cuts in ([], byte_by_byte(fits)):
        assert read(fits, cuts, limits)[1].done
        for data, reason in [
            (b"1;" + b"e" * 19 + b"\r\n", "a chunk size line is longer than 20 bytes"),
            (b"1" + b"0" * 21, "a chunk size line is longer than 20 bytes"),
            (b"0\r\nT: " + b"t" * 14 + b"\r\n\r\n", "the trailers are longer than 20 bytes"),
            (b"0\r\nA:\r\nB:\r\nC:\r\n\r\n", "the message has more than 2 header fields"),
        ]:
            with pytest.raises(Refused, match=f"^{reason}"):
                read(data, cuts and byte_by_byte(data), limits)


def test_a_body_of_nothing_but_extensions_ends():
    with pytest.raises(Refused, match="the chunk extensions are far longer than the body"):
        read((b"1;" + b"x" * 1000 + b"\r\na\r\n") * 50)
    assert read((b"fff;sum=" + b"x" * 64 + b"\r\n" + b"a" * 4095 + b"\r\n") * 500 + b"0\r\n\r\n")[1].done


def test_many_tiny_chunks_cost_little():
    data = b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"
    with within(1):  # about 0.04 s here
        body, reader = read(data, list(range(65536, len(data), 65536)))
        assert (len(body), reader.done) == (100_000, True)


def test_a_large_chunk_in_small_pieces_is_linear():
    data = b"100000\r\n" + b"x" * 0x100000 + b"\r\n0\r\n\r\n"
    reader = ChunkedReader()
    with within(2):  # about 0.05 s here
        total = sum(len(piece) for at in range(0, len(data), 16) for piece in reader.feed(data[at : at + 16]))
        assert (total, reader.done) == (0x100000, True)


bodies = st.lists(st.binary(min_size=1, max_size=300), max_size=12)


@given(bodies, st.data())
def test_what_is_written_is_read_back(pieces: list[bytes], draw: st.DataObject):
    trailers = ((b"X-A", b"1"), (b"x-a", b""))
    data = b"".join(map(chunk, pieces)) + last_chunk(trailers) + b"next"
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=30))
    body, reader = read(data, cuts)
    assert body == b"".join(pieces)
    assert (reader.done, reader.trailers, reader.rest) == (True, trailers, b"next")


hostile_text = st.lists(
    st.sampled_from([b"0", b"1", b"5", b"\r\n", b"\n", b"\r", b"a", b"xyz", b";", b" ", b"A: 1", b":", b"\x00", b"ff"])
).map(b"".join)


@given(hostile_text, st.data())
def test_any_split_gives_the_same_result(data: bytes, draw: st.DataObject):
    data = draw.draw(st.sampled_from([b"", b"3\r\nabc\r\n", b"0\r\n"])) + data

    def outcome(cuts: list[int]) -> object:
        try:
            body, reader = read(data, cuts)
        except Refused:
            return "refused"
        return body, reader.done, reader.rest, reader.trailers

    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=10))
    assert outcome(cuts) == outcome([]) == outcome(byte_by_byte(data))
