"""Domain names in DNS messages: wire form (labels, compression) and text form.

Called by `wire.dns`. In text, labels are joined by dots, IDNA is undone, and bytes that text cannot show unambiguously
are written `\\DDD` (RFC 1035 §5.1), so that every name survives the way there and back. The root is "".
"""

import re
from collections.abc import Mapping

MAX_NAME = 255  # RFC 1035 §3.1, length bytes included
MAX_LABEL = 63
_POINTER = 0xC0

_PLAIN = re.compile(rb"[!-\-/-\[\]-~ ]*")  # printable ASCII without dot and backslash
_ESCAPED = re.compile(r"\\([0-9]{3}|.)", re.DOTALL)
_LABEL = re.compile(r"((?:\\.|[^\\.])*)(\.|\Z)", re.DOTALL)


def read(data: bytes, offset: int, cache: dict[int, bytes]) -> tuple[bytes, int]:
    """The name at `offset` in uncompressed wire form, and the offset behind it.

    `cache` holds what earlier calls on the same message found, which bounds the work for names built out of pointers.
    Raises ValueError.
    """
    labels: list[tuple[int, bytes]] = []
    pos = offset
    end = -1
    # RFC 1035 §4.1.4: pointers go back to a *prior* occurrence. Insisting on that ends every loop.
    lowest = offset
    while True:
        if pos in cache:
            tail = cache[pos]
            end = end if end >= 0 else pos + _skipped(data, pos)
            break
        if pos >= len(data):
            raise ValueError("a domain name runs over the end of the message")
        length = data[pos]
        if length >= _POINTER:
            if pos + 1 >= len(data):
                raise ValueError("a domain name runs over the end of the message")
            target = (length & 0x3F) << 8 | data[pos + 1]
            end = end if end >= 0 else pos + 2
            if target >= lowest:
                raise ValueError("a compressed domain name points forward")
            pos = lowest = target
        elif length > MAX_LABEL:
            raise ValueError(f"a label of unknown kind 0x{length:02x} in a domain name")
        elif length == 0:
            tail = b"\x00"
            end = end if end >= 0 else pos + 1
            break
        else:
            label = data[pos : pos + 1 + length]
            if len(label) != 1 + length:
                raise ValueError("a domain name runs over the end of the message")
            labels.append((pos, label))
            pos += 1 + length
            if sum(len(found) for _, found in labels) >= MAX_NAME:
                raise ValueError(f"a domain name is longer than {MAX_NAME} bytes")
    for at, label in reversed(labels):
        tail = label + tail
        cache[at] = tail
    if len(tail) > MAX_NAME:
        raise ValueError(f"a domain name is longer than {MAX_NAME} bytes")
    return tail, end


def _skipped(data: bytes, pos: int) -> int:
    """How many bytes a name that was read before takes at this place."""
    start = pos
    while 0 < data[pos] < _POINTER:
        pos += 1 + data[pos]
    return pos + (2 if data[pos] else 1) - start


def to_text(wire: bytes) -> str:
    """The text form of an uncompressed name."""
    return ".".join([_label_text(label) for label in labels_of(wire)])


def labels_of(wire: bytes) -> list[bytes]:
    """The labels of an uncompressed name, the empty one of the root left out."""
    labels = []
    pos = 0
    while wire[pos]:
        labels.append(wire[pos + 1 : pos + 1 + wire[pos]])
        pos += 1 + wire[pos]
    return labels


def _label_text(label: bytes) -> str:
    if not _PLAIN.fullmatch(label):
        return "".join([chr(b) if _PLAIN.fullmatch(bytes([b])) else f"\\{b:03d}" for b in label])
    text = label.decode("ascii")
    if text.startswith("xn--"):
        try:
            shown = label.decode("idna")
            # Only what comes back as the same bytes may be shown in its other form.
            if "." not in shown and "\\" not in shown and shown.encode("idna") == label:
                return shown
        except UnicodeError:
            pass
    return text


def to_wire(text: str) -> bytes:
    """The wire form of a name given as text; a final dot may be there or not. Raises ValueError."""
    if text in ("", "."):
        return b"\x00"
    wire = bytearray()
    pos = 0
    while pos < len(text):
        match = _LABEL.match(text, pos)
        label = _label_wire(match[1], text) if match else b""
        if match is None or not label:
            raise ValueError(f"domain name {text!r} has an empty label")
        wire.append(len(label))
        wire += label
        pos = match.end()
    wire.append(0)
    if len(wire) > MAX_NAME:
        raise ValueError(f"domain name {text[:80]!r}… is longer than {MAX_NAME} bytes")
    return bytes(wire)


def _label_wire(label: str, name: str) -> bytes:
    if "\\" in label:
        try:
            label.encode("ascii")
            wire = _ESCAPED.sub(_unescape, label).encode("latin-1")
        except ValueError:
            raise ValueError(f"domain name {name!r} mixes escapes and other alphabets, or has a bad escape") from None
    elif label.isascii():
        wire = label.encode("ascii")
    else:
        try:
            wire = label.encode("idna")
        except UnicodeError:
            raise ValueError(f"domain name {name!r} cannot be written in ASCII") from None
    if len(wire) > MAX_LABEL:
        raise ValueError(f"domain name {name[:80]!r} has a label of {len(wire)} bytes; {MAX_LABEL} is the limit")
    return wire


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 1:
        return code
    if int(code) > 255:
        raise ValueError(code)
    return chr(int(code))


def compress(wire: bytes, known: dict[bytes, int], offset: int) -> bytes:
    """The name as it is to stand at `offset`: a pointer replaces the longest ending that stands in `known`.

    Its own endings are added to `known`, so far as a pointer can reach them.
    """
    pos = 0
    while wire[pos]:
        tail = wire[pos:]
        if tail in known:
            return wire[:pos] + (_POINTER << 8 | known[tail]).to_bytes(2, "big")
        if offset + pos < 1 << 14:
            known[tail] = offset + pos
        pos += 1 + wire[pos]
    return wire


# Where the names are in the data of record types whose names may be compressed (RFC 3597 §4, with SRV and the like
# that senders compress though they should not): bytes before, number of names. What follows is copied.
NAMES_IN_DATA: Mapping[int, tuple[int, int]] = {
    2: (0, 1),  # NS
    3: (0, 1),  # MD
    4: (0, 1),  # MF
    5: (0, 1),  # CNAME
    6: (0, 2),  # SOA
    7: (0, 1),  # MB
    8: (0, 1),  # MG
    9: (0, 1),  # MR
    12: (0, 1),  # PTR
    14: (0, 2),  # MINFO
    15: (2, 1),  # MX
    17: (0, 2),  # RP
    18: (2, 1),  # AFSDB
    21: (2, 1),  # RT
    24: (18, 1),  # SIG
    26: (2, 2),  # PX
    30: (0, 1),  # NXT
    33: (6, 1),  # SRV
    36: (2, 1),  # KX
    39: (0, 1),  # DNAME
}
