"""Examples about what is not plain HTTP: DNS, raw TCP, TLS fingerprints, other proxies, streams of events."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from midstream.flows.dns import DNSMessage, Question, classes, response_codes, types
from midstream.flows.errors import OptionsError
from tests.kit.curl import curl, needs_curl
from tests.kit.datagrams import UdpEnd, udp_client
from tests.kit.example_run import EXAMPLES, example
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.running_master import running_master
from tests.kit.waiting import PATIENCE

EVENTS = b"event: tick\r\nid: 1\r\ndata: one\r\n\r\ndata: two\n\n"


async def ask(client: UdpEnd, name: str, type_: int) -> DNSMessage:
    query = DNSMessage(
        id=7, query=True, op_code=0, authoritative_answer=False, truncation=False, recursion_desired=True,
        recursion_available=False, reserved=0, response_code=0, questions=[Question(name, type_, classes.IN)],
        answers=[], authorities=[], additionals=[], timestamp=None,
    )  # fmt: skip
    client.say(query.packed)
    return DNSMessage.unpack(await client.heard())


async def test_dns_spoof(tmp_path: Path) -> None:
    rules = ["Shop.test=192.0.2.7", "shop.test=2001:db8::7", "ads.test="]
    script = str(EXAMPLES / "dns_spoof.py")
    async with (
        running_master(tmp_path, scripts=[script], mode=["dns"], dns_name_servers=["127.0.0.1:1"]) as running,
        udp_client(running.port) as client,
    ):
        options = running.master.options
        options.dns_spoof = rules
        (answer,) = (await ask(client, "www.shop.TEST", types.A)).answers
        assert (answer.name, str(answer.ipv4_address)) == ("www.shop.TEST", "192.0.2.7")
        (answer,) = (await ask(client, "shop.test", types.AAAA)).answers
        assert str(answer.ipv6_address) == "2001:db8::7"
        nothing = await ask(client, "shop.test", types.MX)
        assert (nothing.response_code, nothing.answers) == (response_codes.NOERROR, [])
        assert (await ask(client, "x.ads.test", types.A)).response_code == response_codes.NXDOMAIN
        # No name server listens there: what the example does not know is asked for.
        assert (await ask(client, "workshop.test", types.MX)).response_code == response_codes.SERVFAIL
        for wrong in ("shop.test", "=1.2.3.4", "shop.test=nowhere"):
            with pytest.raises(OptionsError, match="dns_spoof"):
                options.dns_spoof = [wrong]


async def test_tcp_banner(tmp_path: Path) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 Secretd 1.2.3\r\n")
        writer.write(b"250 " + await reader.readline())
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    target = f"reverse:tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    script = str(EXAMPLES / "tcp_banner.py")
    async with server, running_master(tmp_path, scripts=[script], mode=[target]) as running:
        running.master.options.tcp_banner = "220 mail ready"
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        async with asyncio.timeout(PATIENCE):
            assert await reader.readline() == b"220 mail ready\r\n"
            writer.write(b"HELO me\r\n")
            assert await reader.readline() == b"250 HELO me\r\n"
        writer.close()


@pytest.mark.parametrize("packed", [False, True])
async def test_sse_watch(confdir: Path, packed: bool) -> None:
    fields = ["Content-Type: text/event-stream", *(["Content-Encoding: gzip"] if packed else [])]
    async with example(confdir, "sse_watch.py", lambda heard: ok(EVENTS, *fields)) as run:
        _, body = await run.get("/feed")
        assert body == EVENTS
        if packed:
            assert run.logged("/feed is compressed")
            return
        assert run.logged("/feed: event: tick, id: 1, data: one")
        assert run.logged("/feed: data: two")


@needs_curl
async def test_fingerprints(confdir: Path, tmp_path: Path) -> None:
    ca = OriginCA(tmp_path)
    trusting = {"ssl_verify_upstream_trusted_ca": str(ca.file), "fingerprints_most": 1}
    async with (
        origin(answering(lambda heard: ok(b"hello")), tls=ca.context("localhost", "127.0.0.1")) as web,
        example(confdir, "fingerprints.py", **trusting) as run,
    ):
        for host in ("localhost", "localhost", "127.0.0.1"):
            await curl("--proxy", run.running.address, "--cacert", str(run.running.ca), f"https://{host}:{web.port}/")
        (row,) = run.execute("fingerprints.show")  # type: ignore[misc]
        assert row[0].startswith("t13d")
        assert row[1:] == ["localhost", "2"]


async def test_parent_by_host(confdir: Path) -> None:
    tunnels = []

    def answer(heard: Heard) -> bytes:
        if heard.method == "CONNECT":
            tunnels.append(heard.target)
            return b"HTTP/1.1 200 Connection established\r\n\r\n"
        return ok(heard.target.encode())

    async with origin(answering(answer)) as parent, example(confdir, "parent_by_host.py", answer) as run:
        options = run.master.options
        options.parent_by_host = [rf"\.corp\.test$=http://127.0.0.1:{parent.port}"]
        run.client.end.say(b"GET http://wiki.corp.test/x HTTP/1.1\r\nHost: wiki.corp.test\r\n\r\n")
        assert (await run.client.answer())[1] == b"/x"
        assert (await run.get("/direct"))[1] == b"/direct"
        assert tunnels == ["wiki.corp.test:80"]
        for wrong in ("http://h:1", "a=ftp://h:1", "a=http://h", "(=http://h:1", "a=http://h:x"):
            with pytest.raises(OptionsError, match="parent_by_host"):
                options.parent_by_host = [wrong]
