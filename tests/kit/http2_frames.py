"""HTTP/2 frames as bytes (RFC 9113 §4 and §6), right or wrong: made by hand, so that a test can send anything.

peer.say(frame(PING, b"12345678"), headers(1, GET, END_STREAM))
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9
UNKNOWN: Final = 0x42

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITIZED: Final = 0x20

NO_ERROR: Final = 0x0
PROTOCOL_ERROR: Final = 0x1
INTERNAL_ERROR: Final = 0x2
FLOW_CONTROL_ERROR: Final = 0x3
STREAM_CLOSED: Final = 0x5
FRAME_SIZE_ERROR: Final = 0x6
REFUSED_STREAM: Final = 0x7
CANCEL: Final = 0x8
COMPRESSION_ERROR: Final = 0x9
ENHANCE_YOUR_CALM: Final = 0xB
HTTP_1_1_REQUIRED: Final = 0xD

CODES: Final = {
    NO_ERROR: "NO_ERROR",
    PROTOCOL_ERROR: "PROTOCOL_ERROR",
    INTERNAL_ERROR: "INTERNAL_ERROR",
    FLOW_CONTROL_ERROR: "FLOW_CONTROL_ERROR",
    STREAM_CLOSED: "STREAM_CLOSED",
    FRAME_SIZE_ERROR: "FRAME_SIZE_ERROR",
    REFUSED_STREAM: "REFUSED_STREAM",
    CANCEL: "CANCEL",
    COMPRESSION_ERROR: "COMPRESSION_ERROR",
    ENHANCE_YOUR_CALM: "ENHANCE_YOUR_CALM",
    HTTP_1_1_REQUIRED: "HTTP_1_1_REQUIRED",
}

LARGEST: Final = 2**31 - 1
"""Of windows and numbers of streams."""

HEADER_TABLE_SIZE: Final = 0x1
ENABLE_PUSH: Final = 0x2
MAX_CONCURRENT_STREAMS: Final = 0x3
INITIAL_WINDOW_SIZE: Final = 0x4
MAX_FRAME_SIZE: Final = 0x5
MAX_HEADER_LIST_SIZE: Final = 0x6
ENABLE_CONNECT_PROTOCOL: Final = 0x8

FieldList = Iterable[tuple[bytes, bytes]]


class Frame(NamedTuple):
    """A frame as it was read."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self) -> int:
        """The error code of RST_STREAM or GOAWAY."""
        at = 4 if self.kind == GOAWAY else 0
        return int.from_bytes(self.payload[at : at + 4], "big")

    def settings(self) -> dict[int, int]:
        """The parameters of a SETTINGS frame."""
        return {
            int.from_bytes(self.payload[at : at + 2], "big"): int.from_bytes(self.payload[at + 2 : at + 6], "big")
            for at in range(0, len(self.payload), 6)
        }


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    """Any frame."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def next_frame(buffer: bytes) -> tuple[Frame, bytes] | None:
    """The first frame of what was heard, and the rest; None while it is not whole."""
    if len(buffer) < 9 or len(buffer) < (end := 9 + int.from_bytes(buffer[:3], "big")):
        return None
    stream = int.from_bytes(buffer[5:9], "big") & 0x7FFFFFFF
    return Frame(buffer[3], buffer[4], stream, buffer[9:end]), buffer[end:]


def block(fields: FieldList) -> bytes:
    """A header block of literals that no table is asked to keep (RFC 7541 §6.2.2): the same bytes at any time."""
    return b"".join(b"\x00" + string(name) + string(value) for name, value in fields)


def string(value: bytes) -> bytes:
    """RFC 7541 §5.2, without Huffman."""
    return integer(len(value), 7) + value


def integer(value: int, bits: int, first: int = 0) -> bytes:
    """RFC 7541 §5.1; `first`: the bits in front of the number."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    rest = bytearray([first | most])
    value -= most
    while value >= 128:
        rest.append(value & 0x7F | 0x80)
        value >>= 7
    rest.append(value)
    return bytes(rest)


def headers(stream: int, fields: FieldList | bytes, flags: int = 0) -> bytes:
    """A whole header in one HEADERS frame."""
    payload = fields if isinstance(fields, bytes) else block(fields)
    return frame(HEADERS, payload, flags=flags | END_HEADERS, stream=stream)


def data(stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    """A DATA frame."""
    return frame(DATA, payload, flags=flags, stream=stream)


def settings(*parameters: tuple[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in parameters))


def settings_ack() -> bytes:
    """That the peer's settings are in force."""
    return frame(SETTINGS, flags=ACK)


def ping(payload: bytes = b"are you?") -> bytes:
    """A PING frame."""
    return frame(PING, payload)


def reset(stream: int, code: int = CANCEL) -> bytes:
    """A RST_STREAM frame."""
    return frame(RST_STREAM, code.to_bytes(4, "big"), stream=stream)


def window_update(stream: int, increment: int) -> bytes:
    """A WINDOW_UPDATE frame."""
    return frame(WINDOW_UPDATE, increment.to_bytes(4, "big"), stream=stream)


def goaway(last: int = 0, code: int = NO_ERROR) -> bytes:
    """A GOAWAY frame."""
    return frame(GOAWAY, last.to_bytes(4, "big") + code.to_bytes(4, "big"))
