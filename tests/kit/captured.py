"""Captured flows of each kind, as the proxy would leave them: small, complete, with fixed times."""

from __future__ import annotations

from midstream.flows.connection import Client, Server
from midstream.flows.dns import DNSFlow, DNSMessage, Question
from midstream.flows.http import Headers, HTTPFlow, Request, Response
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.flows.udp import UDPFlow, UDPMessage
from midstream.flows.websocket import WebSocketData, WebSocketMessage

START = 1_700_000_000.0


def connections(host: str = "example.com", port: int = 80) -> tuple[Client, Server]:
    client = Client(peername=("127.0.0.1", 51022), sockname=("127.0.0.1", 8080), timestamp_start=START)
    return client, Server(address=(host, port))


def http_flow(
    url: str = "http://example.com/path",
    method: str = "GET",
    *,
    status: int | None = 200,
    request_body: bytes = b"",
    response_body: bytes = b"hello",
    request_headers: tuple[tuple[bytes, bytes], ...] = (),
    response_headers: tuple[tuple[bytes, bytes], ...] = ((b"Content-Type", b"text/plain"),),
    start: float = START,
    live: bool = False,
) -> HTTPFlow:
    """A finished exchange; without a status one whose response is still to come."""
    request = Request.make(method, url)
    request.headers, request.raw_content = Headers(request_headers), request_body
    request.timestamp_start, request.timestamp_end = start, start + 0.01
    flow = HTTPFlow(*connections(request.host, request.port), live=live)
    flow.request = request
    flow.timestamp_created = start
    if status is not None:
        flow.response = Response.make(status)
        flow.response.headers, flow.response.raw_content = Headers(response_headers), response_body
        flow.response.timestamp_start, flow.response.timestamp_end = start + 0.05, start + 0.092
    return flow


def websocket_flow(*messages: tuple[bool, bytes], live: bool = False) -> HTTPFlow:
    """An upgraded exchange with text messages, each given as (from_client, content)."""
    flow = http_flow("http://example.com/socket", status=101, response_body=b"", live=live)
    flow.websocket = WebSocketData()
    for from_client, content in messages:
        flow.websocket.messages.append(WebSocketMessage(1, from_client, content, START + 1))
    return flow


def tcp_flow(*messages: tuple[bool, bytes], live: bool = False) -> TCPFlow:
    flow = TCPFlow(*connections("example.com", 9000), live=live)
    flow.timestamp_created = START
    flow.messages = [TCPMessage(from_client, content, START + 1) for from_client, content in messages]
    return flow


def udp_flow(*messages: tuple[bool, bytes], live: bool = False) -> UDPFlow:
    flow = UDPFlow(*connections("example.com", 9001), live=live)
    flow.timestamp_created = START
    flow.messages = [UDPMessage(from_client, content, START + 1) for from_client, content in messages]
    return flow


def dns_flow(name: str = "dns.example", *, answered: bool = True) -> DNSFlow:
    flow = DNSFlow(*connections("192.0.2.53", 53))
    flow.timestamp_created = START
    flow.request = DNSMessage(
        id=7, query=True, op_code=0, authoritative_answer=False, truncation=False, recursion_desired=True,
        recursion_available=False, reserved=0, response_code=0, questions=[Question(name, 1, 1)], answers=[],
        authorities=[], additionals=[], timestamp=START,
    )  # fmt: skip
    if answered:
        flow.response = flow.request.succeed([])
        flow.response.timestamp = START + 0.02
    return flow
