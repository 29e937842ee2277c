"""Captured flows by events, options and commands."""

import asyncio
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from midstream.addons.view import ViewAddon
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.store.view import View
from midstream.testing import context
from tests.kit.captured import START, dns_flow, http_flow, tcp_flow, udp_flow
from tests.kit.stopwatch import never_held
from tests.kit.waiting import until


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(loadcore=False) as tests:
        tests.master.view = View()
        tests.master.addons.add(ViewAddon(tests.master.view))
        yield tests.master


@pytest.fixture
async def view(master: Master) -> View:
    kept: View = master.view
    return kept


def run(line: str) -> Any:
    return ctx.master.commands.execute(line)


def paths(view: View) -> list[str]:
    return [view.row(id_).path for id_ in view.shown]


def fill(view: View, count: int, *, live: bool = False) -> list[HTTPFlow]:
    made = [http_flow(f"http://example.com/{n}", start=START + n, live=live) for n in range(count)]
    for flow in made:
        view.add(flow)
    return made


async def test_an_exchange_is_listed_from_its_head_to_its_end(master: Master, view: View) -> None:
    flow = http_flow(status=None, live=True)
    await master.events.requestheaders(flow)
    assert list(view.shown) == [flow.id]
    assert view.row(flow.id).status is None
    await master.events.request(flow)
    flow.response = http_flow().response
    await master.events.responseheaders(flow)
    await master.events.response(flow)
    assert view.row(flow.id).status == 200
    assert len(view) == 1


async def test_other_kinds_and_early_failures(master: Master, view: View) -> None:
    await master.events.tcp_start(tcp_flow())
    await master.events.udp_start(udp_flow())
    await master.events.dns_request(dns_flow(answered=False))
    refused = http_flow(status=400)
    refused.error = Error("two lengths")
    await master.events.error(refused)
    assert [view.row(id_).kind for id_ in view.all_ids] == ["tcp", "udp", "dns", "http"]
    assert view.row(refused.id).failed == "two lengths"


async def test_connect_is_listed_only_when_it_fails(master: Master, view: View) -> None:
    flow = http_flow(method="CONNECT", status=None)
    await master.events.http_connect(flow)
    await master.events.http_connected(flow)
    assert len(view) == 0
    await master.events.http_connect_error(flow)
    assert len(view) == 1


async def test_held_flows_show_it(master: Master, view: View) -> None:
    flow = http_flow(status=None, live=True)
    await master.events.requestheaders(flow)
    flow.intercept()
    waiting = asyncio.ensure_future(master.events.request(flow))
    await asyncio.sleep(0)
    assert view.row(flow.id).held == "request"
    flow.resume()
    await waiting
    assert view.row(flow.id).held == ""


async def test_options(master: Master, view: View) -> None:
    fill(view, 3)
    options = master.options
    options.view_filter = '"/[02]"'
    assert paths(view) == ["/0", "/2"]
    options.view_order_reversed = True
    assert paths(view) == ["/2", "/0"]
    options.view_order = "url"
    assert (view.order, view.reversed) == ("url", True)
    options.console_focus_follow = True
    assert view.follow
    with pytest.raises(OptionsError, match=r"view_filter: column 1: ~qq is no operator; did you mean '~[a-z]+'\?"):
        options.view_filter = "~qq"
    with pytest.raises(OptionsError, match="view_order"):
        options.view_order = "sise"
    assert options.view_filter == '"/[02]"'
    options.view_filter = None
    assert len(view.shown) == 3


async def test_a_filter_over_many_flows_works_in_the_background(master: Master, view: View) -> None:
    fill(view, 2100)
    done = asyncio.Event()
    view.on_change.append(lambda change: done.set() if len(view.shown) == 100 else None)
    master.options.view_filter = '"/20..$"'
    async with asyncio.timeout(10):
        await done.wait()


async def test_resolve(view: View) -> None:
    made = fill(view, 3)
    assert list(run("view.flows.resolve @all")) == made
    assert list(run("view.flows.resolve @focus")) == made[:1]
    with pytest.raises(CommandError, match="did you mean '@shown'"):
        run("view.flows.resolve @show")
    with pytest.raises(CommandError, match="column 1"):
        run("view.flows.resolve ~c")


async def test_create(view: View) -> None:
    run("view.flows.create post https://example.com:444/a?b=c")
    (flow,) = view.resolve("@focus")
    assert isinstance(flow, HTTPFlow)
    assert (flow.request.method, flow.request.url) == ("POST", "https://example.com:444/a?b=c")
    assert flow.server_conn.address == ("example.com", 444)
    assert flow.copy().request.url == flow.request.url
    with pytest.raises(CommandError, match="is no URL"):
        run("view.flows.create get nowhere")


async def test_duplicate(view: View) -> None:
    made = fill(view, 2)
    run("view.flows.duplicate @all")
    assert len(view) == 4
    (focused,) = view.resolve("@focus")
    assert focused not in made
    assert focused.id != made[0].id


