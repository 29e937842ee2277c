"""Whole flows of every kind with fixed values, to hand to the handlers of an addon.

`True` for a part stands for the usual one, an object for itself. Every flow is live, so that it can be killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from midstream.flows.connection import Client, Server
from midstream.flows.dns import DNSFlow, DNSMessage
from midstream.flows.flow import Error, Flow
from midstream.flows.http import Headers, HTTPFlow, Request, Response
from midstream.flows.proxy_mode import ProxyMode
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.flows.udp import UDPFlow, UDPMessage
from midstream.flows.websocket import BINARY, TEXT, WebSocketData, WebSocketMessage
from midstream.testing.connections import tclient_conn, tserver_conn
from midstream.testing.messages import START, tdnsreq, tdnsresp, treq, tresp

T = TypeVar("T")
F = TypeVar("F", bound=Flow)


def terr(content: str = "error") -> Error:
    """The error of an exchange that failed."""
    return Error(content, START + 7.0)


def tflow(
    *,
    client_conn: Client | None = None,
    server_conn: Server | None = None,
    req: Request | None = None,
    resp: bool | Response = False,
    err: bool | Error = False,
    ws: bool | WebSocketData = False,
    live: bool = True,
) -> HTTPFlow:
    """An HTTP flow; without arguments one whose response is still to come."""
    flow = HTTPFlow(client_conn or tclient_conn(), server_conn or tserver_conn(), live)
    flow.timestamp_created = START
    flow.request = req or treq()
    flow.response = tresp() if resp is True else resp or None
    flow.error = _error(err)
    flow.websocket = twebsocket() if ws is True else ws or None
    return flow


def twebsocketflow(
    messages: bool = True, err: bool | Error | None = None, close_code: int | None = None, close_reason: str = ""
) -> HTTPFlow:
    """A WebSocket from its handshake to its close; `err` is one that broke off without a close frame (code 1006)."""
    flow = HTTPFlow(tclient_conn(), tserver_conn(), True)
    fields = ((b"connection", b"upgrade"), (b"upgrade", b"websocket"))
    flow.request = treq(
        host="example.com",
        port=80,
        authority=b"example.com",
        path=b"/ws",
        headers=Headers((*fields, (b"sec-websocket-version", b"13"), (b"sec-websocket-key", b"1234"))),
        content=b"",
    )
    flow.response = tresp(
        status_code=101,
        reason=b"Switching Protocols",
        headers=Headers((*fields, (b"sec-websocket-accept", b""))),
        content=b"",
    )
    flow.websocket = twebsocket(messages)
    flow.websocket.close_code = close_code if close_code is not None else 1006 if err else 1000
    flow.websocket.close_reason = close_reason
    flow.error = err if isinstance(err, Error) else None
    return flow


def twebsocket(messages: bool = True) -> WebSocketData:
    """What happened on a WebSocket that the server closed: three messages, or none."""
    data = WebSocketData()
    if messages:
        data.messages = [
            WebSocketMessage(BINARY, True, b"hello binary", START + 3),
            WebSocketMessage(TEXT, True, b"hello text", START + 4),
            WebSocketMessage(TEXT, False, b"it's me", START + 5),
        ]
    data.closed_by_client = False
    data.close_code = 1000
    data.close_reason = "Close Reason"
    data.timestamp_end = START + 5.0
    return data


def ttcpflow(
    client_conn: bool | Client = True,
    server_conn: bool | Server = True,
    messages: bool | Sequence[TCPMessage] = True,
    err: bool | Error | None = None,
) -> TCPFlow:
    """A TCP flow of one message in each direction, or of yours."""
    flow = TCPFlow(_client(client_conn), _server(server_conn), True)
    flow.timestamp_created = START
    flow.messages = list(_said(TCPMessage) if messages is True else messages or ())
    flow.error = _error(err)
    return flow


def tudpflow(
    client_conn: bool | Client = True,
    server_conn: bool | Server = True,
    messages: bool | Sequence[UDPMessage] = True,
    err: bool | Error | None = None,
) -> UDPFlow:
    """A UDP flow of one datagram in each direction, or of yours."""
    flow = UDPFlow(_client(client_conn), _server(server_conn), True)
    flow.timestamp_created = START
    flow.messages = list(_said(UDPMessage) if messages is True else messages or ())
    flow.error = _error(err)
    return flow


def tdnsflow(
    *,
    client_conn: Client | None = None,
    server_conn: Server | None = None,
    req: DNSMessage | None = None,
    resp: bool | DNSMessage = False,
    err: bool | Error = False,
    live: bool = True,
) -> DNSFlow:
    """A DNS flow; without arguments one whose answer is still to come."""
    if client_conn is None:
        client_conn = tclient_conn()
        client_conn.proxy_mode = ProxyMode.parse("dns")
        client_conn.transport_protocol = "udp"
    if server_conn is None:
        server_conn = tserver_conn()
        server_conn.transport_protocol = "udp"
    flow = DNSFlow(client_conn, server_conn, live)
    flow.timestamp_created = START
    flow.request = req or tdnsreq()
    flow.response = tdnsresp() if resp is True else resp or None
    flow.error = _error(err)
    return flow


class DummyFlow(Flow):
    """A flow of no protocol at all, for what looks at the common part only."""


def tdummyflow(
    client_conn: bool | Client = True, server_conn: bool | Server = True, err: bool | Error | None = None
) -> DummyFlow:
    """A flow of no protocol at all."""
    flow = DummyFlow(_client(client_conn), _server(server_conn), True)
    flow.error = _error(err)
    return flow


def tflows() -> list[Flow]:
    """One flow of each kind, and one of each that failed."""
    return [
        tflow(resp=True),
        tflow(err=True),
        tflow(ws=True),
        ttcpflow(),
        ttcpflow(err=True),
        tudpflow(),
        tudpflow(err=True),
        tdnsflow(resp=True),
        tdnsflow(),
        tdnsflow(err=True),
    ]


def _client(given: bool | Client) -> Client:
    return given if isinstance(given, Client) else tclient_conn()


def _server(given: bool | Server) -> Server:
    return given if isinstance(given, Server) else tserver_conn()


def _error(given: bool | Error | None) -> Error | None:
    return terr() if given is True else given or None


def _said(message: type[T]) -> list[T]:
    make = message  # both kinds take the same arguments
    return [make(True, b"hello", START + 4.2), make(False, b"it's me", START + 4.5)]  # type: ignore[call-arg]
