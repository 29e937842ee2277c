"""Leave apps alone that trust only their own certificate: after a failed handshake their host is tunnelled untouched.

midstream -s examples/addons/tunnel_pinned.py

The first connection fails, since by then it is too late; when the app tries again, it gets through. Nothing inside can
be seen, but the rest of the phone goes on working.
"""

import logging
from collections.abc import Sequence

from midstream import command, tls


class TunnelPinned:
    def __init__(self) -> None:
        self.hosts: set[str] = set()

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """The client has said whom it wants to talk to; nothing has been answered yet."""
        if data.client_hello.sni in self.hosts:
            data.ignore_connection = True

    def tls_failed_client(self, data: tls.TlsData) -> None:
        host = data.conn.sni
        if host and host not in self.hosts:
            self.hosts.add(host)
            logging.info("%s does not trust our certificate: it is left alone from now on", host)

    @command.command("pinned.list")
    def show(self) -> Sequence[str]:
        """The hosts that are left alone."""
        return sorted(self.hosts)

    @command.command("pinned.clear")
    def clear(self) -> None:
        """Try to look into all of them again."""
        self.hosts.clear()


addons = [TunnelPinned()]
