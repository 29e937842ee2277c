"""QPACK (RFC 9204) as far as it can be read without the rest of a connection: field sections that use no dynamic table.

Called by the HTTP/3 view. What refers to the dynamic table is shown as such a reference.
"""

from __future__ import annotations

from hpack.exceptions import HPACKDecodingError
from hpack.huffman_table import decode_huffman

# RFC 9204, appendix A.
_STATIC = (
    (":authority", ""), (":path", "/"), ("age", "0"), ("content-disposition", ""), ("content-length", "0"),
    ("cookie", ""), ("date", ""), ("etag", ""), ("if-modified-since", ""), ("if-none-match", ""),
    ("last-modified", ""), ("link", ""), ("location", ""), ("referer", ""), ("set-cookie", ""),
    (":method", "CONNECT"), (":method", "DELETE"), (":method", "GET"), (":method", "HEAD"), (":method", "OPTIONS"),
    (":method", "POST"), (":method", "PUT"), (":scheme", "http"), (":scheme", "https"), (":status", "103"),
    (":status", "200"), (":status", "304"), (":status", "404"), (":status", "503"), ("accept", "*/*"),
    ("accept", "application/dns-message"), ("accept-encoding", "gzip, deflate, br"), ("accept-ranges", "bytes"),
    ("access-control-allow-headers", "cache-control"), ("access-control-allow-headers", "content-type"),
    ("access-control-allow-origin", "*"), ("cache-control", "max-age=0"), ("cache-control", "max-age=2592000"),
    ("cache-control", "max-age=604800"), ("cache-control", "no-cache"), ("cache-control", "no-store"),
    ("cache-control", "public, max-age=31536000"), ("content-encoding", "br"), ("content-encoding", "gzip"),
    ("content-type", "application/dns-message"), ("content-type", "application/javascript"),
    ("content-type", "application/json"), ("content-type", "application/x-www-form-urlencoded"),
    ("content-type", "image/gif"), ("content-type", "image/jpeg"), ("content-type", "image/png"),
    ("content-type", "text/css"), ("content-type", "text/html; charset=utf-8"), ("content-type", "text/plain"),
    ("content-type", "text/plain;charset=utf-8"), ("range", "bytes=0-"),
    ("strict-transport-security", "max-age=31536000"),
    ("strict-transport-security", "max-age=31536000; includesubdomains"),
    ("strict-transport-security", "max-age=31536000; includesubdomains; preload"), ("vary", "accept-encoding"),
    ("vary", "origin"), ("x-content-type-options", "nosniff"), ("x-xss-protection", "1; mode=block"),
    (":status", "100"), (":status", "204"), (":status", "206"), (":status", "302"), (":status", "400"),
    (":status", "403"), (":status", "421"), (":status", "425"), (":status", "500"), ("accept-language", ""),
    ("access-control-allow-credentials", "FALSE"), ("access-control-allow-credentials", "TRUE"),
    ("access-control-allow-headers", "*"), ("access-control-allow-methods", "get"),
    ("access-control-allow-methods", "get, post, options"), ("access-control-allow-methods", "options"),
    ("access-control-expose-headers", "content-length"), ("access-control-request-headers", "content-type"),
    ("access-control-request-method", "get"), ("access-control-request-method", "post"), ("alt-svc", "clear"),
    ("authorization", ""), ("content-security-policy", "script-src 'none'; object-src 'none'; base-uri 'none'"),
    ("early-data", "1"), ("expect-ct", ""), ("forwarded", ""), ("if-range", ""), ("origin", ""),
    ("purpose", "prefetch"), ("server", ""), ("timing-allow-origin", "*"), ("upgrade-insecure-requests", "1"),
    ("user-agent", ""), ("x-forwarded-for", ""), ("x-frame-options", "deny"), ("x-frame-options", "sameorigin"),
)  # fmt: skip


def fields(section: bytes) -> list[tuple[str, str]]:
    """The fields of a section. ValueError with a sentence where it is none."""
    required, pos = _integer(section, 0, 8)
    _, pos = _integer(section, pos, 7)
    found: list[tuple[str, str]] = []
    while pos < len(section):
        first = section[pos]
        if first & 0x80:  # §4.5.2: an indexed field
            index, pos = _integer(section, pos, 6)
            found.append(_static(index) if first & 0x40 else (f"(dynamic entry {index})", ""))
        elif first & 0x40:  # §4.5.4: a name by reference
            index, pos = _integer(section, pos, 4)
            value, pos = _string(section, pos, 7)
            name = _static(index)[0] if first & 0x10 else f"(dynamic name {index})"
            found.append((name, value))
        elif first & 0x20:  # §4.5.6: a name in full
            name, pos = _string(section, pos, 3)
            value, pos = _string(section, pos, 7)
            found.append((name, value))
        elif first & 0x10:  # §4.5.3
            index, pos = _integer(section, pos, 4)
            found.append((f"(dynamic entry +{index})", ""))
        else:  # §4.5.5
            index, pos = _integer(section, pos, 3)
            value, pos = _string(section, pos, 7)
            found.append((f"(dynamic name +{index})", value))
    if required == 0 and any(name.startswith("(dynamic") for name, _ in found):
        raise ValueError("it refers to a table that it says it does not need")
    return found


def _static(index: int) -> tuple[str, str]:
    if index >= len(_STATIC):
        raise ValueError(f"there is no entry {index} in the static table")
    return _STATIC[index]


def _integer(data: bytes, pos: int, bits: int) -> tuple[int, int]:
    """RFC 7541 §5.1: a number that begins in the last bits of a byte."""
    if pos >= len(data):
        raise ValueError("the field section ends too early")
    full = (1 << bits) - 1
    value, pos = data[pos] & full, pos + 1
    if value < full:
        return value, pos
    for shift in range(0, 63, 7):
        if pos >= len(data):
            break
        byte, pos = data[pos], pos + 1
        value += (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
    raise ValueError("a number in the field section has no end")


def _string(data: bytes, pos: int, bits: int) -> tuple[str, int]:
    """RFC 7541 §5.2: a length with a flag before it that says whether Huffman codes follow."""
    is_huffman = pos < len(data) and bool(data[pos] >> bits & 1)
    length, pos = _integer(data, pos, bits)
    if length > len(data) - pos:
        raise ValueError("a text in the field section is cut off")
    content = data[pos : pos + length]
    if is_huffman:
        try:
            content = decode_huffman(content)
        except HPACKDecodingError:
            raise ValueError("a text in the field section is no Huffman code") from None
    return content.decode("utf-8", "backslashreplace"), pos + length
