"""WBXML as XML, with the names of Exchange ActiveSync and of WAP push."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped

_TYPES = ("application/vnd.wap.wbxml", "application/vnd.ms-sync.wbxml", "application/vnd.ms-sync")


class WBXML(Stepped):
    """By its type. The plain `vnd.ms-sync` is what Exchange calls it in some answers."""

    name = "WBXML"
    syntax_highlight = "xml"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        from midstream.contentviews.calling import as_bytes
        from midstream.contentviews.wbxml import to_xml

        gathered: list[str] = []
        for piece in to_xml(data):
            if piece is None:
                yield as_bytes("".join(gathered))
                gathered.clear()
                yield None
            else:
                gathered.append(piece)
        yield as_bytes("".join(gathered))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if data and metadata.content_type in _TYPES else 0
