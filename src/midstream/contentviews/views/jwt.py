"""JSON Web Tokens (RFC 7519): what the header and the claims say. Nothing is verified.

The token is the body, or stands in the Authorization field of a message without one.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from midstream.contentviews.api import Metadata
from midstream.contentviews.json_text import NotJson, reindent
from midstream.contentviews.stepped import Stepped

_LONGEST = 256 * 1024
# The header is an object: `{"` or `{ "` and the like as base64url (RFC 7515 §3.1). One that is encrypted has five parts
# (RFC 7516 §3.1).
_TOKEN = re.compile(rb"\s*(ey[\w-]+|ew[\w-]+)\.([\w-]*)\.([\w-]*)(?:\.([\w-]*)\.([\w-]*))?\s*", re.ASCII)
_BEARER = re.compile(rb"(?:bearer|jwt|token)\s+(\S+)", re.IGNORECASE)
_SAYS_NOTHING = (None, "text/plain", "application/octet-stream")
_TIMES = ("iat", "nbf", "exp", "auth_time")


class JWT(Stepped):
    """By its type or its looks."""

    name = "JWT"
    syntax_highlight = "yaml"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        token = data or _authorization(metadata)
        if len(token) > _LONGEST:
            raise ValueError(f"it looks at no more than {_LONGEST:,} bytes")
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise ValueError("it is no token of three or five parts")
        return _described(match)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if not data:
            # Before the empty text, but behind the query.
            return 0.2 if _is_token(_authorization(metadata)) else 0
        if metadata.content_type == "application/jwt":
            return 1
        return 0.6 if metadata.content_type in _SAYS_NOTHING and _is_token(data) else 0


def _authorization(metadata: Metadata) -> bytes:
    message = metadata.http_message
    if message is None:
        return b""
    for name, value in message.headers.fields:
        if name.lower() == b"authorization" and (match := _BEARER.fullmatch(value.strip())):
            return match[1]
    return b""


def _is_token(data: bytes) -> bool:
    if data[:64].lstrip()[:2] not in (b"ey", b"ew") or len(data) > _LONGEST:
        return False
    match = _TOKEN.fullmatch(data)
    return match is not None and b'"alg"' in _decoded(match[1])


def _described(match: re.Match[bytes]) -> Iterator[bytes | None]:
    yield b"# header\n"
    yield from _json(_decoded(match[1]))
    if match[4] is not None:
        yield b"# encrypted: %d bytes\n" % len(_decoded(match[4]))
        return
    claims = _decoded(match[2])
    yield b"# claims\n"
    yield from _json(claims)
    for line in _times(claims):
        yield line.encode() + b"\n"
    signature = len(_decoded(match[3]))
    yield b"# signature: %d bytes, not verified\n" % signature if signature else b"# not signed\n"


def _json(text: bytes) -> Iterator[bytes | None]:
    parts: list[bytes] = []
    try:
        for part in reindent(text):
            if part is None:
                yield None
            else:
                parts.append(part)
    except NotJson:
        parts = [text]
    yield b"".join([*parts, b"\n"])


def _times(claims: bytes) -> Iterator[str]:
    """What the numbers of seconds mean, for the times that tokens have (RFC 7519 §4.1)."""
    try:
        known = json.loads(claims)
    except (ValueError, RecursionError):
        return
    for name in _TIMES:
        value = known.get(name) if isinstance(known, dict) else None
        if isinstance(value, int | float) and 0 < value < 1e11:
            yield f"# {name}: {datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _decoded(part: bytes) -> bytes:
    """What base64url without its filling stands for; what there is of it when it is broken."""
    try:
        return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error:
        return base64.urlsafe_b64decode(part[: len(part) // 4 * 4])
