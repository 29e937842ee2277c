"""SOCKS version 5, both sides: what a client asks and what a server answers (RFC 1928), and passwords (RFC 1929).

The socks5 mode reads with `parse_greeting`, `parse_credentials` and `parse_request`; a SOCKS parent is talked to with
the other half. Each `parse_…` takes what has arrived so far and returns the message with its length, None while more
is needed, or raises Malformed as soon as that is certain. No message is longer than 513 bytes. Nothing is connected
or resolved here, and UDP ASSOCIATE is known by name only.
"""

from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from midstream.text import url

VERSION = 5
_PASSWORD_VERSION = 1  # RFC 1929 §2: of the negotiation, not of SOCKS

_IPV4, _DOMAIN, _IPV6 = 1, 3, 4


class Method(IntEnum):
    """How a client may prove who it is (RFC 1928 §3)."""

    NONE = 0
    PASSWORD = 2
    NOT_ACCEPTABLE = 0xFF


class Command(IntEnum):
    """What a client wants (RFC 1928 §4)."""

    CONNECT = 1
    BIND = 2
    UDP_ASSOCIATE = 3


class Reply(IntEnum):
    """What became of it (RFC 1928 §6)."""

    SUCCEEDED = 0
    GENERAL_FAILURE = 1
    NOT_ALLOWED = 2
    NETWORK_UNREACHABLE = 3
    HOST_UNREACHABLE = 4
    CONNECTION_REFUSED = 5
    TTL_EXPIRED = 6
    COMMAND_NOT_SUPPORTED = 7
    ADDRESS_TYPE_NOT_SUPPORTED = 8


REPLY_TEXTS = (
    "succeeded",
    "general failure",
    "not allowed by its rules",
    "the network is unreachable",
    "the host is unreachable",
    "the connection was refused",
    "the time to live expired",
    "the command is not supported",
    "the type of address is not supported",
)
"""What the numbers of `Reply` mean, for people. A server may send others."""


class Malformed(ValueError):
    """This is no SOCKS5, or not as the RFCs have it. `reply` is the answer for a client whose request it is."""

    def __init__(self, text: str, reply: Reply = Reply.GENERAL_FAILURE) -> None:
        super().__init__(text)
        self.reply = reply


class Credentials(NamedTuple):
    """Name and password as they came; RFC 1929 knows no encoding."""

    username: bytes
    password: bytes


class Target(NamedTuple):
    """Of a request: what is wanted, and where. Of a reply: `code`, and the address that the server is bound to."""

    code: int
    host: str
    port: int


# -- what a server reads --


def parse_greeting(data: bytes) -> tuple[bytes, int] | None:
    """The methods that a client offers, one byte each (RFC 1928 §3)."""
    _check_version(data)
    if len(data) < 2:
        return None
    count = data[1]
    if not count:
        raise Malformed("the client offers no authentication method, not even that of none")
    return (data[2 : 2 + count], 2 + count) if len(data) >= 2 + count else None


def parse_credentials(data: bytes) -> tuple[Credentials, int] | None:
    """Name and password (RFC 1929 §2). Both may be empty: curl sends what it was given."""
    if data and data[0] != _PASSWORD_VERSION:
        raise Malformed(f"user name and password come with version {data[0]} instead of 1")
    name = _counted(data, 1)
    password = _counted(data, 2 + len(name)) if name is not None else None
    if name is None or password is None:
        return None
    return Credentials(name, password), 3 + len(name) + len(password)


def parse_request(data: bytes) -> tuple[Target, int] | None:
    """Command, host and port (RFC 1928 §4). An unknown command is no error here: it has a reply of its own."""
    return _parse_target(data, "the request")


# -- what a client reads --


def parse_choice(data: bytes) -> tuple[int, int] | None:
    """The method that a server chose."""
    _check_version(data)
    return (data[1], 2) if len(data) >= 2 else None


def parse_verdict(data: bytes) -> tuple[bool, int] | None:
    """Whether a server accepted name and password."""
    if data and data[0] not in (_PASSWORD_VERSION, VERSION):  # several servers take the 5 of SOCKS for it
        raise Malformed(f"the answer to user name and password comes with version {data[0]} instead of 1")
    return (data[1] == 0, 2) if len(data) >= 2 else None


def parse_reply(data: bytes) -> tuple[Target, int] | None:
    """What became of a request."""
    return _parse_target(data, "the reply")


# -- what is written --


def greeting(*methods: Method) -> bytes:
    """A client's first words."""
    return bytes((VERSION, len(methods), *methods))


