"""What is known about one client connection while its protocol is being found out.

Made by the proxy for a connection, handed to addons inside of TLS and next_layer events.
"""

from typing import Any

from midstream.flows.connection import Client, Server


class Context:
    """Client, server and options of a connection, and the names of the protocol layers chosen so far."""

    __slots__ = {
        "__weakref__": "",
        "client": "The connection of the client.",
        "layers": "Names of the protocols that were found, from the outermost on.",
        "options": "The options of the program.",
        "server": "The connection to the server, which may not stand yet.",
    }

    def __init__(
        self, client: Client, options: Any, server: Server | None = None, layers: list[Any] | None = None
    ) -> None:
        self.client = client
        self.server = server or Server(address=None, transport_protocol=client.transport_protocol)
        self.options = options
        self.layers: list[Any] = [] if layers is None else layers

    def fork(self) -> "Context":
        """Another context whose server and layers may change without changing this one's."""
        return Context(self.client, self.options, self.server, self.layers.copy())

    def __repr__(self) -> str:
        return f"Context(client={self.client!r}, server={self.server!r}, layers={self.layers!r})"
