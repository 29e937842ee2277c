"""An addon that notes what is told of connections, which carry no flow: used by the tests of `proxy/`."""

from __future__ import annotations

from dataclasses import dataclass, field

from midstream.flows.connection import Client, Server
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.tls import ClientHelloData, TlsData


@dataclass
class ConnectionEvents:
    """The names of the events in order, and the servers that they were about."""

    names: list[str] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)

    def client_connected(self, client: Client) -> None:
        self.names.append("client_connected")

    def client_disconnected(self, client: Client) -> None:
        self.names.append("client_disconnected")

    def server_connect(self, data: ServerConnectionHookData) -> None:
        self.names.append("server_connect")
        self.servers.append(data.server)

    def server_connected(self, data: ServerConnectionHookData) -> None:
        self.names.append("server_connected")

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        self.names.append("server_connect_error")

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        self.names.append("server_disconnected")

    def tls_clienthello(self, data: ClientHelloData) -> None:
        self.names.append("tls_clienthello")

    def tls_start_client(self, data: TlsData) -> None:
        self.names.append("tls_start_client")

    def tls_established_client(self, data: TlsData) -> None:
        self.names.append("tls_established_client")

    def tls_failed_client(self, data: TlsData) -> None:
        self.names.append("tls_failed_client")

    def tls_start_server(self, data: TlsData) -> None:
        self.names.append("tls_start_server")

    def tls_established_server(self, data: TlsData) -> None:
        self.names.append("tls_established_server")

    def tls_failed_server(self, data: TlsData) -> None:
        self.names.append("tls_failed_server")
