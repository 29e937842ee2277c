"""`mitmproxy.net.tls` and `.proxy.layers.tls`: telling and reading the first bytes of TLS."""

from __future__ import annotations

import enum

from midstream.flows.tls import ClientHello
from midstream.wire import client_hello


class Version(enum.Enum):
    """Versions of TLS by their number on the wire."""

    UNBOUNDED = 0
    SSL3 = 0x300
    TLS1 = 0x301
    TLS1_1 = 0x302
    TLS1_2 = 0x303
    TLS1_3 = 0x304


class Verify(enum.Enum):
    """Whether a certificate is checked."""

    VERIFY_NONE = 0
    VERIFY_PEER = 1


def starts_like_tls_record(d: bytes) -> bool:
    """Whether these may be the first bytes of a TLS handshake."""
    return len(d) > 2 and d[0] == 0x16 and d[1] == 0x03 and d[2] <= 0x03


def starts_like_dtls_record(d: bytes) -> bool:
    """The same of DTLS."""
    return len(d) > 2 and d[0] == 0x16 and d[1] == 0xFE and d[2] in (0xFD, 0xFE)


def parse_client_hello(data: bytes) -> ClientHello | None:
    """The ClientHello that begins `data`; None while it is not whole, ValueError when it is none."""
    message = client_hello.parse(data)
    return ClientHello(message) if message is not None else None
