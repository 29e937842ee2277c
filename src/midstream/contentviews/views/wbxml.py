"""WBXML as XML, with the names of Exchange ActiveSync and of WAP push."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped

# A text of the table may be named again and again.
_MOST_GROWTH = 24
_LEAST_ALLOWED = 256 * 1024
_TYPES = ("application/vnd.wap.wbxml", "application/vnd.ms-sync.wbxml", "application/vnd.ms-sync")


class WBXML(Stepped):
    """By its type. The plain `vnd.ms-sync` is what Exchange calls it in some answers."""

    name = "WBXML"
    syntax_highlight = "xml"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        from midstream.contentviews.calling import as_bytes
        from midstream.contentviews.wbxml import to_xml

        gathered: list[str] = []
        allowed = _MOST_GROWTH * len(data) + _LEAST_ALLOWED
        for piece in to_xml(data):
            if piece is not None:
                gathered.append(piece)
                allowed -= len(piece)
            if piece is None or allowed < 0:
                yield as_bytes("".join(gathered))
                gathered.clear()
                yield None
            if allowed < 0:
                yield b"\n<!-- cut off here: it becomes too long to be worth reading -->\n"
                return
        yield as_bytes("".join(gathered))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if data and metadata.content_type in _TYPES else 0
