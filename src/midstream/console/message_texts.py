"""A message of a WebSocket, TCP or UDP conversation as a text that is edited in place, held or not.

`console.edit.text message` opens one in `panes/text_pane.py`. What is text is edited as text; bytes as the content view
shows them that fits them, hex digits if none does. Bodies have edit_texts.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.console import edit_parts, edit_views
from midstream.console.edit_texts import Problem, TextSubject, body_problem
from midstream.console.text_bytes import TextForm, to_bytes, to_text
from midstream.console.widgets.text_edit import MOST
from midstream.flows.errors import CommandError
from midstream.flows.waiting import messages_of
from midstream.flows.websocket import WebSocketMessage

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.edit_parts import ConversationMessage
    from midstream.flows.flow import Flow

PART = "message"


def subject_of(console: Console, flow: Flow, part: str, raw: bool = False) -> MessageText:
    """What `console.edit.text` edits: `message`, `message (Hex Stream)`; `raw`: byte by byte. CommandError why not."""
    message = edit_parts.meant_message(console, flow)
    if len(message.content) > MOST:
        raise CommandError(f"the message is longer than {MOST // 1024} kB: e e opens it in $EDITOR")
    entries = [entry for entry in edit_views.entries(console, flow) if entry.part == PART]
    is_text = isinstance(message, WebSocketMessage) and message.is_text
    for entry in entries:
        if part == entry.name or (part == PART and not raw and not is_text):
            subject: MessageText = ViewedMessage(console, flow, message, entry)
            break
    else:
        if part != PART:
            raise CommandError(f"the flow has no {part}")
        subject = MessageText(console, flow, message)
    if len(subject.read().encode("utf-8", "surrogatepass")) > MOST:
        raise CommandError(f"the {subject.title} is longer than {MOST // 1024} kB: e e opens it in $EDITOR")
    return subject


class MessageText(TextSubject):
    """The content of one message; that of a WebSocket's text message is UTF-8, by its definition (RFC 6455 §5.6)."""

    def __init__(self, console: Console, flow: Flow, message: ConversationMessage) -> None:
        messages = messages_of(flow)
        number = next(at for at, each in enumerate(messages, 1) if each is message)
        super().__init__(f"message {number:,} of {len(messages):,}, from the {_sender(message)}")
        self._console, self._message = console, message
        self.flow: Flow = flow
        self._form = TextForm()

    @property
    def key(self) -> tuple[str, ...]:
        # The oldest of a long conversation are dropped, so a message has no number of its own.
        return (self.flow.id, f"text {PART}", str(id(self._message)))

    def source(self) -> tuple[object, ...]:
        return (self._message.content,)

    def read(self) -> str:
        text, self._form = to_text(self._message.content)
        return text

    def check(self, text: str) -> Problem | None:
        return body_problem(text, self._form)

    async def apply(self, text: str) -> str:
        return self._put(to_bytes(text, self._form))

    def _put(self, data: bytes) -> str:
        return edit_parts.put_message(self._console, self.flow, self._message, data)


class ViewedMessage(MessageText):
    """The content as a content view shows it, encoded again by the view."""

    def __init__(self, console: Console, flow: Flow, message: ConversationMessage, entry: edit_views.Entry) -> None:
        super().__init__(console, flow, message)
        self.title += f" as {entry.view}"
        self._entry = entry

    @property
    def key(self) -> tuple[str, ...]:
        return (*super().key, self._entry.view)

    def read(self) -> str:
        return self._entry.text(self.flow)

    def suffix(self) -> str:
        return self._entry.suffix

    async def apply(self, text: str) -> str:
        return self._put(await self._entry.data(text, self.flow))


def _sender(message: ConversationMessage) -> str:
    return "client" if message.from_client else "server"
