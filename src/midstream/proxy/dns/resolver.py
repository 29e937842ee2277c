"""A stub resolver: asks name servers for the addresses of a name, over UDP, and over TCP what is too long for that.

Used by the addon `dnsresolver`. It keeps nothing and knows no search list: the servers do the work (RFC 1034 §5.3.1).
"""

import asyncio
import secrets
from collections.abc import Sequence

from midstream.flows.connection import Address, Server
from midstream.flows.dns import classes, op_codes, response_codes, types
from midstream.proxy.dns.messages import Messages
from midstream.proxy.dns.upstream import Upstream
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.streams.stream import Stream
from midstream.proxy.streams.tcp import TCPStream
from midstream.proxy.streams.udp_dial import dial_udp
from midstream.wire import dns as codec
from midstream.wire import dns_names

PATIENCE = 3.0
"""Seconds for one server to answer one datagram, or over TCP."""
ATTEMPTS = 2
"""How often each server is asked: datagrams get lost."""

FINAL = (response_codes.NOERROR, response_codes.NXDOMAIN)


class Resolver:
    """Asks these servers, in this order; `local` is the address of ours that queries come from, if that matters."""

    def __init__(self, servers: Sequence[Address], local: Address | None = None) -> None:
        self._servers = servers
        self._local = local

    async def addresses(self, name: str, type_: int) -> tuple[int, list[bytes]]:
        """The response code, and the packed addresses of that type: A or AAAA. Raises UpstreamFailed.

        ValueError: the name cannot be asked for.
        """
        answer = await self._answer(name, type_)
        return answer.response_code, _found(answer, name, type_)

    async def _answer(self, name: str, type_: int) -> codec.MessageEntry:
        """What the first server says that says anything final, else what the last one said."""
        answer: codec.MessageEntry | None = None
        failure = UpstreamFailed("no name server is known")
        for _ in range(ATTEMPTS):
            for server in self._servers:
                try:
                    answer = await self._ask(server, name, type_)
                except UpstreamFailed as failed:
                    failure = failed
                    continue
                if answer.response_code in FINAL:
                    return answer
            if answer is not None:
                return answer
        raise failure

    async def _ask(self, server: Address, name: str, type_: int) -> codec.MessageEntry:
        # RFC 5452 §4: an id and a port that cannot be guessed.
        query = codec.MessageEntry(
            id=secrets.randbelow(1 << 16), query=True, op_code=op_codes.QUERY, authoritative_answer=False,
            truncation=False, recursion_desired=True, recursion_available=False, reserved=0,
            response_code=response_codes.NOERROR, questions=(codec.QuestionEntry(name, type_, classes.IN),),
            answers=(), authorities=(), additionals=(),
        )  # fmt: skip
        sent = codec.pack(query)
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await _exchange(sent, query, await dial_udp(*server, self._local))
            if answer.truncation:
                async with asyncio.timeout(PATIENCE):
                    answer = await _exchange(sent, query, await self._dial_tcp(server))
        except TimeoutError:
            raise UpstreamFailed(f"the name server {server[0]} did not answer within {PATIENCE:g} s") from None
        except OSError as exc:
            raise UpstreamFailed(f"the name server {server[0]} cannot be asked: {exc}") from None
        return answer

    async def _dial_tcp(self, server: Address) -> Stream:
        _, stream = await asyncio.get_running_loop().create_connection(TCPStream, *server, local_addr=self._local)
        return stream


async def _exchange(sent: bytes, query: codec.MessageEntry, stream: Stream) -> codec.MessageEntry:
    """One query, one answer, and no more. Raises UpstreamFailed, OSError."""
    upstream = Upstream(Server(address=stream.peername), Messages(stream, framed=stream.transport == "tcp"))
    answer: codec.MessageEntry | None = None
    failure: UpstreamFailed | None = None
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(upstream.listen())
        try:
            answer = (await upstream.ask(sent, query, PATIENCE)).entry
        except UpstreamFailed as failed:
            failure = failed
        finally:
            listening.cancel()
            stream.close()
    if answer is None:
        assert failure is not None
        raise failure
    return answer


def _found(answer: codec.MessageEntry, name: str, type_: int) -> list[bytes]:
    """The records for `name` and for what it is an alias of; others were not asked for, and are nobody's proof."""
    names = {name.lower()}
    found = []
    for record in answer.answers:
        if record.class_ == classes.IN and record.name.lower() in names:
            if record.type == types.CNAME:
                names |= _alias(record)
            elif record.type == type_ and len(record.data) == (4 if type_ == types.A else 16):
                found.append(record.data)
    return found


def _alias(record: codec.RecordEntry) -> set[str]:
    try:
        wire, _ = dns_names.read(record.data, 0, {})
    except ValueError:
        return set()
    return {dns_names.to_text(wire).lower()}
