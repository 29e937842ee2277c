"""WebSocket frames (RFC 6455): messages, pings and the close out of bytes that arrive split anywhere, and back.

Used by `proxy/websocket/`, with one `Reader` and one `Writer` for each direction. Whatever a reader gives has the bytes
it came as, so that what nobody changed goes on just so: the same frames, the same masks, the same compression. No
handshake is here: that is HTTP.
"""

import codecs
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from midstream.wire.websocket_deflate import SLICE, Deflate, Deflater, Inflater

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

# Close codes of RFC 6455 §7.4.1 that this module gives; the last two never travel.
PROTOCOL_ERROR: Final = 1002
NOT_UTF8: Final = 1007
MESSAGE_TOO_BIG: Final = 1009
NO_STATUS: Final = 1005
ABNORMAL: Final = 1006

LONGEST_CONTROL: Final = 125
FRAGMENT: Final = 4000
"""A fragmented message whose length changes goes out in fragments of so many bytes."""

# What a fragment, or any short slice, costs beside its bytes: without it, empty ones would come without end.
_FRAGMENT_OVERHEAD: Final = 128
_FIN, _COMPRESSED, _RESERVED, _MASK = 0x80, 0x40, 0x70, 0x80
_PLAIN: Final = _FIN | _COMPRESSED
_OPCODES: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})


class Message(NamedTuple):
    """A whole text or binary message."""

    opcode: int
    content: bytes
    raw: bytes
    """Its frames as they came, without the control frames that came between them."""
    sizes: tuple[int, ...]
    """How many bytes of the content each frame had."""
    compressed: bool


class Control(NamedTuple):
    """A ping or a pong."""

    opcode: int
    raw: bytes


class Close(NamedTuple):
    """The close frame; nothing comes after it. `code` is 1005 if it has none."""

    code: int
    reason: str
    raw: bytes


class Broken(NamedTuple):
    """The peer has broken the protocol; nothing comes after it. `code` is what to close with."""

    code: int
    reason: str


Event = Message | Control | Close | Broken


