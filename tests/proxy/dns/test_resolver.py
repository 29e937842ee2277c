"""The stub resolver against name servers on loopback: aliases, retries, TCP, and answers that are not believed."""

from ipaddress import ip_address

import pytest

from midstream.flows.dns import ResourceRecord, response_codes, types
from midstream.proxy.dns import resolver as module
from midstream.proxy.dns.resolver import Resolver
from midstream.proxy.errors import UpstreamFailed
from tests.kit.datagrams import udp_server
from tests.kit.name_server import NameServer, address, name_server
from tests.kit.program import free_port

HERE = "127.0.0.1"


def packed(*texts: str) -> list[bytes]:
    return [ip_address(text).packed for text in texts]


def asking(*servers: NameServer) -> Resolver:
    return Resolver([(HERE, server.port) for server in servers])


async def test_addresses_of_both_kinds():
    records = {
        ("a.test", types.A): [address("a.test", "192.0.2.1"), address("a.test", "192.0.2.2")],
        ("a.test", types.AAAA): [address("a.test", "2001:db8::1")],
    }
    async with name_server(records) as server:
        assert await asking(server).addresses("a.test", types.A) == (0, packed("192.0.2.1", "192.0.2.2"))
        assert await asking(server).addresses("A.Test", types.AAAA) == (0, packed("2001:db8::1"))
        ids = [query[:2] for query in server.raw]
        assert ids[0] != ids[1] or ids[0] != b"\0\0"


async def test_no_such_name_and_a_name_without_addresses():
    async with name_server({("empty.test", types.A): response_codes.NOERROR}) as server:
        assert await asking(server).addresses("none.test", types.A) == (response_codes.NXDOMAIN, [])
        assert await asking(server).addresses("empty.test", types.A) == (response_codes.NOERROR, [])


async def test_aliases_are_followed_and_what_was_not_asked_for_is_not_believed():
    records = [
        address("evil.test", "192.0.2.66"),
        ResourceRecord.CNAME("a.test", "B.test"),
        ResourceRecord.CNAME("b.test", "c.test"),
        address("c.test", "192.0.2.3"),
        address("other.test", "192.0.2.67"),
        ResourceRecord("c.test", types.A, 1, 60, b"\1\2"),
        ResourceRecord("c.test", types.CNAME, 1, 60, b""),
    ]
    async with name_server({("a.test", types.A): records}) as server:
        assert await asking(server).addresses("a.test", types.A) == (0, packed("192.0.2.3"))


async def test_what_is_too_long_for_a_datagram_is_asked_for_over_tcp():
    many = [address("many.test", f"192.0.2.{number}") for number in range(100)]
    async with name_server({("many.test", types.A): many}) as server:
        code, found = await asking(server).addresses("many.test", types.A)
        assert (code, len(found)) == (0, 100)
        assert [transport for transport, _, _ in server.asked] == ["udp", "tcp"]


async def test_the_next_server_is_asked_when_one_fails(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    good = {("a.test", types.A): [address("a.test", "192.0.2.1")]}
    async with name_server({}) as silent, name_server({("a.test", types.A): 2}) as broken, name_server(good) as right:
        silent.silent = True
        assert await asking(silent, broken, right).addresses("a.test", types.A) == (0, packed("192.0.2.1"))


async def test_what_no_server_knows_is_told_as_it_is():
    async with name_server({("a.test", types.A): response_codes.REFUSED}) as server:
        assert await asking(server).addresses("a.test", types.A) == (response_codes.REFUSED, [])


async def test_a_lost_datagram_is_sent_again(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    lost: list[bytes] = []
    async with name_server({("a.test", types.A): [address("a.test", "192.0.2.1")]}) as server:

        def losing(query: bytes) -> bytes | None:
            lost.append(query)
            return server.answer(query, "udp") if len(lost) > 1 else None

        async with udp_server(losing) as end:
            assert await Resolver([end.name]).addresses("a.test", types.A) == (0, packed("192.0.2.1"))


@pytest.mark.parametrize("silent", [True, False])
async def test_nobody_answers(monkeypatch, silent):
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    async with name_server({}) as server:
        server.silent = True
        port = server.port if silent else free_port()
        reason = "did not answer within 0.05 s" if silent else "nothing listens there"
        with pytest.raises(UpstreamFailed, match=reason):
            await Resolver([(HERE, port)]).addresses("a.test", types.A)


async def test_no_servers():
    with pytest.raises(UpstreamFailed, match="no name server is known"):
        await Resolver([]).addresses("a.test", types.A)


async def test_a_name_that_cannot_be_asked_for():
    async with name_server({}) as server:
        with pytest.raises(ValueError, match="empty label"):
            await asking(server).addresses("a..test", types.A)
