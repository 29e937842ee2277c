"""Fingerprints of the program behind a connection, by what its ClientHello offers: JA3 and JA4.

`flows.connection.Client` computes them when somebody asks. JA3 is an MD5 of the lists in the order of the hello
(salesforce/ja3); JA4 sorts them first, since browsers shuffle theirs (FoxIO-LLC/ja4, technical_details/JA4.md).
Both leave out GREASE (RFC 8701), the random values by which clients keep servers tolerant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import md5, sha256
from typing import Final

from midstream.wire.client_hello import EXT_ALPN, EXT_SERVER_NAME, ClientHelloMessage

_GROUPS: Final = 10
_POINT_FORMATS: Final = 11
_SIGNATURES: Final = 13
_VERSIONS: Final = 43

_JA4_VERSIONS: Final = {
    0x0304: "13",
    0x0303: "12",
    0x0302: "11",
    0x0301: "10",
    0x0300: "s3",
    0x0002: "s2",
    0xFEFF: "d1",
    0xFEFD: "d2",
    0xFEFC: "d3",
}
_NOTHING: Final = "000000000000"


def ja3_text(hello: ClientHelloMessage) -> str:
    """Version, ciphers, extensions, groups and point formats, in decimal: what `ja3` is the hash of."""
    bodies = dict(hello.extensions)
    lists = (
        _spoken(hello.cipher_suites),
        _spoken(bodies),
        _spoken(_numbers(bodies.get(_GROUPS, b""))),
        bodies.get(_POINT_FORMATS, b"")[1:],
    )
    return ",".join([str(hello.version), *("-".join(map(str, items)) for items in lists)])


def ja3(hello: ClientHelloMessage) -> str:
    """The 32 hex digits."""
    return md5(ja3_text(hello).encode(), usedforsecurity=False).hexdigest()


def ja4_text(hello: ClientHelloMessage, transport: str = "t") -> str:
    """`ja4` before hashing (JA4_r): sorted ciphers, sorted extensions, signature algorithms, in hex.

    `transport` is t for TLS over TCP, q for QUIC, d for DTLS.
    """
    return "_".join([_ja4_head(hello, transport), *filter(None, _ja4_lists(hello))])


def ja4(hello: ClientHelloMessage, transport: str = "t") -> str:
    """Such as `t13d1516h2_8daaf6152771_e5627efa2ab1`."""
    ciphers, extensions, signatures = _ja4_lists(hello)
    offered = "_".join(filter(None, (extensions, signatures))) if extensions else ""
    return f"{_ja4_head(hello, transport)}_{_short_hash(ciphers)}_{_short_hash(offered)}"


def _ja4_head(hello: ClientHelloMessage, transport: str) -> str:
    bodies = dict(hello.extensions)
    versions = list(_spoken(_numbers(bodies[_VERSIONS], 1))) if _VERSIONS in bodies else []
    # Of DTLS the lower number is the higher version.
    newest = (min if transport == "d" else max)(versions, default=hello.version)
    target = "d" if EXT_SERVER_NAME in bodies else "i"
    ciphers, extensions = (min(sum(1 for _ in _spoken(each)), 99) for each in (hello.cipher_suites, bodies))
    version = _JA4_VERSIONS.get(newest, "00")
    return f"{transport}{version}{target}{ciphers:02}{extensions:02}{_ja4_alpn(hello.alpn_protocols)}"


def _ja4_alpn(protocols: tuple[bytes, ...]) -> str:
    if not protocols or not protocols[0]:
        return "00"
    first = protocols[0]
    ends = first[:1] + first[-1:]
    if ends.isalnum():
        return ends.decode()
    return first.hex()[0] + first.hex()[-1]


def _ja4_lists(hello: ClientHelloMessage) -> tuple[str, str, str]:
    bodies = dict(hello.extensions)
    extensions = (kind for kind in _spoken(bodies) if kind not in (EXT_SERVER_NAME, EXT_ALPN))
    signatures = _spoken(_numbers(bodies.get(_SIGNATURES, b"")))
    return _hex(sorted(_spoken(hello.cipher_suites))), _hex(sorted(extensions)), _hex(signatures)


def _short_hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12] if text else _NOTHING


def _hex(values: Iterable[int]) -> str:
    return ",".join(f"{value:04x}" for value in values)


def _numbers(body: bytes, length: int = 2) -> tuple[int, ...]:
    """The 16-bit numbers of a list in an extension, behind `length` bytes that say how long it is."""
    whole = body[length:]
    return tuple(int.from_bytes(whole[at : at + 2], "big") for at in range(0, len(whole) - 1, 2))


def _spoken(values: Iterable[int]) -> Iterator[int]:
    """Those that are no GREASE: 0x0A0A, 0x1A1A … 0xFAFA."""
    return (value for value in values if value & 0x0F0F != 0x0A0A or value >> 8 != value & 0xFF)
