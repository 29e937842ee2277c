"""`edit.undo` and `edit.redo`: edits, marks, deletes and clears by a person, and nothing by anybody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from midstream.addons.changes import Changes
from midstream.addons.comment import Comment
from midstream.addons.core import Core
from midstream.addons.undo import Undo
from midstream.addons.view import ViewAddon
from midstream.flows.change import LARGEST_KEPT
from midstream.flows.errors import CommandError
from midstream.flows.http import HTTPFlow, Response
from midstream.hub import ctx
from midstream.hub.commands import command
from midstream.hub.master import Master
from midstream.store.view import View
from midstream.testing import context
from tests.kit.captured import START, dns_flow, http_flow, websocket_flow
from tests.kit.waiting import until


class Tokens:
    """An addon that marks what it sees."""

    def response(self, flow: HTTPFlow) -> None:
        ctx.master.commands.call("flow.mark", [flow], ":bug:")
        flow.request.path = "/tokens"


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(loadcore=False) as tests:
        tests.master.view = View()
        tests.master.addons.add(
            Core(), Comment(), Changes(recorded=True), Undo(), ViewAddon(tests.master.view), Tokens()
        )
        await tests.master.running()
        yield tests.master


@pytest.fixture
async def view(master: Master) -> View:
    kept: View = master.view
    return kept


def run(line: str) -> Any:
    return ctx.master.commands.execute(line)


def undo() -> str:
    said: str = ctx.master.undo.undo()
    return said


def redo() -> str:
    said: str = ctx.master.undo.redo()
    return said


def edit(flow: Any, change: Any, message: Any = None) -> None:
    flow.backup()
    with ctx.master.events.recorder.of([flow], "you", "edit", message):
        change()


def filled(view: View, count: int = 5, **more: Any) -> list[HTTPFlow]:
    made = [http_flow(f"http://example.com/{n}", start=START + n, **more) for n in range(count)]
    for flow in made:
        view.add(flow)
    return made


async def test_one_command_over_many_flows_is_one_step(master: Master, view: View) -> None:
    flows = filled(view)
    run("flow.mark @all :dog:")
    run("flow.set @focus path /new")
    assert master.undo.steps() == ["edit of request path of flow 1", "mark of 5 flows"]
    assert flows[0].modified()
    assert undo() == "undone: edit of request path of flow 1; 1 step left"
    assert flows[0].request.path == "/0"
    assert not view.row(flows[0].id).path.startswith("/new")
    assert undo() == "undone: mark of 5 flows; nothing more to undo"
    assert {flow.marked for flow in flows} == {""}
    redo()
    redo()
    assert flows[0].request.path == "/new"
    assert {flow.marked for flow in flows} == {":dog:"}
    assert [change.undone for change in flows[0].changes if change.during in ("flow.mark", "flow.set")] == [False] * 2
    with pytest.raises(CommandError, match="nothing to redo"):
        run("edit.redo")
    run("edit.undo")
    assert flows[0].request.path == "/0"
    assert run("edit.steps") == ["mark of 5 flows"]


async def test_marking_alone_makes_no_flow_edited(master: Master, view: View) -> None:
    (flow,) = filled(view, 1)
    run("flow.mark @all :dog:")
    undo()
    assert not flow.modified()


async def test_a_revert_can_be_undone(master: Master, view: View) -> None:
    (flow,) = filled(view, 1)
    edit(flow, lambda: setattr(flow.request, "path", "/new"))
    run("flow.revert @all")
    assert (flow.request.path, flow.modified()) == ("/0", False)
    undo()
    assert (flow.request.path, flow.modified()) == ("/new", True)
    undo()
    assert (flow.request.path, flow.modified()) == ("/0", False)


async def test_large_bodies_and_dns_messages_come_back(master: Master, view: View) -> None:
    (flow,) = filled(view, 1, response_body=b"x" * (LARGEST_KEPT + 1))
    edit(flow, lambda: setattr(flow.response, "content", b"small"))
    assert "response body of flow 1" in undo()
    assert flow.response is not None
    assert flow.response.content == b"x" * (LARGEST_KEPT + 1)
    dns = dns_flow()
    view.add(dns)
    question = dns.request.questions[0].name
    edit(dns, lambda: setattr(dns.request.questions[0], "name", "other.example"))
    undo()
    assert dns.request.questions[0].name == question
    redo()
    assert dns.request.questions[0].name == "other.example"


async def test_a_response_that_a_person_wrote_goes_and_comes(master: Master, view: View) -> None:
    (flow,) = filled(view, 1, status=None)
    edit(flow, lambda: setattr(flow, "response", Response.make(404, b"no", {"x-me": "1"})))
    undo()
    assert flow.response is None
    redo()
    assert flow.response is not None
    assert (flow.response.status_code, flow.response.content, flow.response.headers["x-me"]) == (404, b"no", "1")


async def test_an_older_message_is_recorded_and_undone(master: Master, view: View) -> None:
    flow = websocket_flow((True, b"one"), (False, b"two"))
    view.add(flow)
    assert flow.websocket is not None
    first = flow.websocket.messages[0]
    before = first.content
    edit(flow, lambda: setattr(first, "content", b"edited"), first)
    assert flow.changes[0].parts[0].name == "messages[0].content"
    undo()
    assert first.content == before


async def test_what_addons_do_is_nobodys_step_and_in_the_way_of_an_undo(master: Master, view: View) -> None:
    (flow,) = filled(view, 1)
    edit(flow, lambda: setattr(flow.request, "path", "/mine"))
    await master.events.response(flow)
    assert flow.marked == ":bug:"
    assert master.undo.depth == 1
    with pytest.raises(CommandError, match=r"flow 1: request.path: it was changed again since by tokens \(response\)"):
        run("edit.undo")
    assert flow.request.path == "/tokens"
    with pytest.raises(CommandError, match="nothing to undo"):
        run("edit.undo")


async def test_of_some_flows_what_can_be_undone_is_undone(master: Master, view: View) -> None:
    flows = filled(view, 3)
    run("flow.set @all path /same")
    flows[1].request.path = "/else"
    assert "not on 1 flow: request.path: it was changed again since" in undo()
    assert [flow.request.path for flow in flows] == ["/0", "/else", "/2"]


async def test_it_is_said_when_the_edit_had_been_sent(master: Master, view: View) -> None:
    (flow,) = filled(view, 1, status=None, live=True)
    flow.intercept()
    edit(flow, lambda: setattr(flow.request, "path", "/sent"))
    run("flow.mark @all true")
    flow.resume()
    assert "sent" not in undo()
    assert "it had been sent already, as it was edited" in undo()
    assert flow.request.path == "/0"
    assert "without this edit" in redo()


async def test_deleted_flows_come_back_at_their_places(master: Master, view: View) -> None:
    flows = filled(view, 5)
    order = list(view.shown)
    view.set_focus(flows[2].id)
    run(f"view.flows.remove @{flows[2].id},{flows[3].id}")
    assert view.focus_id == flows[4].id
    filled_later = http_flow("http://example.com/later", start=START + 9)
    view.add(filled_later)
    assert undo() == "undone: delete of 2 flows; nothing more to undo"
    assert list(view.shown) == [*order, filled_later.id]
    assert list(view.all_ids) == [*order, filled_later.id]
    assert view.focus_id == flows[2].id
    assert view.get(flows[2].id) is flows[2]
    assert view.row(flows[3].id).number == 4
    redo()
    assert len(view) == 4
    undo()
    assert len(view) == 6


async def test_a_clear_is_undone_and_what_was_killed_stays_so(master: Master, view: View) -> None:
    flows = filled(view, 3, live=True)
    flows[1].intercept()
    view.update(flows[1])
    view.set_focus(flows[1].id)
    run("view.clear")
    assert len(view) == 0
    assert not flows[1].live
    said = undo()
    assert said == "undone: clear of 3 flows; 1 flow was killed by it and is not live again; nothing more to undo"
    assert view.focus_id == flows[1].id
    row = view.row(flows[1].id)
    assert (row.held, row.live, row.failed) == ("", False, "Connection killed.")
    # The others were let go on, and what happens to them counts again.
    run("view.flows.remove @all")
    undo()
    flows[0].request.path = "/went-on"
    await master.events.update([flows[0]])
    assert view.row(flows[0].id).path == "/went-on"


async def test_with_a_filter_and_many_flows(master: Master, view: View) -> None:
    flows = filled(view, 3)
    run("view.flows.remove @all")
    run("view.filter.set /1$")
    assert "2 flows hidden by the filter" in undo()
    assert list(view.shown) == [flows[1].id]
    run("view.filter.set ''")
    assert len(view.shown) == 3


async def at_rest(master: Master) -> None:
    await until(lambda: not master.background._tasks, "all that was begun has ended")


async def test_marks_of_very_many_flows(master: Master, view: View, caplog: Any) -> None:
    caplog.set_level("INFO")
    flows = filled(view, 2100)
    flows[7].marked = ":keep:"
    view.update(flows[7])
    run("flow.mark @all :dog:")
    run("flow.mark @all false")
    assert master.undo.steps() == ["flow.mark of 2,100 flows", "flow.mark of 2,100 flows"]
    undo()  # before it has begun
    await at_rest(master)
    assert {flow.marked for flow in flows} == {":dog:"}
    assert master.undo.steps() == ["mark of 2,100 flows"]
    assert (master.undo.redo_depth, view.row(flows[7].id).marked) == (0, ":dog:")
    flows[8].marked = ":mine:"
    view.update(flows[8])
    view.remove([flows[9].id])
    undo()
    redo()  # waits for its turn
    undo()
    await at_rest(master)
    assert (flows[6].marked, flows[7].marked, flows[8].marked) == ("", ":keep:", ":mine:")
    assert view.row(flows[7].id).marked == ":keep:"
    assert caplog.text.count("not on 2 flows: marked: it was changed again since") == 3


async def test_an_edit_of_very_many_flows_is_one_step_and_is_repeated(master: Master, view: View) -> None:
    flows = filled(view, 2100)
    run("flow.set @all path /new")
    run("flow.comment @all hello")
    await at_rest(master)
    assert {(flow.comment, flow.request.path) for flow in flows} == {("hello", "/new")}
    assert master.undo.steps() == ["comment of 2,100 flows", "edit of request path of 2,100 flows"]
    assert master.undo.size < 2100 * 800
    assert [change.during for change in flows[-1].changes] == ["flow.set", "flow.comment"]
    other = http_flow("http://example.com/other", start=START + 9000)
    view.add(other)
    view.set_focus(other.id)
    run("edit.repeat")
    assert other.comment == "hello"
    undo()
    undo()
    undo()
    await at_rest(master)
    assert [(flow.comment, flow.request.path) for flow in flows] == [("", f"/{n}") for n in range(2100)]
    assert {change.undone for change in flows[-1].changes if change.during.startswith("flow.")} == {True}
    redo()
    await at_rest(master)
    assert {(flow.comment, flow.request.path) for flow in flows} == {("", "/new")}
    run("flow.revert @all")
    await at_rest(master)
    assert flows[5].request.path == "/5"


async def test_what_goes_on_stops_when_it_is_undone(master: Master, view: View) -> None:
    flows = filled(view, 4000)
    run("flow.comment @all hello")
    await until(lambda: any(flow.comment for flow in flows), "it has begun")
    assert master.jobs.running[0].what == "flow.comment"
    undo()
    await at_rest(master)
    assert {flow.comment for flow in flows} == {""}
    assert sum(bool(flow.changes) for flow in flows) < 4000
    run("flow.resume @all")  # nothing to do, and nothing to undo
    assert (master.undo.depth, master.undo.redo_depth) == (0, 1)


async def test_an_undo_in_slices_is_finished_whatever_is_edited_meanwhile(master: Master, view: View) -> None:
    flows = filled(view, 2100)
    run("flow.comment @all hello")
    await at_rest(master)
    undo()
    await until(lambda: not all(flow.comment for flow in flows), "it has begun")
    run(f"flow.mark @{flows[0].id} :dog:")  # from now on it cannot be done again
    run("flow.comment @all other")
    await at_rest(master)
    assert {flow.comment for flow in flows} == {"other"}
    undo()
    await at_rest(master)
    assert {flow.comment for flow in flows} == {""}
    assert master.undo.steps() == ["mark of flow 1"]


async def test_small_steps_behind_large_ones_are_undone_in_their_order(master: Master, view: View) -> None:
    flows = filled(view, 2100)
    run(f"flow.comment @{flows[-1].id} one")
    run("flow.comment @all two")
    run("flow.comment @all three")
    await at_rest(master)
    undo()
    undo()
    undo()
    await at_rest(master)
    assert {flow.comment for flow in flows} == {""}
    redo()
    redo()
    await at_rest(master)
    assert {flow.comment for flow in flows} == {"two"}


async def test_what_grows_too_large_cannot_be_undone(
    master: Master, view: View, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midstream.addons.undo.MOST_BYTES", 1 << 20)
    flows = filled(view, 2100)
    run(f"flow.set @all path /{'x' * 2000}")
    await at_rest(master)
    assert {len(flow.request.path) for flow in flows} == {2001}
    assert master.undo.depth == 0
    assert "cannot be undone: 1 MB are too many to keep" in caplog.text


async def test_a_script_finds_very_many_flows_changed_at_once(master: Master, view: View) -> None:
    class Script:
        def tick(self, flow: HTTPFlow) -> None:
            ctx.master.commands.call("flow.mark", view.resolve("@all"), ":dog:")
            ctx.master.commands.call("view.order.set", "url")
            self.seen = list(view.shown)

    flows = filled(view, 2100)
    script = Script()
    with master.events.recorder.of([], "script", "tick"):
        script.tick(flows[0])
    assert {flow.marked for flow in flows} == {":dog:"}
    assert view.order == "url"
    assert script.seen == list(view.shown)
    run("view.order.set time")
    assert view.order == "url"
    await until(lambda: view.order == "time", "a person sees it in a moment")


@pytest.mark.parametrize("recorded", [True, False])
async def test_whatever_of_a_script_calls_a_command_finds_it_done(master: Master, view: View, recorded: bool) -> None:
    class Script:
        def __init__(self) -> None:
            self.seen: list[set[str]] = []

        def call(self, text: str) -> None:
            ctx.master.commands.execute(f"flow.comment @all {text}")
            self.seen.append({flow.comment for flow in flows})

        @command("script.now")
        def now(self) -> None:
            self.call("now")

        @command("script.later")
        async def later(self) -> None:
            await asyncio.sleep(0)
            self.call("later")

        async def running(self) -> None:
            self.call("running")
            await asyncio.sleep(0)
            self.call("later")
            self.task = asyncio.create_task(self.go_on())

        async def go_on(self) -> None:
            self.call("task")

    flows = filled(view, 2100)
    script = Script()
    master.addons.add(script)
    await until(lambda: len(script.seen) == 3, "it has begun")
    assert script.seen == [{"running"}, {"later"}, {"task"}]
    assert master.undo.depth == 0
    await at_rest(master)
    master.options.record_changes = recorded
    run("script.now")
    await run("script.later")
    assert script.seen[-2:] == [{"now"}, {"later"}]
    await at_rest(master)
    run("flow.comment @all mine")
    assert {flow.comment for flow in flows} == {"later"}
    await at_rest(master)
    assert {flow.comment for flow in flows} == {"mine"}


async def test_a_clear_of_very_many_flows_is_undone_in_slices(master: Master, view: View) -> None:
    flows = filled(view, 2100)
    flows[3].marked = ":dog:"
    view.update(flows[3])
    view.set_focus(flows[2000].id)
    run("view.clear")
    assert not len(view)
    assert undo() == "undone: clear of 2,100 flows; nothing more to undo"
    assert len(view) == 2100
    await until(lambda: len(view.shown) == 2100, "they are shown")
    assert view.focus_id == flows[2000].id
    redo()
    assert not len(view)
    undo()
    redo()
    await at_rest(master)
    assert (len(view), len(view.shown)) == (0, 0)
    undo()
    run("view.clear_unmarked")
    await until(lambda: list(view.all_ids) == [flows[3].id], "the one with a mark is left")
    undo()
    await at_rest(master)
    assert list(view.shown) == [flow.id for flow in flows]


async def test_copies_and_new_requests_are_taken_out_unless_sent(master: Master, view: View) -> None:
    filled(view, 2)
    run("view.flows.duplicate @all")
    run("view.flows.create get http://example.com/mine")
    assert len(view) == 5
    assert undo() == "undone: new request; 1 step left"
    assert undo() == "undone: copy of 2 flows; nothing more to undo"
    assert len(view) == 2
    redo()
    redo()
    assert len(view) == 5
    sent = view.get(view.focus_id or "")
    assert isinstance(sent, HTTPFlow)
    sent.is_replay = "request"
    with pytest.raises(CommandError, match="it was sent meanwhile"):
        run("edit.undo")


async def test_nothing_of_a_removal_is_kept_that_is_too_large(master: Master, view: View, caplog: Any) -> None:
    body = b"x" * (8 * 1024 * 1024)
    filled(view, 9, response_body=body)
    run("view.clear")
    assert master.undo.depth == 0
    assert "the clear of 9 flows cannot be undone: 72 MB are too many to keep" in caplog.text


async def test_without_recording_only_the_list_is_undone(master: Master, view: View) -> None:
    (flow,) = filled(view, 1)
    master.options.record_changes = False
    run("flow.set @all path /new")
    assert master.undo.depth == 0
    run("view.clear")
    undo()
    assert view.get(flow.id) is flow
