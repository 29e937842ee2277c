"""Connections of clients and servers: `from midstream import connection`."""

from midstream.flows.certificate import Cert
from midstream.flows.connection import Address, Client, Connection, ConnectionState, Server, TransportProtocol

__all__ = ["Address", "Cert", "Client", "Connection", "ConnectionState", "Server", "TransportProtocol"]
