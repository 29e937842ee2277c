"""JSON with line breaks and indentation; numbers, escapes and doubled keys stay as they came."""

from __future__ import annotations

import re
from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.json_text import begins_as_json, reindent
from midstream.contentviews.plain_text import as_utf8, content_type_of
from midstream.contentviews.stepped import Stepped, joined

# Not the types of several texts, one to a line.
_TYPE = re.compile(r"application/(?!.*(?:ndjson|jsonl|json-seq)).*json(?:-rpc)?|text/json")


class JSON(Stepped):
    """By its type, or by how it begins when the type says nothing else."""

    name = "JSON"
    syntax_highlight = "yaml"  # which JSON is a part of
    comes_at_once = True
    needs_only_type = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        text = joined(as_utf8(data, content_type_of(metadata)))
        return reindent(text)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if not data:
            return 0
        if _TYPE.fullmatch(metadata.content_type or ""):
            return 1
        return 0.3 if begins_as_json(data) else 0
