"""The data of HTTPS and SVCB records (RFC 9460 §2.2): priority, target and parameters.

Called by `flows.dns`. Parameters are kept as bytes by number; only lists of protocols are taken apart further.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from midstream.wire import dns_names

ALPN = 1
ECH = 5

PARAMETER_NAMES = {
    0: "mandatory",
    1: "alpn",
    2: "no-default-alpn",
    3: "port",
    4: "ipv4hint",
    5: "ech",
    6: "ipv6hint",
}
"""RFC 9460 §14.3.2."""


@dataclass(slots=True)
class HTTPSRecord:
    """The data of one record. `params` maps parameter numbers to their raw values."""

    priority: int
    target_name: str
    params: dict[int, bytes] = field(default_factory=dict)


def unpack(data: bytes) -> HTTPSRecord:
    """Read record data. Raises ValueError with a sentence."""
    if len(data) < 3:
        raise ValueError("the data of an HTTPS record is cut short")
    # RFC 9460 §2.2: the target is not compressed.
    wire, pos = dns_names.read(data, 2, {})
    if pos != 2 + len(wire):
        raise ValueError("the target of an HTTPS record is compressed")
    params = {}
    while pos < len(data):
        key = int.from_bytes(data[pos : pos + 2], "big")
        length = int.from_bytes(data[pos + 2 : pos + 4], "big")
        value = data[pos + 4 : pos + 4 + length]
        if pos + 4 > len(data) or len(value) != length:
            raise ValueError("the parameters of an HTTPS record are cut short")
        if key in params:
            raise ValueError(f"parameter {key} stands twice in an HTTPS record")
        params[key] = value
        pos += 4 + length
    return HTTPSRecord(int.from_bytes(data[:2], "big"), dns_names.to_text(wire), params)


def pack(record: HTTPSRecord) -> bytes:
    """Write record data, parameters in ascending order as RFC 9460 §2.2 wants them. Raises ValueError."""
    if not 0 <= record.priority < 1 << 16:
        raise ValueError(f"the priority of an HTTPS record is {record.priority}; it must fit into 16 bits")
    parts = [record.priority.to_bytes(2, "big"), dns_names.to_wire(record.target_name)]
    for key, value in sorted(record.params.items()):
        if not (0 <= key < 1 << 16 and len(value) < 1 << 16):
            raise ValueError(f"parameter {key} of an HTTPS record has a number or length over 16 bits")
        parts += [key.to_bytes(2, "big"), len(value).to_bytes(2, "big"), value]
    return b"".join(parts)


def unpack_strings(data: bytes) -> tuple[bytes, ...]:
    """Read length-prefixed strings, as in the alpn parameter and TXT records. Raises ValueError."""
    strings = []
    pos = 0
    while pos < len(data):
        end = pos + 1 + data[pos]
        if end > len(data):
            raise ValueError("a length-prefixed string is cut short")
        strings.append(data[pos + 1 : end])
        pos = end
    return tuple(strings)


def pack_strings(strings: Iterable[bytes]) -> bytes:
    """The opposite of `unpack_strings`. Raises ValueError for strings over 255 bytes."""
    parts = []
    for string in strings:
        if len(string) > 255:
            raise ValueError(f"a string of {len(string)} bytes; 255 is the limit")
        parts.append(bytes([len(string)]) + string)
    return b"".join(parts)
