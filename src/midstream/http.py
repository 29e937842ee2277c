"""HTTP messages and flows: `from midstream import http`."""

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
