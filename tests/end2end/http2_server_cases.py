"""What servers may not do in HTTP/2, and what they may: frames, what a client gets then, and what the server is told.

Read by `test_http2_conformance_server_side.py`.
"""

from __future__ import annotations

from tests.kit import http2_frames as f
from tests.kit.http2_frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    LARGEST,
    PADDED,
    PING,
    PRIORITIZED,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    UNKNOWN,
    block,
    data,
    frame,
    goaway,
    headers,
    reset,
    settings,
    window_update,
)

FIELDS = [(b":status", b"200"), (b"server", b"raw")]
OK = block(FIELDS)
HELLO = headers(1, OK) + data(1, b"hello", END_STREAM)

Case = tuple[str, tuple[bytes, ...], str, set[str]]
"""Section and what is done; the frames that answer stream 1; what the client gets; what the server is told."""

NOTHING = {"nothing"}
PROTOCOL = {"connection PROTOCOL_ERROR"}
FRAME_SIZE = {"connection FRAME_SIZE_ERROR"}
COMPRESSION = {"connection COMPRESSION_ERROR"}
FLOW = {"connection FLOW_CONTROL_ERROR"}
STREAM = {"stream PROTOCOL_ERROR"}


def responding(*fields: tuple[bytes, bytes], status: bytes = b"200", ends: bool = True) -> bytes:
    """A response's header on stream 1."""
    return headers(1, [(b":status", status), *fields], END_STREAM if ends else 0)


FRAMES: list[Case] = [
    ("4.1 an unknown frame is ignored", (frame(UNKNOWN, b"??"), frame(UNKNOWN, stream=1), HELLO), "status 200",
        NOTHING),
    ("4.1 the reserved bit is ignored", (
        frame(HEADERS, OK, flags=END_HEADERS | END_STREAM, stream=1 | 1 << 31),
    ), "status 200", NOTHING),
    ("4.2 DATA above the largest frame", (headers(1, OK), data(1, bytes(16385))), "status 502", FRAME_SIZE),
    ("4.2 HEADERS above the largest frame", (frame(HEADERS, bytes(16385), flags=4, stream=1),), "status 502",
        FRAME_SIZE),
    ("4.3 a header of several frames", (
        frame(HEADERS, OK[:5], flags=END_STREAM, stream=1),
        frame(CONTINUATION, stream=1),
        frame(CONTINUATION, OK[5:], flags=END_HEADERS, stream=1),
    ), "status 200", NOTHING),
    ("4.3 an index that is not in the table", (headers(1, OK + b"\xff\x7f"),), "status 502", COMPRESSION),
    ("4.3 a literal that is cut", (headers(1, OK + b"\x00\x05ab"),), "status 502", COMPRESSION),
    ("4.3 a table above its limit", (headers(1, b"\x3f\xe1\xff\x03" + OK),), "status 502", COMPRESSION),
    ("4.3 DATA inside a header", (frame(HEADERS, OK, stream=1), data(1, b"x")), "status 502", PROTOCOL),
    ("5.5 an unknown frame inside a header", (frame(HEADERS, OK, stream=1), frame(UNKNOWN)), "status 502", PROTOCOL),
    ("6.10 CONTINUATION for another stream", (
        frame(HEADERS, OK, stream=1), frame(CONTINUATION, flags=END_HEADERS, stream=3),
    ), "status 502", PROTOCOL),
    ("6.10 CONTINUATION without a header", (frame(CONTINUATION, OK, flags=END_HEADERS, stream=1),), "status 502",
        PROTOCOL),
]  # fmt: skip

