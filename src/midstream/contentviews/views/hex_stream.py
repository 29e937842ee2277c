"""Bytes as one run of hex digits, which can be edited and made into bytes again."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.stepped import Stepped
from midstream.text.hexdump import looks_binary

_STEP = 256 * 1024


class HexStream(Stepped, InteractiveContentview):
    """For data that are no text, as the hex dump, which is chosen before it."""

    name = "Hex Stream"
    comes_at_once = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        for start in range(0, len(data), _STEP):
            yield data[start : start + _STEP].hex().encode("ascii")
            yield None

    def reencode(self, prettified: str, metadata: Metadata) -> bytes:
        try:
            return bytes.fromhex(prettified)
        except ValueError as error:
            raise ValueError(f"this is no run of hex digits: {error}") from None

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 0.4 if data and looks_binary(data) else 0
