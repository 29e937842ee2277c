"""`mitmproxy.net.check`, `.free_port` and `.local_ip`: names, ports and addresses of hosts."""

from __future__ import annotations

import ipaddress
import re
import socket

_LABEL = re.compile(rb"[A-Za-z0-9_-]{1,63}")


def is_valid_host(host: str | bytes) -> bool:
    """Whether this can be the name or address of a host."""
    try:
        name = host.encode("idna") if isinstance(host, str) else host
        text = name.decode("ascii")
    except UnicodeError:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        labels = name.removesuffix(b".").split(b".")
        return len(name) <= 255 and all(_LABEL.fullmatch(label) for label in labels)
    return True


def is_valid_port(port: int) -> bool:
    """Whether this can be the number of a port."""
    return 0 <= port <= 65535


def get_free_port() -> int:
    """A TCP port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def get_local_ip(reachable: str = "8.8.8.8") -> str | None:
    """Our IPv4 address on the way to `reachable`. Sends nothing."""
    return _address(socket.AF_INET, reachable)


def get_local_ip6(reachable: str = "2001:4860:4860::8888") -> str | None:
    """The same for IPv6."""
    return _address(socket.AF_INET6, reachable)


def _address(family: socket.AddressFamily, reachable: str) -> str | None:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((reachable, 80))  # of a datagram socket: it only looks at the routes
            return str(probe.getsockname()[0])
    except OSError:
        return None
