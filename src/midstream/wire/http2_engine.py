"""The library h2 as both HTTP/2 sides of the proxy need it: streams outlive a goodbye, and are counted by their user.

Made by `proxy/http/http2_link.py`, one per connection. `http2_connection.py` keeps h2 within bounds; this one adds the
rules of RFC 9113 that h2 does not check, and takes away those that would end a whole connection over one stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from h2.connection import AllowedStreamIDs, ConnectionInputs, ConnectionState, H2ConnectionStateMachine
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame, RstStreamFrame, SettingsFrame

from midstream.wire.hpack_encoder import HeaderEncoder
from midstream.wire.http1_syntax import Limits
from midstream.wire.http2_connection import Http2Connection

if TYPE_CHECKING:
    from h2.events import Event
    from h2.stream import H2Stream


class _LastingState(H2ConnectionStateMachine):
    """Connection states in which streams under way finish after a GOAWAY (RFC 9113 §6.8); h2 would end them all."""

    _transitions = H2ConnectionStateMachine._transitions | {
        (state, goodbye): (None, state)
        for state in ConnectionState
        for goodbye in (ConnectionInputs.RECV_GOAWAY, ConnectionInputs.SEND_GOAWAY)
    }


class Engine(Http2Connection):
    """One end of a connection. `settings` are told to the peer."""

    def __init__(self, *, client_side: bool, settings: Mapping[SettingCodes, int], limits: Limits) -> None:
        super().__init__(client_side=client_side, limits=limits)
        self.state_machine = _LastingState()
        self.encoder = HeaderEncoder()  # type: ignore[assignment]
        self.local_settings = Settings(client=client_side, initial_values=dict(settings))
        self.max_inbound_frame_size = self.local_settings.max_frame_size
        self.fault: ProtocolError | None = None
        """How the peer broke the protocol; the goodbye that says so is made."""
        self._events: list[Event] = []
        self._settings_due = True

    @property
    def open_inbound_streams(self) -> int:
        """None, for h2: too many of them refuse the newest (RFC 9113 §5.1.2), where h2 would end the connection."""
        return 0

    @property
    def open_outbound_streams(self) -> int:
        """None, for h2, which would look at every stream for each new one."""
        return 0

    def forget(self, stream_id: int) -> None:
        """A stream is over: keep no more of it than how it ended."""
        stream = self.streams.pop(stream_id, None)
        if stream is not None:
            self._closed_streams[stream_id] = stream.closed_by

    def let_go(self) -> None:
        """Nothing comes in any more: drop the table of methods, which would keep this object alive."""
        self._frame_dispatch_table.clear()

    def clear_outbound_data_buffer(self) -> None:
        """Not at a GOAWAY, which is when h2 does it: streams under way go on."""

    def take(self, data: bytes | memoryview) -> list[Event]:
        """What frames say, up to one that is a `fault`; `receive_data` would drop what came in one piece with that."""
        self._events = []
        try:
            self.receive_data(data)
        except ProtocolError as fault:
            self.fault = fault
        return self._events

    def _receive_frame(self, frame: Frame) -> list[Event]:
        if self._settings_due:
            if not isinstance(frame, SettingsFrame) or "ACK" in frame.flags:
                raise ProtocolError("the first frame is not SETTINGS")  # RFC 9113 §3.4
            self._settings_due = False
        if isinstance(frame, RstStreamFrame) and self._is_idle(frame.stream_id):
            raise ProtocolError(f"RST_STREAM for stream {frame.stream_id}, which was never opened")  # RFC 9113 §6.4
        self._events += super()._receive_frame(frame)
        return []  # they are gathered here

    def _is_idle(self, stream_id: int) -> bool:
        is_ours = stream_id % 2 == int(self.config.client_side)
        return stream_id > (self.highest_outbound_stream_id if is_ours else self.highest_inbound_stream_id)

    def _begin_new_stream(self, stream_id: int, allowed_ids: AllowedStreamIDs) -> H2Stream:
        if self.config.client_side and not self._stream_id_is_outbound(stream_id):
            raise ProtocolError(f"the server opened stream {stream_id}")  # RFC 9113 §8.4: push is off
        stream = super()._begin_new_stream(stream_id, allowed_ids)
        # A body unlike its Content-Length ends its stream only (RFC 9113 §8.1.1): whoever reads the body counts.
        stream._initialize_content_length = _unmeasured  # type: ignore[method-assign]
        return stream


def _unmeasured(headers: Any) -> None:
    pass
