"""What TCP and UDP flows have in common: a conversation of bytes of which we know nothing but the direction."""

import time
from typing import Any, Generic, Self, TypeVar

from midstream.flows import state as s
from midstream.flows.connection import Client, Server
from midstream.flows.flow import Flow

_MESSAGE = s.row(s.flag, s.binary, s.number)


class TunnelMessage:
    """Some bytes that one side sent: a chunk of a stream, or a datagram. `timestamp` is in seconds since the epoch."""

    __slots__ = {
        "content": "The bytes; those that an addon assigns are sent.",
        "from_client": "Whether the client sent it.",
        "timestamp": "When it came, in seconds since the epoch.",
    }

    def __init__(self, from_client: bool, content: bytes, timestamp: float | None = None) -> None:
        self.from_client = from_client
        self.content = content
        self.timestamp: float = time.time() if timestamp is None else timestamp

    def __repr__(self) -> str:
        return f"{'->' if self.from_client else '<-'} {self.content!r}"

    def get_state(self) -> tuple[bool, bytes, float]:
        """The plain values that a saved flow holds."""
        return self.from_client, self.content, self.timestamp

    def set_state(self, state: Any) -> None:
        """Take over the values of a state. Raises ValueError."""
        self.from_client, self.content, self.timestamp = _MESSAGE(state, "message")

    def copy(self) -> Self:
        """Another message with the same values."""
        return type(self)(*self.get_state())

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """A message with these values. Raises ValueError."""
        return cls._checked(state, "message")

    @classmethod
    def _checked(cls, value: Any, where: str) -> Self:
        return cls(*_MESSAGE(value, where))


M = TypeVar("M", bound=TunnelMessage)


class TunnelFlow(Flow, Generic[M], abstract=True):
    """A flow that is a list of messages. Editing the content of the last one changes what is forwarded."""

    __slots__ = {
        "messages": "What went over it so far, the newest last; of a long conversation the oldest are dropped."
    }

    messages: list[M]
    held_messages: Any

    def __init__(self, client_conn: Client, server_conn: Server, live: bool = False) -> None:
        super().__init__(client_conn, server_conn, live)
        self.messages = []

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        return {**super().get_state(), "messages": [message.get_state() for message in self.messages]}

    def _take(self, state: s.State, keep_live_parts: bool = False) -> None:
        super()._take(state, keep_live_parts)
        self.messages = list(self.messages)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} ({len(self.messages)} messages)>"


# The same slot by another name: what is in memory of them, also where touching them would read them (elsewhere.py).
TunnelFlow.held_messages = TunnelFlow.__dict__["messages"]


def tunnel_schema(message: type[TunnelMessage]) -> s.Schema:
    """The schema of a flow of such messages."""
    return s.Schema({**Flow._SCHEMA, "messages": s.listed(message._checked)})
