"""Reading a chunked HTTP/1 body (RFC 9112 §7.1) from bytes that arrive split anywhere.

Called by the HTTP/1 sides of the proxy when a head's framing is CHUNKED. Chunk boundaries and extensions end here (P1
names them as ours); body bytes and trailers go on. It is stricter than the RFC asks: white space stands only before an
extension, lines end in CRLF.
"""

from __future__ import annotations

import re
from typing import Final

from midstream.wire.http1_heads import MAX_LENGTH
from midstream.wire.http1_syntax import DEFAULT_LIMITS, Fields, Limits, Refused, is_hop_by_hop, parse_fields, show

_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[\t ]*(;[\t -~\x80-\xff]*))?")
# Short sizes by look-up: a body of one-byte chunks is all size lines.
_SHORT_SIZES: Final = {
    spelled.encode(): size
    for size in range(256)
    for spelled in (f"{size:x}", f"{size:X}", f"{size:02x}", f"{size:02X}")
}
# How many bytes of extensions may stand beyond twice the data, so that a body of nothing but extensions comes to an
# end.
_MAX_EXTENSION_EXCESS: Final = 16384

FORBIDDEN_IN_TRAILERS: Final = frozenset(
    {
        b"authorization",
        b"cache-control",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"max-forwards",
        b"range",
        b"set-cookie",
        b"trailer",
        b"transfer-encoding",
    }
)
"""Names that say how to frame, route, authenticate or decode a message, so that they come too late in a trailer (RFC
9110 §6.5.1). A recipient that merges trailers into the header would be fooled by them: they are dropped, as are
hop-by-hop fields.
"""

_SIZE: Final = 0
_DATA: Final = 1
_AFTER_DATA: Final = 2
_TRAILERS: Final = 3
_END: Final = 4


class ChunkedReader:
    """Turns what arrives into body bytes; the same body whatever the splits.

    ``done`` once the end has been read; then ``trailers`` are the fields after the body and ``rest`` is what follows
    the message. After `feed` has raised Refused the message is lost and so is the connection.
    """

    __slots__ = ("_excess", "_held", "_left", "_limits", "_state", "done", "rest", "trailers")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.done = False
        self.rest = b""
        self.trailers: Fields = ()
        self._limits = limits
        self._state = _SIZE
        self._held = b""  # the start of a line, or of the trailers, that is not complete yet
        self._left = 0  # bytes of the current chunk that are still to come
        self._excess = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The body bytes in ``data``: no piece or one, since the chunks of one call are joined. Raises Refused."""
        if self.done:
            self.rest += data
            return []
        if self._held:
            data = self._held + data
            self._held = b""
        pieces: list[bytes] = []
        at = self._take_chunks(data, pieces)
        if self._state == _TRAILERS:
            at = self._take_trailers(data, at)
        if self._state == _END:
            self.rest = data[at:]
            self.done = True
        else:
            self._held = data[at:]
        return [b"".join(pieces)] if len(pieces) > 1 else pieces

    def _take_chunks(self, data: bytes, pieces: list[bytes]) -> int:
        """Read chunks from ``data`` until it or the body ends; gives the index of the first byte not used."""
        at, left, state, end = 0, self._left, self._state, len(data)
        while True:
            if state == _SIZE:
                if (newline := data.find(b"\n", at)) < 0:
                    self._check_line_length(end - at - 1)  # the last byte may be the CR
                    break
                line = data[at : newline - 1] if newline > at and data[newline - 1] == 13 else None
                if line is None or (size := _SHORT_SIZES.get(line, -1)) < 0:
                    size = self._size_of(line)
                at = newline + 1
                left, state = size, _DATA if size else _TRAILERS
            if state == _DATA:
                if at == end:
                    break
                piece = data[at : at + left]
                pieces.append(piece)
                at += len(piece)
                left -= len(piece)
                if left:
                    break
                state = _AFTER_DATA
            if state == _AFTER_DATA:
                after = data[at : at + 2]
                if after != b"\r\n":
                    if after == b"\r" or not after:
                        break
                    raise Refused("the data of a chunk is not followed by CRLF; it runs past its size")
                at += 2
                state = _SIZE
            else:
                break
        self._left, self._state = left, state
        return at

    def _check_line_length(self, length: int) -> None:
        if length > self._limits.max_chunk_line:
            raise Refused(f"a chunk size line is longer than {self._limits.max_chunk_line} bytes")

    def _size_of(self, line: bytes | None) -> int:
        if line is None:
            raise Refused("a chunk size line ends in a bare LF")
        self._check_line_length(len(line))
        if (match := _SIZE_LINE.fullmatch(line)) is None:
            digits = line.partition(b";")[0]
            if len(digits) > 16 and _SIZE_LINE.fullmatch(digits[:16]):
                raise Refused(f"the chunk size {show(digits)} is too large")
            if digits != line and _SIZE_LINE.fullmatch(digits.rstrip(b" \t")):
                raise Refused("a chunk extension contains a control character")
            raise Refused(f"the chunk size {show(line)} is not a hexadecimal number")
        size = int(match[1], 16)
        if size > MAX_LENGTH:
            raise Refused(f"the chunk size {show(match[1])} is too large")
        if match[2]:
            self._excess = max(0, self._excess + len(match[2]) - 2 * size)
            if self._excess > _MAX_EXTENSION_EXCESS:
                raise Refused("the chunk extensions are far longer than the body")
        return size

    def _take_trailers(self, data: bytes, at: int) -> int:
        limits = self._limits
        if data.startswith(b"\r\n", at):
            end = at + 2
        else:
            end = data.find(b"\r\n\r\n", at, at + limits.max_trailers) + 4
            if end == 3:
                if len(data) - at >= limits.max_trailers:
                    raise Refused(f"the trailers are longer than {limits.max_trailers} bytes", 431)
                held = data[at:]
                if held.count(b"\n") != held.count(b"\r\n"):
                    raise Refused("a trailer line ends in a bare LF")
                return at
            fields = parse_fields(data[at : end - 2], limits)
            self.trailers = tuple(field for field in fields if not is_forbidden_in_trailers(field[0]))
        self._state = _END
        return end


def is_forbidden_in_trailers(name: bytes) -> bool:
    """Whether a field of this name is dropped from trailers."""
    lower = name.lower()
    return lower in FORBIDDEN_IN_TRAILERS or is_hop_by_hop(lower)
