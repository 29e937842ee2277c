"""What we tell a peer of HTTP/2 about ourselves, and how much we do for it: the limits, as docs/http2.md lists them.

Used by `http2_link.py` and the two sides; how many frames a peer may send for nothing stands in `wire/http2_budget.py`.
"""

from __future__ import annotations

from typing import Final

from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from midstream.wire.http1 import Limits

MAX_STREAMS: Final = 128
"""Streams that a client may have open at once on one connection (SETTINGS_MAX_CONCURRENT_STREAMS)."""
WINDOW: Final = 256 * 1024
"""How much of one body may wait unread at first (SETTINGS_INITIAL_WINDOW_SIZE)."""
LARGEST_WINDOW: Final = 4 * 1024 * 1024
SPARE_ROOM: Final = 16 * 1024 * 1024
"""The window of a body that is read as fast as it comes is doubled, up to the one, as long as all streams of the
connection together have not been given more than the other; so few large bodies are fast, and many take little."""
CONNECTION_WINDOW: Final = 16 * 1024 * 1024
"""For all bodies of a connection, given back as soon as they arrive: the windows of the streams are what bounds them,
so that streams whose readers stand still never starve the others."""
FIRST_WINDOW: Final = 65535  # of every connection, before anything is said of it (RFC 9113 §6.9.2)
MAX_FRAME: Final = 16384
"""The largest frame that we take (SETTINGS_MAX_FRAME_SIZE), and the largest piece of a body that we send at once."""
MOST_ANSWERS: Final = 64 * 1024
"""Frames that answer frames, such as that of a PING, wait unsent up to here for a peer that takes nothing."""
ONE_WRITE: Final = 64 * 1024
"""Bodies up to this size are given away in one go; larger ones piece by piece."""
MOST_QUEUED: Final = 64 * 1024
"""What may be gathered for one write."""
LAST_WORDS: Final = 1.0
"""Seconds that a peer that was cut off may go on sending, before it is not listened to any more."""

_CODES: Final = frozenset(int(code) for code in ErrorCodes)


def settings(is_client: bool, limits: Limits) -> dict[SettingCodes, int]:
    """What we tell the peer first."""
    told = {
        SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
        SettingCodes.MAX_HEADER_LIST_SIZE: limits.max_head,
        SettingCodes.MAX_FRAME_SIZE: MAX_FRAME,
    }
    if is_client:
        return told | {SettingCodes.ENABLE_PUSH: 0}
    return told | {SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS, SettingCodes.ENABLE_CONNECT_PROTOCOL: 1}


def name_of(code: ErrorCodes | int | None) -> str:
    """What an error code is called (RFC 9113 §7)."""
    return ErrorCodes(code).name if code in _CODES else hex(code or 0)
