"""The public names that scripts use: each is there, behind its door, and can be read, set or called as known.

One line per class and kind of name: `r` is read only, `rw` can be set, `m` is a method (with its known parameters).
"""

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from midstream import connection, dns, flow, http, tcp, tls, udp, websocket
from midstream.flows.certificate import Cert
from midstream.flows.context import Context
from midstream.flows.multidict import MultiDict, MultiDictView
from midstream.flows.next_layer import NextLayer
from midstream.flows.proxy_mode import RegularMode, ReverseMode
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.socks5 import Socks5AuthData
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow

Row = tuple[type, str, str]

FLOW = "client_conn server_conn error intercepted marked is_replay live timestamp_created id metadata comment"
CONNECTION = (
    "peername sockname state id transport_protocol error tls certificate_list alpn alpn_offers cipher cipher_list "
    "tls_version sni timestamp_start timestamp_end timestamp_tls_setup"
)
MESSAGE = "stream http_version headers trailers raw_content content text timestamp_start timestamp_end"
VERSIONS = "data is_http10 is_http11 is_http2 is_http3"

TABLE: list[Row] = [
    (flow.Flow, "rw", FLOW),
    (flow.Flow, "r", "killable timestamp_start type"),
    (flow.Flow, "m", "copy() modified() backup(force) revert() kill() intercept() resume() wait_for_resume()"),
    (flow.Flow, "m", "get_state() set_state(state) from_state(state)"),
    (flow.Error, "rw", "msg timestamp"),
    (flow.Error, "m", "copy() get_state() set_state(state) from_state(state)"),
    (flow.Error, "r", "KILLED_MESSAGE"),
    (http.HTTPFlow, "rw", f"{FLOW} request response websocket"),
    (http.HTTPFlow, "r", "killable timestamp_start mode"),
    (http.Request, "rw", f"{MESSAGE} method scheme authority host port path host_header url"),
    (http.Request, "rw", "query cookies urlencoded_form multipart_form path_components"),
    (http.Request, "r", f"{VERSIONS} first_line_format pretty_host pretty_url"),
    (http.Request, "m", "anticache() anticomp() constrain_encoding() make(method,url,content,headers) copy()"),
    (http.Response, "rw", f"{MESSAGE} status_code reason cookies"),
    (http.Response, "r", VERSIONS),
    (http.Response, "m", "refresh(now) make(status_code,content,headers) copy()"),
    (http.Message, "m", "get_content(strict) set_content(value) get_text(strict) set_text(text)"),
    (http.Message, "m", "decode(strict) encode(encoding) json(**kwargs) get_state() set_state(state)"),
    (http.Headers, "rw", "fields"),
    (http.Headers, "m", "get_all(name) set_all(name,values) insert(index,name,value) add(name,value) copy()"),
    (http.Headers, "m", "keys(multi) values(multi) items(multi) get(name,default) pop(key,default) update(other)"),
    (MultiDict, "rw", "fields"),
    (MultiDict, "m", "get_all(key) set_all(key,values) add(key,value) insert(index,key,value)"),
    (MultiDict, "m", "keys(multi) values(multi) items(multi) copy()"),
    (MultiDictView, "rw", "fields"),
    (MultiDictView, "m", "get_all(key) set_all(key,values) add(key,value) insert(index,key,value) copy()"),
    (connection.Client, "rw", f"{CONNECTION} mitmcert proxy_mode"),
    (connection.Client, "r", "connected tls_established address cipher_name clientcert alpn_proto_negotiated"),
    (connection.Server, "rw", f"{CONNECTION} address timestamp_tcp_setup via"),
    (connection.Server, "r", "connected tls_established ip_address cert cipher_name alpn_proto_negotiated"),
    (connection.Client, "m", "copy() get_state() set_state(state) from_state(state)"),
    (connection.Server, "m", "copy() get_state() set_state(state) from_state(state)"),
    (connection.ConnectionState, "r", "CLOSED CAN_READ CAN_WRITE OPEN"),
    (Cert, "m", "from_pem(data) from_pyopenssl(cert) to_pem() to_cryptography()"),
    (Cert, "m", "fingerprint() public_key() has_expired()"),
    (Cert, "r", "issuer subject notbefore notafter serial is_ca keyinfo cn organization altnames"),
    (Cert, "r", "crl_distribution_points"),
    (tcp.TCPFlow, "rw", f"{FLOW} messages"),
    (tcp.TCPMessage, "rw", "from_client content timestamp"),
    (tcp.TCPMessage, "m", "copy() get_state() set_state(state) from_state(state)"),
    (udp.UDPMessage, "m", "copy() get_state() set_state(state) from_state(state)"),
    (udp.UDPFlow, "rw", f"{FLOW} messages"),
    (udp.UDPMessage, "rw", "from_client content timestamp"),
    (websocket.WebSocketMessage, "rw", "type from_client content timestamp dropped injected text"),
    (websocket.WebSocketMessage, "r", "is_text"),
    (websocket.WebSocketMessage, "m", "drop() kill() copy() get_state() set_state(state) from_state(state)"),
    (websocket.WebSocketData, "m", "copy() get_state() set_state(state) from_state(state)"),
    (websocket.WebSocketData, "rw", "messages closed_by_client close_code close_reason timestamp_end"),
    (dns.DNSFlow, "rw", f"{FLOW} request response"),
    (dns.DNSMessage, "rw", "id query op_code authoritative_answer truncation recursion_desired recursion_available"),
    (dns.DNSMessage, "rw", "reserved response_code questions answers authorities additionals timestamp"),
    (dns.DNSMessage, "r", "content packed size question"),
    (dns.DNSMessage, "m", "fail(response_code) succeed(answers) unpack(buffer) unpack_from(buffer,offset)"),
    (dns.DNSMessage, "m", "to_json() from_json(data) copy()"),
    (dns.Question, "rw", "name type class_"),
    (dns.ResourceRecord, "rw", "name type class_ ttl data text ipv4_address ipv6_address domain_name"),
    (dns.ResourceRecord, "rw", "https_alpn https_ech"),
    (dns.ResourceRecord, "m", "A(name,ip) AAAA(name,ip) CNAME(alias,canonical) PTR(inaddr,ptr) TXT(name,text)"),
    (dns.ResourceRecord, "m", "HTTPS(name,record) to_json() from_json(data)"),
    (tls.ClientHello, "m", "raw_bytes(wrap_in_record)"),
    (tls.ClientHello, "r", "cipher_suites sni alpn_protocols extensions"),
    (tls.ClientHelloData, "rw", "context client_hello ignore_connection establish_server_tls_first"),
    (tls.TlsData, "rw", "conn context ssl_conn is_dtls"),
    (tls.QuicTlsData, "rw", "conn context settings"),
    (Context, "rw", "client server options layers"),
    (Context, "m", "fork()"),
    (ServerConnectionHookData, "rw", "server client"),
    (Socks5AuthData, "rw", "client_conn username password valid"),
    (NextLayer, "rw", "context layer"),
    (NextLayer, "m", "data_client() data_server()"),
]

