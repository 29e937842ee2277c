"""WebSocket messages: `from midstream import websocket`."""

from midstream.flows.websocket import WebSocketData, WebSocketMessage

__all__ = ["WebSocketData", "WebSocketMessage"]
