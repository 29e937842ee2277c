"""What clients may not do in HTTP/2, and what they may: frames, and what has to become of them (RFC 9113 §4 to §8).

Read by `test_http2_conformance_client_side.py`.
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
    WINDOW_UPDATE,
    block,
    data,
    frame,
    goaway,
    headers,
    ping,
    reset,
    settings,
    window_update,
)

START = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"a.test"), (b":path", b"/")]
GET = block(START)
POST = block([(b":method", b"POST"), *START[1:]])
BIG_SIZE = 200_000
PROBE = 1001


def get(stream: int, path: bytes = b"/") -> bytes:
    """A request without a body."""
    return headers(stream, [*START[:3], (b":path", path)], END_STREAM)


def asking(*fields: tuple[bytes, bytes], without: bytes = b"", ends: bool = True) -> bytes:
    """A request on stream 1 with these fields after, or instead of, the usual pseudo fields."""
    pseudo = [field for field in START if field[0] != without]
    return headers(1, [*pseudo, *fields], END_STREAM if ends else 0)


MALFORMED = {"stream PROTOCOL_ERROR", "status 400"}
"""RFC 9113 §8.1.1: a stream error, before which a server may answer."""
PROTOCOL = {"connection PROTOCOL_ERROR"}
FRAME_SIZE = {"connection FRAME_SIZE_ERROR"}
COMPRESSION = {"connection COMPRESSION_ERROR"}
FLOW = {"connection FLOW_CONTROL_ERROR"}
CLOSED = {"stream STREAM_CLOSED", "connection STREAM_CLOSED"}
SERVED = {"status 200"}

Case = tuple[str, tuple[bytes | int, ...], set[str]]
"""Section and what is done; frames, and numbers of streams whose end is waited for; what becomes of stream 1."""

FRAMES: list[Case] = [
    ("4.1 an unknown frame is ignored", (frame(UNKNOWN, b"??"), frame(UNKNOWN, stream=5), get(1)), SERVED),
    ("4.1 unknown flags are ignored", (frame(PING, bytes(8), flags=0xFE), get(1)), SERVED),
    ("4.1 the reserved bit is ignored", (frame(HEADERS, GET, flags=5, stream=1 | 1 << 31),), SERVED),
    ("4.2 DATA above the largest frame", (headers(1, POST), data(1, bytes(16385))), FRAME_SIZE),
    ("4.2 HEADERS above the largest frame", (frame(HEADERS, bytes(16385), flags=5, stream=1),), FRAME_SIZE),
    ("4.2 SETTINGS above the largest frame", (frame(SETTINGS, bytes(16386)),), FRAME_SIZE),
    ("4.3 a header of several frames", (
        frame(HEADERS, GET[:1], flags=END_STREAM, stream=1),
        *(frame(CONTINUATION, GET[n : n + 9], stream=1) for n in range(1, len(GET), 9)),
        frame(CONTINUATION, flags=END_HEADERS, stream=1),
    ), SERVED),
    ("4.3 an index that is not in the table", (headers(1, GET + b"\xff\x7f", END_STREAM),), COMPRESSION),
    ("4.3 index 0", (headers(1, GET + b"\x80", END_STREAM),), COMPRESSION),
    ("4.3 a literal that is cut", (headers(1, GET + b"\x00\x05ab", END_STREAM),), COMPRESSION),
    ("4.3 an integer without end", (headers(1, GET + b"\xff" * 20, END_STREAM),), COMPRESSION),
    ("4.3 Huffman code that is none", (headers(1, GET + b"\x00\x01a\x82\xff\xff", END_STREAM),), COMPRESSION),
    ("4.3 a table above its limit", (headers(1, b"\x3f\xe1\xff\x03" + GET, END_STREAM),), COMPRESSION),
    ("4.3 a table update after a field", (headers(1, GET + b"\x20", END_STREAM),), COMPRESSION),
    ("4.3 more table updates than make sense", (headers(1, b"\x20" * 100 + GET, END_STREAM),), COMPRESSION),
    ("4.3 a bad block on a stream that is over", (get(1), 1, headers(1, b"\x80", END_STREAM)),
        COMPRESSION | CLOSED),
    ("4.3 another stream inside a header", (frame(HEADERS, GET, stream=1), get(3)), PROTOCOL),
    ("4.3 DATA inside a header", (frame(HEADERS, POST, stream=1), data(1, b"x")), PROTOCOL),
    ("4.3 PING inside a header", (frame(HEADERS, GET, stream=1), ping()), PROTOCOL),
    ("5.5 an unknown frame inside a header", (frame(HEADERS, GET, stream=1), frame(UNKNOWN, stream=1)), PROTOCOL),
    ("6.10 CONTINUATION for another stream", (
        frame(HEADERS, GET, stream=1), frame(CONTINUATION, flags=END_HEADERS, stream=3),
    ), PROTOCOL),
    ("6.10 CONTINUATION on stream 0", (frame(HEADERS, GET, stream=1), frame(CONTINUATION, flags=4)), PROTOCOL),
    ("6.10 CONTINUATION after the end of the header", (
        headers(1, POST), frame(CONTINUATION, flags=END_HEADERS, stream=1),
    ), PROTOCOL),
    ("6.10 CONTINUATION after DATA", (
        headers(1, POST), data(1, b"x"), frame(CONTINUATION, flags=END_HEADERS, stream=1),
    ), PROTOCOL),
    ("6.10 CONTINUATION after an answer", (get(1), 1, frame(CONTINUATION, flags=END_HEADERS, stream=1)),
        PROTOCOL | CLOSED),
]  # fmt: skip

STREAMS: list[Case] = [
    ("5.1 DATA on an idle stream", (data(1, b"x"),), PROTOCOL),
    ("5.1 RST_STREAM on an idle stream", (reset(1),), PROTOCOL),
    ("5.1 WINDOW_UPDATE on an idle stream", (window_update(1, 1),), PROTOCOL),
    ("5.1 CONTINUATION on an idle stream", (frame(CONTINUATION, GET, flags=END_HEADERS, stream=1),), PROTOCOL),
    ("5.1 PRIORITY on an idle stream is allowed", (frame(PRIORITY, bytes(5), stream=5), get(1)), SERVED),
    ("5.1 DATA after END_STREAM", (get(1, b"/big"), data(1, b"x", END_STREAM)), CLOSED),
    ("5.1 HEADERS after END_STREAM", (get(1, b"/big"), headers(1, GET, END_STREAM)), CLOSED),
    ("5.1 DATA after an answer", (get(1), 1, data(1, b"x", END_STREAM)), CLOSED),
    ("5.1 HEADERS after an answer", (get(1), 1, get(1)), CLOSED),
    ("5.1 DATA after RST_STREAM", (headers(1, POST), reset(1), data(1, b"x", END_STREAM)), CLOSED),
    ("5.1 HEADERS after RST_STREAM", (headers(1, POST), reset(1), get(1)), CLOSED),
    ("5.1 late frames for a stream that is over", (
        get(3), 3, window_update(3, 10), reset(3), frame(PRIORITY, bytes(5), stream=3), get(5), 5, get(PROBE), PROBE,
        headers(PROBE + 2, GET, END_STREAM), PROBE + 2,
    ), {"alive"}),
    ("5.1.1 a stream of even number", (get(2),), PROTOCOL),
    ("5.1.1 a stream number that went by", (get(5), 5, get(3)), PROTOCOL | {"connection STREAM_CLOSED"}),
    ("5.1.1 numbers may be left out", (get(PROBE), PROBE, get(PROBE + 100), PROBE + 100), {"alive"}),
    ("5.3 the deprecated priorities are taken", (
        frame(HEADERS, b"\x80\0\0\3\xff" + GET, flags=END_STREAM | END_HEADERS | PRIORITIZED, stream=1),
    ), SERVED),
]  # fmt: skip

KINDS: list[Case] = [
    ("6.1 DATA on stream 0", (data(0, b"x"),), PROTOCOL),
    ("6.1 padding as long as the payload", (headers(1, POST), frame(DATA, b"\x04abc", flags=PADDED, stream=1)),
        PROTOCOL),
    ("6.1 padding of nothing", (headers(1, POST), frame(DATA, b"", flags=PADDED, stream=1)),
        PROTOCOL | FRAME_SIZE),
    ("6.1 padded DATA", (headers(1, POST), frame(DATA, b"\x03abc\0\0\0", flags=PADDED | END_STREAM, stream=1)),
        SERVED),
    ("6.2 HEADERS on stream 0", (headers(0, GET, END_STREAM),), PROTOCOL),
    ("6.2 padded HEADERS", (frame(HEADERS, b"\x02" + GET + bytes(2), flags=5 | PADDED, stream=1),), SERVED),
    ("6.2 padding longer than the header", (frame(HEADERS, b"\xff" + GET, flags=5 | PADDED, stream=1),), PROTOCOL),
    ("6.2 too short for its priority", (frame(HEADERS, b"\0\0", flags=5 | PRIORITIZED, stream=1),),
        FRAME_SIZE | PROTOCOL),
    ("6.3 PRIORITY on stream 0", (frame(PRIORITY, bytes(5)),), PROTOCOL),
    ("6.3 PRIORITY of four bytes", (headers(1, POST), frame(PRIORITY, bytes(4), stream=1)),
        FRAME_SIZE | {"stream FRAME_SIZE_ERROR"}),
    ("6.4 RST_STREAM on stream 0", (reset(0),), PROTOCOL),
    ("6.4 RST_STREAM of three bytes", (headers(1, POST), frame(RST_STREAM, bytes(3), stream=1)), FRAME_SIZE),
    ("6.5 SETTINGS on a stream", (frame(SETTINGS, stream=1),), PROTOCOL),
    ("6.5 SETTINGS of five bytes", (frame(SETTINGS, bytes(5)),), FRAME_SIZE),
    ("6.5 an acknowledgement with settings", (frame(SETTINGS, bytes(6), flags=ACK),), FRAME_SIZE),
    ("6.5.2 ENABLE_PUSH 2", (settings((f.ENABLE_PUSH, 2)),), PROTOCOL),
    ("6.5.2 a window above 2^31-1", (settings((f.INITIAL_WINDOW_SIZE, LARGEST + 1)),), FLOW),
    ("6.5.2 MAX_FRAME_SIZE 16383", (settings((f.MAX_FRAME_SIZE, 16383)),), PROTOCOL),
    ("6.5.2 MAX_FRAME_SIZE 2^24", (settings((f.MAX_FRAME_SIZE, 1 << 24)),), PROTOCOL),
    ("6.5.2 unknown settings are ignored", (settings((0xFF, 1), (0x1234, 5)), get(1)), SERVED),
    ("8441 3 ENABLE_CONNECT_PROTOCOL 2", (settings((f.ENABLE_CONNECT_PROTOCOL, 2)),), PROTOCOL),
    ("6.6 PUSH_PROMISE from a client", (
        headers(1, POST), frame(PUSH_PROMISE, b"\0\0\0\2" + GET, flags=END_HEADERS, stream=1),
    ), PROTOCOL),
    ("6.7 PING on a stream", (frame(PING, bytes(8), stream=1),), PROTOCOL),
    ("6.7 PING of six bytes", (frame(PING, bytes(6)),), FRAME_SIZE),
    ("6.8 GOAWAY on a stream", (frame(GOAWAY, bytes(8), stream=1),), PROTOCOL),
    ("6.8 GOAWAY of seven bytes", (frame(GOAWAY, bytes(7)),), FRAME_SIZE | PROTOCOL),
    ("6.8 what is under way is answered after GOAWAY", (headers(1, POST), goaway(), data(1, b"x", END_STREAM)),
        SERVED),
    ("6.9 WINDOW_UPDATE by 0 on a stream", (headers(1, POST), window_update(1, 0)),
        {"stream PROTOCOL_ERROR"} | PROTOCOL),
    ("6.9 WINDOW_UPDATE by 0", (window_update(0, 0),), PROTOCOL),
    ("6.9 WINDOW_UPDATE of three bytes", (frame(WINDOW_UPDATE, bytes(3)),), FRAME_SIZE),
    ("6.9.1 a window of a stream above 2^31-1", (headers(1, POST), window_update(1, LARGEST)),
        {"stream FLOW_CONTROL_ERROR"}),
    ("6.9.1 a window of the connection above 2^31-1", (window_update(0, LARGEST), window_update(0, LARGEST)), FLOW),
    ("6.9.2 settings that lift a window above 2^31-1", (
        headers(1, POST), window_update(1, LARGEST - 65535), settings((f.INITIAL_WINDOW_SIZE, 65536)),
    ), FLOW),
]  # fmt: skip

LENGTH = (b"content-length", b"3")
TRAILERS = [(b"x-trailer", b"1")]

MESSAGES: list[Case] = [
    ("8.1 trailers", (headers(1, POST), data(1, b"abc"), headers(1, TRAILERS, END_STREAM)), SERVED),
    ("8.1 a second header that does not end", (headers(1, POST), headers(1, TRAILERS)), MALFORMED | PROTOCOL),
    ("8.1 trailers with a pseudo field", (
        headers(1, POST), data(1, b"abc"), headers(1, [(b":path", b"/")], END_STREAM),
    ), MALFORMED),
    ("8.1 trailers in upper case", (
        headers(1, POST), data(1, b"abc"), headers(1, [(b"X", b"1")], END_STREAM),
    ), MALFORMED),
    ("8.1.1 a body of its length", (asking(LENGTH, ends=False), data(1, b"abc", END_STREAM)), SERVED),
    ("8.1.1 a body above its length", (asking(LENGTH, ends=False), data(1, b"abcd", END_STREAM)), MALFORMED),
    ("8.1.1 a body below its length", (asking(LENGTH, ends=False), data(1, b"ab", END_STREAM)), MALFORMED),
    ("8.1.1 no body at all", (asking(LENGTH),), MALFORMED),
    ("8.1.1 trailers after less than its length", (
        asking(LENGTH, ends=False), data(1, b"ab"), headers(1, TRAILERS, END_STREAM),
    ), MALFORMED),
    ("8.1.1 two lengths", (asking(LENGTH, (b"content-length", b"4"), ends=False), data(1, b"abc", END_STREAM)),
        MALFORMED),
    ("8.1.1 a length that is no number", (asking((b"content-length", b"+3"), ends=False), data(1, b"abc", END_STREAM)),
        MALFORMED),
    ("8.2 upper case", (asking((b"X-A", b"1")),), MALFORMED),
    *[
        (f"8.2.1 {what}", (asking(field),), MALFORMED)
        for what, field in {
            "a colon in a name": (b"x:y", b"1"),
            "a space in a name": (b"x y", b"1"),
            "no name": (b"", b"1"),
            "a control in a name": (b"x\x01", b"1"),
            "CR LF in a name": (b"x\r\ny", b"1"),
            "a byte above ASCII in a name": (b"x\xe9", b"1"),
            "CR LF in a value": (b"x", b"1\r\nhost: b"),
            "LF in a value": (b"x", b"1\nhost: b"),
            "CR in a value": (b"x", b"1\r"),
            "NUL in a value": (b"x", b"\x00"),
            "white space before a value": (b"x", b" 1"),
            "white space after a value": (b"x", b"1\t"),
        }.items()
    ],
    *[
        (f"8.2.2 {name.decode()}", (asking((name, value)),), MALFORMED)
        for name, value in [
            (b"connection", b"close"),
            (b"keep-alive", b"5"),
            (b"proxy-connection", b"close"),
            (b"transfer-encoding", b"chunked"),
            (b"upgrade", b"h2c"),
            (b"te", b"trailers, gzip"),
        ]
    ],
    ("8.2.2 te: trailers", (asking((b"te", b"trailers")),), SERVED),
    ("8.2.3 crumbs of a cookie", (asking((b"cookie", b"a=1"), (b"cookie", b"b=2")),), SERVED),
    ("8.3 a pseudo field after others", (headers(1, [START[0], (b"x", b"1"), *START[1:]], END_STREAM),), MALFORMED),
    ("8.3 an unknown pseudo field", (asking((b":x", b"1")),), MALFORMED),
    ("8.3 a pseudo field of responses", (asking((b":status", b"200")),), MALFORMED),
    *[(f"8.3.1 two of {name.decode()}", (asking((name, value)),), MALFORMED) for name, value in START],
    *[
        (f"8.3.1 no {name.decode()}", (asking(without=name),), MALFORMED)
        for name in (b":method", b":scheme", b":path")
    ],
    *[
        (f"8.3.1 {what}", (headers(1, [*[field for field in START if field[0] != name], (name, value)], END_STREAM),),
            MALFORMED)
        for what, name, value in [
            ("an empty path", b":path", b""),
            ("a path without a slash", b":path", b"x"),
            ("a path with a space", b":path", b"/ HTTP/1.1"),
            ("a path with CR LF", b":path", b"/\r\nx"),
            ("a method with a space", b":method", b"GET /"),
            ("a method with CR LF", b":method", b"GET\r\n"),
            ("a scheme with more in it", b":scheme", b"http://b.test/"),
            ("user information", b":authority", b"u@a.test"),
            ("an authority with CR LF", b":authority", b"a\r\nx: 1"),
            ("an authority with a path", b":authority", b"a.test/x"),
        ]
    ],
    ("8.3.1 Host unlike :authority", (asking((b"host", b"b.test")),), MALFORMED),
    ("8.3.1 two Host fields", (asking((b"host", b"a.test"), (b"host", b"a.test")),), MALFORMED),
    ("8.3.1 Host alone", (asking((b"host", b"a.test"), without=b":authority"),), SERVED),
    ("8.5 CONNECT with a path", (
        headers(1, [(b":method", b"CONNECT"), (b":authority", b"a.test:1"), (b":path", b"/")]),
    ), MALFORMED),
    ("8441 4 a protocol without CONNECT", (asking((b":protocol", b"websocket")),), MALFORMED),
    ("8441 4 an extended CONNECT without a path", (
        headers(1, [(b":method", b"CONNECT"), (b":protocol", b"websocket"), *START[1:3]]),
    ), MALFORMED),
    ("8441 4 a protocol with a space", (
        headers(1, [(b":method", b"CONNECT"), (b":protocol", b"web socket"), *START[1:]]),
    ), MALFORMED),
    ("8.5 CONNECT without an authority", (headers(1, [(b":method", b"CONNECT")]),), MALFORMED),
]  # fmt: skip

ALL = [*FRAMES, *STREAMS, *KINDS, *MESSAGES]
