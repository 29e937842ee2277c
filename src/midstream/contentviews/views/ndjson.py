"""JSON texts in a row, each pretty: one to a line (ndjson.org, jsonlines.org), or begun by RS (RFC 7464)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.json_text import NotJson, reindent
from midstream.contentviews.plain_text import as_utf8, content_type_of
from midstream.contentviews.stepped import Stepped, joined

_TYPE = re.compile(r"application/(?:x-)?(?:ndjson|jsonl|jsonlines|json-lines|json-seq)|text/(?:x-)?(?:ndjson|jsonl)")
_SAYS_NOTHING = (None, "text/plain", "application/octet-stream", "application/json")
_LOOK = 16 * 1024
_STEP = 8 * 1024


class NDJSON(Stepped):
    """By its type, or because each of the first two lines is JSON."""

    name = "NDJSON"
    syntax_highlight = "yaml"
    comes_at_once = True
    needs_only_type = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        return _records(joined(as_utf8(data, content_type_of(metadata))))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if not data:
            return 0
        if _TYPE.fullmatch(metadata.content_type or ""):
            return 1
        # JSON is one text; by that type it is taken for this only if it cannot be that.
        return 1.1 if metadata.content_type in _SAYS_NOTHING and _begins_as_lines(data) else 0


def _records(text: bytes) -> Iterator[bytes | None]:
    """Each line; one that is no JSON stands as it is."""
    start, since = 0, 0
    while start < len(text):
        end = text.find(b"\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end].strip(b" \t\r\x1e")
        if line:
            yield from _record(line)
        since += end - start + 16
        if since > _STEP:
            yield None
            since = 0
        start = end + 1


def _record(line: bytes) -> Iterator[bytes | None]:
    parts: list[bytes] = []
    try:
        for part in reindent(line):
            if part is None:
                yield None
            else:
                parts.append(part)
    except NotJson:
        parts = [line]
    yield b"".join([*parts, b"\n"])


def _begins_as_lines(data: bytes) -> bool:
    lines = data[:_LOOK].split(b"\n", 2)
    return len(lines) == 3 and all(_is_json(line.strip(b" \t\r")) for line in lines[:2])


def _is_json(line: bytes) -> bool:
    if line[:1] not in (b"{", b"["):
        return False
    try:
        for _ in reindent(line):
            pass
    except NotJson:
        return False
    return True
