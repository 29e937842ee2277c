"""Answers in the mode `dns`: addresses are looked up here, and what else is asked goes to the first name server.

Acts on live queries that no other addon has answered. The name servers are those of `dns_name_servers`, else those of
the system; where neither is known, addresses are looked up as every program of this machine does it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Literal

from midstream.flows.connection import Address
from midstream.flows.dns import DNSFlow, DNSMessage, Question, ResourceRecord, classes, op_codes, response_codes, types
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Error
from midstream.flows.proxy_mode import DnsMode
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.proxy.dns.resolver import Resolver
from midstream.proxy.dns.system import DNS_PORT, HOSTS, RESOLV_CONF, KnownFile, hosts, name_servers
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.open_files import most_lookups

FAMILIES = {types.A: socket.AF_INET, types.AAAA: socket.AF_INET6}
LOOPBACK = {types.A: ipaddress.IPv4Address("127.0.0.1").packed, types.AAAA: ipaddress.IPv6Address("::1").packed}
NO_SERVERS = "no name server is known; name one with dns_name_servers"
# glibc tells apart a name without such addresses from a name that is not there.
_EMPTY = tuple(getattr(socket, name) for name in ("EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name))

IsOurs = Callable[[Address, Literal["tcp", "udp"]], bool]
"""Whether a listener of ours is at an address."""


class DnsResolver:
    """The addon; see the module."""

    def __init__(self, is_ours: IsOurs = lambda address, transport: False) -> None:
        self._is_ours = is_ours
        self._chosen: list[Address] = []
        self._system = KnownFile(RESOLV_CONF, name_servers)
        self._hosts = KnownFile(HOSTS, hosts)
        self._room = asyncio.Semaphore(most_lookups())

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "dns_name_servers",
            Sequence[str],
            [],
            "Name servers that the mode dns asks instead of those of the system: IP addresses, with :PORT or without.",
        )
        loader.add_option(
            "dns_use_hosts_file", bool, True, "Let the hosts file of this machine answer first in the mode dns."
        )

    def configure(self, updated: set[str]) -> None:
        if "dns_name_servers" in updated:
            self._chosen = [_server(text) for text in ctx.options.dns_name_servers]

    async def dns_request(self, flow: DNSFlow) -> None:
        """Answer, or say who is to be asked."""
        if not _is_open(flow):
            return
        question = _address_question(flow.request)
        if question is None:
            servers = await self._servers()
            if servers:
                flow.server_conn.address = servers[0]
            else:
                flow.error = Error(NO_SERVERS)
            return
        try:
            flow.response = await self._looked_up(flow.request, question)
        except UpstreamFailed as failed:
            flow.error = Error(str(failed))

    async def _servers(self) -> list[Address]:
        """Whom to ask, in this order; ourselves we would ask for ever."""
        known = self._chosen or await self._system.read()
        return [address for address in known if not self._is_ours(address, "udp")]

    async def _looked_up(self, query: DNSMessage, question: Question) -> DNSMessage:
        """The answer about addresses. Raises UpstreamFailed."""
        name, size = question.name.lower(), 4 if question.type == types.A else 16
        known = (await self._hosts.read()).get(name) if ctx.options.dns_use_hosts_file else None
        own = [packed for packed in known or () if len(packed) == size]
        if not own and (name == "localhost" or name.endswith(".localhost")):
            own = [LOOPBACK[question.type]]  # RFC 6761 §6.3: whatever anybody else says
        if own or known is not None:
            return _answered(query, question, own)
        servers = await self._servers()
        if not servers:
            return await _asked_of_system(query, question)
        local = ctx.options.connect_addr
        try:
            resolver = Resolver(servers, (local, 0) if local else None)
            async with self._room:
                code, addresses = await resolver.addresses(question.name, question.type)
        except ValueError:  # a name that can be read and not be written
            return query.fail(response_codes.SERVFAIL)
        if code == response_codes.NOERROR:
            return _answered(query, question, addresses)
        return query.fail(code if code == response_codes.NXDOMAIN else response_codes.SERVFAIL)


def _is_open(flow: DNSFlow) -> bool:
    """Whether a client of the mode `dns` waits for an answer that nobody has given."""
    unanswered = flow.response is None and flow.error is None
    return flow.live and unanswered and isinstance(flow.client_conn.proxy_mode, DnsMode)


def _server(text: str) -> Address:
    """An entry of dns_name_servers. Raises OptionsError."""
    host, port = text.strip(), str(DNS_PORT)
    if host.startswith("[") and "]" in host:
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise OptionsError(f"dns_name_servers: {text!r} is no IP address, nor one with :PORT") from None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise OptionsError(f"dns_name_servers: {text!r} has no port from 1 to 65535 after the address")
    return host, int(port)


def _address_question(query: DNSMessage) -> Question | None:
    """What is asked, if that is the address of one name."""
    question = query.question
    if question is None or query.op_code != op_codes.QUERY:
        return None
    return question if question.class_ == classes.IN and question.type in FAMILIES else None


def _answered(query: DNSMessage, question: Question, addresses: list[bytes]) -> DNSMessage:
    ttl = ResourceRecord.DEFAULT_TTL
    return query.succeed(
        [ResourceRecord(question.name, question.type, classes.IN, ttl, packed) for packed in addresses]
    )


async def _asked_of_system(query: DNSMessage, question: Question) -> DNSMessage:
    """The answer of getaddrinfo."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(question.name, None, family=FAMILIES[question.type], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        code = code_of(exc)
        return query.succeed([]) if code == response_codes.NOERROR else query.fail(code)
    packed = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).packed for entry in found]
    return _answered(query, question, list(dict.fromkeys(packed)))


def code_of(failure: OSError | UnicodeError) -> int:
    """What a failure of getaddrinfo means for who asked."""
    if not isinstance(failure, socket.gaierror):
        return response_codes.SERVFAIL
    if failure.errno in _EMPTY:
        return response_codes.NOERROR
    return response_codes.NXDOMAIN if failure.errno == socket.EAI_NONAME else response_codes.SERVFAIL
