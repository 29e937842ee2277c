"""Holding flows."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from midstream.addons.intercept import Intercept
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Flow
from midstream.hub.master import Master
from midstream.testing import context
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(Intercept(), loadcore=False) as tests:
        yield tests.master


async def test_setting_the_filter_turns_it_on_and_clearing_turns_it_off(master: Master) -> None:
    options = master.options
    assert not options.intercept_active
    options.intercept = "~m POST"
    assert options.intercept_active
    options.intercept = None
    assert not options.intercept_active
    options.intercept = ""
    assert not options.intercept_active


async def test_a_bad_filter_is_refused_with_its_column(master: Master) -> None:
    master.options.intercept = "~q"
    with pytest.raises(OptionsError, match="option intercept: column 1: ~m needs a regex"):
        master.options.intercept = "~m ("
    assert master.options.intercept == "~q"
    assert master.options.intercept_active


async def test_matching_flows_are_held_until_released(master: Master) -> None:
    master.options.intercept = "~m POST & ~q"
    passing = http_flow(status=None, live=True)
    await master.events.request(passing)
    assert not passing.intercepted
    held = http_flow(method="POST", status=None, live=True)
    waiting = asyncio.ensure_future(master.events.request(held))
    await asyncio.sleep(0)
    assert held.intercepted
    assert not waiting.done()
    held.resume()
    await waiting
    assert not held.intercepted


async def test_a_killed_flow_is_held_no_longer(master: Master) -> None:
    master.options.intercept = "~all"
    held = http_flow(live=True)
    waiting = asyncio.ensure_future(master.events.response(held))
    await asyncio.sleep(0)
    held.kill()
    await waiting


async def test_nothing_is_held_when_inactive(master: Master) -> None:
    master.options.intercept = "~all"
    master.options.intercept_active = False
    flow = http_flow(live=True)
    await master.events.request(flow)
    assert not flow.intercepted
    master.options.intercept_active = True
    addon = master.addons.get("intercept")
    addon.request(flow)
    assert flow.intercepted


@pytest.mark.parametrize("replay", ["request", "response"])
async def test_replayed_flows_are_not_held(master: Master, replay: str) -> None:
    master.options.intercept = "~all"
    flow = http_flow(live=True)
    flow.is_replay = replay
    await master.events.request(flow)
    assert not flow.intercepted


async def test_heads_are_never_held(master: Master) -> None:
    master.options.intercept = "~all"
    flow = http_flow(live=True)
    await master.events.requestheaders(flow)
    await master.events.responseheaders(flow)
    assert not flow.intercepted


@pytest.mark.parametrize(
    ("event", "flow"),
    [
        ("request", http_flow()),
        ("response", http_flow()),
        ("websocket_message", websocket_flow((True, b"x"))),
        ("tcp_message", tcp_flow((True, b"x"))),
        ("udp_message", udp_flow((True, b"x"))),
        ("dns_request", dns_flow()),
        ("dns_response", dns_flow()),
    ],
)
async def test_events_that_hold(master: Master, event: str, flow: Flow) -> None:
    master.options.intercept = "~all"
    flow = flow.copy()
    waiting = asyncio.ensure_future(master.events.emitter(event)(flow))
    await asyncio.sleep(0)
    assert flow.intercepted
    flow.resume()
    await waiting
