"""Refuse clients from networks that nobody meant to serve, so that we are never an open proxy by accident.

Acts when a client has connected, before a byte of it is read. The machine itself is always served, and so are
connections that the operating system redirects to us (local mode).
"""

from __future__ import annotations

import ipaddress
import logging

from midstream.flows.connection import Client
from midstream.flows.proxy_mode import LocalMode
from midstream.hub import ctx
from midstream.hub.addons import Loader

logger = logging.getLogger("midstream.addons.block")


class Block:
    """The addon; see the module."""

    def load(self, loader: Loader) -> None:
        loader.add_option("block_global", bool, True, "Refuse clients that connect from public addresses.")
        loader.add_option(
            "block_private",
            bool,
            False,
            "Refuse clients that connect from the local network; this machine itself is always served.",
        )

    def client_connected(self, client: Client) -> None:
        if isinstance(client.proxy_mode, LocalMode):
            return
        reason = self._refusal(client.peername[0])
        if reason is not None:
            logger.warning("client %s was refused: %s", client.peername[0], reason)
            client.error = reason

    def _refusal(self, host: str) -> str | None:
        """Why a client at this address is not served, or None."""
        options = ctx.options
        try:
            # The zone of a link-local address names an interface of ours; it says nothing about the client.
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            # Fail closed: what cannot be judged is not let in.
            return "its address cannot be read" if options.block_global or options.block_private else None
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        if address.is_loopback:
            return None
        if address.is_global:
            return "it has a public address; block_global=false lets it in" if options.block_global else None
        return "it has a private address; block_private=false lets it in" if options.block_private else None