STREAMS: list[Case] = [
    ("5.1 HEADERS on an idle stream", (headers(7, OK, END_STREAM),), "status 502", PROTOCOL),
    ("5.1 DATA on an idle stream", (data(7, b"x"),), "status 502", PROTOCOL),
    ("5.1 RST_STREAM on an idle stream", (reset(7),), "status 502", PROTOCOL),
    ("5.1 WINDOW_UPDATE on an idle stream", (window_update(7, 1),), "status 502", PROTOCOL),
    ("5.1.1 a stream that a server opens", (headers(2, OK, END_STREAM),), "status 502", PROTOCOL),
    ("5.1 late frames for a stream that is over", (HELLO, window_update(1, 1), frame(PRIORITY, bytes(5), stream=1)),
        "status 200", NOTHING),
    ("6.1 DATA on stream 0", (data(0, b"x"),), "status 502", PROTOCOL),
    ("6.1 padding as long as the payload", (headers(1, OK), frame(DATA, b"\x04abc", flags=PADDED, stream=1)),
        "status 502", PROTOCOL),
    ("6.1 padded DATA", (headers(1, OK), frame(DATA, b"\x02hello\0\0", flags=PADDED | END_STREAM, stream=1)),
        "status 200", NOTHING),
    ("6.2 HEADERS on stream 0", (headers(0, OK, END_STREAM),), "status 502", PROTOCOL),
    ("6.2 padded HEADERS with a priority", (
        frame(HEADERS, b"\x01\0\0\0\0\xff" + OK + b"\0", flags=5 | PADDED | PRIORITIZED, stream=1),
    ), "status 200", NOTHING),
    ("6.3 PRIORITY on stream 0", (frame(PRIORITY, bytes(5)),), "status 502", PROTOCOL),
    ("6.4 RST_STREAM on stream 0", (reset(0),), "status 502", PROTOCOL),
    ("6.4 RST_STREAM of three bytes", (frame(RST_STREAM, bytes(3), stream=1),), "status 502", FRAME_SIZE),
    ("6.4 RST_STREAM instead of an answer", (reset(1, f.INTERNAL_ERROR),), "status 502", NOTHING),
    ("6.4 RST_STREAM in the middle of an answer", (headers(1, OK), data(1, b"hel"), reset(1, f.INTERNAL_ERROR)),
        "status 502", NOTHING),
    ("6.5 SETTINGS on a stream", (frame(SETTINGS, stream=1),), "status 502", PROTOCOL),
    ("6.5 SETTINGS of five bytes", (frame(SETTINGS, bytes(5)),), "status 502", FRAME_SIZE),
    ("6.5 an acknowledgement with settings", (frame(SETTINGS, bytes(6), flags=ACK),), "status 502", FRAME_SIZE),
    ("6.5.2 ENABLE_PUSH 1 from a server", (settings((f.ENABLE_PUSH, 1)),), "status 502", PROTOCOL),
    ("6.5.2 a window above 2^31-1", (settings((f.INITIAL_WINDOW_SIZE, LARGEST + 1)),), "status 502", FLOW),
    ("6.5.2 MAX_FRAME_SIZE 16383", (settings((f.MAX_FRAME_SIZE, 16383)),), "status 502", PROTOCOL),
    ("6.5.2 unknown settings are ignored", (settings((0xFF, 1)), HELLO), "status 200", NOTHING),
    ("8.4 PUSH_PROMISE though push is off", (
        frame(PUSH_PROMISE, b"\0\0\0\2" + OK, flags=END_HEADERS, stream=1),
    ), "status 502", PROTOCOL),
    ("6.7 PING on a stream", (frame(PING, bytes(8), stream=1),), "status 502", PROTOCOL),
    ("6.7 PING of six bytes", (frame(PING, bytes(6)),), "status 502", FRAME_SIZE),
    ("6.8 GOAWAY on a stream", (frame(GOAWAY, bytes(8), stream=1),), "status 502", PROTOCOL),
    ("6.8 an answer after GOAWAY", (goaway(1), HELLO), "status 200", {"closed", "connection NO_ERROR"}),
    ("6.9 WINDOW_UPDATE by 0", (window_update(0, 0),), "status 502", PROTOCOL),
    ("6.9 WINDOW_UPDATE of three bytes", (frame(f.WINDOW_UPDATE, bytes(3)),), "status 502", FRAME_SIZE),
    ("6.9.1 a window of the connection above 2^31-1", (window_update(0, LARGEST),), "status 502", FLOW),
    ("6.9.1 a window of a stream above 2^31-1", (window_update(1, LARGEST),), "status 502",
        {"stream FLOW_CONTROL_ERROR"}),
]  # fmt: skip

LENGTH = (b"content-length", b"3")
TRAILERS = [(b"x-trailer", b"1")]

