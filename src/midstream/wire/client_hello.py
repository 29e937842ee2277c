"""Reads a TLS ClientHello out of the first bytes of a connection, before any TLS engine has seen them.

Protocol detection asks `starts_tls`; the TLS set-up peeks until `parse` has the whole hello and then decides which
certificate to show and which protocols to offer. `flows.tls.ClientHello` shows the same values to addons.
It is no handshake: nothing is answered and nothing is checked against what a server would support.
"""

import re
from struct import Struct, unpack_from
from typing import NamedTuple

MAX_HELLO = 32_768
"""Longest handshake message accepted. Hellos with post-quantum key shares, ECH and tickets stay below 8 KB."""
MAX_BYTES = MAX_HELLO + 4_096
"""Longest input looked at: the hello plus its record headers. One-byte records run into this before the hello ends."""
MAX_RECORD = 16_384  # RFC 8446 §5.1

EXT_SERVER_NAME = 0
EXT_ALPN = 16

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_HEADER = Struct(">BHH")
_U16 = Struct(">H")
_EXT = Struct(">HH")
# RFC 6066 §3: an ASCII DNS name without trailing dot. Underscores and a dot at the end do occur and are let
# through; a name with anything else in it names no host, and may reach neither a certificate nor a terminal.
_HOST_NAME = re.compile(rb"(?=.{1,254}\Z)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?\Z")
_IP_LITERAL = re.compile(rb"[0-9A-Fa-f:.]{2,45}\Z")


class ClientHelloMessage(NamedTuple):
    """What a client says first. `raw` is the handshake message with its 4-byte header and without record headers."""

    raw: bytes
    version: int
    cipher_suites: tuple[int, ...]
    extensions: tuple[tuple[int, bytes], ...]
    sni: str | None
    alpn_protocols: tuple[bytes, ...]


def starts_tls(data: bytes) -> bool:
    """Whether these first bytes (3 are enough) begin a TLS handshake record: type 22, version 3.0 to 3.4."""
    return len(data) >= 3 and data[0] == _HANDSHAKE and data[1] == 3 and data[2] <= 4


def wanted(data: bytes) -> int:
    """How many bytes from the start the next `parse` needs at least, when `parse` answered None.

    Peeking for this many spares a parse per byte of a client that dribbles.
    """
    pos = _collect(data, bytearray())
    if len(data) < pos + 5:
        return pos + 5
    return int(pos + 5 + _U16.unpack_from(data, pos + 3)[0])


def parse(data: bytes) -> ClientHelloMessage | None:
    """The hello at the start of `data`, spread over any number of records; bytes after its last record are ignored.

    None when more bytes are needed. Raises ValueError when this is no TLS, a broken hello or one over the limits.
    """
    if len(data) > 9 and data[0] == _HANDSHAKE and data[5] == _CLIENT_HELLO:
        # The ordinary case: one record that holds exactly the hello.
        _, version, length = _HEADER.unpack_from(data)
        if int.from_bytes(data[6:9], "big") == length - 4 and version >> 8 == 3 and length <= MAX_RECORD:
            return parse_message(data[5 : 5 + length]) if len(data) >= 5 + length else None
    message = bytearray()
    _collect(data, message)
    if message and message[0] != _CLIENT_HELLO:
        raise ValueError(f"the first TLS handshake message is of type {message[0]}, not a ClientHello")
    if len(message) >= 4:
        size = 4 + int.from_bytes(message[1:4], "big")
        if size > MAX_HELLO:
            raise ValueError(f"the ClientHello claims {size} bytes; at most {MAX_HELLO} are accepted")
        if len(message) > size:
            raise ValueError("other handshake data follows the ClientHello in its record")
        if len(message) == size:
            return parse_message(bytes(message))
    if len(data) > MAX_BYTES:
        raise ValueError(f"no whole ClientHello within {MAX_BYTES} bytes")
    return None


def _collect(data: bytes, message: bytearray) -> int:
    """Append to `message` what the whole records at the start of `data` hold; returns where the next record starts.

    Stops when the message is complete, since what follows it (early data) is none of our business.
    """
    pos = 0
    while True:
        left = len(data) - pos
        if left and data[pos] != _HANDSHAKE:
            raise ValueError(f"not a TLS handshake record: it starts with byte 0x{data[pos]:02x}")
        if left > 1 and data[pos + 1] != 3:
            raise ValueError(f"not a TLS record: version {data[pos + 1]}.x")
        if left < 5:
            return pos
        length: int = _U16.unpack_from(data, pos + 3)[0]
        # RFC 8446 §5.1: handshake records are never empty; an endless row of them would cost us and say nothing.
        if not 1 <= length <= MAX_RECORD:
            raise ValueError(f"a TLS handshake record of {length} bytes")
        if left < 5 + length:
            return pos
        message += data[pos + 5 : pos + 5 + length]
        pos += 5 + length
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            return pos


