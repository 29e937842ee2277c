"""What is done here in h2's place is done as h2 does it."""

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError
from hyperframe.frame import Frame

from midstream.wire.http2_connection import Http2Connection
from tests.kit.http2_frames import END_STREAM, PREFACE, data, frame, headers, ping, reset, settings, window_update

GET = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a.test"), (b":path", b"/")]
CONFIG = H2Configuration(client_side=False, header_encoding=None, validate_inbound_headers=False)
LATE = {
    "DATA": data(1, b"late"),
    "HEADERS": headers(1, GET, END_STREAM),
    "RST_STREAM": reset(1),
    "WINDOW_UPDATE": window_update(1, 5),
    "PING": ping(),
    "unknown": frame(0x42, b"?", stream=1),
}
BEFORE = {
    "reset": [headers(1, GET), reset(1)],
    "ended": [headers(1, GET, END_STREAM)],
    "passed over": [headers(3, GET, END_STREAM)],
    "open": [headers(1, GET)],
}


def what_happens(server: H2Connection, before: list[bytes], late: bytes, *, answered: bool) -> tuple[object, ...]:
    """The kinds of events, or the error; and what is sent."""
    server.initiate_connection()
    server.receive_data(PREFACE + settings() + b"".join(before))
    if answered and 1 in server.streams and not server.streams[1].closed:
        server.send_headers(1, [(b":status", b"204")], end_stream=True)
    server.data_to_send()
    try:
        events: object = [type(event) for event in server.receive_data(late)]
    except ProtocolError as error:
        events = type(error), str(error)
    return events, server.data_to_send()


@pytest.mark.parametrize("answered", [False, True], ids=["unanswered", "answered"])
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("late", LATE)
def test_frames_are_taken_as_h2_takes_them(before: str, late: str, answered: bool):
    ours, theirs = Http2Connection(client_side=False), H2Connection(CONFIG)
    found = what_happens(ours, BEFORE[before], LATE[late], answered=answered)
    assert found == what_happens(theirs, BEFORE[before], LATE[late], answered=answered)


def test_no_frame_is_made_a_text(monkeypatch: pytest.MonkeyPatch):
    shown: list[Frame] = []
    monkeypatch.setattr(Frame, "__repr__", lambda frame: shown.append(frame) or "")
    what_happens(Http2Connection(client_side=False), BEFORE["open"], LATE["DATA"], answered=False)
    assert not shown
