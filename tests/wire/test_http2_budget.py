"""Frames are counted before h2 sees them: floods end, ordinary traffic never does, whatever the splits."""

import re
from collections.abc import Callable
from typing import Any

import hpack
import pytest
from h2.exceptions import ProtocolError, StreamClosedError
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire.http2 import (
    ENHANCE_YOUR_CALM,
    BoundedDecoder,
    FrameBudget,
    FrameLimits,
    Http2Connection,
    TooMuch,
    explain_fault,
)
from midstream.wire.http2_connection import CompressionFailed
from tests.kit.http2_frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
)
from tests.kit.stopwatch import within

PINGS = frame(PING, bytes(8))
RESET = bytes([0, 0, 0, 8])


def headers(stream: int, flags: int = END_HEADERS | END_STREAM, block: bytes = b"\x82") -> bytes:
    return frame(HEADERS, block, flags=flags, stream=stream)


def spend(budget: FrameBudget, data: bytes, now: float = 0.0) -> list[bytes]:
    return [bytes(piece) for piece in budget.slices(data, now)]


def ends_in(reason: str, action: Callable[[], Any], code: int = ENHANCE_YOUR_CALM) -> None:
    with pytest.raises(TooMuch, match="^" + re.escape(reason)) as caught:
        action()
    assert caught.value.code == code


def rapid_resets(count: int) -> bytes:
    return b"".join(headers(2 * n + 1) + frame(RST_STREAM, RESET, stream=2 * n + 1) for n in range(count))


@pytest.mark.parametrize(
    ("flood", "reason"),
    [
        (PINGS * 2001, "it sent 2001 PING frames"),
        (frame(SETTINGS, bytes(6)) * 1001, "it sent 1001 SETTINGS frames"),
        (frame(SETTINGS, bytes(6 * 2000)) * 10, "it sent 8 SETTINGS frames"),
        (frame(SETTINGS, flags=1) * 1001, "it sent 1001 SETTINGS frames"),
        (frame(PRIORITY, bytes(5), stream=1) * 2001, "it sent 2001 PRIORITY frames"),
        (frame(WINDOW_UPDATE, b"\0\0\0\1") * 2001, "it sent 2001 WINDOW_UPDATE frames"),
        (frame(0x42) * 2001, "it sent 2001 frames of unknown types"),
        (headers(1, END_HEADERS) + frame(DATA, stream=1) * 2001, "it sent 2001 DATA frames without data"),
        (
            headers(1, END_HEADERS) + frame(DATA, b"\x03\0\0\0", flags=PADDED, stream=1) * 2001,
            "it sent 2001 DATA frames without data",
        ),
        (frame(GOAWAY, bytes(8)) * 501, "it sent 501 GOAWAY frames"),
        (rapid_resets(501), "it sent 501 RST_STREAM frames, each for a request that was hardly begun"),
        (PINGS * 1000 + rapid_resets(251), "it sent 251 RST_STREAM frames"),
        (PINGS * 1200 + rapid_resets(201), "it sent 1200 PING frames"),
    ],
)
def test_floods(flood: bytes, reason: str):
    ends_in(reason, lambda: spend(FrameBudget({}, 0.0), flood))


def test_a_flood_ends_before_all_of_it_was_looked_at():
    given_out = bytearray()

    def run() -> None:
        for piece in FrameBudget({}, 0.0).slices(PINGS * 20_000, 0.0):
            given_out.extend(piece)

    ends_in("it sent 2001 PING frames", run)
    assert bytes(given_out) == PINGS * 2000


def test_header_blocks():
    open_block = headers(1, END_STREAM, bytes(16384))
    more = frame(CONTINUATION, bytes(16384), stream=1)
    ends_in(
        "it sent a header block of more than 131072 bytes", lambda: spend(FrameBudget({}, 0.0), open_block + more * 8)
    )
    empty = frame(CONTINUATION, stream=1)
    ends_in(
        "it sent more than 32 CONTINUATION frames for one header block",
        lambda: spend(FrameBudget({}, 0.0), headers(1, END_STREAM) + empty * 33),
    )
    budget = FrameBudget({}, 0.0)
    spend(budget, headers(1, END_STREAM) + empty)
    assert budget.inside_headers
    spend(budget, frame(CONTINUATION, flags=END_HEADERS, stream=1))
    assert not budget.inside_headers
    spend(budget, headers(3)[:-1])  # the frame is not whole
    assert budget.inside_headers
    spend(budget, headers(3)[-1:])
    assert not budget.inside_headers
    spend(budget, frame(DATA, bytes(10), stream=3)[:-1])
    assert not budget.inside_headers


