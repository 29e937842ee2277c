"""What the head of an image says, as YAML."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped


class Image(Stepped):
    """By its type, where the data begin as one of the formats that are read. Not for SVG, which is XML."""

    name = "Image"
    syntax_highlight = "yaml"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        from midstream.contentviews.image.facts import format_of
        from midstream.contentviews.yaml_text import mapping

        found = format_of(data)
        if found is None:
            raise ValueError("this is no image of a format that is read here")
        yield f"# {found.short} Image\n".encode()
        yield from mapping([("Format", found.name), *found.read(data)])

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        kind = metadata.content_type or ""
        if not kind.startswith("image/") or kind.endswith("+xml") or not data:
            return 0
        from midstream.contentviews.image.facts import format_of

        return 1 if format_of(data[:32]) is not None else 0
