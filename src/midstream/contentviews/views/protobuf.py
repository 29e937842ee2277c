"""Protocol Buffers: the fields by number, or by name where the option `protobuf_definitions` tells them."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.stepped import Stepped, joined

_TYPES = frozenset(
    {
        "application/x-protobuf",
        "application/protobuf",
        "application/proto",
        "application/x-google-protobuf",
        "application/vnd.google.protobuf",
    }
)


class Protobuf(Stepped, InteractiveContentview):
    """By its type. An empty body is a message as well: one without fields."""

    name = "Protobuf"
    syntax_highlight = "yaml"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        # Imported here, like all that is below: few people look at such messages.
        from midstream.contentviews.protobuf import chosen, reading
        from midstream.contentviews.yaml_tree import write

        message, remarks = chosen.for_message(metadata)
        for remark in remarks:
            yield f"# {remark}\n".encode("utf-8", "backslashreplace")
        yield from write(reading.events(data, message), len(data))

    def reencode(self, prettified: str, metadata: Metadata) -> bytes:
        from midstream.contentviews import yaml_nodes
        from midstream.contentviews.protobuf import chosen, writing

        original = metadata.original_data
        new = yaml_nodes.read(prettified)
        if original is None:
            return writing.encode(new, chosen.for_message(metadata).message)
        old = yaml_nodes.read(joined(self.steps(original, metadata)).decode("utf-8", "backslashreplace"))
        return writing.encode(new, chosen.for_message(metadata).message, old, original)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if metadata.content_type in _TYPES else 0
