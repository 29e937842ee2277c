"""The fields of a form that was sent as multipart/form-data, without the heads of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from midstream.contentviews.api import Metadata
from midstream.contentviews.plain_text import content_type_of
from midstream.contentviews.stepped import Stepped
from midstream.contentviews.yaml_text import LONGEST_VALUE, mapping
from midstream.flows import multipart
from midstream.text.sizes import human_size


class MultipartForm(Stepped):
    """By its type."""

    name = "Multipart Form"
    syntax_highlight = "yaml"
    needs_only_type = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        boundary = multipart.boundary_of(content_type_of(metadata))
        if boundary is None:
            raise ValueError("the Content-Type names no boundary")
        chunks = multipart.chunks(data, boundary)
        first = next(chunks, None)
        if first is None:
            raise ValueError("the boundary that the Content-Type names is not in the data")
        return mapping(_pair(chunk) for chunk in chain([first], chunks))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if data and metadata.content_type == "multipart/form-data" else 0


def _pair(chunk: bytes) -> tuple[str, str] | None:
    part = multipart.part_of(chunk)
    return None if part is None else (_text(part.name), _text(part.value))


def _text(value: bytes) -> str:
    """A field as text; of a large file the beginning."""
    text = value[:LONGEST_VALUE].decode("utf-8", "surrogateescape")
    more = len(value) - LONGEST_VALUE
    return text if more <= 0 else f"{text} … {human_size(more)} more"
