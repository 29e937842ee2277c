"""CSS, a declaration to a line."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.plain_text import as_utf8, content_type_of
from midstream.contentviews.stepped import Stepped, joined


class CSS(Stepped):
    """By its type."""

    name = "ViewCSS"  # as people and config files know it
    syntax_highlight = "css"
    comes_at_once = True
    needs_only_type = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        # Imported here: its patterns take a start milliseconds to compile.
        from midstream.contentviews import code_text

        return code_text.reindent(joined(as_utf8(data, content_type_of(metadata))), code_text.CSS)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if data and metadata.content_type == "text/css" else 0