def test_a_frame_that_is_too_long_ends_before_it_is_here():
    budget = FrameBudget({}, 0.0)
    too_long = (16385).to_bytes(3, "big") + bytes([DATA, 0, 0, 0, 0, 1])
    pieces: list[bytes] = []

    def run() -> None:
        for piece in budget.slices(PINGS + too_long, 0.0):
            pieces.append(bytes(piece))

    ends_in("it sent a frame of 16385 bytes, where 16384 are allowed", run, code=6)
    assert pieces == [PINGS]
    assert spend(FrameBudget({}, 0.0, FrameLimits(frame=16385)), too_long) == [too_long]


def test_an_acknowledgement_has_no_settings():
    flawed = frame(SETTINGS, bytes(6), flags=1)
    ends_in("it sent an acknowledgement of settings with", lambda: spend(FrameBudget({}, 0.0), flawed), code=6)


def test_a_server_that_is_made_to_reset():
    """CVE-2025-8671: the peer never resets, its mistakes make us do it."""
    budget = FrameBudget({}, 0.0)
    ends_in("it made us reset 501 streams because of its mistakes", lambda: [budget.sent_reset() for _ in range(501)])


def test_windows_of_one_byte():
    budget = FrameBudget({1: None}, 0.0)

    def run() -> None:
        for _ in range(1001):
            spend(budget, frame(WINDOW_UPDATE, b"\0\0\0\1", stream=1))
            budget.sent_data(1, cut=True)

    ends_in("it sent 1001 WINDOW_UPDATE frames", run)
    budget = FrameBudget({1: None}, 0.0)
    ends_in(
        "it makes us send 2001 DATA frames of a few bytes, since its windows allow no more",
        lambda: [budget.sent_data(1, cut=True) for _ in range(2001)],
    )


def test_data_for_streams_that_are_over():
    live: dict[int, None] = {1: None}
    budget = FrameBudget(live, 0.0)
    data = frame(DATA, b"x", stream=1)
    spend(budget, headers(1, END_HEADERS) + data * 3000)
    del live[1]
    ends_in("it sent 2001 DATA frames without data, or for streams that are over", lambda: spend(budget, data * 3000))


def test_headers_for_streams_that_are_over():
    """Each is answered by a reset."""
    live: dict[int, None] = {1: None}
    budget = FrameBudget(live, 0.0)
    spend(budget, headers(1))
    ends_in("it sent 2001 HEADERS frames for streams that had theirs", lambda: spend(budget, headers(1) * 3000))
    budget = FrameBudget({}, 0.0)
    spend(budget, headers(1))
    ends_in("it sent 501 HEADERS frames for streams that are over", lambda: spend(budget, headers(1) * 1000))


def test_data_of_a_stream_that_comes_with_its_header():
    """The stream is live for us only after its HEADERS frame was handed out."""
    spend(FrameBudget({}, 0.0), b"".join(headers(n, END_HEADERS) + frame(DATA, b"x", stream=n) for n in range(1, 9, 2)))
    budget = FrameBudget({}, 0.0, FrameLimits(debt=0))
    spend(budget, headers(1, END_HEADERS) + frame(DATA, b"x", stream=1))
    ends_in("it sent 1 DATA frames", lambda: spend(budget, frame(DATA, b"x", stream=1)))


def test_time_pays_back():
    budget = FrameBudget({}, 0.0)
    for second in range(100):
        spend(budget, PINGS * 100, float(second))
    spend(budget, PINGS * 1900, 100.0)
    ends_in("it sent 2001 PING frames", lambda: spend(budget, PINGS * 101, 100.0))


def test_work_pays_back():
    """A busy client acknowledges data, pings, and cancels one request for each that it lets finish."""
    live: dict[int, None] = {}
    budget = FrameBudget(live, 0.0)
    for n in range(1, 40_000, 4):
        spend(budget, PINGS + headers(n, END_HEADERS) + headers(n + 2))
        live[n] = live[n + 2] = None
        spend(budget, frame(DATA, b"x" * 100, flags=END_STREAM, stream=n) + frame(RST_STREAM, RESET, stream=n + 2))
        budget.sent_data(100, cut=False)
        spend(budget, frame(WINDOW_UPDATE, b"\0\0\0\x64") + frame(WINDOW_UPDATE, b"\0\0\0\x64", stream=n))
        budget.finished_stream()
        live.clear()


def test_what_was_paid_is_not_named():
    budget = FrameBudget({}, 0.0)
    spend(budget, PINGS * 1999)
    ends_in("it sent 2001 PRIORITY", lambda: spend(budget, frame(PRIORITY, bytes(5), stream=1) * 2001, 1000.0))