CONSTRUCTORS = [
    (flow.Flow, "client_conn server_conn live"),
    (flow.Error, "msg timestamp"),
    (http.HTTPFlow, "client_conn server_conn live"),
    (
        http.Request,
        "host port method scheme authority path http_version headers content trailers timestamp_start timestamp_end",
    ),
    (http.Response, "http_version status_code reason headers content trailers timestamp_start timestamp_end"),
    (http.Headers, "fields headers"),
    (MultiDict, "fields"),
    (MultiDictView, "getter setter"),
    (tcp.TCPMessage, "from_client content timestamp"),
    (udp.UDPMessage, "from_client content timestamp"),
    (websocket.WebSocketMessage, "type from_client content timestamp dropped injected"),
    (dns.Question, "name type class_"),
    (dns.ResourceRecord, "name type class_ ttl data"),
    (tls.ClientHello, "raw dtls"),
    (tls.ClientHelloData, "context client_hello ignore_connection establish_server_tls_first"),
    (tls.TlsData, "conn context ssl_conn is_dtls"),
    (Context, "client options server layers"),
    (websocket.WebSocketData, "messages closed_by_client close_code close_reason timestamp_end"),
    (ServerConnectionHookData, "server client"),
    (Socks5AuthData, "client_conn username password valid"),
]

DOORS = {
    "command": "command argument Command CommandManager",
    "connection": "Address Client Connection ConnectionState Server TransportProtocol",
    "ctx": "",
    "dns": "DNSFlow DNSMessage Question ResourceRecord types classes op_codes response_codes",
    "exceptions": "AddonHalt AddonManagerError CommandError ControlException FlowReadException MitmproxyException "
    "OptionsError",
    "flow": "Flow Error",
    "flowfilter": "parse match match_all help",
    "http": "HTTPFlow Headers Message Request Response",
    "log": "ALERT LogEntry LogLevels MitmFormatter MitmLogHandler log_tier",
    "options": "Options",
    "optmanager": "OptManager dump_defaults dump_dicts load load_paths relative_path save serialize",
    "script": "concurrent",
    "tcp": "TCPFlow TCPMessage",
    "tls": "ClientHello ClientHelloData TlsData",
    "types": "Choice Cmd CmdArgs CommandTypes CutSpec Data Marker Path Space Unknown",
    "udp": "UDPFlow UDPMessage",
    "websocket": "WebSocketData WebSocketMessage",
    "addonmanager": "AddonManager Loader",
}


