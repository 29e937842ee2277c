"""HTTP messages and flows: `from midstream import http`.

    def request(flow: http.HTTPFlow) -> None:
        if flow.request.path == "/health":
            flow.response = http.Response.make(200, b"ok", {"content-type": "text/plain"})

A flow has `request`, and `response` once there is one. Messages have `headers` (Headers), `content`, `text`, `json()`,
and `raw_content`, the bytes as they came.
"""

from midstream.flows.http import Headers, HTTPFlow, Message, Request, Response
from midstream.flows.multidict import MultiDict, MultiDictView
from midstream.flows.websocket import WebSocketData, WebSocketMessage

__all__ = [
    "HTTPFlow",
    "Headers",
    "Message",
    "MultiDict",
    "MultiDictView",
    "Request",
    "Response",
    "WebSocketData",
    "WebSocketMessage",
]
