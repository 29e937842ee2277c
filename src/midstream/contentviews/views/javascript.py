"""JavaScript, a statement to a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.plain_text import as_utf8, content_type_of
from midstream.contentviews.stepped import Stepped, joined

# RFC 9239 §6: text/javascript and its older names.
_TYPES = re.compile(r"(?:text|application)/(?:x-)?(?:java|ecma)script")


class JavaScript(Stepped):
    """By its type."""

    name = "JavaScript"
    syntax_highlight = "javascript"
    comes_at_once = True
    needs_only_type = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        # Imported here: its patterns take a start milliseconds to compile.
        from midstream.contentviews.code_text import JAVASCRIPT, reindent

        return reindent(joined(as_utf8(data, content_type_of(metadata))), JAVASCRIPT)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if data and _TYPES.fullmatch(metadata.content_type or "") else 0
