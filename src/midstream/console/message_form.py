"""The box in which a message is written that is sent into a live WebSocket, TCP or UDP flow.

Opened by `console.messages.inject`, and with an old message in it by `console.messages.again`. Sending is a command of
the addon `inject`; the message then goes the way of all others, so that it can be held and is recorded.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from midstream.console.overlays import ChoiceField, Form, TextField
from midstream.flows.errors import CommandError
from midstream.flows.http import HTTPFlow
from midstream.flows.websocket import WebSocketMessage
from midstream.text.hexdump import looks_binary
from midstream.text.sizes import human_size

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow

SERVER, CLIENT = "server", "client"
TEXT, BINARY = "text", "binary"
LONGEST = 64 * 1024
"""Bytes of an old message that can be sent again from here; longer ones would have to be scrolled in one line."""


class MessageForm(Form):
    """See the module. `message` is what is to be sent once more, if anything is."""

    keys = (("enter", "send"), ("tab", "next field"), ("alt enter", "new line"), ("esc", "cancel"))

    def __init__(self, console: Console, flow: Flow, message: object = None) -> None:
        self._console = console
        self._flow = flow
        content: bytes = getattr(message, "content", b"")
        if len(content) > LONGEST:
            raise CommandError(f"the message is longer than {human_size(LONGEST)}; use the commands inject.*")
        said = message.is_text if isinstance(message, WebSocketMessage) else not looks_binary(content)
        is_text = said and _is_utf8(content)
        to = CLIENT if message is not None and not getattr(message, "from_client", True) else SERVER
        self._to = ChoiceField("to", "send to the", (SERVER, CLIENT), to)
        self._kind = ChoiceField("kind", "as", (TEXT, BINARY), TEXT if is_text else BINARY)
        text = content.decode("utf-8") if is_text else content.hex(" ")
        self._text = TextField(
            "text", "message", text, problem=self._problem, hint=self._hint, kill_ring=console.kill_ring
        )
        title = "send again" if message is not None else f"send a message into {flow.type} flow"
        if isinstance(flow, HTTPFlow) and message is None:
            title = "send a message into the WebSocket"
        super().__init__(title, [self._to, self._kind, self._text], self._send)
        self.go_to("text")

    def _content(self) -> bytes:
        """The bytes to send; ValueError when they are not written as bytes are."""
        text = self._text.value
        if self._kind.value == TEXT:
            return text.encode("utf-8", "surrogateescape")
        try:
            return bytes.fromhex(text.replace("0x", "").replace("\\x", " "))
        except (ValueError, binascii.Error):
            raise ValueError("bytes are written as pairs of hex digits, such as 00 ff 1a") from None

    def _problem(self, text: str) -> str:
        try:
            self._content()
        except ValueError as error:
            return str(error)
        return ""

    def _hint(self, text: str) -> str:
        if not text:
            return "text as it is to be sent" if self._kind.value == TEXT else "hex digits, such as 00 ff 1a"
        return human_size(len(self._content()))

    def _send(self, values: dict[str, object]) -> None:
        flow, content, to_client = self._flow, self._content(), self._to.value == CLIENT
        call = self._console.master.commands.call
        if isinstance(flow, HTTPFlow):
            call("inject.websocket", flow, to_client, content, self._kind.value == TEXT)
        else:
            call(f"inject.{flow.type}", flow, to_client, content)
        self._console.message(f"sent {human_size(len(content))} to the {self._to.value}", log=False)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
