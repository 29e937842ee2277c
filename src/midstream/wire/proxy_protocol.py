"""The PROXY protocol of HAProxy, versions 1 and 2: who a balancer in front of us says that the client is.

Source: proxy-protocol.txt of HAProxy, sections 2.1 and 2.2. `parse` is called with the first bytes of a connection when
the user has said that they are such a header; nobody should guess it, as a client could then pretend to be another.
Only the receiving side is here, and the extensions (TLVs) of version 2 are skipped unread.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from struct import Struct
from typing import NamedTuple

Address = tuple[str, int]

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
"""How version 2 begins."""
LONGEST_LINE = 107
"""Of version 1, its line end included (section 2.1)."""
LONGEST = 16 + 0xFFFF
"""Of any header; version 2 counts what follows its first 16 bytes in two."""

_LINE_START = b"PROXY "
_PORT = re.compile(rb"0|[1-9][0-9]{0,4}")
_HEAD = Struct(">12sBBH")
_PORTS = Struct(">HH")

_LOCAL, _PROXY = 0, 1
_UNSPECIFIED = 0
# Section 2.2: family in the upper four bits, stream or datagram in the lower; nothing else may be sent.
_ADDRESS_SIZE = {0x11: 4, 0x12: 4, 0x21: 16, 0x22: 16, 0x31: 108, 0x32: 108}


class Header(NamedTuple):
    """Both ends of the connection that the balancer accepted; None where it names none that has host and port.

    That is so for its own health checks (LOCAL), for what it does not know (UNKNOWN, UNSPEC), and for UNIX sockets: the
    addresses of the connection itself then stay the true ones.
    """

    source: Address | None
    destination: Address | None


NOBODY = Header(None, None)


def parse(data: bytes) -> tuple[Header, int] | None:
    """The header at the start of `data`, and its length.

    None while more bytes are needed. Raises ValueError, with a sentence, as soon as it is clear that there is none.
    """
    if data[:1] == SIGNATURE[:1]:
        return _parse_binary(data)
    start = data[: len(_LINE_START)]
    if not _LINE_START.startswith(start):
        raise ValueError(f"the connection starts with {_shown(data)} instead of a PROXY protocol header")
    end = data.find(b"\r\n", 0, LONGEST_LINE)
    if end >= 0:
        return _parse_line(data[:end]), end + 2
    if len(data) >= LONGEST_LINE:
        raise ValueError(f"a PROXY line longer than {LONGEST_LINE} bytes")
    return None


def _parse_line(line: bytes) -> Header:
    """Version 1: one line for people."""
    _, family, *rest = line.split(b" ")
    if family == b"UNKNOWN":
        return NOBODY  # section 2.1: what follows on that line is to be ignored
    if family not in (b"TCP4", b"TCP6") or len(rest) != 4:
        raise ValueError(f"a broken PROXY line: {_shown(line)}")
    kind = IPv4Address if family == b"TCP4" else IPv6Address
    source, destination, source_port, destination_port = rest
    try:
        return Header(
            (_spelled(kind, source), _port(source_port)), (_spelled(kind, destination), _port(destination_port))
        )
    except ValueError:
        raise ValueError(f"a broken PROXY line: {_shown(line)}") from None


def _spelled(kind: type[IPv4Address | IPv6Address], text: bytes) -> str:
    if b"%" in text:  # a zone means something on the balancer only
        raise AddressValueError
    return str(kind(text.decode("ascii")))


def _port(digits: bytes) -> int:
    if _PORT.fullmatch(digits) is None or int(digits) > 65535:
        raise ValueError
    return int(digits)


def _parse_binary(data: bytes) -> tuple[Header, int] | None:
    """Version 2."""
    if not SIGNATURE.startswith(data[: len(SIGNATURE)]):
        raise ValueError(f"the connection starts with {_shown(data)} instead of a PROXY protocol header")
    if len(data) < _HEAD.size:
        return None
    _, version, family, size = _HEAD.unpack_from(data)
    command = version & 15
    if version >> 4 != 2 or command > _PROXY:
        raise ValueError(f"a PROXY header of version {version >> 4} with command {command}, which nobody knows")
    needed = _ADDRESS_SIZE.get(family, 0)
    if command == _PROXY and family != _UNSPECIFIED:
        if not needed:
            raise ValueError(f"a PROXY header with addresses of unknown family 0x{family:02x}")
        if size < _addresses(needed):
            raise ValueError(f"a PROXY header of {size} bytes, which is too short for its addresses")
    end = _HEAD.size + size
    if len(data) < end:
        return None
    # Section 2.2: LOCAL means the connection itself, whatever family stands there.
    if command == _LOCAL or needed not in (4, 16):
        return NOBODY, end
    return _addressed(IPv4Address if needed == 4 else IPv6Address, data, needed), end


def _addresses(size: int) -> int:
    """Two of them; those of UNIX sockets have no ports."""
    return 2 * size if size == 108 else 2 * size + _PORTS.size


def _addressed(kind: type[IPv4Address | IPv6Address], data: bytes, size: int) -> Header:
    middle, end = _HEAD.size + size, _HEAD.size + 2 * size
    source, destination = kind(data[_HEAD.size : middle]), kind(data[middle:end])
    source_port, destination_port = _PORTS.unpack_from(data, end)
    return Header((str(source), source_port), (str(destination), destination_port))


def _shown(data: bytes) -> str:
    return repr(data[:60].decode("ascii", "backslashreplace"))
