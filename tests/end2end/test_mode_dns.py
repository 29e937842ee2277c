"""The mode `dns`: dig at a real process that answers addresses by itself and asks a name server for the rest."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from midstream.flows.dns import DNSFlow, DNSMessage, ResourceRecord, response_codes, types
from midstream.wire.dns_https import HTTPSRecord
from tests.kit.datagrams import udp_client
from tests.kit.name_server import NameServer, address, dig, name_server
from tests.kit.program import Middump, free_port, middump, started
from tests.kit.running_master import running_master
from tests.kit.waiting import until

pytestmark = pytest.mark.end2end
needs_dig = pytest.mark.skipif(shutil.which("dig") is None, reason="the program dig is not installed")

ECH, ALPN = 5, 1
RECORDS = {
    ("a.test", types.A): [address("a.test", "192.0.2.1"), address("a.test", "192.0.2.2")],
    ("a.test", types.AAAA): [address("a.test", "2001:db8::1")],
    ("a.test", types.MX): [ResourceRecord("a.test", types.MX, 1, 300, b"\x00\x0a\x04mail\x04test\x00")],
    ("a.test", types.TXT): [ResourceRecord.TXT("a.test", "some text " * 100, ttl=300)],
    ("a.test", types.HTTPS): [
        ResourceRecord.HTTPS("a.test", HTTPSRecord(1, "", {ALPN: b"\x02h3\x02h2", ECH: b"keys"}), ttl=300)
    ],
    ("empty.test", types.A): response_codes.NOERROR,
    ("sick.test", types.A): response_codes.SERVFAIL,
}


@asynccontextmanager
async def serving(confdir: Path, *argv: str) -> AsyncIterator[tuple[NameServer, Middump]]:
    """A name server, and middump in the mode dns that asks it."""
    async with name_server(RECORDS) as server:
        chosen = ("--set", f"dns_name_servers=127.0.0.1:{server.port}")
        async with middump(confdir, "--mode", "dns", *chosen, *argv) as program:
            yield server, program


@needs_dig
@pytest.mark.parametrize("words", [(), ("+tcp",)], ids=["udp", "tcp"])
async def test_addresses_are_answered_here(confdir: Path, words: tuple[str, ...]):
    async with serving(confdir) as (server, program):
        found = await dig(program.port, "a.test", "A", *words)
        assert found.status == "NOERROR", found.text
        assert found.answers == [["a.test.", "60", "IN", "A", "192.0.2.1"], ["a.test.", "60", "IN", "A", "192.0.2.2"]]
        found = await dig(program.port, "a.test", "AAAA", *words)
        assert found.answers == [["a.test.", "60", "IN", "AAAA", "2001:db8::1"]]
        assert (await dig(program.port, "none.test", *words)).status == "NXDOMAIN"
        assert (await dig(program.port, "sick.test", *words)).status == "SERVFAIL"
        empty = await dig(program.port, "empty.test", *words)
        assert (empty.status, empty.answers) == ("NOERROR", [])
        localhost = await dig(program.port, "localhost", *words)
        assert ["localhost.", "60", "IN", "A", "127.0.0.1"] in localhost.answers
        assert "localhost" not in [name for _, name, _ in server.asked]
        await program.line("DNS A a.test")
        await program.line("<- 192.0.2.1, 192.0.2.2")
        await program.line("<- NXDOMAIN")


@needs_dig
@pytest.mark.parametrize("words", [(), ("+tcp",)], ids=["udp", "tcp"])
async def test_what_else_is_asked_goes_to_the_name_server(confdir: Path, words: tuple[str, ...]):
    async with serving(confdir) as (server, program):
        found = await dig(program.port, "a.test", "MX", *words)
        assert found.answers == [["a.test.", "300", "IN", "MX", "10 mail.test."]]
        assert server.asked == [(words[0][1:] if words else "udp", "a.test", types.MX)]
        await program.line("DNS MX a.test")


@needs_dig
async def test_what_is_too_long_for_udp_is_asked_again_over_tcp(confdir: Path):
    async with serving(confdir) as (server, program):
        found = await dig(program.port, "a.test", "TXT")
        assert "Truncated, retrying in TCP mode" in found.text
        assert found.answers[0][-1].replace('" "', "").strip('"') == "some text " * 100
        assert [transport for transport, _, _ in server.asked] == ["udp", "tcp"]


@needs_dig
async def test_what_would_lead_clients_past_us_is_stripped(confdir: Path):
    async with serving(confdir) as (_, program):
        found = await dig(program.port, "a.test", "HTTPS")
        assert [answer[-1] for answer in found.answers] == ['1 . alpn="h2"']
    async with serving(confdir, "--set", "strip_ech=false") as (_, program):
        found = await dig(program.port, "a.test", "HTTPS")
        assert "ech=" in found.answers[0][-1]


@needs_dig
async def test_a_script_answers_changes_and_refuses(confdir: Path, tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(
        "from ipaddress import IPv4Address\n"
        "from midstream import dns, flow\n"
        "def dns_request(f):\n"
        "    name = f.request.question.name\n"
        "    if name == 'mine.test':\n"
        "        f.response = f.request.succeed([dns.ResourceRecord.A(name, IPv4Address('192.0.2.77'))])\n"
        "    if name == 'bad.test':\n"
        "        f.error = flow.Error('no')\n"
        "def dns_response(f):\n"
        "    if f.request.question.type == dns.types.MX:\n"
        "        f.response.answers[0].ttl = 5\n"
    )
    async with serving(confdir, "-s", str(script)) as (server, program):
        assert (await dig(program.port, "mine.test")).answers == [["mine.test.", "60", "IN", "A", "192.0.2.77"]]
        assert (await dig(program.port, "bad.test")).status == "SERVFAIL"
        assert (await dig(program.port, "a.test", "MX")).answers[0][1] == "5"
        assert [name for _, name, _ in server.asked] == ["a.test"]
        await program.line("no")


@needs_dig
async def test_over_ipv6_and_by_whatever_address(confdir: Path):
    async with name_server(RECORDS) as server:
        options = ("-p", "0", "--listen-host", "", "--mode", "dns", "--set", "block_global=false")
        async with started(confdir, *options, "--set", f"dns_name_servers=127.0.0.1:{server.port}") as program:
            port = int((await program.line("listening at")).rpartition(":")[2])
            for host in ("127.0.0.2", "::1"):  # dig takes no answer from elsewhere
                for words in ((), ("+tcp",)):
                    found = await dig(port, "a.test", *words, host=host)
                    assert len(found.answers) == 2, found.text


async def test_nobody_to_ask(confdir: Path, tmp_path: Path):
    """The name server is gone."""
    async with (
        running_master(confdir, mode=["dns@0"], dns_name_servers=[f"127.0.0.1:{free_port()}"]) as running,
        udp_client(running.port) as client,
    ):
        for type_ in (types.A, types.MX):
            query = DNSMessage.unpack(b"\0\1\1\0\0\1\0\0\0\0\0\0\1a\4test\0" + type_.to_bytes(2, "big") + b"\0\1")
            client.say(query.packed)
            assert DNSMessage.unpack(await client.heard()).response_code == response_codes.SERVFAIL
            flow = running.recorder.last("dns_error")
            assert flow.error is not None and "nothing listens there" in flow.error.msg


async def test_we_are_not_our_own_name_server(confdir: Path):
    port = free_port()
    async with (
        running_master(confdir, mode=[f"dns@127.0.0.1:{port}"], dns_name_servers=[f"127.0.0.1:{port}"]) as running,
        udp_client(port) as client,
    ):
        client.say(b"\0\1\1\0\0\1\0\0\0\0\0\0\1a\4test\0\0\x0f\0\1")
        assert DNSMessage.unpack(await client.heard()).response_code == response_codes.SERVFAIL
        assert "no name server is known" in str(running.recorder.last("dns_error").error)


@needs_dig
async def test_reverse_mode_to_ourselves_is_refused(confdir: Path):
    port = free_port()
    async with running_master(confdir, mode=[f"reverse:dns://127.0.0.1:{port}@127.0.0.1:{port}"]) as running:
        for words in ((), ("+tcp",)):
            assert (await dig(port, "a.test", *words)).status == "SERVFAIL"
        flow = running.recorder.last("dns_error")
        assert "is this proxy itself" in str(flow.error)


@needs_dig
async def test_a_held_query_is_edited_and_let_go(confdir: Path):
    class Holds:
        def dns_request(self, flow: DNSFlow) -> None:
            if flow.request.question is not None and flow.request.question.name == "held.test":
                flow.intercept()

    async with (
        name_server(RECORDS) as server,
        running_master(
            confdir, Holds(), mode=[f"reverse:dns://127.0.0.1:{server.port}@0"], dns_name_servers=[]
        ) as running,
    ):
        held = asyncio.ensure_future(dig(running.port, "held.test"))
        await until(lambda: "dns_request" in running.recorder.names(), "it is held")
        assert len((await dig(running.port, "a.test")).answers) == 2
        flow = next(flow for name, flow in running.recorder.seen if name == "dns_request")
        assert isinstance(flow, DNSFlow)
        flow.response = flow.request.succeed([ResourceRecord.A("held.test", IPv4Address("192.0.2.9"))])
        flow.resume()
        assert [answer[-1] for answer in (await held).answers] == ["192.0.2.9"]


async def test_a_flood_of_junk_harms_nobody(confdir: Path):
    async with serving(confdir) as (_, program):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as junk:
            for number in range(2000):
                junk.sendto(number.to_bytes(2, "big") * (number % 40), ("127.0.0.1", program.port))
        async with udp_client(program.port) as client:

            def is_answered() -> bool:
                client.say(b"\0\1\1\0\0\1\0\0\0\0\0\0\1a\4test\0\0\1\0\1")  # again: UDP may drop what is too much
                return not client.inbox.empty()

            await until(is_answered, "an answer among the flood")
            assert DNSMessage.unpack(await client.heard()).answers[0].ipv4_address == IPv4Address("192.0.2.1")
