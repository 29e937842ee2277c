"""Content codings (RFC 9110 §8.4.1): gzip, deflate, br, zstd and identity.

Decoding is for people and addons; what is forwarded stays as it came (P1). It stops at a limit, since a megabyte on
the wire may hold a thousand of them (P7). A body that ends early gives what could be read of it.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator

from midstream.text.sizes import human_size

DECODED_SIZE_LIMIT = 256 * 1024 * 1024
"""Largest decoded body in bytes, unless the caller names another limit."""

# Every layer of coding multiplies the work that a few bytes can ask for; nobody honest uses more than two.
_MAX_CODINGS = 4


class BodyTooLarge(ValueError):
    """The decoded body would be over the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the decoded body is larger than {human_size(limit)}; decoding stopped there")


def codings(encoding: str) -> list[str]:
    """The codings that a Content-Encoding value lists, in the order in which they were applied."""
    names = [name.strip().lower() for name in encoding.split(",")]
    return [name for name in names if name and name not in ("identity", "none")]


def decode(encoded: bytes, encoding: str, limit: int = DECODED_SIZE_LIMIT) -> bytes:
    """Undo a Content-Encoding. Raises ValueError for unknown codings, broken data and results over the limit."""
    data = encoded
    for layer, is_cut in _layers(encoded, encoding, limit):
        if is_cut:
            raise BodyTooLarge(limit)
        data = layer
    return data


def decode_beginning(encoded: bytes, encoding: str, limit: int) -> tuple[bytes, bool]:
    """Undo a Content-Encoding for somebody to look at: no more than `limit` bytes, and whether there would be more.

    Raises ValueError as `decode` does, but for the limit.
    """
    data, was_cut = encoded, False
    for layer, is_cut in _layers(encoded, encoding, limit):
        data, was_cut = layer, was_cut or is_cut
    return data, was_cut


def _layers(encoded: bytes, encoding: str, limit: int) -> Iterator[tuple[bytes, bool]]:
    """What is left after each coding was undone, and whether it was cut at the limit."""
    names = codings(encoding)
    if len(names) > _MAX_CODINGS:
        raise ValueError(f"{len(names)} content codings in a row; at most {_MAX_CODINGS} are decoded")
    data = encoded
    for name in reversed(names):
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise ValueError(f"{name!r} is no known content coding")
        if data:  # an empty body is empty, whatever the header says
            data = decoder(data, limit)
        yield data[:limit], len(data) > limit


def encode(decoded: bytes, encoding: str) -> bytes:
    """Apply a Content-Encoding. Raises ValueError for unknown codings."""
    data = decoded
    for name in codings(encoding):
        encoder = _ENCODERS.get(name)
        if encoder is None:
            raise ValueError(f"{name!r} is no known content coding")
        data = encoder(data)
    return data


# Each of the decoders stops when it has more than `limit` bytes.


def _inflate(data: bytes, wbits: int, limit: int) -> tuple[bytes, bytes]:
    """One zlib stream: what it holds, and what follows it."""
    decompressor = zlib.decompressobj(wbits)
    try:
        result = decompressor.decompress(data, limit + 1)
    except zlib.error as exc:
        raise ValueError(f"decompression failed: {exc}") from None
    return result, decompressor.unused_data


def _decode_gzip(data: bytes, limit: int) -> bytes:
    parts = []
    left = limit
    # 32 + 15: the header tells gzip from zlib, which some servers send under this name.
    part, rest = _inflate(data, 47, left)
    while True:
        parts.append(part)
        left -= len(part)
        # RFC 1952 §2.2: members simply follow one another. What is no member is padding or junk, as browsers see it.
        if left < 0 or not rest.startswith(b"\x1f\x8b"):
            return b"".join(parts)
        try:
            part, rest = _inflate(rest, 31, left)
        except ValueError:
            return b"".join(parts)


def _decode_deflate(data: bytes, limit: int) -> bytes:
    # RFC 9110 §8.4.1.2: "deflate" means zlib, but raw deflate is what some servers send.
    try:
        return _inflate(data, 15, limit)[0]
    except ValueError:
        return _inflate(data, -15, limit)[0]


def _decode_deflateraw(data: bytes, limit: int) -> bytes:
    return _inflate(data, -15, limit)[0]


def _decode_br(data: bytes, limit: int) -> bytes:
    import brotli

    decompressor = brotli.Decompressor()
    parts = []
    size = 0
    try:
        while True:
            part = decompressor.process(data, output_buffer_limit=min(limit + 1 - size, 1 << 20))
            data = b""
            parts.append(part)
            size += len(part)
            if size > limit or decompressor.is_finished() or decompressor.can_accept_more_data():
                return b"".join(parts)
    except brotli.error as exc:
        raise ValueError(f"decompression failed: {exc}") from None


def _decode_zstd(data: bytes, limit: int) -> bytes:
    import zstandard

    # RFC 8878 §3.1.1.1.2 recommends to support windows of 8 MB, HTTP (RFC 9659) requires no more.
    decompressor = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024)
    parts = []
    size = 0
    try:
        with decompressor.stream_reader(data, read_across_frames=True) as reader:
            while size <= limit and (part := reader.read(min(limit + 1 - size, 1 << 20))):
                parts.append(part)
                size += len(part)
    except zstandard.ZstdError as exc:
        raise ValueError(f"decompression failed: {exc}") from None
    return b"".join(parts)


def _encode_gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)  # equal bodies give equal bytes


def _encode_deflateraw(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def _encode_br(data: bytes) -> bytes:
    import brotli

    # Quality 4 is what servers use on the fly; the default of 11 takes seconds for a few megabytes.
    return bytes(brotli.compress(data, quality=4))


def _encode_zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _decode_gzip,
    "x-gzip": _decode_gzip,
    "deflate": _decode_deflate,
    "deflateraw": _decode_deflateraw,
    "br": _decode_br,
    "zstd": _decode_zstd,
}
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _encode_gzip,
    "x-gzip": _encode_gzip,
    "deflate": zlib.compress,
    "deflateraw": _encode_deflateraw,
    "br": _encode_br,
    "zstd": _encode_zstd,
}
SUPPORTED = ("gzip", "deflate", "br", "zstd")
"""The codings that we can undo, as an Accept-Encoding names them."""