class _Violation(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Reader:
    """What one side sends. `masked`: that side is the client. `deflate`: how it compresses, if that was agreed on.
    `most`: how large a message may become, in bytes.
    """

    __slots__ = ("_buffer", "_compressed", "_content", "_done", "_inflater", "_masked", "_most", "_need",
                 "_opcode", "_overhead", "_raw", "_size", "_sizes", "_utf8")  # fmt: skip

    def __init__(self, masked: bool, deflate: Deflate | None, most: int) -> None:
        self._masked = masked
        self._inflater = Inflater(deflate) if deflate is not None else None
        self._most = most
        self._buffer = bytearray()
        self._need = 0  # as long as fewer bytes are there, the next frame is not whole
        self._done = False
        # Of the message whose fragments are coming in; opcode 0: there is none.
        self._opcode = 0
        self._compressed = False
        self._raw: list[bytes] = []
        self._content: list[bytes] = []
        self._sizes: list[int] = []
        self._size = self._overhead = 0
        self._utf8 = codecs.getincrementaldecoder("utf-8")()

    @property
    def pending(self) -> int:
        """How many bytes are kept of a message that is not whole."""
        return len(self._buffer) + self._size

    def give_up(self) -> None:
        """Forget what there is of a message; nothing comes after this."""
        self._done = True
        self._buffer.clear()
        self._raw, self._content, self._sizes = [], [], []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Event | None]:
        """What has become whole by these bytes, one by one; take them all before feeding more. None: a long message is
        being worked on, and whoever has something else to do may do it now.
        """
        if self._done:
            return
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._need:
                return
            data = bytes(self._buffer)
            self._buffer.clear()
            if len(data) > SLICE:
                yield None
        at, end = 0, len(data)
        try:
            while end - at >= 2:
                start, size = self._measure(data, at)
                stop = start + size
                if start == 0 or stop > end:
                    self._need = stop - at if start else size
                    break
                first = data[at]
                if first & _PLAIN == _FIN and first & 0x0F != CONTINUATION and size <= SLICE:
                    yield self._whole(data[at:stop], start - at)
                    if self._done:
                        return
                else:
                    yield from self._fragment(data[at:stop], start - at)
                at = stop
            else:
                self._need = 2
        except _Violation as violation:
            self._done = True
            yield Broken(violation.code, violation.reason)
            return
        if at < end:
            self._buffer += data[at:] if at else data

    def _measure(self, data: bytes, at: int) -> tuple[int, int]:
        """Where the payload of the frame at `at` begins, and its size. `(0, n)`: it takes n bytes to tell."""
        first, second = data[at], data[at + 1]
        self._check_head(first, second)
        size, start = second & 0x7F, at + 2
        if size > LONGEST_CONTROL:
            width = 2 if size == 126 else 8
            if len(data) - start < width:
                return 0, 2 + width
            size = int.from_bytes(data[start : start + width], "big")
            start += width
            if size < (126 if width == 2 else 65536):
                raise _Violation(PROTOCOL_ERROR, "the length of a frame is not in its shortest form")
            if size > self._most - self._size:
                raise self._too_big()
        return (start + 4 if self._masked else start), size

    def _check_head(self, first: int, second: int) -> None:
        """RFC 6455 §5.2, §5.4, §5.5: what the first two bytes of a frame may be here."""
        opcode = first & 0x0F
        if first & _RESERVED and not (
            first & _RESERVED == _COMPRESSED and self._inflater is not None and opcode in (TEXT, BINARY)
        ):
            raise _Violation(PROTOCOL_ERROR, "a reserved bit is set")
        if opcode not in _OPCODES:
            raise _Violation(PROTOCOL_ERROR, f"opcode {opcode} is not known")
        if (second >= _MASK) is not self._masked:
            raise _Violation(PROTOCOL_ERROR, "a frame is not masked" if self._masked else "a frame is masked")
        if opcode >= CLOSE:
            if first < _FIN:
                raise _Violation(PROTOCOL_ERROR, "a control frame is fragmented")
            if second & 0x7F > LONGEST_CONTROL:
                raise _Violation(PROTOCOL_ERROR, "a control frame is longer than 125 bytes")
        elif opcode == CONTINUATION:
            if not self._opcode:
                raise _Violation(PROTOCOL_ERROR, "a continuation has nothing to continue")
        elif self._opcode:
            raise _Violation(PROTOCOL_ERROR, "a message begins before the last one has ended")

    def _whole(self, raw: bytes, start: int) -> Event:
        """A frame that is not a part of anything, nor compressed, nor long; its payload begins at `start`."""
        opcode = raw[0] & 0x0F
        if opcode in (PING, PONG):
            return Control(opcode, raw)
        payload = mask(raw[start:], raw[start - 4 : start]) if self._masked else raw[start:]
        if opcode == CLOSE:
            self._done = True
            return _close(payload, raw)
        if len(payload) > self._most:
            raise self._too_big()
        if opcode == TEXT and not payload.isascii():
            self._check_text(payload, final=True)
        return Message(opcode, payload, raw, (len(payload),), False)

    def _fragment(self, raw: bytes, start: int) -> Iterator[Message | None]:
        """A frame of a fragmented message, of a compressed or of a long one, slice by slice."""
        first = raw[0]
        final = first >= _FIN
        if not self._opcode:
            self._opcode = first & 0x0F
            self._compressed = first & _COMPRESSED != 0
        before, is_first = self._size, True
        for content in self._slices(raw, start, final):
            if not is_first:
                yield None
            is_first = False
            self._size += len(content)
            if self._size + self._overhead > self._most:
                raise self._too_big()
            if len(content) < SLICE:
                self._overhead += _FRAGMENT_OVERHEAD
            if self._opcode == TEXT:
                self._check_text(content, final=False)
            self._content.append(content)
        self._raw.append(raw)
        self._sizes.append(self._size - before)
        if final:
            self._check_text(b"", final=True)
            content = b"".join(self._content)
            if len(content) > SLICE:
                yield None
            message = Message(self._opcode, content, b"".join(self._raw), tuple(self._sizes), self._compressed)
            self._opcode = self._size = self._overhead = 0
            self._raw, self._content, self._sizes = [], [], []
            yield message

    def _slices(self, raw: bytes, start: int, final: bool) -> Iterator[bytes]:
        """The content of a frame, with each step no more than a slice of work."""
        key, end = raw[start - 4 : start], len(raw)
        for at in range(start, max(end, start + 1), SLICE):
            part = raw[at : at + SLICE]
            if self._masked:
                part = mask(part, key)
            if self._compressed:
                yield from self._inflated(part, final and at + SLICE >= end)
            else:
                yield part

    def _inflated(self, part: bytes, final: bool) -> Iterator[bytes]:
        assert self._inflater is not None
        try:
            yield from self._inflater.inflate(part, final)
        except zlib.error:
            raise _Violation(NOT_UTF8, "a compressed message cannot be decompressed") from None

    def _check_text(self, content: bytes, final: bool) -> None:
        try:
            self._utf8.decode(content, final)
        except UnicodeDecodeError:
            raise _Violation(NOT_UTF8, "a text message is not UTF-8") from None

    def _too_big(self) -> _Violation:
        return _Violation(MESSAGE_TOO_BIG, f"a message is larger than {self._most} bytes")


