"""Records of connections."""

import pytest

from midstream.flows.certificate import Cert
from midstream.flows.connection import Client, ConnectionState, Server
from midstream.flows.proxy_mode import ProxyMode
from tests.flows.states import PEM


def client() -> Client:
    return Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 8080))


def test_defaults() -> None:
    conn = client()
    assert conn.timestamp_start > 0
    assert conn.proxy_mode == ProxyMode.parse("regular")
    assert conn.state is ConnectionState.CLOSED
    assert (conn.connected, conn.tls_established, conn.tls) == (False, False, False)
    assert Server(address=None).timestamp_start is None


def test_states_add_up() -> None:
    assert ConnectionState.CAN_READ | ConnectionState.CAN_WRITE is ConnectionState.OPEN
    conn = client()
    conn.state = ConnectionState.OPEN
    assert conn.connected
    conn.state &= ~ConnectionState.CAN_READ
    assert conn.state is ConnectionState.CAN_WRITE
    assert not conn.connected


def test_equality_is_by_id() -> None:
    one, other = client(), client()
    assert one == one
    assert one != other
    other.id = one.id
    assert one == other
    assert len({one, other}) == 1
    assert one != "x"


def test_where_to_connect_is_fixed_once_connected() -> None:
    server = Server(address=("a", 1))
    server.address = ("b", 2)
    server.via = ("http", ("p", 3))
    server.state = ConnectionState.OPEN
    server.address = ("b", 2)
    with pytest.raises(RuntimeError, match="address"):
        server.address = ("c", 3)
    with pytest.raises(RuntimeError, match="parent proxy"):
        server.via = None
    assert server.address == ("b", 2)


def test_old_names() -> None:
    conn, server = client(), Server(address=("a", 1), peername=("1.2.3.4", 1))
    assert conn.address == conn.peername
    assert conn.clientcert is None
    assert server.cert is None
    assert server.ip_address == ("1.2.3.4", 1)
    server.certificate_list = [Cert.from_pem(PEM)]
    server.alpn, server.cipher = b"h2", "X"
    assert (server.cert, server.alpn_proto_negotiated, server.cipher_name) == (Cert.from_pem(PEM), b"h2", "X")


def test_repr() -> None:
    conn = client()
    assert repr(conn) == "Client(127.0.0.1:1, state=closed)"
    server = Server(address=("h", 443), tls=True, alpn=b"h2", state=ConnectionState.OPEN)
    assert repr(server) == "Server(h:443, state=open, tls, alpn=h2)"
    assert repr(Server(address=None)) == "Server(unknown, state=closed)"


def test_state_round_trip() -> None:
    conn = client()
    conn.mitmcert = Cert.from_pem(PEM)
    assert Client.from_state(conn.get_state()).get_state() == conn.get_state()
    server = Server(address=("h", 1), via=("https", ("p", 2)))
    assert Server.from_state(server.get_state()).get_state() == server.get_state()


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("peername", None, "Client.peername: expected an address"),
        ("tls_version", "TLSv9", "'TLSv9' is none of"),
        ("transport_protocol", "sctp", "'sctp' is none of tcp, udp"),
        ("proxy_mode", "revers:x", "Client.proxy_mode: mode 'revers:x'"),
        ("proxy_mode", 5, "Client.proxy_mode: expected text"),
        ("mitmcert", b"x", "Client.mitmcert: no PEM certificate"),
        ("mitmcert", "x", "Client.mitmcert: expected bytes"),
    ],
)
def test_a_damaged_state_is_refused_and_changes_nothing(key: str, value: object, sentence: str) -> None:
    conn = client()
    before = conn.get_state()
    with pytest.raises(ValueError, match=sentence):
        conn.set_state({**before, key: value})
    assert conn.get_state() == before


def test_set_state() -> None:
    server = Server(address=None)
    server.set_state({**server.get_state(), "address": ["h", 1], "via": ["http", ["p", 2]]})
    assert server.address == ("h", 1)
    assert server.via == ("http", ("p", 2))
