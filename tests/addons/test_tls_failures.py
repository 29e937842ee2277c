"""Clients that fail at TLS again and again: one row, one line, which count."""

import io
import logging
from collections.abc import AsyncIterator

import pytest

from midstream.addons.dumper import Dumper
from midstream.addons.tls_failures import FOLDED, TlsFailures
from midstream.addons.view import ViewAddon
from midstream.flows.connection import Client, Server
from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow, Request
from midstream.flows.tcp import TCPFlow
from midstream.hub.master import Master
from midstream.store.view import View
from midstream.testing import context

WHY = "the client does not trust our certificate for a.test"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
async def master(clock: Clock, out: io.StringIO) -> AsyncIterator[Master]:
    async with context(loadcore=False) as tests:
        tests.master.view = View()
        tests.master.addons.add(TlsFailures(clock), Dumper(out), ViewAddon(tests.master.view))
        yield tests.master


def client(why: str = WHY, peer: str = "192.0.2.5") -> Client:
    return Client(peername=(peer, 50000), sockname=("127.0.0.1", 8080), error=why)


async def fail(master: Master, why: str = WHY, host: str = "a.test", peer: str = "192.0.2.5") -> HTTPFlow:
    flow = HTTPFlow(client(why, peer), Server(address=(host, 443)))
    flow.request = Request.make("CONNECT", f"https://{host}/")
    flow.error = Error(why)
    await master.addons.trigger_event("http_connect_error", flow)
    return flow


def listed(master: Master) -> list[str]:
    view: View = master.view
    return [view.row(id_).failed for id_ in view.shown]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


async def test_fifty_failures_are_one_row_and_three_lines(
    master: Master, out: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    flows = [await fail(master) for _ in range(50)]
    assert listed(master) == [f"50 times: {WHY}"]
    assert [flow.metadata.get(FOLDED) for flow in flows] == [None, *[flows[0].id] * 49]
    assert lines(caplog) == [f"a.test:443: {WHY}", f"10 times by now: a.test:443: {WHY}"]
    assert out.getvalue().count("!!") == 1


async def test_other_hosts_clients_and_reasons_are_other_rows(master: Master) -> None:
    await fail(master)
    await fail(master, host="b.test")
    await fail(master, peer="192.0.2.6")
    await fail(master, why="something else")
    await fail(master)
    assert sorted(listed(master)) == sorted([f"2 times: {WHY}", WHY, WHY, "something else"])


async def test_what_fails_after_a_long_rest_is_news(
    master: Master, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await fail(master)
    clock.now += 599
    await fail(master)
    clock.now += 599
    await fail(master)
    assert listed(master) == [f"3 times: {WHY}"]
    clock.now += 601
    await fail(master)
    assert listed(master) == [f"3 times: {WHY}", WHY]
    assert len(lines(caplog)) == 2


async def test_a_row_that_was_taken_out_of_the_list_comes_back(master: Master) -> None:
    first = await fail(master)
    await fail(master)
    master.view.remove([first.id])
    await fail(master)
    assert listed(master) == [WHY]
    await fail(master)
    await fail(master)
    assert listed(master) == [f"3 times: {WHY}"]


async def test_what_is_no_failure_of_tls_is_left_alone(master: Master, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        flow = HTTPFlow(client(""), Server(address=("a.test", 443)))
        flow.request = Request.make("CONNECT", "https://a.test/")
        flow.error = Error("a.test:443 refused the connection")
        await master.addons.trigger_event("http_connect_error", flow)
        talk = TCPFlow(client(""), Server(address=("a.test", 443)))
        await master.addons.trigger_event("tcp_start", talk)
    assert len(listed(master)) == 4
    assert lines(caplog) == []


async def test_the_same_without_connect(master: Master, out: io.StringIO, caplog: pytest.LogCaptureFixture) -> None:
    for address in (("a.test", 443), ("a.test", 443), None):
        flow = TCPFlow(client(), Server(address=address))
        flow.error = Error(WHY)
        await master.addons.trigger_event("tcp_start", flow)
        await master.addons.trigger_event("tcp_error", flow)
    assert listed(master) == [f"2 times: {WHY}", WHY]
    assert lines(caplog) == [f"a.test:443: {WHY}", WHY]
    assert out.getvalue().count("!!") == 2


async def test_many_reasons_are_not_kept_for_ever(master: Master) -> None:
    addon = master.addons.get("tlsfailures")
    for number in range(600):
        await fail(master, host=f"h{number}.test")
    assert len(addon._known) == 500
