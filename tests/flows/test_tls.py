"""What TLS and other connection events carry."""

import ssl

import pytest

from midstream.flows.connection import Client, Server
from midstream.flows.context import Context
from midstream.flows.next_layer import NextLayer
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.socks5 import Socks5AuthData
from midstream.flows.tls import ClientHello, ClientHelloData, QuicTlsData, QuicTlsSettings, TlsData
from midstream.wire import client_hello
from tests.kit.captured import connections


def context() -> Context:
    client, server = connections()
    return Context(client, None, server)


def real_hello(sni: str = "example.com") -> bytes:
    """What this Python's own TLS says first."""
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.set_alpn_protocols(["h2", "http/1.1"])
    data = TlsData(Server(address=("example.com", 443)), context())
    with pytest.raises(ssl.SSLWantReadError):
        data.wrap(settings, server_hostname=sni).do_handshake()
    return data.outgoing.read()


def test_client_hello() -> None:
    record = real_hello()
    message = client_hello.parse(record)
    assert message is not None
    hello = ClientHello(message)
    assert hello.sni == "example.com"
    assert hello.alpn_protocols == [b"h2", b"http/1.1"]
    assert 0x1301 in hello.cipher_suites
    assert 16 in dict(hello.extensions)
    assert hello.raw_bytes()[5:] == record[5:]
    assert hello.raw_bytes(wrap_in_record=False) == record[9:]
    again = ClientHello(record[9:])
    assert again.raw_bytes() == hello.raw_bytes()
    assert repr(again) == "ClientHello(sni: example.com, alpn_protocols: [b'h2', b'http/1.1'])"


def test_client_hello_of_dtls() -> None:
    body = real_hello()[9:]
    wrapped = ClientHello(body, dtls=True).raw_bytes()
    assert wrapped[:3] == b"\x16\xfe\xfd"
    assert int.from_bytes(wrapped[11:13], "big") == len(wrapped) - 13
    assert wrapped[13:25] == b"\x01" + wrapped[14:17] + bytes(5) + wrapped[14:17]
    assert wrapped[25:] == body


def test_a_broken_client_hello() -> None:
    with pytest.raises(ValueError, match="ClientHello"):
        ClientHello(b"junk")


def test_client_hello_data() -> None:
    data = ClientHelloData(context(), ClientHello(real_hello()[9:]))
    assert (data.ignore_connection, data.establish_server_tls_first) == (False, False)


def test_the_side_follows_from_the_connection() -> None:
    client, server = connections()
    data = TlsData(client, context())
    assert (data.ssl_conn, data.is_dtls) == (None, False)
    engine = data.wrap(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), server_hostname="ignored")
    assert engine is data.ssl_conn
    assert engine.server_side
    assert not TlsData(server, context()).wrap(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "h").server_side


def test_quic() -> None:
    data = QuicTlsData(connections()[0], context())
    assert data.settings is None
    data.settings = QuicTlsSettings(alpn_protocols=["h3"])
    assert data.settings.certificate_chain == []


def test_context() -> None:
    first = context()
    first.layers.append("tls")
    fork = first.fork()
    fork.layers.append("http")
    fork.server = Server(address=None)
    assert first.layers == ["tls"]
    assert first.server.address == ("example.com", 80)
    assert fork.client is first.client
    assert "layers=['tls']" in repr(first)


def test_next_layer() -> None:
    choice = NextLayer(context(), lambda: b"GET")
    assert (choice.layer, choice.data_client(), choice.data_server()) == (None, b"GET", b"")
    assert "layer=None" in repr(choice)


def test_server_hook_data() -> None:
    client, server = connections()
    data = ServerConnectionHookData(server=server, client=client)
    data.server.error = "refused"
    assert server.error == "refused"


def test_socks5_data_hides_the_password() -> None:
    client = Client(peername=("a", 1), sockname=("b", 2))
    data = Socks5AuthData(client, "user", "hunter2")
    assert not data.valid
    assert "hunter2" not in repr(data)
