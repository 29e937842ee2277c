"""permessage-deflate (RFC 7692): which parameters a handshake agreed on, and the two halves that carry it out.

Used by `websocket.py`, which knows frames, and by the proxy, which sees handshakes. Other extensions are unknown here:
an offer is narrowed to this one (`narrow`), and what a server accepts beyond it is a ValueError.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

NAME: Final = "permessage-deflate"
# RFC 7692 §7.2.1: a message leaves without the empty stored block that ends it.
TAIL: Final = b"\x00\x00\xff\xff"
_WINDOW: Final = 32768
SLICE: Final = 256 * 1024
"""Bytes that are worked on at once: a few milliseconds, even where they are compressed."""

# An element of a list up to its comma, which may also stand in a quoted string. One that never ends takes the rest with
# it, and nothing is tried twice: else 60 KB of quotes and backslashes would take half a minute.
_ELEMENT: Final = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+(?:"|\\?\Z))++')
_WORD: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER: Final = re.compile(rf'[ \t]*({_WORD})[ \t]*(?:=[ \t]*(?:({_WORD})|"({_WORD})")[ \t]*)?')


@dataclass(frozen=True, slots=True)
class Deflate:
    """How one side compresses: the size of its window (2 to the power of `bits`), and whether a message may refer back
    to earlier ones.
    """

    bits: int = 15
    takeover: bool = True


class Agreement(NamedTuple):
    """How the two sides of a connection compress what they send."""

    client: Deflate
    server: Deflate


def narrow(offers: str) -> str:
    """Of the value of a client's Sec-WebSocket-Extensions what can be understood here, as it is spelled."""
    elements = [element.strip(" \t") for element in _ELEMENT.findall(offers)]
    known = [element for element in elements if element.partition(";")[0].strip(" \t").lower() == NAME]
    return offers if known == elements else ", ".join(known)


def agreed(accepted: str) -> Agreement | None:
    """What the value of a server's Sec-WebSocket-Extensions means; None without any. Raises ValueError for extensions
    and parameters that are not known here.
    """
    elements = [element.strip(" \t") for element in _ELEMENT.findall(accepted)]
    elements = [element for element in elements if element]
    if not elements:
        return None
    name, *parameters = elements[0].split(";")
    if len(elements) > 1 or name.strip(" \t").lower() != NAME:
        raise ValueError(f"extensions {accepted!r}")
    found: dict[str, str | None] = {}
    for text in parameters:
        match = _PARAMETER.fullmatch(text)
        if match is None or match[1].lower() in found:
            raise ValueError(f"parameters of {accepted!r}")
        found[match[1].lower()] = match[2] or match[3]
    client, server = _side(found, "client", accepted), _side(found, "server", accepted)
    if found:
        raise ValueError(f"parameters of {accepted!r}")
    return Agreement(client, server)


def _side(found: dict[str, str | None], side: str, accepted: str) -> Deflate:
    """Take what concerns one side out of the parameters (RFC 7692 §7.1)."""
    flag, size = f"{side}_no_context_takeover", f"{side}_max_window_bits"
    takeover = flag not in found
    bits = found.pop(size) if size in found else "15"
    if found.pop(flag, None) is not None or bits not in ("8", "9", "10", "11", "12", "13", "14", "15"):
        raise ValueError(f"parameters of {accepted!r}")
    return Deflate(int(bits), takeover)


class Inflater:
    """Decompresses the messages of one direction."""

    __slots__ = ("_stream", "_takeover")

    def __init__(self, how: Deflate) -> None:
        self._takeover = how.takeover
        # The largest window reads what was made with any smaller one.
        self._stream = zlib.decompressobj(-15)

    def inflate(self, part: bytes, final: bool) -> Iterator[bytes]:
        """The content of a part of a message, in slices, at least one; `final`: of its last part. Raises zlib.error."""
        data = part + TAIL if final else part
        before = b""
        while True:
            content = self._stream.decompress(data, SLICE)
            if self._stream.eof:
                # RFC 7692 §7.2.3.4: a sender may end its stream of blocks, and go on with a new one.
                data, before = self._stream.unused_data, (before + content)[-_WINDOW:]
                self._stream = zlib.decompressobj(-15, zdict=before)
            else:
                data, before = self._stream.unconsumed_tail, content
            yield content
            if not data and len(content) < SLICE:
                break
        if final and not self._takeover:
            self._stream = zlib.decompressobj(-15)


class Deflater:
    """Compresses the messages of one direction, whose peer has seen none of another compressor that it would need."""

    __slots__ = ("_how", "_stream")

    def __init__(self, how: Deflate) -> None:
        self._how = how
        self._stream = _compressor(how)

    @staticmethod
    def is_able(how: Deflate) -> bool:
        """zlib makes no raw stream with the smallest window."""
        return how.bits > 8

    def deflate(self, parts: Iterable[bytes], final: bool) -> Iterator[bytes]:
        """The payload of one frame, part by part; `final`: of the last one of a message."""
        is_empty = True
        for part in parts:
            made = self._stream.compress(part)
            is_empty = is_empty and not made
            yield made
        made = self._stream.flush(zlib.Z_SYNC_FLUSH)
        if not final:
            yield made
            return
        # An empty message leaves nothing to flush if one went before it: RFC 7692 §7.2.3.6 has a byte for it.
        yield made.removesuffix(TAIL) or (b"\x00" if is_empty else b"")
        if not self._how.takeover:
            self._stream = _compressor(self._how)


def _compressor(how: Deflate) -> "zlib._Compress":
    return zlib.compressobj(wbits=-how.bits)
