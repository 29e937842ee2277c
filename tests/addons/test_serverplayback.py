"""The addon without a proxy: what is bound when, and what it refuses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from midstream.addons.serverplayback import ServerPlayback
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.http import HTTPFlow, Response
from midstream.hub.background import Background
from midstream.hub.events import Events
from midstream.proxy.server import Proxy
from midstream.testing import context
from tests.kit.captured import http_flow

EVENTS = ("requestheaders", "request", "server_connect")


def addon() -> ServerPlayback:
    """One whose proxy has not started."""
    return ServerPlayback(Proxy(Events(Background()), None))


def bound(tests: context) -> list[str]:
    """The events of flows for which anything has a handler."""
    return [name for name in EVENTS if getattr(tests.master.events, name).handlers]


def asked(url: str) -> HTTPFlow:
    flow = http_flow(url, status=None)
    flow.live = True
    return flow


async def test_while_it_is_off_it_costs_nothing():
    async with context(addon(), loadcore=False) as tests:
        call = tests.commands.call
        assert bound(tests) == []
        call("replay.server", [http_flow("http://a.test/")])
        assert bound(tests) == ["requestheaders", "request"]
        tests.options.server_replay_extra = "404"
        assert bound(tests) == ["requestheaders", "request", "server_connect"]
        call("replay.server.stop")
        assert bound(tests) == [] and call("replay.server.count") == 0


async def test_scripts_ask_it_as_clients_do():
    async with context(addon(), loadcore=False) as tests:
        tests.commands.call("replay.server", [http_flow("http://a.test/", response_body=b"recorded")])
        flow, other, own = asked("http://a.test/"), asked("http://a.test/"), asked("http://a.test/")
        own.response = Response.make(200, b"own")
        for each in (own, flow, other):
            await tests.emit("request", each)
        assert own.response.content == b"own"
        assert flow.response is not None and flow.response.content == b"recorded" and flow.is_replay == "response"
        assert other.response is None and other.is_replay is None


async def test_many_flows_at_once_are_taken_in_the_background():
    async with context(addon(), loadcore=False, strict=False) as tests:
        call = tests.commands.call
        call("replay.server", [http_flow(f"http://a.test/{number}", response_body=b"x") for number in range(1500)])
        call("replay.server.add", [http_flow("http://a.test/last", response_body=b"last")])
        flow = asked("http://a.test/last")
        await tests.emit("request", flow)  # which waits until all are there
        assert flow.response is not None and flow.response.content == b"last"
        assert call("replay.server.count") == 1500
        call("replay.server", [])
        assert call("replay.server.count") == 0


async def test_a_flow_that_breaks_keeps_no_request_waiting():
    broken = http_flow("http://a.test/")
    broken.request.raw_path = None  # type: ignore[assignment]
    async with context(addon(), loadcore=False, strict=False) as tests:
        tests.options.server_replay_extra = "404"
        tests.commands.call("replay.server", [broken] * 600)
        tests.commands.call("replay.server.add", [http_flow("http://a.test/last", response_body=b"last")])
        flow = asked("http://a.test/last")
        async with asyncio.timeout(10):
            await tests.emit("request", flow)
        assert flow.response is not None and flow.response.content == b"last"
        assert tests.log.has("error", "could not be taken in")


async def test_what_it_refuses(tmp_path: Path):
    async with context(addon(), loadcore=False) as tests:
        with pytest.raises(OptionsError, match=r"server_replay: .*nowhere: it cannot be read: No such file"):
            tests.options.server_replay = [str(tmp_path / "nowhere")]
        with pytest.raises(CommandError, match="nowhere: it cannot be read"):
            tests.commands.call("replay.server.file", str(tmp_path / "nowhere"))
        with pytest.raises(OptionsError, match="server_replay_extra"):
            tests.options.server_replay_extra = "418"
        assert bound(tests) == []
