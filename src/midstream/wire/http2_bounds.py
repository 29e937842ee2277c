"""Bounds for two parts of the h2 library that take whatever a peer sends: the HPACK decoder and the peer's settings.

Put into each connection by `http2_engine`. What the frames themselves may cost is `http2_budget`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from h2.settings import SettingCodes, Settings
from hpack import Decoder, HPACKDecodingError
from hpack.struct import Header

MAX_TABLE_UPDATES: Final = 2
"""How often the table may be resized at the start of a header block (RFC 7541 §4.2 needs no more); hpack takes a block
of nothing else, at 0.6 µs for each byte.
"""

_KNOWN_SETTINGS: Final = frozenset(SettingCodes)


class BoundedDecoder(Decoder):
    """Refuses blocks that begin with one table size after another, as h2 refuses other faults of compression."""

    def decode(self, data: bytes, raw: bool = False) -> Iterable[Header]:  # type: ignore[override]
        at = updates = 0
        while at < len(data) and data[at] & 0xE0 == 0x20:
            updates += 1
            if updates > MAX_TABLE_UPDATES:
                raise HPACKDecodingError(f"more than {MAX_TABLE_UPDATES} table size updates begin a header block")
            more = data[at] & 0x1F == 0x1F  # RFC 7541 §5.1: the number goes on in the next bytes
            at += 1
            while more and at < len(data):
                more = data[at] >= 0x80
                at += 1
        return super().decode(data, raw)


class KnownSettings(Settings):
    """A peer's settings without those that nobody knows, which h2 would keep: 60,000 of them are 50 MB."""

    def __setitem__(self, key: SettingCodes | int, value: int) -> None:
        if key in _KNOWN_SETTINGS:  # RFC 9113 §6.5.2: unknown ones have to be ignored
            super().__setitem__(key, value)
