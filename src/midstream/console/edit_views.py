"""Editing a body in the form in which its content view shows it: YAML of a protobuf message, hex digits of anything.

`console.edit.focus` offers these parts beside those of edit_parts.py, as `request-body (Protobuf)`. What the person
leaves in $EDITOR is encoded again by the view; a text that cannot be encoded is kept, and may be edited again.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from midstream.console import external_editor
from midstream.console.edit_parts import apply, meant_message
from midstream.console.external_program import NoProgram
from midstream.contentviews import prettify_message, reencode_message
from midstream.contentviews.api import ContentviewMessage, InteractiveContentview
from midstream.contentviews.messages import content_of, metadata_of
from midstream.contentviews.registries import registry_of
from midstream.contentviews.views.hex_dump import HexDump
from midstream.contentviews.views.hex_stream import HexStream
from midstream.flows.dns import DNSFlow, DNSMessage
from midstream.flows.elsewhere import conversation_of, is_unread
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Message
from midstream.flows.tcp import TCPMessage
from midstream.flows.udp import UDPMessage
from midstream.flows.websocket import WebSocketMessage

if TYPE_CHECKING:
    from midstream.console.console import Console

logger = logging.getLogger(__name__)

MOST = 256 * 1024
"""Bytes of a body that is offered: as YAML it is several times as long, and read in a second or two."""


class Entry(NamedTuple):
    """A part of a flow and the view in whose form it can be edited."""

    part: str
    message: ContentviewMessage
    view: str
    suffix: str = ".txt"

    @property
    def name(self) -> str:
        return f"{self.part} ({self.view})"

    def text(self, flow: Flow) -> str:
        """The message as the view shows it. CommandError when it cannot."""
        shown = prettify_message(self.message, flow, self.view)
        if shown.syntax_highlight == "error":
            raise CommandError(shown.text.partition("\n")[0])
        return shown.text

    async def data(self, text: str, flow: Flow) -> bytes:
        """The bytes that such a text stands for. ValueError when it stands for none."""
        try:
            # Reading YAML may take seconds; in pure Python, so that a thread lets the loop go on.
            return await asyncio.to_thread(reencode_message, text, self.message, flow, self.view)
        except KeyError as error:
            raise ValueError(f"there is no content view {error} any more") from None


def entries(console: Console, flow: Flow) -> list[Entry]:
    """What of a flow can be edited so."""
    views, found = registry_of(console.master), []
    for part, message in _messages(console, flow):
        if isinstance(message, Message) and is_unread(message.held_content):  # it is too large
            continue
        data, trouble = content_of(message, MOST)
        if not data or len(data) > MOST or trouble.startswith("[cannot") or "there is more" in trouble:
            continue
        view = views.get_view(data, metadata_of(message, flow))
        if isinstance(view, HexDump):
            view = views.get(HexStream.name) or view
        if isinstance(view, InteractiveContentview):
            suffix = ".json" if view.name == "JSON" else ".yaml" if view.syntax_highlight == "yaml" else ".txt"
            found.append(Entry(part, message, view.name, suffix))
    return found


def edit(console: Console, flow: Flow, name: str) -> None:
    """Start editing one of the `entries` of a flow, by its name."""
    entry = next((one for one in entries(console, flow) if one.name == name), None)
    if entry is None:
        raise CommandError(f"the flow has no {name}")
    console.spawn(_in_editor(console, flow, entry), f"edit {name}")


def _messages(console: Console, flow: Flow) -> Iterator[tuple[str, ContentviewMessage]]:
    if isinstance(flow, HTTPFlow):
        yield "request-body", flow.request
        if flow.response is not None:
            yield "response-body", flow.response
    elif isinstance(flow, DNSFlow):
        yield "request", flow.request
        if flow.response is not None:
            yield "response", flow.response
    owner = conversation_of(flow)
    if owner is not None and not is_unread(owner.held_messages) and owner.messages:
        message = meant_message(console, flow)
        if isinstance(message, WebSocketMessage | TCPMessage | UDPMessage):
            yield "message", message


async def _in_editor(console: Console, flow: Flow, entry: Entry, path: Path | None = None) -> None:
    before = entry.text(flow).encode("utf-8", "surrogatepass")
    try:
        edited = await external_editor.edit(before, entry.suffix, console.suspend, path)
    except NoProgram as error:
        console.message(str(error), "error")
        return
    if edited.data.rstrip(b"\r\n") == before.rstrip(b"\r\n"):
        edited.discard()
        console.message(f"{entry.name} unchanged")
        return
    try:
        data = await entry.data(edited.data.decode("utf-8").replace("\r\n", "\n"), flow)
        change = _change(entry.message, data)
    except ValueError as error:
        logger.warning("%s not changed: %s; the text is in %s", entry.name, error, edited.path)
        again = functools.partial(_again, console, flow, entry, edited.path)
        console.prompt(f"{error}  edit again? (else: {edited.path})", kind="yesno", done=again)
        return
    edited.discard()
    apply(console, flow, change, entry.message if entry.part == "message" else None)
    console.message(f"{entry.name} edited")


def _again(console: Console, flow: Flow, entry: Entry, path: Path, _: str) -> None:
    console.spawn(_in_editor(console, flow, entry, path), f"edit {entry.name}")


def _change(message: ContentviewMessage, data: bytes) -> Callable[[], object]:
    if isinstance(message, DNSMessage):
        values = DNSMessage.unpack(data, message.timestamp).get_state()
        return functools.partial(message.set_state, values)
    if isinstance(message, Message):
        return functools.partial(_set_body, message, data)
    return functools.partial(setattr, message, "content", data)


def _set_body(message: Message, data: bytes) -> None:
    message.content = data
