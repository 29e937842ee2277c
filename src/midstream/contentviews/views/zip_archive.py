"""What is in a ZIP archive: the names of the files. Nothing is decompressed, so a bomb is a name like others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped

if TYPE_CHECKING:
    from midstream.contentviews.zip_listing import Entry

_STEP = 500
_TYPES = ("application/zip", "application/x-zip-compressed", "application/java-archive")


class ZipArchive(Stepped):
    """By its type."""

    name = "ZIP Archive"
    syntax_highlight = "yaml"
    comes_at_once = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        from midstream.contentviews.calling import as_bytes
        from midstream.contentviews.yaml_text import scalar
        from midstream.contentviews.zip_listing import entries, is_whole

        if not is_whole(data):
            yield b"# the end is missing: these are the files that begin in what is there\n"
        lines: list[str] = []
        for one in entries(data):
            comment = _remarks(one)
            lines.append(f"- {scalar(one.name)}{comment and '  # '}{comment}\n")
            if len(lines) >= _STEP:
                yield as_bytes("".join(lines))
                yield None
                lines.clear()
        yield as_bytes("".join(lines)) if lines else b""

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if data and metadata.content_type in _TYPES else 0


def _remarks(one: Entry) -> str:
    parts = []
    if one.size is not None and not one.name.endswith("/"):
        parts.append(f"{one.size:,} bytes")
    if one.is_encrypted:
        parts.append("encrypted")
    return ", ".join(parts)
