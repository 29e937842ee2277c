"""Bytes as offset, sixteen in hex, and the ASCII among them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped
from midstream.text.hexdump import hexdump, looks_binary

_STEP = 1000


class HexDump(Stepped):
    """For data that are no text."""

    name = "Hex Dump"
    comes_at_once = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        lines = hexdump(data)
        while part := "".join(f"{line}\n" for line in islice(lines, _STEP)):
            yield part.encode("ascii")
            yield None

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 0.5 if data and looks_binary(data) else 0
