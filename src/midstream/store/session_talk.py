"""The messages of one conversation (WebSocket, TCP, UDP), and which of them a session has written already.

`session` asks at each write for what is new: a conversation of a hundred thousand messages is not written again because
there is one more. The proxy drops the oldest of a long one; what is left keeps its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from midstream.flows.elsewhere import Elsewhere, conversation_of
from midstream.flows.flow import Flow

Written: TypeAlias = tuple[int, tuple[Any, ...]]

# Messages before the end that are looked at again at each write: they may be held and edited meanwhile. What is edited
# further back is found when the flow leaves memory, or the session ends.
_RECENT = 256
_TAIL = 16
_MESSAGE_SIZE = 200  # bytes of memory, without its content


def messages_of(flow: Flow) -> Sequence[Any] | Elsewhere[list[Any]] | None:
    """The messages of a conversation, which are not read for it; None for a flow that is none."""
    owner = conversation_of(flow)
    return None if owner is None else owner.held_messages


class Talk:
    """What was written of one conversation, by identity: neither messages nor their bytes are copied."""

    __slots__ = ("_contents", "_known", "_tail", "_unread", "first", "size")

    def __init__(self, first: int = 0) -> None:
        self.first = first
        """The number of the first message that is left."""
        self.size = 0
        """About how many bytes the messages take in memory."""
        self._known: list[Any] = []
        self._contents: list[bytes] = []
        self._tail: list[tuple[Any, ...]] = []
        self._unread = 0  # messages that are written, and that nobody has seen since

    @property
    def span(self) -> tuple[int, int]:
        """The number of the first message that is left, and how many there are, as written last."""
        return self.first, self._unread or len(self._known)

    def is_as_written(self, messages: Sequence[Any] | Elsewhere[list[Any]]) -> bool:
        """Whether nothing at all has changed."""
        if isinstance(messages, Elsewhere):  # nobody has touched them
            return True
        known, contents = self._known, self._contents
        if self._unread or len(messages) != len(known):
            return False
        if any(message is not known[i] or message.content is not contents[i] for i, message in enumerate(messages)):
            return False
        return self._tail == [message.get_state() for message in messages[len(messages) - len(self._tail) :]]

    def news(self, messages: Sequence[Any] | Elsewhere[list[Any]], *, all_of_them: bool = False) -> list[Written]:
        """What is to be written now, and take it for written."""
        if isinstance(messages, Elsewhere):
            return []
        self.first += self._unread  # somebody put others in their place
        self._unread = 0
        if self._known and (not messages or messages[0] is not self._known[0]):
            self._forget(messages)
        known, contents = self._known, self._contents
        tail = len(known) - len(self._tail)
        del known[len(messages) :], contents[len(messages) :]
        found: list[Written] = []
        for i in range(0 if all_of_them else max(0, len(known) - _RECENT), len(known)):
            message = messages[i]
            is_same = message is known[i] and message.content is contents[i]
            if not is_same or (i >= tail and message.get_state() != self._tail[i - tail]):
                found.append((self.first + i, message.get_state()))
                known[i], contents[i] = message, message.content
        for i in range(len(known), len(messages)):
            message = messages[i]
            found.append((self.first + i, message.get_state()))
            known.append(message)
            contents.append(message.content)
            self.size += len(message.content) + _MESSAGE_SIZE
        self._tail = [message.get_state() for message in messages[-_TAIL:]]
        return found

    def take_as_written(self, messages: Sequence[Any] | Elsewhere[list[Any]]) -> None:
        """These were just read from the session, or will be when somebody touches them."""
        if isinstance(messages, Elsewhere):
            if not messages.is_read:
                messages.on_read = self.take_as_written
                self._unread = len(messages)
                self.size = _MESSAGE_SIZE * len(messages)
                return
            messages = messages.value() or []
        self._unread = 0
        self._known, self._contents = list(messages), [message.content for message in messages]
        self._tail = [message.get_state() for message in messages[-_TAIL:]]
        self.size = sum(map(len, self._contents)) + _MESSAGE_SIZE * len(self._contents)

    def _forget(self, messages: Sequence[Any]) -> None:
        """The oldest are gone; if none is as it was, all are written anew, under new numbers."""
        left = messages[0] if messages else None
        gone = next((i for i, message in enumerate(self._known) if message is left), len(self._known))
        self.size -= sum(map(len, self._contents[:gone])) + _MESSAGE_SIZE * gone
        del self._known[:gone], self._contents[:gone]
        self.first += gone
