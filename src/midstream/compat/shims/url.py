"""`mitmproxy.net.http.url`: URLs, authorities and query strings. Parsing itself is `midstream.text.url`."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence

from midstream.text import url


def decode(s: str | bytes) -> list[tuple[str, str]]:
    """The pairs of a query string or urlencoded form."""
    return url.decode_query(s)


def encode(s: Sequence[tuple[str, str]], similar_to: str | None = None) -> str:
    """A query string of these pairs; when `similar_to` has names without `=`, empty values are written so."""
    encoded = url.encode_query(s)
    bare = similar_to and any("=" not in pair for pair in similar_to.split("&"))
    return "&".join(pair.removesuffix("=") for pair in encoded.split("&")) if bare else encoded


def quote(b: str, safe: str = "/") -> str:
    """Percent-encode; bytes that were no UTF-8 come out as they came in."""
    return urllib.parse.quote(b, safe=safe, errors="surrogateescape")


def unquote(s: str) -> str:
    """The opposite of `quote`."""
    return urllib.parse.unquote(s, errors="surrogateescape")


def parse_authority(authority: str | bytes, check: bool) -> tuple[str, int | None]:
    """Host and port of `host:port`; what is none is a ValueError, or without `check` comes back whole."""
    data = authority.encode("utf-8", "surrogateescape") if isinstance(authority, str) else authority
    try:
        if not data.isascii():
            name, colon, digits = data.decode("utf-8").partition(":")
            data = url.host_to_bytes(name) + (colon + digits).encode("ascii")
        host, port = url.split_authority(data)
    except ValueError:
        if check:
            raise
        return data.decode("utf-8", "surrogateescape"), None
    return host.decode("ascii"), port
