"""Events that old versions of mitmproxy had under other names, for handlers.py to warn about.

A handler of such a name is never called, there as here. Only names that a function of one's own hardly has stand here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

NOW = {
    "clientconnect": "client_connected(client)",
    "clientdisconnect": "client_disconnected(client)",
    "serverconnect": "server_connect(data) before the dial and server_connected(data) after it",
    "serverdisconnect": "server_disconnected(data)",
    "tcp_close": "tcp_end(flow)",
    "tcp_open": "tcp_start(flow)",
    "websocket_error": "websocket_end(flow), which comes however a WebSocket ends",
    "websocket_handshake": "request(flow) for the handshake and websocket_start(flow) once it is done",
}
_LOG = "a logging.Handler of your own, or add_log(entry)"


def successor(name: str, function: Callable[..., object]) -> str | None:
    """What takes the place of the event `name` today; None when this is no handler of an old event."""
    try:
        (parameter,) = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # their handlers took one argument, all of them
        return None
    # Many have a `log` of their own; only one that is made for log entries was meant as a handler.
    if name == "log" and (parameter.name == "entry" or "LogEntry" in str(parameter.annotation)):
        return _LOG
    return NOW.get(name)
