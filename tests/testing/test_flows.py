"""The flows and messages for tests have the values that tests in the wild expect (as printed by mitmproxy 12)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from midstream import testing
from midstream.flows.connection import ConnectionState
from midstream.flows.dns import DNSFlow
from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.flows.udp import UDPFlow, UDPMessage

CONNECTION = {"alpn_offers": [], "certificate_list": [], "cipher_list": [], "error": None, "tls": False}
CLIENT = CONNECTION | {
    "alpn": b"http/1.1",
    "cipher": "cipher",
    "mitmcert": None,
    "peername": ("127.0.0.1", 22),
    "proxy_mode": "regular",
    "sni": "address",
    "sockname": ("", 0),
    "timestamp_end": 946681206.0,
    "timestamp_start": 946681200.0,
    "timestamp_tls_setup": 946681201.0,
    "tls_version": "TLSv1.2",
    "transport_protocol": "tcp",
}
SERVER = CONNECTION | {
    "address": ("address", 22),
    "alpn": None,
    "cipher": None,
    "peername": ("192.168.0.1", 22),
    "sni": "address",
    "sockname": ("address", 22),
    "timestamp_end": 946681205.0,
    "timestamp_start": 946681202.0,
    "timestamp_tcp_setup": 946681203.0,
    "timestamp_tls_setup": 946681204.0,
    "tls_version": "TLSv1.2",
    "transport_protocol": "tcp",
    "via": None,
}
REQUEST = {
    "authority": b"",
    "content": b"content",
    "headers": ((b"header", b"qvalue"), (b"content-length", b"7")),
    "host": "address",
    "http_version": b"HTTP/1.1",
    "method": b"GET",
    "path": b"/path",
    "port": 22,
    "scheme": b"http",
    "timestamp_end": 946681201,
    "timestamp_start": 946681200,
    "trailers": None,
}
RESPONSE = {
    "content": b"message",
    "headers": ((b"header-response", b"svalue"), (b"content-length", b"7")),
    "http_version": b"HTTP/1.1",
    "reason": b"OK",
    "status_code": 200,
    "timestamp_end": 946681203,
    "timestamp_start": 946681202,
    "trailers": None,
}
QUERY = {
    "additionals": [],
    "answers": [],
    "authoritative_answer": False,
    "authorities": [],
    "id": 42,
    "op_code": 0,
    "query": True,
    "questions": [{"class_": 1, "name": "dns.google", "type": 1}],
    "recursion_available": False,
    "recursion_desired": True,
    "reserved": 0,
    "response_code": 0,
    "timestamp": 946681200.0,
    "truncation": False,
}
RECORD = {"class_": 1, "name": "dns.google", "ttl": 32, "type": 1}
ANSWER = QUERY | {
    "query": False,
    "recursion_available": True,
    "answers": [RECORD | {"data": b"\x08\x08\x08\x08"}, RECORD | {"data": b"\x08\x08\x04\x04"}],
    "timestamp": 946681201.0,
}
WEBSOCKET = {
    "close_code": 1000,
    "close_reason": "Close Reason",
    "closed_by_client": False,
    "messages": [
        (2, True, b"hello binary", 946681203, False, False),
        (1, True, b"hello text", 946681204, False, False),
        (1, False, b"it's me", 946681205, False, False),
    ],
    "timestamp_end": 946681205.0,
}
ERROR = {"msg": "error", "timestamp": 946681207.0}
SAID = [(True, b"hello", 946681204.2), (False, b"it's me", 946681204.5)]
DNS = {"transport_protocol": "udp"}


def without_id(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != "id"}


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (testing.tclient_conn, CLIENT),
        (testing.tserver_conn, SERVER),
        (testing.treq, REQUEST),
        (testing.tresp, RESPONSE),
        (testing.tdnsreq, without_id(QUERY)),
        (testing.tdnsresp, without_id(ANSWER)),
        (testing.twebsocket, WEBSOCKET),
        (testing.terr, ERROR),
    ],
)
def test_the_parts(make: Callable[[], Any], wanted: dict[str, Any]) -> None:
    assert without_id(make().get_state()) == wanted
    assert type(make().get_state()) is dict


@pytest.mark.parametrize(
    ("flow", "parts"),
    [
        (testing.tflow(), {"request": REQUEST, "response": None, "error": None, "websocket": None}),
        (testing.tflow(resp=True), {"request": REQUEST, "response": RESPONSE}),
        (testing.tflow(err=True), {"response": None, "error": ERROR}),
        (testing.tflow(ws=True), {"response": None, "websocket": WEBSOCKET}),
        (testing.ttcpflow(), {"messages": SAID, "error": None}),
        (testing.ttcpflow(messages=[], err=True), {"messages": [], "error": ERROR}),
        (testing.tudpflow(), {"messages": SAID, "error": None}),
        (testing.tudpflow(messages=False, err=True), {"messages": [], "error": ERROR}),
        (testing.tdnsflow(), {"request": QUERY, "response": None}),
        (testing.tdnsflow(resp=True), {"request": QUERY, "response": ANSWER}),
        (testing.tdnsflow(err=True), {"response": None, "error": ERROR}),
        (testing.tdummyflow(err=True), {"type": "dummy", "error": ERROR}),
    ],
)
def test_the_flows(flow: Flow, parts: dict[str, Any]) -> None:
    state = flow.get_state()
    assert {name: state[name] for name in parts} == parts
    over_udp = {"transport_protocol": "udp"} if isinstance(flow, DNSFlow) else {}
    assert without_id(state["server_conn"]) == SERVER | over_udp
    mode = {"proxy_mode": "dns"} if isinstance(flow, DNSFlow) else {}
    assert without_id(state["client_conn"]) == CLIENT | over_udp | mode
    assert flow.live and flow.killable
    assert flow.client_conn.state is ConnectionState.OPEN
    assert flow.server_conn.state is ConnectionState.CLOSED
    if not isinstance(flow, testing.DummyFlow):
        assert flow.timestamp_created == 946681200


def test_a_websocket_flow() -> None:
    state = testing.twebsocketflow(close_code=4000, close_reason="enough").get_state()
    fields = ((b"connection", b"upgrade"), (b"upgrade", b"websocket"))
    assert state["request"] == REQUEST | {
        "authority": b"example.com",
        "host": "example.com",
        "port": 80,
        "path": b"/ws",
        "content": b"",
        "headers": (*fields, (b"sec-websocket-version", b"13"), (b"sec-websocket-key", b"1234")),
    }
    assert state["response"] == RESPONSE | {
        "status_code": 101,
        "reason": b"Switching Protocols",
        "content": b"",
        "headers": (*fields, (b"sec-websocket-accept", b"")),
    }
    assert state["websocket"] == WEBSOCKET | {"close_code": 4000, "close_reason": "enough"}


@pytest.mark.parametrize(
    ("arguments", "code", "count"), [({}, 1000, 3), ({"err": True}, 1006, 3), ({"messages": False}, 1000, 0)]
)
def test_how_websockets_end(arguments: dict[str, Any], code: int, count: int) -> None:
    flow = testing.twebsocketflow(**arguments)
    assert flow.websocket is not None
    assert flow.websocket.close_code == code
    assert len(flow.websocket.messages) == count
    assert flow.error is None


def test_objects_of_ones_own() -> None:
    client, server, error = testing.tclient_conn(), testing.tserver_conn(), Error("mine")
    request, response, data = testing.treq(path=b"/mine"), testing.tresp(status_code=404), testing.twebsocket(False)
    web = testing.tflow(
        client_conn=client, server_conn=server, req=request, resp=response, err=error, ws=data, live=False
    )
    assert (web.client_conn, web.server_conn, web.request, web.response) == (client, server, request, response)
    assert (web.error, web.websocket, web.live) == (error, data, False)
    query, answer = testing.tdnsreq(id=9), testing.tdnsresp(id=9)
    dns = testing.tdnsflow(client_conn=client, server_conn=server, req=query, resp=answer, err=error, live=False)
    assert (dns.client_conn, dns.server_conn, dns.request, dns.response, dns.error) == (
        client,
        server,
        query,
        answer,
        error,
    )
    assert client.proxy_mode.full_spec == "regular"
    tcp = testing.ttcpflow(client, server, [TCPMessage(True, b"x", 1)], error)
    udp = testing.tudpflow(client, server, [UDPMessage(True, b"x", 1)], error)
    for tunnel in (tcp, udp):
        assert (tunnel.client_conn, tunnel.server_conn, tunnel.error) == (client, server, error)
        assert [message.content for message in tunnel.messages] == [b"x"]
    assert testing.tdummyflow(client, server, error).error is error
    broken = testing.twebsocketflow(err=error)
    assert broken.error is error


def test_one_of_each() -> None:
    kinds = [type(flow) for flow in testing.tflows()]
    assert kinds == [HTTPFlow] * 3 + [TCPFlow] * 2 + [UDPFlow] * 2 + [DNSFlow] * 3
    assert len({flow.id for flow in testing.tflows()}) == len(kinds)
    assert len({flow.client_conn.id for flow in testing.tflows()}) == len(kinds)


@pytest.mark.parametrize("make", [testing.treq, testing.tresp, testing.tdnsreq, testing.tdnsresp])
def test_arguments_that_a_message_does_not_have(make: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'nope'"):
        make(nope=1)


SIGNATURES = {
    "tflow": "(*, client_conn=None, server_conn=None, req=None, resp=False, err=False, ws=False, live=True)",
    "tdnsflow": "(*, client_conn=None, server_conn=None, req=None, resp=False, err=False, live=True)",
    "ttcpflow": "(client_conn=True, server_conn=True, messages=True, err=None)",
    "tudpflow": "(client_conn=True, server_conn=True, messages=True, err=None)",
    "tdummyflow": "(client_conn=True, server_conn=True, err=None)",
    "twebsocketflow": "(messages=True, err=None, close_code=None, close_reason='')",
    "twebsocket": "(messages=True)",
    "terr": "(content='error')",
    "tclient_conn": "()",
    "tserver_conn": "()",
    "tflows": "()",
    "treq": "(**kwargs)",
    "tresp": "(**kwargs)",
    "tdnsreq": "(**kwargs)",
    "tdnsresp": "(**kwargs)",
    "context": "(*addons, options=None, loadcore=True, strict=True)",
}


@pytest.mark.parametrize(("name", "wanted"), SIGNATURES.items())
def test_signatures(name: str, wanted: str) -> None:
    signature = inspect.signature(getattr(testing, name))
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    assert str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)) == wanted
