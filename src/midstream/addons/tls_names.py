"""The names and protocols of a TLS connection: what to put into our certificate, what to ask a server for.

Part of `addons/tlsconfig.py`, which is its only caller.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from cryptography import x509

from midstream.certs.leaves import MAX_NAMES, covers
from midstream.flows.certificate import Cert
from midstream.flows.connection import Client, Server
from midstream.flows.proxy_mode import ReverseMode

HTTP: Final = (b"h2", b"http/1.1", b"http/1.0")
"""What a client may choose among when no server has chosen for it."""

_KNOWN: Final = 1000

Names = tuple[tuple[str, ...], str | None, str | None]
"""Host names and addresses, the organization, and the URL of a list of revoked certificates."""


def protocols_for_server(offers: Sequence[bytes], http2: bool) -> list[str]:
    """What to offer a server by ALPN: what the client offered us, but for what we do not speak."""
    return [offer.decode() for offer in offers if offer.isascii() and (http2 or offer != b"h2")]


def protocols_for_client(client: Client, server: Server, http2: bool) -> list[str]:
    """What to agree on with the client by ALPN, one protocol at most: what somebody set as `client.alpn`, else what the
    server chose, else the first HTTP that the client offers.
    """
    if client.alpn is not None:
        return [client.alpn.decode("ascii", "ignore")] if client.alpn else []
    if server.tls_established:
        # A server that chooses nothing speaks what was there before ALPN.
        chosen = server.alpn or b"http/1.1"
        return [chosen.decode("ascii")] if chosen in client.alpn_offers else []
    return next(([o.decode()] for o in client.alpn_offers if o in HTTP and (http2 or o != b"h2")), [])


def verified_name(server: Server, client: Client) -> str | None:
    """The host name or IP address that the server has to prove; sets `server.sni`, unless someone did before.

    The client's own wish comes first. An IP address is never sent as SNI (RFC 6066 §3) but verified all the same.
    """
    if server.sni:
        return server.sni
    address = server.address[0] if server.address else None
    name = client.sni or address
    if name is None:
        return None
    name = name.strip("[]").partition("%")[0].rstrip(".")
    if not is_ip(name):
        server.sni = name
    return name or None


def is_ip(text: str) -> bool:
    """Whether this is an IPv4 or IPv6 address."""
    if ":" not in text and not text.replace(".", "").isdigit():
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class NameFinder:
    """The names for our certificate towards a client; what was worked out once is remembered, up to a bound."""

    def __init__(self) -> None:
        self.use_upstream = True
        self._known: dict[tuple[bytes, str | None], Names] = {}

    def find(self, client: Client, server: Server) -> Names:
        """Names in order, without doubles: those of the real certificate, then what the client will look for, which is
        the name it asked for (SNI), without one where it wanted to go, or where it arrived if it knows nothing else.
        And what else ours takes from the real certificate.
        """
        shown = server.certificate_list[0] if self.use_upstream and server.certificate_list else None
        asked = client.sni
        if asked is None:
            is_known = not isinstance(client.proxy_mode, ReverseMode)
            asked = server.address[0] if server.address and is_known else client.sockname[0]
        key = (shown.der if shown is not None else b"", asked)
        names = self._known.get(key)
        if names is None:
            names = _names(shown, asked)
            if len(self._known) >= _KNOWN:
                self._known.clear()  # cheaper to fill again than to keep in order
            self._known[key] = names
        return names


def _names(shown: Cert | None, asked: str | None) -> Names:
    found: dict[str, None] = {}
    organization = crl = None
    if shown is not None:
        try:
            upstream = [shown.cn, *(str(name.value) for name in shown.altnames if _is_host(name))]
            organization = shown.organization
            crl = next((url for url in shown.crl_distribution_points if url.lower().startswith("http")), None)
        except ValueError:  # only OpenSSL could read it
            upstream = []
        found = dict.fromkeys(name for name in upstream if name)
    kept = list(found)[: MAX_NAMES - 1]
    # A name that a star stands for needs no certificate of its own: all siblings share one.
    if asked and not covers(kept, asked):
        kept.append(asked)
    return tuple(kept), organization, crl


def _is_host(name: x509.GeneralName) -> bool:
    return isinstance(name, x509.DNSName | x509.IPAddress)
