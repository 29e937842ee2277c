"""What of a flow waits to be sent, so that an edit of it still counts: a draft, or what is held.

Undo asks, to say that something had been sent already, and repeating, to find what the next edit is for.
"""

from __future__ import annotations

from collections.abc import Sequence

from midstream.flows.attempt import is_draft
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tunnel import TunnelFlow, TunnelMessage
from midstream.flows.websocket import WebSocketMessage


def messages_of(flow: Flow) -> Sequence[WebSocketMessage | TunnelMessage]:
    """The messages of a conversation; none for what is no conversation."""
    if isinstance(flow, HTTPFlow):
        return flow.websocket.messages if flow.websocket is not None else ()
    return flow.messages if isinstance(flow, TunnelFlow) else ()


def waits_at(flow: Flow) -> str:
    """`request`, `response`, or `messages[3]` while that can still be changed before it is sent; else nothing."""
    if not flow.live:
        return "request" if isinstance(flow, HTTPFlow) and is_draft(flow) else ""
    if not flow.intercepted:
        return ""
    if messages := messages_of(flow):
        return f"messages[{len(messages) - 1}]"
    return "request" if getattr(flow, "response", None) is None else "response"


def was_sent(flow: Flow, waited: str, names: Sequence[str]) -> bool:
    """Whether parts that were changed while `waited` was held have left since."""
    return bool(waited) and waits_at(flow) != waited and any(name.startswith(waited) for name in names)
