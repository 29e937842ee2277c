"""WebSocket messages, as they hang on the HTTP flow of their handshake.

Made by the proxy: frames are reassembled before anyone sees them, pings and closes are no messages. The frame codec is
`wire`'s business.
"""

import time
from typing import Any

from midstream.flows import state as s

TEXT = 1
"""RFC 6455 §5.6: the opcode of text messages."""
BINARY = 2
"""RFC 6455 §5.6: the opcode of binary messages."""

_CLOSE_WORDS = {
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "no code",
    1006: "broke off",
    1007: "invalid data",
    1008: "against its policy",
    1009: "message too big",
    1010: "extension missing",
    1011: "internal error",
    1012: "restarting",
    1013: "try again later",
    1014: "bad gateway",
}
"""RFC 6455 §7.4.1 and the registry of IANA, without 1000, which means nothing in particular."""


class WebSocketMessage:
    """One message. `content` is always bytes. `dropped` ones are not forwarded, `injected` ones are not the peer's."""

    __slots__ = {
        "content": "The message as bytes, also when it is text.",
        "dropped": "Whether it is kept back; see `drop`.",
        "from_client": "Whether the client sent it.",
        "injected": "Whether it was made here.",
        "timestamp": "When it came, in seconds since the epoch.",
        "type": "The opcode of RFC 6455: text or binary.",
    }

    def __init__(
        self,
        type: int,
        from_client: bool,
        content: bytes,
        timestamp: float | None = None,
        dropped: bool = False,
        injected: bool = False,
    ) -> None:
        self.type = type
        self.from_client = from_client
        self.content = content
        self.timestamp: float = time.time() if timestamp is None else timestamp
        self.dropped = dropped
        self.injected = injected

    @property
    def is_text(self) -> bool:
        """Whether the sender declared it to be text."""
        return self.type == TEXT

    @property
    def text(self) -> str:
        """The content of a text message. Raises AttributeError for binary ones."""
        self._must_be_text()
        return self.content.decode("utf-8", "surrogateescape")

    @text.setter
    def text(self, value: str) -> None:
        self._must_be_text()
        self.content = value.encode("utf-8", "surrogateescape")

    def _must_be_text(self) -> None:
        if not self.is_text:
            raise AttributeError(f"a WebSocket message of type {self.type} has no text; use .content")

    def drop(self) -> None:
        """Do not forward this message."""
        self.dropped = True

    def kill(self) -> None:
        """Old name of `drop`."""
        self.drop()

    def __repr__(self) -> str:
        return repr(self.text if self.is_text else self.content)

    def get_state(self) -> tuple[int, bool, bytes, float, bool, bool]:
        """The plain values that a saved flow holds."""
        return self.type, self.from_client, self.content, self.timestamp, self.dropped, self.injected

    def set_state(self, state: Any) -> None:
        """Take over the values of a state. Raises ValueError."""
        self.__init__(*checked_message(state, "websocket message").get_state())  # type: ignore[misc]

    def copy(self) -> "WebSocketMessage":
        """Another message with the same values."""
        return WebSocketMessage(*self.get_state())

    @classmethod
    def from_state(cls, state: Any) -> "WebSocketMessage":
        """A message with these values. Raises ValueError."""
        return checked_message(state, "websocket message")


_MESSAGE = s.row(s.integer, s.flag, s.binary, s.number, s.flag, s.flag)


def checked_message(value: Any, where: str) -> WebSocketMessage:
    """A state check: a message."""
    row = _MESSAGE(value, where)
    if row[0] not in (TEXT, BINARY):
        raise s.StateError(f"{where}: {row[0]} is no type of message")
    return WebSocketMessage(*row)


class WebSocketData:
    """What happened on a WebSocket: its messages, and how it was closed once it is (None before)."""

    __slots__ = {
        "__weakref__": "",
        "close_code": "The status of the closing, by RFC 6455 §7.4; None while it is open.",
        "close_reason": "The words that came with it.",
        "closed_by_client": "Who closed it; None while it is open.",
        "messages": "All messages so far, the newest last.",
        "timestamp_end": "When it was closed.",
    }

    held_messages: Any

    def __init__(
        self,
        messages: list[WebSocketMessage] | None = None,
        closed_by_client: bool | None = None,
        close_code: int | None = None,
        close_reason: str | None = None,
        timestamp_end: float | None = None,
    ) -> None:
        self.messages: list[WebSocketMessage] = [] if messages is None else messages
        self.closed_by_client = closed_by_client
        self.close_code = close_code
        self.close_reason = close_reason
        self.timestamp_end = timestamp_end

    def __repr__(self) -> str:
        return f"<WebSocketData ({len(self.messages)} messages)>"

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        return {
            "messages": [message.get_state() for message in self.messages],
            "closed_by_client": self.closed_by_client,
            "close_code": self.close_code,
            "close_reason": self.close_reason,
            "timestamp_end": self.timestamp_end,
        }

    def set_state(self, state: s.State) -> None:
        """Take over the values of a state; nothing is changed when it is refused. Raises ValueError."""
        self._take(s.read(state, "websocket", _DATA))

    def _take(self, values: s.State) -> None:
        values["messages"] = list(values["messages"])
        for name, value in values.items():
            setattr(self, name, value)

    def copy(self) -> "WebSocketData":
        """The same, with messages of its own."""
        return checked_data(self.get_state(), "websocket")

    @classmethod
    def from_state(cls, state: s.State) -> "WebSocketData":
        """Data with these values. Raises ValueError."""
        return checked_data(state, "websocket")


# The same slot by another name: what is in memory of them, also where touching them would read them (elsewhere.py).
WebSocketData.held_messages = WebSocketData.__dict__["messages"]

_DATA: s.Schema = s.Schema(
    {
        "messages": s.listed(checked_message),
        "closed_by_client": s.optional(s.flag),
        "close_code": s.optional(s.integer),
        "close_reason": s.optional(s.text),
        "timestamp_end": s.optional(s.number),
    }
)


def checked_data(value: Any, where: str) -> WebSocketData:
    """A state check: WebSocket data."""
    data = WebSocketData()
    data._take(s.read(value, where, _DATA))
    return data


def close_words(data: WebSocketData) -> str:
    """Why a WebSocket was closed, for people: what the closing side said, else what the code means."""
    if data.close_reason or data.closed_by_client is None:
        return data.close_reason or ""  # what the proxy ended has an error that says why
    return _CLOSE_WORDS.get(data.close_code or 0, "")