def single(kind: str) -> Iterator[tuple[type, str]]:
    for cls, access, names in TABLE:
        if access == kind:
            for name in names.split():
                yield cls, name


def shown(value: object) -> str | None:
    return value.__name__ if isinstance(value, type) else None


@pytest.mark.parametrize(("cls", "name"), [*single("rw"), *single("r")], ids=shown)
def test_attributes(cls: type, name: str) -> None:
    # What __init__ alone sets stands on no class; every class here has slots, so that this is complete.
    assert any(name in vars(base) or name in slots(base) for base in cls.__mro__), name


@pytest.mark.parametrize(("cls", "name"), list(single("rw")), ids=shown)
def test_what_can_be_set(cls: type, name: str) -> None:
    attribute = inspect.getattr_static(cls, name, None)
    if isinstance(attribute, property):
        assert attribute.fset is not None


@pytest.mark.parametrize(("cls", "call"), list(single("m")), ids=shown)
def test_methods(cls: type, call: str) -> None:
    name, _, rest = call.partition("(")
    wanted = [word for word in rest.rstrip(")").split(",") if word]
    method = getattr(cls, name)
    parameters = [each for each in inspect.signature(method).parameters if each != "self"]
    if wanted == ["**kwargs"]:
        assert inspect.signature(method).parameters["kwargs"].kind is inspect.Parameter.VAR_KEYWORD
    else:
        assert parameters[: len(wanted)] == wanted
        for extra in parameters[len(wanted) :]:
            known = inspect.signature(method).parameters[extra]
            assert known.default is not known.empty or known.kind in (known.VAR_KEYWORD, known.VAR_POSITIONAL), extra


@pytest.mark.parametrize(("cls", "names"), CONSTRUCTORS, ids=shown)
def test_constructors(cls: type, names: str) -> None:
    assert list(inspect.signature(cls).parameters) == names.split()


@pytest.mark.parametrize(("door", "names"), DOORS.items())
def test_doors(door: str, names: str) -> None:
    module = import_module(f"midstream.{door}")
    for name in names.split():
        assert hasattr(module, name), f"midstream.{door}.{name}"
        assert name in module.__all__


@pytest.mark.parametrize("make", [http_flow, tcp_flow, udp_flow, dns_flow])
def test_flows_take_attributes_of_a_scripts_own(make: Callable[[], Any]) -> None:
    made = make()
    made.own = 1
    assert made.own == 1


def slots(cls: type) -> tuple[str, ...]:
    found: tuple[str, ...] = getattr(cls, "__slots__", ())
    return found


def test_connections_take_attributes_of_a_scripts_own() -> None:
    made = http_flow().client_conn
    made.own = 1
    assert made.own == 1


def test_a_context_has_a_server_from_the_start() -> None:
    context = Context(connection.Client(peername=("a", 1), sockname=("b", 2), transport_protocol="udp"), None)
    assert (context.server.address, context.server.transport_protocol) == (None, "udp")


def test_copies_are_apart() -> None:
    data = websocket.WebSocketData([websocket.WebSocketMessage(1, True, b"x", 1.0)], close_code=1000)
    copied = data.copy()
    copied.messages[0].content = b"y"
    assert data.messages[0].content == b"x"
    message = tcp.TCPMessage(True, b"x", 1.0)
    copied_message = message.copy()
    copied_message.set_state((False, b"y", 2.0))
    assert message.get_state() == (True, b"x", 1.0)
    assert copied_message.get_state() == (False, b"y", 2.0)


@pytest.mark.parametrize("state", [(1, True, b"x"), (3, True, b"x", 1.0, False, False), None])
def test_a_state_that_is_refused_changes_nothing(state: Any) -> None:
    message = websocket.WebSocketMessage(1, True, b"x", 1.0)
    with pytest.raises(ValueError, match="websocket message"):
        message.set_state(state)
    assert message.get_state() == (1, True, b"x", 1.0, False, False)


@pytest.mark.parametrize("fields", [[(b"a", b"b"), ("c", "d")], (pair for pair in [(b"a", b"b"), (b"c", "d")])])
def test_header_fields_are_bytes_all_of_them(fields: Any) -> None:
    with pytest.raises(TypeError, match="must be bytes"):
        http.Headers(fields)


def test_a_mode_is_parsed_as_what_is_asked_for() -> None:
    assert RegularMode.parse("regular").full_spec == "regular"
    for kind, spec in ((RegularMode, "socks5"), (ReverseMode, "regular")):
        with pytest.raises(ValueError, match=f"mode '{spec}' is none of {kind.type_name}"):
            kind.parse(spec)


def test_the_text_of_a_message_is_text() -> None:
    with pytest.raises(TypeError, match=r"not bytes; \.content takes bytes"):
        http.Response.make().text = b"x"
