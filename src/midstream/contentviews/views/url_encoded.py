"""The fields of a form that was sent URL-encoded."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped
from midstream.contentviews.yaml_text import LONGEST_VALUE, mapping
from midstream.text.url import decode_query

_STEP = 16 * 1024


class URLEncoded(Stepped):
    """By its type."""

    name = "URL-encoded"
    syntax_highlight = "yaml"
    needs_only_type = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        return mapping(_pairs(data))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if data and metadata.content_type == "application/x-www-form-urlencoded" else 0


def _pairs(data: bytes) -> Iterator[tuple[str, str] | None]:
    start = 0
    while start < len(data):
        end = data.find(b"&", start + _STEP)
        end = len(data) if end < 0 else end
        # A field of megabytes would take a second to decode.
        yield from decode_query(data[start : min(end, start + _STEP + 3 * LONGEST_VALUE)])
        yield None
        start = end + 1
