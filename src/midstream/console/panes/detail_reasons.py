"""Why a key of the detail pane would do nothing on what it shows now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.console.panes.detail_tabs import MESSAGES
from midstream.console.panes.event_stream import is_event_stream
from midstream.flows.http import HTTPFlow

if TYPE_CHECKING:
    from midstream.console.panes.detail import Detail
    from midstream.flows.flow import Flow

ABOUT = ("console.flowview.", "console.messages.")
_OF_BODIES = ("raw", "mode.choose", "mode.set")
_OF_FILES = ("viewer", "save", "encoding")


def why_not(command: str, pane: Detail, flow: Flow) -> str:
    """In a few words; nothing when the command does something."""
    pane.refresh()  # a key may come before the first frame
    if command.startswith("console.messages."):
        return _of_messages(command.rpartition(".")[2], pane, flow)
    name = command.removeprefix("console.flowview.")
    if name in _OF_BODIES and pane.content.body is None:
        return "this tab shows no body"
    if name in _OF_FILES and pane.message is None:
        return _of_body(name, pane, flow)
    if name == "fold" and pane.shown_tab() not in ("Request", "Response"):
        return "this tab has no headers"
    return ""


def _of_body(name: str, pane: Detail, flow: Flow) -> str:
    if not isinstance(flow, HTTPFlow):
        return f"a {flow.type} flow has no body"
    message = flow.request if pane.shown_tab() == "Request" else flow.response
    if message is None:
        return "there is no response yet"
    if message.held_content is None:
        return "the body was not kept"
    return "" if message.held_content or name == "encoding" else "the body is empty"


def _of_messages(name: str, pane: Detail, flow: Flow) -> str:
    if MESSAGES not in pane.tabs():
        return "this flow has no messages"
    if name == "filter":
        return ""
    if is_event_stream(flow):
        return "nothing can be sent into an event stream"
    if flow.injector is None:
        return "the flow is not live: nothing can be sent into it"
    if name == "again" and pane.message is None:
        return "no message is selected"
    return ""
