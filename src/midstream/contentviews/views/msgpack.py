"""MsgPack as YAML; several values one after the other are several documents."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.stepped import Stepped, joined

_TYPES = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")


class MsgPack(Stepped, InteractiveContentview):
    """By its type."""

    name = "MsgPack"
    syntax_highlight = "yaml"
    comes_at_once = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        from midstream.contentviews import msgpack
        from midstream.contentviews.containers import documents

        return documents(data, msgpack.read)

    def reencode(self, prettified: str, metadata: Metadata) -> bytes:
        from midstream.contentviews import msgpack, yaml_nodes

        original = metadata.original_data
        if original is not None and prettified == joined(self.steps(original, metadata)).decode("utf-8", "replace"):
            return original
        values = [yaml_nodes.read(document) for document in yaml_nodes.documents(prettified)]
        return b"".join(msgpack.encode(value) for value in values if value is not None)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if data and metadata.content_type in _TYPES else 0