kinds = st.sampled_from([DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION, 0x42])
frames = st.builds(
    lambda kind, payload, flags, stream: frame(
        kind, payload, flags=flags & 0xFE if kind == SETTINGS else flags, stream=stream
    ),
    kinds,
    st.binary(max_size=40),
    st.integers(0, 255),
    st.sampled_from([0, 1, 3, 2**31 + 1]),
)
small = FrameLimits(debt=20, repaid=0, frame=30, header_block=60, continuations=3)


def outcome(chunks: list[bytes], preface: bool) -> tuple[bytes, str]:
    budget = FrameBudget({1: None, 3: None}, 0.0, small, preface=preface)
    passed = bytearray()
    try:
        for chunk in chunks:
            for piece in budget.slices(chunk, 0.0):
                passed.extend(piece)
    except TooMuch as exc:
        return bytes(passed), exc.reason
    return bytes(passed), ""


@given(st.lists(frames, max_size=60), st.lists(st.integers(0, 800), max_size=8), st.booleans())
def test_any_split_counts_the_same(sent: list[bytes], cuts: list[int], preface: bool):
    data = PREFACE * preface + b"".join(sent)
    at = sorted({min(cut, len(data)) for cut in cuts})
    chunks = [data[start:end] for start, end in zip([0, *at], [*at, len(data)], strict=True)]
    whole, reason = outcome([data], preface)
    split, split_reason = outcome(chunks, preface)
    if not any(piece[3] == DATA and piece[4] & PADDED for piece in sent):  # their padding may come later
        assert bool(reason) == bool(split_reason)
        assert reason == split_reason
        assert not reason or split.startswith(whole)
    if not reason:
        assert whole == data
    if not split_reason:
        assert split == data


@given(st.lists(frames, max_size=200))
def test_slices_end_where_frames_end(sent: list[bytes]):
    borders, at = {0}, 0
    for piece in sent:
        at += len(piece)
        borders.add(at)
    at = 0
    for piece in spend(FrameBudget({1: None, 3: None}, 0.0, FrameLimits(debt=10**6)), b"".join(sent)):
        at += len(piece)
        assert at in borders


@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing_else(data: bytes):
    try:
        spend(FrameBudget({}, 0.0), data)
    except TooMuch as exc:
        assert exc.reason.isprintable()


def test_counting_costs_little():
    budget = FrameBudget({1: None}, 0.0)
    data = frame(DATA, b"x" * 10, stream=1) * 20_000
    with within(1.0):  # measured: 20 ms
        spend(budget, data)


# -- what h2 does not bound --


def test_blocks_of_table_updates():
    decoder = BoundedDecoder()
    decoder.max_allowed_table_size = 4096
    assert list(decoder.decode(b"\x20\x3f\xe1\x1f\x82", raw=True)) == [(b":method", b"GET")]
    for block in (b"\x20" * 3 + b"\x82", b"\x3f\xe1\x1f" * 3, b"\x20" * 100_000):
        with pytest.raises(CompressionFailed, match="more than 2 table size updates"):
            decoder.decode(block, raw=True)


@given(st.binary(max_size=100))
def test_other_blocks_decode_as_ever(block: bytes):
    def result(decoder: hpack.Decoder) -> object:
        decoder.max_allowed_table_size = 4096
        try:
            return list(decoder.decode(block, raw=True))
        except (hpack.HPACKError, CompressionFailed, IndexError):
            return None

    ours = result(BoundedDecoder())
    assert ours is None or ours == result(hpack.Decoder())


def test_unknown_settings_are_not_kept():
    connection = Http2Connection(client_side=False)
    connection.initiate_connection()
    connection.receive_data(PREFACE)
    before = len(connection.remote_settings)
    for n in range(0x10, 0x1000):
        connection.receive_data(frame(SETTINGS, n.to_bytes(2, "big") + bytes(4)))
    connection.receive_data(frame(SETTINGS, b"\0\4\0\1\0\0"))
    assert len(connection.remote_settings) == before
    assert connection.remote_settings.initial_window_size == 65536


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (frame(DATA, b"x", stream=1), "a DATA frame came where none may be"),
        (headers(5) + frame(WINDOW_UPDATE, b"\0\0\0\1", stream=7), "a frame came for stream 7, which was never opened"),
        (headers(5) + headers(3), "stream 3 was opened after stream 5"),
        (
            headers(5, block=b"\xff" * 20),
            "a header block cannot be decoded: Variable integer representation is too long",
        ),
        (frame(PING, bytes(8), stream=1), "Received frame with invalid header: Stream ID must be zero for PingFrame"),
    ],
)
def test_faults_in_words(sent: bytes, reason: str):
    connection = Http2Connection(client_side=False)
    with pytest.raises(ProtocolError) as caught:
        connection.receive_data(PREFACE + frame(SETTINGS) + sent)
    assert explain_fault(caught.value).startswith(reason)
    assert explain_fault(StreamClosedError(5)) == "a frame came for stream 5, which is over"
