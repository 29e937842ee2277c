"""The data as text: UTF-8, or the charset that the message names; bytes that are no text as `\\xNN`."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.plain_text import as_utf8, content_type_of
from midstream.contentviews.stepped import Stepped


class Raw(Stepped):
    """Fits everything, but everything else fits better."""

    name = "Raw"
    comes_at_once = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        return as_utf8(data, content_type_of(metadata))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 0.1