def choice(method: Method) -> bytes:
    """A server's answer to them."""
    return bytes((VERSION, method))


def credentials(username: bytes, password: bytes) -> bytes:
    """Name and password. Raises ValueError when one of them is longer than the format allows."""
    for what, value in (("user name", username), ("password", password)):
        if len(value) > 255:
            raise ValueError(f"the {what} is longer than the 255 bytes that SOCKS5 allows")
    return b"\x01%c%b%c%b" % (len(username), username, len(password), password)


def verdict(accepted: bool) -> bytes:
    """Whether they are accepted; if not the connection has to be closed (RFC 1929 §2)."""
    return bytes((_PASSWORD_VERSION, 0 if accepted else 1))


def request(command: Command, host: str, port: int) -> bytes:
    """A client's request. Raises ValueError for a host that has no form on the wire."""
    return _target(command, host, port)


def reply(code: Reply, host: str = "0.0.0.0", port: int = 0) -> bytes:  # noqa: S104  what "no address" looks like
    """A server's answer; the address is that of its own end, which clients look at for BIND and UDP only."""
    return _target(code, host, port)


# -- within --


def _check_version(data: bytes) -> None:
    if not data or data[0] == VERSION:
        return
    if data[0] == 4:
        raise Malformed("this is SOCKS version 4; only version 5 is spoken here")
    if data[:1].isalpha():
        raise Malformed("this is no SOCKS but text, perhaps HTTP: is this address set as an HTTP proxy?")
    if data[0] == 0x16:
        raise Malformed("this is no SOCKS but TLS: the client must speak SOCKS version 5 first")
    raise Malformed(f"this is no SOCKS version 5: it starts with byte 0x{data[0]:02x}")


def _counted(data: bytes, at: int) -> bytes | None:
    """The bytes whose number stands at `at`; None until they are all there."""
    if len(data) <= at or len(data) < at + 1 + data[at]:
        return None
    return data[at + 1 : at + 1 + data[at]]


def _parse_target(data: bytes, what: str) -> tuple[Target, int] | None:
    """Requests and replies have the same shape: version, code, zero, type, address, port."""
    _check_version(data)
    # RFC 1928 §4 and §6: the third byte is reserved and must be zero.
    if len(data) > 2 and data[2]:
        raise Malformed(f"the reserved byte of {what} is {data[2]} instead of 0")
    if len(data) < 5:
        if len(data) == 4:
            _address_size(data[3], 0, what)
        return None
    end = 4 + _address_size(data[3], data[4], what)
    if len(data) < end + 2:
        return None
    host = _host(data[3], data[4:end], what)
    return Target(data[1], host, int.from_bytes(data[end : end + 2], "big")), end + 2


def _address_size(kind: int, first: int, what: str) -> int:
    match kind:
        case 1:
            return 4
        case 3:
            return 1 + first
        case 4:
            return 16
    raise Malformed(f"{what} has an address of unknown type {kind}", Reply.ADDRESS_TYPE_NOT_SUPPORTED)


def _host(kind: int, address: bytes, what: str) -> str:
    if kind == _IPV4:
        return str(IPv4Address(address))
    if kind == _IPV6:
        return str(IPv6Address(address))
    name = address[1:]
    if b":" in name and name[:1] != b"[":  # browsers send every host as a name, IPv6 addresses included
        name = b"[%b]" % name
    try:
        name, port = url.split_authority(name)
    except ValueError:
        name, port = b"", None
    # What CONNECT takes for a host, and no more: a name with a line break in it would end up in heads and on screens.
    if port is not None or not name:
        raise Malformed(f"{what} has {address[1:101].decode('ascii', 'backslashreplace')!r}, which is no host name")
    return name.decode("ascii")


def _target(code: int, host: str, port: int) -> bytes:
    return b"\x05%c\x00%b%b" % (code, _address(host), port.to_bytes(2, "big"))


def _address(host: str) -> bytes:
    """A host as it goes on the wire: an IP address as such, anything else as a name for the server to resolve."""
    try:
        return b"\x01" + IPv4Address(host).packed
    except ValueError:
        pass
    try:
        return b"\x04" + IPv6Address(host).packed
    except ValueError:
        name = url.host_to_bytes(host)
    if not 1 <= len(name) <= 255:
        raise ValueError(f"a host name of {len(name)} bytes does not fit into a SOCKS5 request")
    return b"\x03%c%b" % (len(name), name)
