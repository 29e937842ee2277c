"""Who is refused, by address and option."""

import logging
from collections.abc import AsyncIterator

import pytest

from midstream.addons.block import Block
from midstream.flows.connection import Client
from midstream.flows.proxy_mode import ProxyMode
from midstream.hub.master import Master
from midstream.testing import context


@pytest.fixture
async def block() -> Block:
    return Block()


@pytest.fixture
async def master(block: Block) -> AsyncIterator[Master]:
    async with context(block, loadcore=False) as tests:
        yield tests.master


LOOPBACK = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]
PRIVATE = [
    "10.1.2.3",
    "192.168.0.9",
    "172.16.0.1",
    "169.254.1.1",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:10.0.0.1",
    "100.64.0.1",
]
PUBLIC = ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "2001:4860:4860::8888%eth0"]
UNREADABLE = ["", "somewhere"]


def judged(block: Block, hosts: list[str]) -> set[str]:
    """Those of `hosts` that are let in."""
    passed = set()
    for host in hosts:
        client = Client(peername=(host, 4000), sockname=("", 8080))
        block.client_connected(client)
        if client.error is None:
            passed.add(host)
    return passed


@pytest.mark.parametrize(
    ("block_global", "block_private", "served"),
    [
        (True, False, LOOPBACK + PRIVATE),
        (True, True, LOOPBACK),
        (False, True, LOOPBACK + PUBLIC),
        (False, False, LOOPBACK + PRIVATE + PUBLIC + UNREADABLE),
    ],
)
async def test_networks(
    block: Block, master: Master, block_global: bool, block_private: bool, served: list[str]
) -> None:
    master.options.update(block_global=block_global, block_private=block_private)
    assert judged(block, LOOPBACK + PRIVATE + PUBLIC + UNREADABLE) == set(served)


@pytest.mark.usefixtures("master")
async def test_public_clients_are_refused_from_the_first_day(block: Block, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(peername=("8.8.8.8", 4000), sockname=("", 8080))
    with caplog.at_level(logging.WARNING):
        block.client_connected(client)
    assert client.error == "it has a public address; block_global=false lets it in"
    assert "client 8.8.8.8 was refused: it has a public address" in caplog.text


@pytest.mark.usefixtures("master")
async def test_redirected_connections_pass(block: Block) -> None:
    client = Client(peername=("8.8.8.8", 4000), sockname=("", 8080), proxy_mode=ProxyMode.parse("local"))
    block.client_connected(client)
    assert client.error is None
