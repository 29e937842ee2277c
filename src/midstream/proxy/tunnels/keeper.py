"""Keeps the messages of a conversation in its flow, within what a flow may take of memory.

Used by tunnels and WebSockets.
"""

from collections import deque
from typing import Generic, Protocol, TypeVar

from midstream.flows.flow import Flow
from midstream.proxy.held import Holding
from midstream.proxy.settings import Settings

# What a message costs beside its bytes: without it, a tunnel of single bytes would hold a hundred times its limit.
MESSAGE_OVERHEAD = 200


class Kept(Protocol):
    """What messages of all protocols have."""

    content: bytes
    from_client: bool
    timestamp: float


M = TypeVar("M", bound=Kept)


class Keeper(Generic[M]):
    """Adds messages to a flow and forgets the oldest once they take more memory than a flow may, or all flows."""

    __slots__ = ("_flow", "_held", "_holding", "_most", "_most_of_all", "_sizes")

    def __init__(self, flow: Flow, settings: Settings, holding: Holding) -> None:
        self._flow = flow
        self._holding = holding
        self._most = settings.body_buffer_limit
        self._most_of_all = settings.total_buffer_limit
        self._sizes: deque[int] = deque()
        self._held = 0

    def keep(self, messages: list[M], message: M) -> None:
        """Make `message` the last of `messages`, which are those of the flow."""
        size = len(message.content) + MESSAGE_OVERHEAD
        messages.append(message)
        self._sizes.append(size)
        self._held += size
        if not self._holding.take(size, self._most_of_all) or self._held > self._most:
            self._forget(messages)

    def _forget(self, messages: list[M]) -> None:
        """Drop a quarter at once: taking the first of a long list moves all the others."""
        count, before = 0, self._held
        while len(self._sizes) > 1 and self._held > before * 3 // 4:
            self._held -= self._sizes.popleft()
            count += 1
        self._holding.give_back(before - self._held)
        del messages[: min(count, len(messages) - 1)]
        self._flow.metadata["messages_dropped"] = self._flow.metadata.get("messages_dropped", 0) + count


def as_it_is_now(messages: list[M], shown: M) -> M:
    """The message that addons were shown; or what stands in its place, for an undo replaces messages by copies."""
    last = messages[-1] if messages else shown
    if last is not shown and (last.timestamp, last.from_client) == (shown.timestamp, shown.from_client):
        return last
    return shown