def _close(payload: bytes, raw: bytes) -> Close:
    """RFC 6455 §5.5.1, §7.4."""
    if not payload:
        return Close(NO_STATUS, "", raw)
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not may_close_with(code):
        raise _Violation(PROTOCOL_ERROR, "a close frame has no valid code")
    try:
        return Close(code, payload[2:].decode(), raw)
    except UnicodeDecodeError:
        raise _Violation(NOT_UTF8, "the reason in a close frame is not UTF-8") from None


def may_close_with(code: int) -> bool:
    """Whether a close frame may carry this code: those of RFC 6455 §7.4 and of its registry."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


class Writer:
    """Frames for one direction. `masked`: they go to the server. `deflate`: how the receiver expects it to be done.
    `as_it_comes`: the sender whose messages these are compresses by that, so that they can go on untouched.

    Frames are given in pieces, each a slice of work, which may be empty. Nothing may go between those of one message.
    """

    __slots__ = ("_deflate", "_deflater", "_in_step", "_masked")

    def __init__(self, masked: bool, deflate: Deflate | None, as_it_comes: bool = True) -> None:
        self._masked = masked
        self._deflate = deflate if deflate is not None and Deflater.is_able(deflate) else None
        self._deflater: Deflater | None = None
        # The receiver has seen all compressed messages that the next one may refer to.
        self._in_step = as_it_comes

    def unchanged(self, message: Message) -> Iterable[bytes]:
        """The frames as they came, as far as the receiver can read them; else the same fragments, made anew."""
        if self._in_step or not message.compressed:
            return slices(message.raw)
        return self._frames(message, message.content, message.sizes)

    def changed(self, message: Message, content: bytes) -> Iterable[bytes]:
        """Frames with another content. What came in one frame goes out in one."""
        self.dropped(message)
        if len(content) == len(message.content):
            return self._frames(message, content, message.sizes)
        if len(message.sizes) == 1:
            return self._frames(message, content, (len(content),))
        whole, rest = divmod(len(content), FRAGMENT)
        return self._frames(message, content, (FRAGMENT,) * whole + ((rest,) if rest or not whole else ()))

    def dropped(self, message: Message) -> None:
        """The receiver will not see this message, which later ones may refer to."""
        if message.compressed and (self._deflate is None or self._deflate.takeover):
            self._in_step = False

    def made(self, opcode: int, content: bytes) -> Iterable[bytes]:
        """One frame of our own. Not compressed: the receiver's window stays that of the sender."""
        return _pieces(_FIN | opcode, content, self._masked)

    def _frames(self, message: Message, content: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
        deflater = None
        if message.compressed and self._deflate is not None:
            deflater = self._deflater = self._deflater or Deflater(self._deflate)
        first, at, last = message.opcode | (_COMPRESSED if deflater else 0), 0, len(sizes) - 1
        for index, size in enumerate(sizes):
            payload = content[at : at + size]
            at += size
            if deflater is not None:
                deflated = []
                for part in deflater.deflate(slices(payload), index == last):
                    deflated.append(part)
                    yield b""
                payload = b"".join(deflated)
            yield from _pieces(first | (_FIN if index == last else 0), payload, self._masked)
            first = CONTINUATION


def close_frame(code: int, reason: str, masked: bool) -> bytes:
    """A close frame of our own; a long reason is cut."""
    text = reason.encode()[: LONGEST_CONTROL - 2].decode("utf-8", "ignore").encode()
    return frame(_FIN | CLOSE, struct.pack(">H", code) + text, masked)


def frame(first: int, payload: bytes, masked: bool) -> bytes:
    """One frame; `first` is its first byte."""
    return b"".join(_pieces(first, payload, masked))


def _pieces(first: int, payload: bytes, masked: bool) -> Iterator[bytes]:
    size, bit = len(payload), _MASK if masked else 0
    if size <= LONGEST_CONTROL:
        head = bytes((first, bit | size))
    elif size < 65536:
        head = struct.pack(">BBH", first, bit | 126, size)
    else:
        head = struct.pack(">BBQ", first, bit | 127, size)
    key = os.urandom(4) if masked else b""
    head += key
    for part in slices(payload):
        yield head + (mask(part, key) if masked else part)
        head = b""


def slices(data: bytes) -> Iterable[bytes]:
    """The same bytes, in pieces that take no long work each."""
    if len(data) <= SLICE:
        return (data,)
    return (data[at : at + SLICE] for at in range(0, len(data), SLICE))


def mask(payload: bytes, key: bytes) -> bytes:
    """The payload masked, or unmasked, by a key of four bytes (RFC 6455 §5.3)."""
    size = len(payload)
    keys = (key * ((size + 3) // 4))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")).to_bytes(size, "little")
