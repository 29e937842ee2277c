"""Events of a body that grows: each one once, wherever the body was cut."""

import gzip

from hypothesis import given
from hypothesis import strategies as st

from midstream.console.panes.event_stream import EventStream, is_event_stream
from tests.kit.captured import http_flow

SSE = ((b"Content-Type", b"text/event-stream; charset=utf-8"),)
BODY = (
    b"\xef\xbb\xbfdata: one\n\n: a comment\n\nevent: price\r\nid: 7\r\n"
    b'data: {"a":\r\ndata: 1}\r\n\r\nevent: ping\n\ndata: half'
)


def read(body: bytes, *cuts: int) -> EventStream:
    stream = EventStream()
    flow = http_flow(response_body=b"", response_headers=SSE, live=True)
    assert is_event_stream(flow)
    for cut in (*sorted(cuts), len(body)):
        flow.response.raw_content = body[:cut]
        while stream.read(flow):
            pass
    return stream


def test_events() -> None:
    events = read(BODY).messages
    assert [(event.kind, event.id, event.content) for event in events] == [
        ("message", "", b"one"),
        ("price", "7", b'{"a":\n1}'),
        ("ping", "", b""),
    ]
    assert all(event.timestamp == 0 for event in events), "nobody knows when they came"


def test_what_comes_while_one_looks_has_a_time() -> None:
    events = read(BODY, 20).messages
    assert events[0].timestamp == 0
    assert events[1].timestamp > 0


@given(st.lists(st.integers(0, len(BODY)), max_size=4))
def test_any_cut_gives_the_same_events(cuts: list[int]) -> None:
    # A cut between CR and LF may end an event at the CR: the LF is then an empty line of its own, and no event.
    assert [event.content for event in read(BODY, *cuts).messages] == [event.content for event in read(BODY).messages]


def test_a_body_with_a_coding_and_another_body() -> None:
    flow = http_flow(
        response_body=gzip.compress(b"data: x\n\n" * 3), response_headers=(*SSE, (b"Content-Encoding", b"gzip"))
    )
    stream = EventStream()
    stream.read(flow)
    assert len(stream.messages) == 3
    flow.response.headers["content-encoding"] = "identity"
    flow.response.raw_content = b"data: y\n\n"
    stream.read(flow)
    assert [event.content for event in stream.messages] == [b"y"]
    flow.response.headers["content-encoding"] = "gzip"
    flow.response.raw_content = b"broken, and longer than that"
    stream.read(flow)


def test_a_large_body_is_read_in_slices() -> None:
    flow = http_flow(response_body=b"x" * 1_000_000 + b"\n\ndata: z\n\n", response_headers=SSE)
    stream = EventStream()
    turns = 0
    while stream.read(flow):
        turns += 1
    assert turns > 10
    assert [event.content for event in stream.messages] == [b"z"]