def parse_message(raw: bytes) -> ClientHelloMessage:
    """The hello in one handshake message, header included (RFC 8446 §4.1.2). Raises ValueError when it is broken."""
    size = len(raw)
    if size < 4 or raw[0] != _CLIENT_HELLO or int.from_bytes(raw[1:4], "big") != size - 4:
        raise ValueError("not one ClientHello message")
    if size < 39:
        raise ValueError("the ClientHello is cut short")
    version: int = _U16.unpack_from(raw, 4)[0]
    session_length = raw[38]
    if session_length > 32:
        raise ValueError(f"the ClientHello has a session id of {session_length} bytes")
    pos = 39 + session_length
    if size < pos + 2:
        raise ValueError("the ClientHello is cut short")
    suites_length: int = _U16.unpack_from(raw, pos)[0]
    pos += 2
    if suites_length == 0 or suites_length % 2 or size < pos + suites_length + 1:
        raise ValueError("the ClientHello has a broken list of cipher suites")
    cipher_suites = unpack_from(f">{suites_length // 2}H", raw, pos)
    pos += suites_length
    methods_length = raw[pos]
    pos += 1 + methods_length
    if not methods_length or size < pos:
        raise ValueError("the ClientHello has a broken list of compression methods")
    extensions = _extensions(raw, pos) if pos < size else ()
    sni: str | None = None
    alpn: tuple[bytes, ...] = ()
    for kind, body in extensions:
        if kind == EXT_SERVER_NAME:
            sni = _server_name(body)
        elif kind == EXT_ALPN:
            alpn = _protocols(body)
    return ClientHelloMessage(raw, version, cipher_suites, extensions, sni, alpn)


def _extensions(raw: bytes, pos: int) -> tuple[tuple[int, bytes], ...]:
    size = len(raw)
    if size < pos + 2 or _U16.unpack_from(raw, pos)[0] != size - pos - 2:
        raise ValueError("the ClientHello has a broken list of extensions")
    pos += 2
    found: list[tuple[int, bytes]] = []
    kinds: set[int] = set()
    while pos < size:
        if size < pos + 4:
            raise ValueError("the ClientHello has a broken extension")
        kind, length = _EXT.unpack_from(raw, pos)
        pos += 4
        if size < pos + length:
            raise ValueError("the ClientHello has a broken extension")
        # RFC 8446 §4.2: one of each; of two server names, we and the server could each believe another.
        if kind in kinds:
            raise ValueError(f"the ClientHello has extension {kind} twice")
        kinds.add(kind)
        found.append((kind, raw[pos : pos + length]))
        pos += length
    return tuple(found)


def _server_name(body: bytes) -> str | None:
    """RFC 6066 §3: a list of names of which only one of type host_name (0) was ever defined."""
    if len(body) < 5 or _U16.unpack_from(body)[0] != len(body) - 2:
        raise ValueError("the ClientHello has a broken server name extension")
    kind = body[2]
    length: int = _U16.unpack_from(body, 3)[0]
    name = body[5 : 5 + length]
    if len(name) != length or not length or len(body) != 5 + length:
        raise ValueError("the ClientHello has a broken server name extension")
    if kind == 0 and (_HOST_NAME.match(name) or _IP_LITERAL.match(name)):
        return name.decode("ascii")
    return None


def _protocols(body: bytes) -> tuple[bytes, ...]:
    """RFC 7301 §3.1: non-empty names, each behind its length."""
    size = len(body)
    if size < 4 or _U16.unpack_from(body)[0] != size - 2:
        raise ValueError("the ClientHello has a broken ALPN extension")
    pos = 2
    names: list[bytes] = []
    while pos < size:
        end = pos + 1 + body[pos]
        if end == pos + 1 or end > size:
            raise ValueError("the ClientHello has a broken ALPN extension")
        names.append(body[pos + 1 : end])
        pos = end
    return tuple(names)
