"""`mitmproxy.platform`: where a redirected connection wanted to go. Elsewhere than on Linux it raises OSError."""

from __future__ import annotations

import socket

from midstream.proxy.original_destination import SO_ORIGINAL_DST as SO_ORIGINAL_DST
from midstream.proxy.original_destination import original_destination

SOL_IPV6 = socket.IPPROTO_IPV6


def init_transparent_mode() -> None:
    """Nothing has to be prepared: the rules of the firewall are the user's."""


def original_addr(csock: socket.socket) -> tuple[str, int]:
    """Host and port that the client dialled. Raises OSError when nothing redirected it."""
    return original_destination(csock)
