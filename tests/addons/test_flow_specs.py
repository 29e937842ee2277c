"""Flow specs where no flows are stored: over those in flight and those that somebody holds."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from midstream.addons.comment import Comment
from midstream.addons.core import Core
from midstream.addons.flow_specs import FlowSpecs
from midstream.addons.script import ScriptLoader
from midstream.flows.errors import CommandError
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.hub.options import Options
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    made = Master(Options())
    with ctx.use(made):
        made.addons.add(Core(), Comment(), ScriptLoader(), FlowSpecs())
        yield made
        await made.done()


def run(line: str) -> Any:
    return ctx.master.commands.execute(line)


async def arrive(master: Master, count: int = 3) -> list[HTTPFlow]:
    flows = [http_flow(f"http://example.com/{number}", live=True) for number in range(count)]
    for flow in flows:
        await master.events.requestheaders(flow)
    return flows


async def test_specs_name_those_alive_in_order_of_arrival(master: Master) -> None:
    first, second, third = await arrive(master)
    second.marked = ":dog:"
    assert run("view.flows.resolve @all") == [first, second, third]
    assert run("view.flows.resolve @marked") == [second]
    assert run("view.flows.resolve @unmarked") == [first, third]
    assert run(f"view.flows.resolve @{third.id},{first.id}") == [third, first]
    assert run("view.flows.resolve '~u /[02]$'") == [first, third]
    del second
    gc.collect()
    assert run("view.flows.resolve @all") == [first, third]


async def test_every_kind_of_flow_is_known(master: Master) -> None:
    tcp, udp, dns, refused = tcp_flow(), udp_flow(), dns_flow(), http_flow()
    await master.events.tcp_start(tcp)
    await master.events.udp_start(udp)
    await master.events.dns_request(dns)
    await master.events.error(refused)
    await master.events.error(refused)
    assert run("view.flows.resolve @all") == [tcp, udp, dns, refused]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("@focus", "@focus needs the flow list of midstream; use @all, @marked, @ID or a filter here"),
        ("@shown", "@shown needs the flow list"),
        ("@hidden", "@hidden needs the flow list"),
        ("@al", "'@al' names no flows; did you mean '@all'"),
        ("~zz", "~zz is no operator"),
        ("''", "column 1"),
    ],
)
async def test_specs_that_name_nothing(master: Master, spec: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(f"view.flows.resolve {spec}")


async def test_commands_that_take_flows_work(master: Master) -> None:
    first, second, _ = flows = await arrive(master)
    run("flow.mark '~u /1' :dog:")
    assert [flow.marked for flow in flows] == ["", ":dog:", ""]
    first.intercept()
    held = asyncio.ensure_future(first.wait_for_resume())
    run("flow.resume @all")
    await held
    run(f"flow.kill @{second.id}")
    assert second.error is not None
    run("flow.comment @marked 'a comment'")
    assert second.comment == "a comment"

    def show(flow: HTTPFlow) -> str:
        return flow.request.path

    ctx.master.commands.add("show", show)
    assert run("show '~u /2'") == "/2"
    with pytest.raises(CommandError, match="'@all' names 3 flows; exactly one is needed"):
        run("show @all")


async def test_a_script_runs_over_them(master: Master, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("def response(flow):\n    flow.comment = 'seen'\n")
    flows = await arrive(master)
    run(f"script.run @all {script}")
    async with asyncio.timeout(10):
        while not all(flow.comment == "seen" for flow in flows):
            await asyncio.sleep(0)


async def test_what_is_gone_is_forgotten(master: Master) -> None:
    specs = master.addons.get("flow_specs")
    kept = await arrive(master, 10)
    for _ in range(50):
        await master.events.requestheaders(http_flow())
    assert len(specs._living) == len(kept)
    assert run("view.flows.resolve @all") == kept
