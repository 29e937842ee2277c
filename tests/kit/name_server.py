"""A DNS server of the test's own, over UDP and TCP on one port of loopback.

async with name_server({("a.test", types.A): [address("a.test", "192.0.2.1")]}) as server: … server.port, server.asked
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address

from midstream.flows.dns import DNSMessage, ResourceRecord, response_codes
from tests.kit.datagrams import UdpEnd
from tests.kit.waiting import PATIENCE

TTL = 300
MOST_OVER_UDP = 512


def address(name: str, ip: str) -> ResourceRecord:
    """A record of type A or AAAA."""
    found = ip_address(ip)
    if isinstance(found, IPv4Address):
        return ResourceRecord.A(name, found, ttl=TTL)
    return ResourceRecord.AAAA(name, found, ttl=TTL)


@dataclass
class NameServer:
    """Answers from `records`: by name and type, the records, or a response code where there are none."""

    records: Mapping[tuple[str, int], Sequence[ResourceRecord] | int]
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    """Transport, name and type of each query."""
    raw: list[bytes] = field(default_factory=list)
    port: int = 0
    silent: bool = False
    """Hears, and says nothing."""

    def answer(self, query: bytes, transport: str) -> bytes | None:
        """The answer to one query."""
        self.raw.append(query)
        message = DNSMessage.unpack(query)
        question = message.questions[0]
        self.asked.append((transport, question.name, question.type))
        if self.silent:
            return None
        found = self.records.get((question.name.lower(), question.type), response_codes.NXDOMAIN)
        if isinstance(found, int):
            reply = message.succeed([]) if found == response_codes.NOERROR else message.fail(found)
            return reply.packed
        reply = message.succeed(list(found))
        if transport == "udp" and len(reply.packed) > MOST_OVER_UDP:
            reply.truncation, reply.answers = True, []
        return reply.packed

    async def serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                reply = self.answer(await reader.readexactly(size), "tcp")
                if reply is not None:
                    writer.write(len(reply).to_bytes(2, "big") + reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def name_server(records: Mapping[tuple[str, int], Sequence[ResourceRecord] | int]) -> AsyncIterator[NameServer]:
    """It serves until the block ends."""
    server = NameServer(records)
    loop = asyncio.get_running_loop()
    tcp = await asyncio.start_server(server.serve_tcp, "127.0.0.1", 0)
    server.port = tcp.sockets[0].getsockname()[1]
    _, udp = await loop.create_datagram_endpoint(
        lambda: UdpEnd(lambda query: server.answer(query, "udp")), local_addr=("127.0.0.1", server.port)
    )
    try:
        yield server
    finally:
        udp.close()
        tcp.close()


@dataclass
class Dug:
    """What dig printed."""

    status: str
    answers: list[list[str]]
    """Name, TTL, class, type and data of each."""
    text: str


async def dig(port: int, *words: str, host: str = "127.0.0.1") -> Dug:
    """Ask the server at this port of this machine."""
    process = await asyncio.create_subprocess_exec(
        "dig", f"@{host}", "-p", str(port), "+time=10", "+tries=1", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        out, _ = await process.communicate()
    text = out.decode()
    lines = text.splitlines()
    status = next((line.partition("status: ")[2].partition(",")[0] for line in lines if "status: " in line), "")
    answers = []
    if ";; ANSWER SECTION:" in lines:
        for line in lines[lines.index(";; ANSWER SECTION:") + 1 :]:
            if not line:
                break
            answers.append(line.split(None, 4))
    return Dug(status, answers, text)