async def test_remove_ends_what_is_in_flight_and_it_does_not_come_back(master: Master, view: View) -> None:
    held, other = fill(view, 2, live=True)
    held.intercept()
    run("view.flows.remove @all")
    assert len(view) == 0
    for flow in (held, other):
        assert flow.error is not None
        assert not flow.intercepted
        await master.events.error(flow)
    assert len(view) == 0


async def test_clear_ends_only_what_is_held(master: Master, view: View) -> None:
    held, streaming, finished = fill(view, 3, live=True)
    held.intercept()
    finished.live = False
    finished.marked = ":dog:"
    view.update(finished)
    run("view.clear_unmarked")
    assert list(view.all_ids) == [finished.id]
    assert held.error is not None
    assert streaming.error is None
    await master.events.response(streaming)
    run("view.clear")
    assert len(view) == 0
    run("view.clear")


async def test_focus(view: View) -> None:
    made = fill(view, 3)
    for line, index in (
        ("view.focus.next", 1),
        ("view.focus.next", 2),
        ("view.focus.next", 2),
        ("view.focus.prev", 1),
        ("view.focus.go 0", 0),
        ("view.focus.prev", 0),
        ("view.focus.go -1", 2),
        ("view.focus.go -9", 0),
        ("view.focus.go 9", 2),
    ):
        run(line)
        assert view.focus_id == made[index].id, line
    view.clear()
    for line in ("view.focus.next", "view.focus.prev", "view.focus.go 0"):
        run(line)
        assert view.focus_id is None


async def test_filter_and_order_without_options(master: Master, view: View) -> None:
    fill(view, 3)
    run("view.filter.set /1")
    assert paths(view) == ["/1"]
    with pytest.raises(CommandError, match="column 4"):
        run('view.filter.set "~c x"')
    run("view.filter.set ''")
    assert len(view.shown) == 3
    assert run("view.order") == "time"
    assert run("view.order.options")[:4] == ["time", "method", "url", "size"]
    run("view.order.set url")
    run("view.order.reverse true")
    assert paths(view) == ["/2", "/1", "/0"]
    run("view.order.set time")
    assert view.reversed
    with pytest.raises(CommandError):
        run("view.order.set sise")
    assert (master.options.view_filter, master.options.view_order) == (None, "time")


async def test_properties_and_settings(view: View) -> None:
    made = fill(view, 3)
    assert run("view.properties.length") == 3
    assert run("view.properties.inbounds 2") is True
    assert run("view.properties.inbounds 3") is False
    assert run("view.properties.inbounds -1") is False
    assert run("view.properties.marked") is False
    run("view.properties.marked.toggle")
    assert run("view.properties.marked") is True
    assert list(view.shown) == []
    run("view.properties.marked.toggle")
    assert run("view.settings.getval @focus mode auto") == "auto"
    run("view.settings.setval @all mode json")
    assert run("view.settings.getval @focus mode auto") == "json"
    run("view.settings.setval.toggle @all open")
    assert view.settings(made[2].id) == {"mode": "json", "open": "true"}
    run("view.settings.setval.toggle @all open")
    assert view.settings(made[2].id)["open"] == "false"
    with pytest.raises(CommandError, match="not in the list"):
        ctx.master.commands.call("view.settings.getval", http_flow(), "mode", "auto")


async def test_many_flows_are_copied_and_freed_in_slices(master: Master, view: View) -> None:
    fill(view, 2500)
    run("view.flows.duplicate @all")
    assert len(view) == 2500
    while len(view) < 5000 or view.row(view.focus_id).number == 1:  # the focus comes last
        await asyncio.sleep(0)
    assert view.row(view.focus_id).number == 2501
    flow = weakref.ref(view.get(view.focus_id))
    run("view.clear")
    assert len(view) == 0
    assert flow() is not None  # the clear can be undone
    master.undo.clear()
    while flow() is not None:
        await asyncio.sleep(0)
    fill(view, 2500)
    run("view.flows.duplicate @all")
    run("view.clear")  # before anything is copied, which is not an error
    await until(lambda: not master.background._tasks, "nothing goes on")
    assert (len(view), master.undo.steps()) == (0, ["clear of 2,500 flows"])


async def test_filters_that_backtrack_on_every_flow_hold_nothing(master: Master, view: View) -> None:
    for _ in range(60):
        view.add(http_flow("http://bad.example/", response_body=b"a" * 60 + b"!"))
    async with never_held(0.1):  # seconds; the promise
        master.options.view_filter = "!~bs '(a|aa)+$'"
        await until(lambda: not view.shown, "none is shown")
        run("view.properties.marked.toggle")
        run("view.properties.marked.toggle")
        assert not view.marked_only
        master.options.view_filter = None
        await until(lambda: len(view.shown) == 60, "all are shown")