MESSAGES: list[Case] = [
    ("8.1 interim answers and trailers", (
        responding(status=b"103", ends=False), responding(status=b"100", ends=False),
        headers(1, OK), data(1, b"hello"), headers(1, TRAILERS, END_STREAM),
    ), "status 200", NOTHING),
    ("8.1 DATA before the header", (data(1, b"x", END_STREAM),), "status 502", STREAM | PROTOCOL),
    ("8.1 an interim answer that ends", (responding(status=b"103"),), "status 502", STREAM | PROTOCOL),
    ("8.1 interim after the final answer", (headers(1, OK), responding(status=b"103", ends=False)), "status 502",
        STREAM | PROTOCOL),
    ("8.1 a second header that does not end", (headers(1, OK), data(1, b"x"), headers(1, TRAILERS)), "status 502",
        STREAM | PROTOCOL),
    ("8.1 trailers with a pseudo field", (
        headers(1, OK), data(1, b"x"), headers(1, [(b":status", b"200")], END_STREAM),
    ), "status 502", STREAM | NOTHING),
    ("8.1 more after the end", (HELLO, data(1, b"x")), "status 200",
        {"stream STREAM_CLOSED", "connection STREAM_CLOSED", "nothing"}),
    ("8.1 a second answer", (HELLO, HELLO), "status 200", {"connection STREAM_CLOSED"}),
    ("8.1.1 a body of its length", (responding(LENGTH, ends=False), data(1, b"abc", END_STREAM)), "status 200",
        NOTHING),
    ("8.1.1 a body above its length", (responding(LENGTH, ends=False), data(1, b"abcd", END_STREAM)), "status 502",
        STREAM | NOTHING),
    ("8.1.1 a body below its length", (responding(LENGTH, ends=False), data(1, b"ab", END_STREAM)), "status 502",
        STREAM | NOTHING),
    ("8.1.1 no body at all", (responding(LENGTH),), "status 502", STREAM | NOTHING),
    ("8.1.1 a length that is no number", (responding((b"content-length", b"+3"), ends=False), data(1, b"abc")),
        "status 502", STREAM),
    ("8.1.1 two lengths", (responding(LENGTH, LENGTH, ends=False),), "status 502", STREAM),
    ("8.1.1 204 with a length but no body", (responding(LENGTH, status=b"204"),), "status 204", NOTHING),
    ("8.1.1 204 with a body", (responding(status=b"204", ends=False), data(1, b"abc", END_STREAM)), "status 502",
        STREAM | NOTHING),
    ("8.2 upper case", (responding((b"X-A", b"1"), ends=False),), "status 502", STREAM),
    *[
        (f"8.2.1 {what}", (responding(field, ends=False),), "status 502", STREAM)
        for what, field in {
            "a colon in a name": (b"x:y", b"1"),
            "a space in a name": (b"x y", b"1"),
            "no name": (b"", b"1"),
            "CR LF in a name": (b"x\r\ny", b"1"),
            "CR LF in a value": (b"x", b"1\r\nset-cookie: b"),
            "NUL in a value": (b"x", b"\x00"),
            "white space around a value": (b"x", b" 1"),
        }.items()
    ],
    *[
        (f"8.2.2 {name.decode()}", (responding((name, b"close"), ends=False),), "status 502", STREAM)
        for name in (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
    ],
    ("8.3.2 no status", (headers(1, [(b"x", b"1")]),), "status 502", STREAM),
    ("8.3.2 two", (headers(1, [*FIELDS[:1], *FIELDS[:1]]),), "status 502", STREAM),
    ("8.3.2 a pseudo field of requests", (headers(1, [*FIELDS[:1], (b":path", b"/")]),), "status 502", STREAM),
    ("8.3 a pseudo field after others", (headers(1, [(b"x", b"1"), *FIELDS[:1]]),), "status 502", STREAM),
    *[
        (f"8.3.2 status {status.decode()}", (responding(status=status, ends=False),), "status 502", STREAM | PROTOCOL)
        for status in (b"20", b"2000", b"600", b"+20", b"abc", b"099")
    ],
    ("8.6 status 101", (responding(status=b"101", ends=False),), "status 502", STREAM),
    ("8.7 a reset without fault after the answer", (HELLO, reset(1, f.NO_ERROR)), "status 200", NOTHING),
]  # fmt: skip

ALL = {f"/{number}": case for number, case in enumerate([*FRAMES, *STREAMS, *MESSAGES])}
