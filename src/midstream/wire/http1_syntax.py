"""The grammar of HTTP/1 heads: tokens, field lines, and what each field name means to a proxy.

Used by the other ``http1_*`` files, which together are ``wire.http1``. Everything here is strict (design/promises.md):
what RFC 9112 lets a recipient tolerate is refused when two implementations are known to read it differently. It knows
nothing of message bodies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple, NoReturn

Fields = tuple[tuple[bytes, bytes], ...]


class Refused(ValueError):
    """The bytes are not a message that every implementation reads alike.

    ``reason`` is a plain sentence without control characters. ``status`` is the answer a client should get; a caller
    that reads responses answers 502 whatever it says.
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Limits(NamedTuple):
    """What one message may cost before it is refused; sizes in bytes."""

    max_head: int = 65536
    max_fields: int = 256
    max_chunk_line: int = 4096
    max_trailers: int = 16384


DEFAULT_LIMITS: Final = Limits()

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
TOKEN: Final = re.compile(_TOKEN + rb"+")
TARGET: Final = re.compile(rb"[!-~\x80-\xff]+")
# A value or a reason phrase: HTAB, SP, visible and obs-text; so no CR, LF, NUL or any other control (RFC 9110 §5.5).
TEXT: Final = re.compile(rb"[\t -~\x80-\xff]*")

# The usual line, one field per match. `^` and the final CRLF pin a match to exactly one line, so "as many matches as
# LFs" proves that the whole block is well formed. Possessive loops keep hostile input linear. Odd white space takes the
# slower _LINE.
FIELD_LINES: Final = re.compile(rb"^(" + _TOKEN + rb"++): ?((?! )[ -~\x80-\xff]*+)(?<! )\r\n", re.MULTILINE)
_LINE: Final = re.compile(rb"(" + _TOKEN + rb"++):([\t -~\x80-\xff]*+)")

# What a field name means to a proxy. 0 stands for the great majority, which only travels through.
HOST: Final = 1
CONTENT_LENGTH: Final = 2
TRANSFER_ENCODING: Final = 3
CONNECTION: Final = 4
EXPECT: Final = 5
UPGRADE: Final = 6
TE: Final = 7
HOP: Final = 8

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"upgrade",
    }
)
"""Names that stop at each proxy (RFC 9110 §7.6.1), lower case. ``is_hop_by_hop`` also knows the rest of the ``proxy-``
family. Transfer-Encoding is not here: it stays with the message as long as the framing does.
"""

_KIND_OF: Final = {
    b"host": HOST,
    b"content-length": CONTENT_LENGTH,
    b"transfer-encoding": TRANSFER_ENCODING,
    b"connection": CONNECTION,
    b"expect": EXPECT,
    b"upgrade": UPGRADE,
    b"te": TE,
}


def is_hop_by_hop(lower_name: bytes) -> bool:
    """True for names that a proxy never passes on; ``Proxy-Status`` (RFC 9209) is the one ``proxy-`` name made for the
    ends.
    """
    return lower_name in HOP_BY_HOP or (lower_name.startswith(b"proxy-") and lower_name != b"proxy-status")


class _Kinds(dict[bytes, int]):
    """Field name as written -> its kind. A memo of pure function results: it saves 0.7 µs of the 5 µs that a head
    costs.
    """

    MOST = 4096
    LONGEST = 64

    def __missing__(self, name: bytes) -> int:
        lower = name.lower()
        kind = _KIND_OF.get(lower) or (HOP if is_hop_by_hop(lower) else 0)
        if len(name) <= self.LONGEST:
            if len(self) >= self.MOST:
                self.clear()  # invented names must not displace the usual ones for good
            self[name] = kind
        return kind


KINDS: Final = _Kinds()


def parse_fields(block: bytes, limits: Limits) -> list[tuple[bytes, bytes]]:
    """The fields of ``block``, which is whole lines up to and without the empty one. Raises Refused with the first
    fault.
    """
    if len(fields := FIELD_LINES.findall(block)) != block.count(b"\n"):
        fields = _fields_line_by_line(block, limits)
    if len(fields) > limits.max_fields:
        refuse_count(limits)
    return fields


def refuse_count(limits: Limits) -> NoReturn:
    raise Refused(f"the message has more than {limits.max_fields} header fields", 431)


def _fields_line_by_line(block: bytes, limits: Limits) -> list[tuple[bytes, bytes]]:
    """The same with white space around values, and with a reason for what is wrong."""
    if block.count(b"\n") > limits.max_fields:
        refuse_count(limits)
    fields = []
    for line in block[:-2].split(b"\r\n"):
        if (match := _LINE.fullmatch(line)) is None:
            raise Refused(_fault_in(line))
        fields.append((match[1], match[2].strip(b" \t")))
    return fields


def _fault_in(line: bytes) -> str:
    if b"\n" in line:
        return "a header line ends in a bare LF"
    if b"\r" in line:
        return "a header line contains a bare CR"
    if not line:
        return "an empty line stands inside the header"
    if line[:1] in b" \t":
        return "a header line is folded (it starts with white space)"
    name, colon, value = line.partition(b":")
    if not colon:
        return f"the header line {show(line)} has no colon"
    if not name:
        return "a header line has no name"
    if name[-1:] in b" \t":
        return f"white space stands between the header name {show(name.rstrip())} and its colon"
    if TOKEN.fullmatch(name) is None:
        return f"the header name {show(name)} contains a character that no name may have"
    if b"\x00" in value:
        return f"the header {show(name)} contains NUL"
    return f"the header {show(name)} contains a control character"


def show(data: bytes, most: int = 60) -> str:
    """``data`` quoted for a sentence: escapes for everything that is not printable ASCII, cut when long."""
    if len(data) > most:
        return repr(data[:most])[1:] + "…"
    return repr(data)[1:]


def list_items(values: Iterable[bytes]) -> list[bytes]:
    """The members of comma lists, lower case, without the empty ones (RFC 9110 §5.6.1)."""
    return [item for value in values for part in value.lower().split(b",") if (item := part.strip(b" \t"))]
