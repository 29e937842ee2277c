"""`mitmproxy.net.dns.domain_names`: names on the wire and as text."""

from __future__ import annotations

from midstream.wire import dns_names

pack = dns_names.to_wire


def unpack(buffer: bytes) -> str:
    """The name that fills `buffer`; ValueError when something is left over."""
    name, length = unpack_from(buffer, 0)
    if length != len(buffer):
        raise ValueError(f"{len(buffer) - length} bytes follow the domain name")
    return name


def unpack_from(buffer: bytes, offset: int) -> tuple[str, int]:
    """The name at `offset` and how many bytes it takes there. Pointers are followed."""
    wire, end = dns_names.read(buffer, offset, {})
    return dns_names.to_text(wire), end - offset
