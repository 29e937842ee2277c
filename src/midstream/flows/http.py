"""The flow of one HTTP request and its response, together with the WebSocket that may have grown out of it."""

import time
from typing import ClassVar

from midstream.flows import state as s
from midstream.flows import websocket
from midstream.flows.checked_slot import CheckedSlot
from midstream.flows.connection import Client, Server
from midstream.flows.flow import Flow
from midstream.flows.headers import Headers
from midstream.flows.message import Message
from midstream.flows.request import Request
from midstream.flows.response import Response
from midstream.flows.websocket import WebSocketData

__all__ = ["HTTPFlow", "Headers", "Message", "Request", "Response"]


def _checked_request(value: Request) -> Request:
    if isinstance(value, Request):
        return value
    raise TypeError(f"flow.request is a Request, not {type(value).__name__}; http.Request.make(…) makes one")


def _checked_response(value: Response | None) -> Response | None:
    if value is None or isinstance(value, Response):
        return value
    raise TypeError(f"flow.response is a Response or None, not {type(value).__name__}; http.Response.make(…) makes one")


class HTTPFlow(Flow):
    """A request, its response once there is one, and the messages of a WebSocket if it became one.

    Setting `response` before the request was sent answers it locally. The request is there before any event is.
    """

    __slots__ = {"_request": "", "_response": "", "websocket": "The messages of the WebSocket that it became, or None."}

    _SCHEMA: ClassVar[s.Schema] = s.Schema(
        {
            **Flow._SCHEMA,
            "request": Request._checked,
            "response": s.optional(Response._checked),
            "websocket": s.optional(websocket.checked_data),
        }
    )

    _request: Request
    _response: Response | None
    websocket: WebSocketData | None

    request = CheckedSlot("_request", _checked_request, "What the client asks for.")
    response = CheckedSlot("_response", _checked_response, "The answer; None until there is one.")

    def __init__(self, client_conn: Client, server_conn: Server, live: bool = False) -> None:
        # Flow.__init__ written out: the call would be a tenth of what a flow may cost.
        self.client_conn = client_conn
        self.server_conn = server_conn
        self.live = live
        self.timestamp_created = time.time()
        self.intercepted = False
        self.marked = self.comment = self._id = ""
        self.error = self.is_replay = self.killed_callback = self.injector = None
        self._backup = self._changes = self._metadata = self._resumed = None
        self._request = None  # type: ignore[assignment] # filled in by whoever makes the flow
        self._response = self.websocket = None

    @property
    def timestamp_start(self) -> float:
        """When the first byte of the request came."""
        return self.request.timestamp_start

    @property
    def mode(self) -> str:
        """Old name of the first line's form in the mode that the client came by."""
        return self.client_conn.proxy_mode.type_name

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        state = super().get_state()
        state["request"] = self.request.get_state()
        state["response"] = self.response.get_state() if self.response else None
        state["websocket"] = self.websocket.get_state() if self.websocket else None
        return state

    def __repr__(self) -> str:
        lines = ["<HTTPFlow"]
        for name in ("request", "response", "websocket", "error", "client_conn", "server_conn"):
            value = getattr(self, name)
            if value:
                lines.append(f"  {name} = {value}")
        return "\n".join(lines) + ">"
