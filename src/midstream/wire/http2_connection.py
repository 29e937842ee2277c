"""The connection of the h2 library, with its header checks off and with bounds where it takes whatever a peer sends.

What `http2_engine` builds on. `http2_fields` and `http2_outgoing` do the checking, and `http2_budget` counts frames
before they come here. Streams, windows and frames are h2's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import NoSuchStreamError, ProtocolError, StreamClosedError, StreamIDTooLowError
from h2.settings import SettingCodes, Settings
from hpack import HPACKError, OversizedHeaderListError
from hpack.struct import HeaderTuple
from hyperframe.frame import Frame, RstStreamFrame

from midstream.wire.hpack_decoder import HeaderDecoder
from midstream.wire.http1_syntax import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from h2.events import Event

MAX_TABLE_UPDATES: Final = 2
"""How often the table may be resized at the start of a header block (RFC 7541 §4.2 needs no more); hpack takes a block
of nothing else, at 0.6 µs for each byte.
"""

_KNOWN_SETTINGS: Final = frozenset(SettingCodes)
_MISPLACED: Final = re.compile(r"Invalid input \w+\.RECV_(\w+) in state")


class CompressionFailed(ProtocolError):
    """A header block cannot be decoded. RFC 9113 §4.3 wants another code than the one that h2 would send."""

    error_code = ErrorCodes.COMPRESSION_ERROR


class BoundedDecoder(HeaderDecoder):
    """Refuses blocks that begin with one table size after another."""

    __slots__ = ()

    def decode(self, data: bytes, raw: bool = False) -> list[HeaderTuple]:
        """Raises CompressionFailed, OversizedHeaderListError."""
        at = updates = 0
        while at < len(data) and data[at] & 0xE0 == 0x20:
            updates += 1
            if updates > MAX_TABLE_UPDATES:
                raise CompressionFailed(f"more than {MAX_TABLE_UPDATES} table size updates begin a header block")
            more = data[at] & 0x1F == 0x1F  # RFC 7541 §5.1: the number goes on in the next bytes
            at += 1
            while more and at < len(data):
                more = data[at] >= 0x80
                at += 1
        try:
            return super().decode(data, raw)
        except OversizedHeaderListError:
            raise
        except HPACKError as exc:
            raise CompressionFailed(f"a header block cannot be decoded: {exc}") from exc


class KnownSettings(Settings):
    """A peer's settings without those that nobody knows, which h2 would keep: 60,000 of them are 50 MB."""

    def __setitem__(self, key: SettingCodes | int, value: int) -> None:
        if key in _KNOWN_SETTINGS:  # RFC 9113 §6.5.2: unknown ones have to be ignored
            super().__setitem__(key, value)


class Http2Connection(H2Connection):
    """One HTTP/2 connection. Header lists go in and out as they are: pairs of bytes, unchecked."""

    # h2 remembers how each stream ended, to treat late frames as RFC 9113 §5.1 says; its default costs 7 MB.
    MAX_CLOSED_STREAMS = 1024

    def __init__(self, *, client_side: bool, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(
            H2Configuration(
                client_side=client_side,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
            )
        )
        # Above the limit that peers are told a message is refused. Above this one the connection ends, since what is
        # not decoded is missing in the table.
        self.decoder = BoundedDecoder(2 * limits.max_head)  # type: ignore[assignment]
        self.remote_settings = KnownSettings(client=not client_side)

    def _receive_frame(self, frame: Frame) -> list[Event]:
        """As h2 does, which first makes a text of each frame for a log that nobody reads: 14 of 21 µs for 16 KB."""
        try:
            frames, events = self._frame_dispatch_table[frame.__class__](frame)
        except StreamClosedError as late:
            if not self._stream_is_closed_by_reset(late.stream_id):
                raise
            self._reset_again(late.stream_id, late.error_code)
            return late._events
        except StreamIDTooLowError as late:
            if self._stream_is_closed_by_reset(late.stream_id):
                self._reset_again(late.stream_id, ErrorCodes.STREAM_CLOSED)
                return []
            if self._stream_is_closed_by_end(late.stream_id):
                raise StreamClosedError(late.stream_id) from late
            raise
        self._prepare_for_sending(frames)
        return events  # type: ignore[no-any-return]

    def _reset_again(self, stream_id: int, code: ErrorCodes | int) -> None:
        frame = RstStreamFrame(stream_id)
        frame.error_code = code
        self._prepare_for_sending([frame])


def explain_fault(error: ProtocolError) -> str:
    """What a peer did wrong, where h2 says it in its own terms or in a bare number."""
    match error:
        case StreamIDTooLowError():
            return f"stream {error.stream_id} was opened after stream {error.max_stream_id}"
        case StreamClosedError():
            return f"a frame came for stream {error.stream_id}, which is over"
        case NoSuchStreamError():
            return f"a frame came for stream {error.stream_id}, which was never opened"
    text = str(error) or type(error).__name__
    if (misplaced := _MISPLACED.match(text)) is not None:
        return f"a {misplaced[1]} frame came where none may be"
    return text
