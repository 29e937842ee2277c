"""What the server_connect… events carry. Made by the proxy just before it dials."""

from dataclasses import dataclass, field

from midstream.flows.connection import Client, Server


@dataclass(slots=True)
class ServerConnectionHookData:
    """The connection to be made, and the client it is made for. Setting `server.error` refuses it.

    `target` is the server that is to be reached through it, where it is a connection to a parent proxy.

    Setting `postponed`, to a reason, leaves it undone for now: a tunnel goes on without a server, and HTTP requests in
    it may be answered by addons. Asked again for a request that nobody answered, or for bytes that are no HTTP, the
    same reason refuses it.
    """

    server: Server
    client: Client
    target: Server | None = field(default=None, init=False)
    postponed: str = field(default="", init=False)
