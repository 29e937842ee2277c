"""Send what no peer sent into a live WebSocket, TCP or UDP flow: the commands `inject.*`.

The proxy has set `flow.injector` of every flow that can take such a message; it goes through the same event as those
that came in, after what waits already.
"""

from __future__ import annotations

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.flows.tunnel import TunnelMessage
from midstream.flows.udp import UDPFlow, UDPMessage
from midstream.flows.websocket import BINARY, TEXT, WebSocketMessage
from midstream.hub.commands import command


class Inject:
    """The addon; see the module."""

    @command("inject.websocket")
    def inject_websocket(self, flow: Flow, to_client: bool, message: bytes, is_text: bool = True) -> None:
        """Send a message into a live WebSocket, to the client or to the server, as text or as binary."""
        if not isinstance(flow, HTTPFlow) or flow.websocket is None:
            raise CommandError("inject.websocket: the flow is no WebSocket")
        message = _as_bytes(message)
        if is_text:
            try:
                message.decode()
            except UnicodeDecodeError:
                raise CommandError("inject.websocket: the message is not UTF-8; send it as binary") from None
        _inject(flow, WebSocketMessage(TEXT if is_text else BINARY, not to_client, message, injected=True))

    @command("inject.tcp")
    def inject_tcp(self, flow: Flow, to_client: bool, message: bytes) -> None:
        """Send bytes into a live TCP flow, to the client or to the server."""
        if not isinstance(flow, TCPFlow):
            raise CommandError("inject.tcp: the flow is no TCP flow")
        _inject(flow, TCPMessage(not to_client, _as_bytes(message)))

    @command("inject.udp")
    def inject_udp(self, flow: Flow, to_client: bool, message: bytes) -> None:
        """Send a datagram into a live UDP flow, to the client or to the server."""
        if not isinstance(flow, UDPFlow):
            raise CommandError("inject.udp: the flow is no UDP flow")
        _inject(flow, UDPMessage(not to_client, _as_bytes(message)))


def _as_bytes(message: object) -> bytes:
    """What a script sends: at the prompt it is bytes already, text or not."""
    if isinstance(message, str):
        return message.encode()
    if not isinstance(message, bytes):
        raise CommandError(f"the message is {type(message).__name__}, not bytes")
    return message


def _inject(flow: Flow, message: WebSocketMessage | TunnelMessage) -> None:
    if flow.injector is None:
        raise CommandError("the flow is not live: nothing can be sent into it")
    try:
        flow.injector(message)
    except ValueError as error:
        raise CommandError(f"nothing can be sent into the flow: {error}") from None
