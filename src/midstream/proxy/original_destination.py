"""Where a redirected connection wanted to go, as Linux's NAT remembers it.

Asked by the transparent mode for each connection; `addons/proxyserver.py` asks `why_not` before that mode can be set.
The rules that redirect (`nft … redirect`, `iptables … REDIRECT`) are the user's; nothing here changes any. Other
systems have other ways, none of which is built here.
"""

import socket
import struct
import sys
from typing import Protocol

from midstream.text.url import hostport

Address = tuple[str, int]

# linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h; the socket module names neither.
SO_ORIGINAL_DST = 80
IP6T_SO_ORIGINAL_DST = 80
_IPV4 = struct.Struct("!2xH4s8x")  # sockaddr_in, its family left out
_IPV6 = struct.Struct("!2xH4x16s4x")  # sockaddr_in6, without flow label and scope


class NotRedirected(OSError):
    """The connection was made to our own address, so there is nowhere that it could go on to."""


class Socket(Protocol):
    """What is needed of a socket; those of uvloop's transports are no `socket.socket`."""

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        """As that of the socket module."""

    def getsockname(self) -> tuple[str, int]:
        """The same."""


def why_not() -> str:
    """Why destinations cannot be looked up on this system; empty where they can."""
    if sys.platform == "linux":
        return ""
    return "the mode transparent works on Linux only, where the system tells where redirected connections wanted to go"


def original_destination(sock: Socket) -> Address:
    """Host and port. Raises NotRedirected, and OSError where the system knows no NAT at all."""
    if problem := why_not():
        raise OSError(problem)
    own = sock.getsockname()
    try:
        if sock.family == socket.AF_INET6:
            port, host = _IPV6.unpack(sock.getsockopt(socket.IPPROTO_IPV6, IP6T_SO_ORIGINAL_DST, _IPV6.size))
        else:
            port, host = _IPV4.unpack(sock.getsockopt(socket.IPPROTO_IP, SO_ORIGINAL_DST, _IPV4.size))
    except FileNotFoundError:  # NAT has nothing noted of it
        port, host = own[1], b""
    destination = socket.inet_ntop(sock.family, host) if host else own[0]
    if (destination, port) == own[:2]:
        raise NotRedirected(
            f"a client connected to {hostport('', *own[:2])} itself: this mode serves connections that the firewall "
            "redirects here; for clients that know the proxy use the mode regular"
        )
    return destination, port
