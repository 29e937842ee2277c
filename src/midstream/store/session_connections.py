"""What a connection is in a session: a snapshot taken on the loop, its bytes, and the connection again.

As `session_codec` does it for flows. `session_links` takes the snapshots and numbers them, `session_file` writes them:
connections are shared by flows, and each is written once.
"""

from __future__ import annotations

from operator import attrgetter

from midstream.flows.connection import Client, Connection, Server
from midstream.flows.state import StateError
from midstream.store.session_codec import Snapshot, Unpackable, pack, unpack

_ENDS = ("peername", "sockname", "transport_protocol", "error", "tls", "certificate_list", "alpn", "alpn_offers")
_TLS = ("cipher", "cipher_list", "tls_version", "sni", "timestamp_start", "timestamp_end", "timestamp_tls_setup")
_CLIENT_NAMES = ("id", *_ENDS, *_TLS, "mitmcert", "proxy_mode", "tls_resumed", "hello", "_fingerprints")
_SERVER_NAMES = ("id", *_ENDS, *_TLS, "address", "timestamp_tcp_setup", "via", "tls_resumed")
_CLIENT, _SERVER = attrgetter(*_CLIENT_NAMES), attrgetter(*_SERVER_NAMES)


def connection_snapshot(connection: Connection) -> Snapshot:
    """What a connection is like now. Whether it is open is not part of it."""
    return _CLIENT(connection) if isinstance(connection, Client) else _SERVER(connection)


def pack_connection(shot: Snapshot) -> bytes:
    """The bytes of such a snapshot. Raises Unpackable."""
    is_client = len(shot) == len(_CLIENT_NAMES)
    values = dict(zip(_CLIENT_NAMES if is_client else _SERVER_NAMES, shot, strict=True))
    try:
        values["certificate_list"] = [cert.to_pem() for cert in values["certificate_list"]]
        values["alpn_offers"], values["cipher_list"] = list(values["alpn_offers"]), list(values["cipher_list"])
        if is_client:
            values["mitmcert"] = values["mitmcert"] and values["mitmcert"].to_pem()
            values["proxy_mode"] = values["proxy_mode"].full_spec
    except (TypeError, ValueError, AttributeError) as error:
        raise Unpackable(f"a connection: {error}") from None
    return pack(values)


def unpack_connection(data: bytes) -> Client | Server:
    """A closed connection with these values. Raises StateError."""
    values = unpack(data)
    if not isinstance(values, dict):
        raise StateError("damaged: it is no connection")
    resumed = values.pop("tls_resumed", None) is True
    if "proxy_mode" not in values:
        server = Server.from_state(values)
        server.tls_resumed = resumed
        return server
    hello, fingerprints = values.pop("hello", b""), values.pop("_fingerprints", None)
    client = Client.from_state(values)
    client.tls_resumed = resumed
    if isinstance(hello, bytes):
        client.hello = hello
    if (
        isinstance(fingerprints, list)
        and len(fingerprints) == 2
        and all(isinstance(each, str) for each in fingerprints)
    ):
        client.fingerprints = (fingerprints[0], fingerprints[1])
    return client
