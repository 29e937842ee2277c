"""What we know of connections that the reference's flow files have no place for: fingerprints of TLS, whether it was
resumed, and a SOCKS proxy as the parent.

`flow.py` keeps it in the metadata of a saved flow, where others pass it by, and takes it out again: scripts find it
on the connections only.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Final

from midstream.flows.connection import Client, Server, checked_via
from midstream.flows.state import State, StateError

KEY: Final = "midstream_tls"
_KNOWN_PARENTS: Final = frozenset({"http", "https", "http3", "tls", "dtls", "tcp", "udp", "dns", "quic"})
_JA3: Final = re.compile(r"[0-9a-f]{32}\Z")
_JA4: Final = re.compile(r"[0-9a-z]{10}_[0-9a-f]{12}_[0-9a-f]{12}\Z", re.IGNORECASE)


def saved_via(state: State) -> State:
    """The state of a server connection without a parent that others would refuse the whole file for."""
    via = state["via"]
    return {**state, "via": None} if via is not None and via[0] not in _KNOWN_PARENTS else state


def facts_of(client: Client, server: Server) -> dict[str, Any]:
    """What is to be saved; empty for connections without TLS."""
    facts: dict[str, Any] = {"ja3": client.ja3, "ja4": client.ja4}
    facts["client_resumed"], facts["server_resumed"] = client.tls_resumed, server.tls_resumed
    if server.via is not None and server.via[0] not in _KNOWN_PARENTS:
        facts["via"] = server.via
    return {name: value for name, value in facts.items() if value}


def take_facts(client: Client, server: Server, facts: object) -> None:
    """Put back what was saved, as far as it is what it should be: the file may be anybody's."""
    if not isinstance(facts, dict):
        return
    ja3, ja4 = facts.get("ja3"), facts.get("ja4")
    if isinstance(ja3, str) and isinstance(ja4, str) and _JA3.match(ja3) and _JA4.match(ja4):
        client.fingerprints = (ja3, ja4)
    via = facts.get("via")
    if via is not None and server.via is None:
        with contextlib.suppress(StateError):
            server.via = checked_via(via, "via")
    client.tls_resumed = facts.get("client_resumed") is True
    server.tls_resumed = facts.get("server_resumed") is True
