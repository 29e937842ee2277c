"""`mitmproxy.net.http.headers`, `.multipart` and `.validate`: what headers say about a body."""

from __future__ import annotations

import re

from midstream.flows import charset, multipart
from midstream.flows.message import Message
from midstream.flows.request import Request
from midstream.flows.response import Response

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
_CODINGS = {"compress", "deflate", "gzip", "identity"}


def infer_content_encoding(content_type: str, content: bytes = b"") -> str:
    """The name of the character encoding that a body is probably in."""
    return charset.guess(content_type, content)


def decode_multipart(content_type: str | None, content: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values of a multipart form; nothing when it is none."""
    boundary = multipart.boundary_of(content_type or "")
    return [(part.name, part.value) for part in multipart.read(content, boundary)] if boundary else []


def encode_multipart(content_type: str, parts: list[tuple[bytes, bytes]]) -> bytes:
    """A multipart form of these pairs; nothing when the type is none of that kind."""
    boundary = multipart.boundary_of(content_type)
    return multipart.write(parts, boundary, []) if boundary else b""


def parse_content_length(value: str | bytes) -> int:
    """The number in a Content-Length header; ValueError when it holds anything else."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{value!r} is no content-length")
    return int(text)


def parse_transfer_encoding(value: str | bytes) -> str:
    """A Transfer-Encoding header in small letters, without spaces; ValueError for codings that nobody knows."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    codings = [coding.strip(" \t").lower() for coding in text.split(",")]
    before = codings[:-1] if codings[-1] == "chunked" else codings
    if (
        not text.isascii()
        or not set(before) <= _CODINGS
        or len(before) > 1
        or (before == ["identity"] and len(codings) > 1)
    ):
        raise ValueError(f"{value!r} is no transfer-encoding that is known here")
    return ",".join(codings)


def validate_headers(message: Message) -> None:
    """ValueError when the framing headers of a message can be read in two ways, or a name is no name."""
    for name, _ in message.headers.fields:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is no header name")
    codings = message.headers.get_all("transfer-encoding")
    lengths = message.headers.get_all("content-length")
    if codings and lengths:
        raise ValueError("a message has either transfer-encoding or content-length, not both")
    if len(lengths) > 1 or len(codings) > 1:
        raise ValueError(f"a message has one of its framing headers twice: {lengths or codings}")
    if lengths:
        parse_content_length(lengths[0])
    if codings:
        _check_coding(message, parse_transfer_encoding(codings[0]))


def _check_coding(message: Message, coding: str) -> None:
    # RFC 9112 §6.1
    if not message.is_http11:
        raise ValueError(f"{message.http_version} knows no transfer-encoding")
    if isinstance(message, Response) and (message.status_code < 200 or message.status_code == 204):
        raise ValueError(f"a response of status {message.status_code} has no transfer-encoding")
    if isinstance(message, Request) and not coding.endswith("chunked"):
        raise ValueError(f"a request cannot end with the connection, as transfer-encoding {coding} says")
