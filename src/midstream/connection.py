"""Connections of clients and servers: `from midstream import connection`.

Every flow has them as `client_conn` (Client) and `server_conn` (Server). The events of connections carry a Client, or a
ServerConnectionHookData with both.
"""

from midstream.flows.certificate import Cert
from midstream.flows.connection import Address, Client, Connection, ConnectionState, Server, TransportProtocol
from midstream.flows.server_hooks import ServerConnectionHookData

__all__ = [
    "Address",
    "Cert",
    "Client",
    "Connection",
    "ConnectionState",
    "Server",
    "ServerConnectionHookData",
    "TransportProtocol",
]
