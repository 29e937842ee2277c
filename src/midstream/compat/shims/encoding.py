"""`mitmproxy.net.encoding`: content encodings and character encodings by name."""

from __future__ import annotations

from typing import Any

from midstream.flows import encodings
from midstream.flows.charset import is_text_codec


def decode(encoded: bytes | str | None, encoding: str, errors: str = "strict") -> Any:
    """Bytes decoded: to bytes by a content encoding, to text by a character encoding. ValueError when it fails."""
    if encoded is None:
        return None
    if not isinstance(encoded, bytes):
        raise TypeError(f"expected bytes, not {type(encoded).__name__}")
    name = encoding.lower()
    if is_text_codec(name):
        return encoded.decode(name, errors)
    return encodings.decode(encoded, name)


def encode(decoded: bytes | str | None, encoding: str, errors: str = "strict") -> Any:
    """The opposite of `decode`."""
    if decoded is None:
        return None
    name = encoding.lower()
    if isinstance(decoded, str):
        if not is_text_codec(name):
            raise TypeError(f"{encoding} encodes bytes, not str")
        return decoded.encode(name, errors)
    if is_text_codec(name):
        raise TypeError(f"{encoding} encodes str, not bytes")
    return encodings.encode(decoded, name)


def identity(content: bytes) -> bytes:
    """The content itself."""
    return content


def decode_gzip(content: bytes) -> bytes:
    return encodings.decode(content, "gzip")


def encode_gzip(content: bytes) -> bytes:
    return encodings.encode(content, "gzip")


def decode_deflate(content: bytes) -> bytes:
    return encodings.decode(content, "deflate")


def encode_deflate(content: bytes) -> bytes:
    return encodings.encode(content, "deflate")


def decode_brotli(content: bytes) -> bytes:
    return encodings.decode(content, "br")


def encode_brotli(content: bytes) -> bytes:
    return encodings.encode(content, "br")


def decode_zstd(content: bytes) -> bytes:
    return encodings.decode(content, "zstd")


def encode_zstd(content: bytes) -> bytes:
    return encodings.encode(content, "zstd")
