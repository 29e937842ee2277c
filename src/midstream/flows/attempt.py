"""An attempt: the same request once more, as a flow of its own that knows which one it repeats.

Made by the addon `clientplayback`; the console shows the link. It sends nothing.
"""

from __future__ import annotations

from typing import Final

from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Request

REPLAY_OF: Final = "replay_of"
"""In the metadata of an attempt: the id of the flow that it repeats."""

# What the first exchange left in its notes, which says nothing of another one.
_NOT_REPEATED: Final = frozenset({"request_body_cut", "response_body_cut", "messages_dropped"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


def why_not(flow: Flow) -> str:
    """Why a flow cannot be sent again, as the rest of a sentence; empty if it can."""
    if not isinstance(flow, HTTPFlow):
        return f"it is a {flow.type.upper()} flow, and only HTTP can be sent again"
    request: Request | None = flow.request
    if flow.intercepted:
        return "it is held"
    if flow.live:
        return "it is still under way"
    if request is None or not request.host or not request.port:
        return "it has no request" if request is None else "its request says not where to go"
    if request.method == "CONNECT":
        return "a CONNECT only opens a tunnel"
    if request.scheme not in ("http", "https"):
        return f"its scheme {request.scheme!r} is neither http nor https"
    if "request_body_cut" in flow.metadata or _lacks_body(request):
        return "the body of its request was not kept"
    if "messages_dropped" in flow.metadata:
        return "its first messages were not kept"
    return ""


def _lacks_body(request: Request) -> bool:
    if request.raw_content is not None:
        return False
    length = request.headers.get("content-length")
    if length is not None:
        return str(length).strip() != "0"
    return "transfer-encoding" in request.headers or (
        request.method in _WITH_BODY and not request.http_version.startswith("HTTP/1")
    )


def is_draft(flow: HTTPFlow) -> bool:
    """Whether it was never sent: somebody made it, or copied it before there was an answer."""
    return flow.response is None and flow.error is None and flow.websocket is None


def attempt_of(parent: HTTPFlow) -> HTTPFlow:
    """What to send for a flow: itself if it is a draft, else a new flow. The other one is never changed."""
    attempt = parent if is_draft(parent) else draft_of(parent)
    attempt.is_replay = "request"
    return attempt


def draft_of(parent: HTTPFlow) -> HTTPFlow:
    """The request as a new flow that knows whose it was, to be changed before it is sent."""
    draft = HTTPFlow(parent.client_conn, parent.server_conn)
    draft.request = parent.request.copy()
    draft.request.timestamp_start = draft.request.timestamp_end = draft.timestamp_created
    notes = {name: value for name, value in parent.metadata.items() if name not in _NOT_REPEATED}
    draft.metadata = {**notes, REPLAY_OF: parent.id}
    return draft
