"""What we know of TLS that the reference's flow files have no place for: fingerprints, and whether it was resumed.

`flow.py` keeps it in the metadata of a saved flow, where others pass it by, and takes it out again: scripts find it
on the connections only.
"""

from __future__ import annotations

import re
from typing import Any, Final

from midstream.flows.connection import Client, Server

KEY: Final = "midstream_tls"
_JA3: Final = re.compile(r"[0-9a-f]{32}\Z")
_JA4: Final = re.compile(r"[0-9a-z]{10}_[0-9a-f]{12}_[0-9a-f]{12}\Z", re.IGNORECASE)


def facts_of(client: Client, server: Server) -> dict[str, Any]:
    """What is to be saved; empty for connections without TLS."""
    facts: dict[str, Any] = {"ja3": client.ja3, "ja4": client.ja4}
    facts["client_resumed"], facts["server_resumed"] = client.tls_resumed, server.tls_resumed
    return {name: value for name, value in facts.items() if value}


def take_facts(client: Client, server: Server, facts: object) -> None:
    """Put back what was saved, as far as it is what it should be: the file may be anybody's."""
    if not isinstance(facts, dict):
        return
    ja3, ja4 = facts.get("ja3"), facts.get("ja4")
    if isinstance(ja3, str) and isinstance(ja4, str) and _JA3.match(ja3) and _JA4.match(ja4):
        client.fingerprints = (ja3, ja4)
    client.tls_resumed = facts.get("client_resumed") is True
    server.tls_resumed = facts.get("server_resumed") is True
