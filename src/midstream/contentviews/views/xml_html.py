"""XML and HTML, one tag to a line."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.plain_text import as_utf8, content_type_of
from midstream.contentviews.stepped import Stepped, joined


class XmlHtml(Stepped):
    """By its type, or by the bracket at its beginning."""

    name = "XML/HTML"
    syntax_highlight = "xml"
    comes_at_once = True
    needs_only_type = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        # Imported here: its patterns take a start milliseconds to compile.
        from midstream.contentviews.markup_text import reindent

        return reindent(joined(as_utf8(data, content_type_of(metadata))))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if not data:
            return 0
        if metadata.content_type in ("text/html", "text/xml"):
            return 1
        return 0.4 if data[:64].lstrip(b" \t\r\n").startswith(b"<") else 0
