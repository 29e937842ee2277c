"""How many frames that ask for nothing an HTTP/2 peer may send, counted before the h2 library works on them.

Called by both HTTP/2 sides with everything they read: h2 takes some 10 µs for the smallest frame and has no notion of
enough, so `slices` hands it pieces that are short work, and stops in the middle of a flood. There is no clock in here;
times are arguments, in seconds. It looks at frame headers only and leaves what frames mean to h2.

Every frame that brings no message forward is a debt: a PING, SETTINGS, PRIORITY, WINDOW_UPDATE, an empty DATA frame,
one for a stream that is over, a stream begun and reset. Time and useful work pay it back. So a peer may be odd for a
while, or busy for ever, but not busy for nothing (CVE-2019-9512 to 9518, CVE-2023-44487, CVE-2024-27316,
CVE-2025-8671).
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from struct import Struct
from typing import Final, NamedTuple

ENHANCE_YOUR_CALM: Final = 0xB
FRAME_SIZE_ERROR: Final = 0x6

_PREFACE_LENGTH: Final = 24  # RFC 9113 §3.4
_HEADER_LENGTH: Final = 9

# RFC 9113 §6
_DATA: Final = 0x0
_HEADERS: Final = 0x1
_PRIORITY: Final = 0x2
_RST_STREAM: Final = 0x3
_SETTINGS: Final = 0x4
_PUSH_PROMISE: Final = 0x5
_PING: Final = 0x6
_GOAWAY: Final = 0x7
_WINDOW_UPDATE: Final = 0x8
_CONTINUATION: Final = 0x9

_END_STREAM: Final = 0x1
_ACK: Final = 0x1
_END_HEADERS: Final = 0x4
_PADDED: Final = 0x8

_FRAME_HEADER: Final = Struct(">BHBBL").unpack_from  # length in two parts, type, flags, stream (RFC 9113 §4.1)
_STARTS_A_BLOCK: Final = (_HEADERS, _PUSH_PROMISE)
_PARTS_OF_A_BLOCK: Final = (_HEADERS, _PUSH_PROMISE, _CONTINUATION)

# What one frame adds to the debt. A reset undoes the work of a whole request; SETTINGS has to be answered and may touch
# every stream.
_COSTS: Final = {_RST_STREAM: 4, _PUSH_PROMISE: 4, _GOAWAY: 4, _SETTINGS: 2}
_RESET_COST: Final = 4

# What useful work pays back.
_STREAM_WORTH: Final = 8
_SENT_WORTH: Final = 2
_RECEIVED_WORTH: Final = 1

_TINY: Final = 1024
"""A DATA frame that a window keeps below this size is a cost, not useful work."""

_SLICE_WORK: Final = 32
"""How much work one slice may be: a HEADERS frame counts 4, any other frame 1 (some 20 µs)."""

_NAMES: Final = {
    _DATA: "DATA frames without data, or for streams that are over",
    _PRIORITY: "PRIORITY frames",
    _RST_STREAM: "RST_STREAM frames, each for a request that was hardly begun",
    _SETTINGS: "SETTINGS frames",
    _PUSH_PROMISE: "PUSH_PROMISE frames",
    _PING: "PING frames",
    _GOAWAY: "GOAWAY frames",
    _WINDOW_UPDATE: "WINDOW_UPDATE frames",
    _CONTINUATION: "CONTINUATION frames",
}


class TooMuch(Exception):
    """The connection has to be closed with GOAWAY and ``code``; ``reason`` is a plain sentence about the peer."""

    def __init__(self, reason: str, code: int = ENHANCE_YOUR_CALM) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class FrameLimits(NamedTuple):
    """What a peer may do on one connection. ``debt`` is in frames of the cheapest kind, ``repaid`` in those per second;
    sizes are bytes.
    """

    debt: int = 2000
    repaid: int = 100
    frame: int = 16384
    header_block: int = 131072
    continuations: int = 32


DEFAULT_FRAME_LIMITS: Final = FrameLimits()


class FrameBudget:
    """The account of one connection.

    ``live``: the streams in progress by their ids, kept by the caller. ``preface``: the peer is a client, which begins
    with 24 bytes that are no frame.
    """

    __slots__ = (
        "_block",
        "_continuations",
        "_debt",
        "_kind",
        "_known",
        "_left",
        "_limits",
        "_live",
        "_newest",
        "_partial",
        "_reasons",
        "_settled_at",
    )

    def __init__(
        self, live: Container[int], now: float, limits: FrameLimits = DEFAULT_FRAME_LIMITS, *, preface: bool = False
    ) -> None:
        self._live = live
        self._limits = limits
        self._settled_at = now
        self._debt = 0.0
        self._reasons: dict[str, tuple[int, int]] = {}  # cost and number of what the debt is made of, for the sentence
        self._left = _PREFACE_LENGTH if preface else 0  # bytes until the next frame header
        self._partial = b""  # of a frame header, not handed out yet
        self._block = -1  # size of the header block that is not complete yet
        self._continuations = 0
        self._kind = -1  # of the last frame
        self._newest = self._known = 0  # newest stream that HEADERS named; the same when the last slice was handed out

    @property
    def inside_headers(self) -> bool:
        """A header block has begun and not ended: nothing else can come, on any stream (RFC 9113 §6.10)."""
        return self._block >= 0 or (self._left > 0 and self._kind in _PARTS_OF_A_BLOCK)

    def slices(self, data: bytes, now: float) -> Iterator[bytes | memoryview]:
        """``data`` in pieces that end where frames end, the last one excepted; each is short work for h2.

        The next piece is looked at when it is asked for; what may be the start of a frame header waits for the rest of
        it. Raises TooMuch; everything before the frame at fault was handed out.
        """
        self._pay_for_time(now)
        if self._partial:
            data, self._partial = self._partial + data, b""
        size, start, at, work = len(data), 0, self._left, 0
        while size - at >= _HEADER_LENGTH:
            high, low, kind, flags, stream = _FRAME_HEADER(data, at)
            length = high << 16 | low
            try:
                self._count(
                    kind, flags, stream & 0x7FFFFFFF, length, data[at + _HEADER_LENGTH : at + _HEADER_LENGTH + 1]
                )
            except TooMuch:
                if at > start:
                    yield data[start:at]
                raise
            self._kind = kind
            at += _HEADER_LENGTH + length
            work += 4 if kind == _HEADERS else 1
            if work >= _SLICE_WORK and at < size:
                self._known = self._newest
                yield memoryview(data)[start:at]
                start, work = at, 0
        if at < size:
            self._partial = data[at:]
            size = at
        self._left = at - size
        self._known = self._newest
        if size > start:
            yield data if size - start == len(data) else memoryview(data)[start:size]

    def finished_stream(self) -> None:
        """A request was answered."""
        self._pay(_STREAM_WORTH)

    def sent_data(self, size: int, *, cut: bool) -> None:
        """A DATA frame went out; ``cut``: a window made it shorter than it would have been. Raises TooMuch."""
        if cut and size < _TINY:
            self._owe(1, "DATA frames of a few bytes, since its windows allow no more", "it makes us send")
        else:
            self._pay(_SENT_WORTH)

    def sent_reset(self) -> None:
        """Something that the peer did made us reset a stream. Raises TooMuch."""
        self._owe(_RESET_COST, "streams because of its mistakes", "it made us reset")

    def _count(self, kind: int, flags: int, stream: int, length: int, padding: bytes) -> None:
        """Take one frame into account; ``padding``: the first byte of its payload, if that is there yet."""
        if length > self._limits.frame:
            raise TooMuch(
                f"it sent a frame of {length} bytes, where {self._limits.frame} are allowed", FRAME_SIZE_ERROR
            )
        if self._block >= 0 or kind in _STARTS_A_BLOCK:
            self._count_block(kind, flags, length)
        if kind == _DATA:
            if flags & _PADDED and padding:
                length -= 1 + padding[0]
            if stream not in self._live and stream <= self._known:
                self._owe(1, _NAMES[_DATA])
            elif length > 0:
                self._pay(_RECEIVED_WORTH)
            elif not flags & _END_STREAM:
                self._owe(1, _NAMES[_DATA])
        elif kind == _HEADERS:
            if stream > self._newest:
                self._newest = stream
            elif stream in self._live or stream > self._known:
                self._owe(1, "HEADERS frames for streams that had theirs")
            else:
                self._owe(_RESET_COST, "HEADERS frames for streams that are over")
        else:
            cost = _COSTS.get(kind, 1)
            if kind == _SETTINGS:
                if flags & _ACK and length:  # RFC 9113 §6.5 wants this code; h2 has another
                    raise TooMuch("it sent an acknowledgement of settings with settings in it", FRAME_SIZE_ERROR)
                cost += length // 48  # of eight settings each
            self._owe(cost, _NAMES.get(kind, "frames of unknown types"))

    def _count_block(self, kind: int, flags: int, length: int) -> None:
        if kind in _STARTS_A_BLOCK:
            if flags & _END_HEADERS and length <= self._limits.header_block:
                self._block = -1
                return
            self._block, self._continuations = 0, 0
        else:
            self._continuations += 1
        self._block += length
        if self._block > self._limits.header_block:
            raise TooMuch(f"it sent a header block of more than {self._limits.header_block} bytes")
        if self._continuations > self._limits.continuations:
            raise TooMuch(f"it sent more than {self._limits.continuations} CONTINUATION frames for one header block")
        if flags & _END_HEADERS:
            self._block = -1

    def _pay_for_time(self, now: float) -> None:
        self._pay((now - self._settled_at) * self._limits.repaid)
        self._settled_at = now

    def _pay(self, amount: float) -> None:
        if self._debt:
            self._debt -= amount
            if self._debt <= 0:
                self._debt = 0.0
                self._reasons.clear()

    def _owe(self, cost: int, what: str, who: str = "it sent") -> None:
        self._debt += cost
        what = f"{who} %d {what}"
        total, number = self._reasons.get(what, (0, 0))
        self._reasons[what] = total + cost, number + 1
        if self._debt > self._limits.debt:
            most = max(self._reasons, key=lambda sentence: self._reasons[sentence])
            raise TooMuch(most % self._reasons[most][1])
