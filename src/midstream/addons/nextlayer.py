"""Which connections are looked into: ignore_hosts, allow_hosts and the hosts whose traffic is raw bytes.

Answers `next_layer`, and only while one of its options is set, so that nobody pays for it otherwise. What a connection
speaks when none of these rules knows it is judged by the proxy, from the first bytes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from midstream.flows.connection import Address
from midstream.flows.errors import OptionsError
from midstream.flows.next_layer import NextLayer as Choice
from midstream.flows.proxy_mode import ReverseMode
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.text import patterns, url
from midstream.wire import client_hello

logger = logging.getLogger("midstream.proxy")

# Heads and hellos are bounded where they are read; beyond this nobody waits for a name any more.
LONGEST_HEAD = 64 * 1024

_OPTIONS = ("ignore_hosts", "allow_hosts", "tcp_hosts", "udp_hosts")
_METHOD = re.compile(rb"[A-Za-z]{3,32} ")
_HOST = re.compile(rb"\r?\nhost[ \t]*:[ \t]*([^\s]{1,255})", re.IGNORECASE)


class Hosts:
    """Regular expressions for `host:port`, without regard to case."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._allowance = patterns.Allowance()
        self._found = [patterns.searcher(text, re.IGNORECASE, self._allowance) for text in texts]

    def __bool__(self) -> bool:
        return bool(self._found)

    def match(self, names: Sequence[str]) -> bool:
        """Whether any expression is found in any of the names."""
        self._allowance.renew()
        try:
            return any(found(name) for found in self._found for name in names)
        except patterns.TooSlow as slow:
            logger.warning("%s; the connection to %s is treated as if it did not match", slow, ", ".join(names))
            return False


class NextLayer:
    """The addon; see the module."""

    name = "nextlayer"

    def __init__(self) -> None:
        self.addons: list[object] = []
        """The rules, while there are any."""

    def load(self, loader: Loader) -> None:
        option = loader.add_option
        option(
            "ignore_hosts",
            Sequence[str],
            [],
            "Pass on untouched, without a flow, connections whose host:port matches one of these regular expressions.",
            kind="regex",
        )
        option(
            "allow_hosts",
            Sequence[str],
            [],
            "Look only into connections whose host:port matches one of these; pass on all others untouched.",
            kind="regex",
        )
        option("show_ignored_hosts", bool, False, "List connections that are passed on untouched as raw TCP flows.")
        option(
            "tcp_hosts",
            Sequence[str],
            [],
            "Treat what goes to hosts that match one of these, inside of TLS too, as raw TCP.",
            kind="regex",
        )
        option(
            "udp_hosts",
            Sequence[str],
            [],
            "Treat datagrams to hosts that match one of these as raw UDP.",
            kind="regex",
        )

    def configure(self, updated: set[str]) -> None:
        if not updated & {*_OPTIONS, "show_ignored_hosts"}:
            return
        options = ctx.options
        if options.ignore_hosts and options.allow_hosts:
            raise OptionsError("ignore_hosts and allow_hosts exclude each other: set one of them")
        rules = Rules(options.show_ignored_hosts, *(Hosts(getattr(options, name)) for name in _OPTIONS))
        self.addons[:] = [rules] if rules.any else []
        ctx.master.addons.rebind()


class Rules:
    """What the options say, as an addon of its own that is there only while they say something."""

    name = "nextlayer_rules"

    def __init__(self, shown: bool, ignored: Hosts, allowed: Hosts, tcp: Hosts, udp: Hosts) -> None:
        self._untouched = "tcp" if shown else "ignore"
        self._ignored = ignored
        self._allowed = allowed
        self._tcp = tcp
        self._udp = udp
        self.any = any((ignored, allowed, tcp, udp))

    def next_layer(self, data: Choice) -> None:
        """Choose, unless another addon did."""
        if data.layer is not None:
            return
        client, server = data.context.client, data.context.server
        known = [*_names(server.peername), *_names(server.address)]
        if not known:
            return  # it is not known yet where this goes
        if client.sni and server.address:
            known.append(f"{client.sni}:{server.address[1]}")
        if client.transport_protocol == "udp":
            if self._udp.match(known):
                data.layer = "udp"
            return
        begun = data.data_client()
        if not client.tls or client_hello.starts_tls(begun):  # and TLS inside TLS by its own name
            data.layer = self._whether_untouched(known, begun, bool(data.data_server()), server.address)
        if (
            data.layer is None
            and begun
            and (client.tls or not client_hello.starts_tls(begun))
            and not isinstance(client.proxy_mode, ReverseMode)  # the scheme of the mode says it
            and self._tcp.match(known)
        ):
            data.layer = "tcp"

    def _whether_untouched(
        self, known: list[str], begun: bytes, server_spoke: bool, address: Address | None
    ) -> str | None:
        """The choice for a connection that is to pass as it is; "more" while its name may still come."""
        port = address[1] if address else 0
        name, is_all = ("", True) if server_spoke else named_inside(begun)
        names = [*known, name if ":" in name.rpartition("]")[2] else f"{name}:{port}"] if name else known
        if self._ignored and self._ignored.match(names):
            return self._untouched
        if not (self._ignored or self._allowed) or (self._allowed and self._allowed.match(names)):
            return None
        if not is_all:
            return "more"
        return self._untouched if self._allowed else None


def _names(address: Address | None) -> list[str]:
    """What stands for an address; for IPv6 with brackets and, as scripts and options of mitmproxy have it, without."""
    if address is None:
        return []
    plain, bracketed = f"{address[0]}:{address[1]}", url.hostport("", address[0], address[1])
    return [bracketed] if plain == bracketed else [bracketed, plain]


def named_inside(begun: bytes) -> tuple[str, bool]:
    """The host that a ClientHello or an HTTP head names, and whether no other name can follow."""
    if not begun:
        return "", False
    if client_hello.starts_tls(begun) or b"\x16\x03".startswith(begun):
        try:
            hello = client_hello.parse(begun)
        except ValueError:
            return "", True
        return ((hello.sni or ""), True) if hello is not None else ("", False)
    if _METHOD.match(begun) is None:
        # The first word of a request may still be on its way.
        return "", not (len(begun) <= 32 and begun.isascii() and begun.isalpha())
    host = _HOST.search(begun)
    if host is not None and host.end() < len(begun):
        return host[1].decode("ascii", "replace"), True
    return "", b"\r\n\r\n" in begun or b"\n\n" in begun or len(begun) > LONGEST_HEAD
