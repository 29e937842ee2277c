"""Filter and order of the view, in one go and in slices, while flows come, change and go."""

import asyncio
import random
from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from midstream import filters
from midstream.flows.http import HTTPFlow
from midstream.store.order import ORDERS
from midstream.store.taken import Taken
from midstream.store.view import View
from midstream.work.slices import cooperate
from tests.kit.captured import START, http_flow

KEYS = {
    "time": lambda row: (row.created, row.number),
    "method": lambda row: (row.method, row.number),
    "url": lambda row: (row.path, row.number),
    "size": lambda row: (row.size, row.number),
}


def filled(count: int) -> tuple[View, list[HTTPFlow]]:
    view = View()
    view.slice = 0.0  # the loop gets a turn after each row
    made = [
        http_flow(f"http://example.com/{n % 7}", start=START + n, response_body=b"x" * (n % 5)) for n in range(count)
    ]
    for flow in made:
        view.add(flow)
    return view, made


def paths(view: View) -> list[str]:
    return [view.row(id_).path for id_ in view.shown]


def is_sorted(view: View, ids: Iterable[str] | None = None) -> bool:
    rows = [view.row(id_) for id_ in (view.shown if ids is None else ids)]
    return rows == sorted(rows, key=KEYS.get(view.order) or ORDERS[view.order], reverse=view.reversed)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_another_order_is_there_at_once_when_it_is_sorted() -> None:
    view, made = filled(100)
    view.set_focus(made[50].id)
    before = list(view.shown)
    sorting = asyncio.create_task(view.reorder("url", True))
    await turns(50)
    assert (view.order, view.reversed, list(view.shown)) == ("time", False, before)
    assert view.wanted_order == ("url", True)
    assert await sorting
    assert (view.order, view.reversed) == ("url", True)
    assert paths(view) == sorted(paths(view), reverse=True)
    assert [view.index(id_) for id_ in view.shown] == list(range(100))
    assert view.focus_id == made[50].id


async def test_many_are_sorted_with_many_turns_of_the_loop() -> None:
    view, _ = filled(5000)
    view.slice = 0.0005
    count = 0

    async def probe() -> None:
        nonlocal count
        while not sorting.done():
            await asyncio.sleep(0)
            count += 1

    sorting = asyncio.create_task(view.reorder("url"))
    await probe()
    assert count > 5
    assert is_sorted(view)


async def test_what_comes_and_goes_while_others_are_sorted_is_where_it_belongs() -> None:
    view, made = filled(60)
    view.set_focus(made[3].id)
    sorting = asyncio.create_task(view.reorder("url"))
    await turns(80)
    assert not sorting.done()
    new = http_flow("http://example.com/55", start=START + 100)
    view.add(new)
    assert list(view.shown)[-1] == new.id
    view.remove([made[0].id, made[3].id])
    assert view.focus_id == made[4].id  # next to it, as it is shown
    made[7].request.path = "/zz"
    view.update(made[7])
    assert await sorting
    assert len(view.shown) == 59
    assert is_sorted(view)
    assert list(view.shown)[-1] == made[7].id
    assert view.focus_id == made[4].id


async def test_very_many_changes_meanwhile() -> None:
    view, made = filled(5000)
    view.slice = 0.004
    sorting = asyncio.create_task(view.reorder("url"))
    await turns(2)
    for flow in made[:3000]:
        flow.request.path = "/new"
        view.update(flow)
    view.remove([flow.id for flow in made[::2]])
    assert await sorting
    assert len(view.shown) == 2500
    assert is_sorted(view)


async def test_the_order_that_was_asked_for_last_wins() -> None:
    view, _ = filled(60)
    first = asyncio.create_task(view.reorder("url"))
    await turns(30)
    second = asyncio.create_task(view.reorder("size", True))
    assert await second
    assert await first
    assert (view.order, view.reversed) == ("size", True)
    assert is_sorted(view)
    first = asyncio.create_task(view.reorder("url"))
    await turns(30)
    view.set_order("method")  # by a script, which looks at it in its next line
    assert view.order == "method"
    assert is_sorted(view)
    await first
    assert view.order == "method"


async def test_an_order_that_is_asked_for_during_a_filter_pass_holds() -> None:
    view, _ = filled(60)
    passing = asyncio.create_task(view.refilter(filters.parse('"/[0-3]$"')))
    await turns(30)
    sorting = asyncio.create_task(view.reorder("url", True))
    await turns(30)
    view.set_order("size")
    assert is_sorted(view)
    assert await passing
    assert await sorting
    assert set(paths(view)) == {"/0", "/1", "/2", "/3"}
    assert is_sorted(view)
    assert view.order == "size"


async def test_a_filter_takes_over_from_an_order_and_keeps_it() -> None:
    view, _ = filled(60)
    sorting = asyncio.create_task(view.reorder("url"))
    await turns(30)
    view.set_filter(filters.parse('"/[0-3]$"'))
    assert not await sorting
    assert view.order == "url"
    assert set(paths(view)) == {"/0", "/1", "/2", "/3"}
    assert is_sorted(view)


async def test_a_cancelled_pass_leaves_the_list_as_it_was() -> None:
    view, _ = filled(60)
    before = list(view.shown)
    sorting = asyncio.create_task(view.reorder("url"))
    await turns(30)
    sorting.cancel()
    await asyncio.wait([sorting])
    assert list(view.shown) == before
    assert await view.reorder("size")
    assert is_sorted(view)


async def test_rows_that_were_hidden_when_the_order_changed_are_found() -> None:
    view, made = filled(20)
    view.set_filter(filters.parse('"/[0-3]$"'))
    assert await view.reorder("url")
    assert made[5].id not in view.shown
    assert view.index(made[5].id) is None
    made[5].request.path = "/2"
    view.update(made[5])
    assert made[5].id in view.shown
    view.remove([made[6].id])
    view.set_filter(None)
    assert len(view.shown) == 19
    assert is_sorted(view)


async def test_sorting_by_the_same_key_tidies() -> None:
    view, made = filled(30)
    await view.reorder("size")
    for n, flow in enumerate(made):
        assert flow.response is not None
        flow.response.raw_content = b"x" * (100 - n)
        view.update(flow)
    assert view.untidy == 30
    assert await view.reorder("size")
    assert view.untidy == 0
    assert is_sorted(view)


async def test_flows_come_back_in_slices_and_the_focus_with_them() -> None:
    view, made = filled(40)
    made[5].marked = ":dog:"
    view.update(made[5])
    view.set_focus(made[30].id)
    taken = view.take_out([flow.id for flow in made])
    later = http_flow("http://example.com/later", start=START + 100)
    view.add(later)
    heard: list[Any] = []
    view.on_change.append(heard.append)
    back = view.store_back(taken)
    assert len(view) == 41
    assert list(view.shown) == [later.id]
    showing = asyncio.create_task(view.show_back(back, made[30].id))
    await turns(10)
    view.remove([made[0].id])
    await showing
    assert list(view.all_ids) == [*(flow.id for flow in made[1:]), later.id]
    assert list(view.shown) == list(view.all_ids)
    assert view.focus_id == made[30].id
    assert ("update", made[5].id) in heard


async def test_flows_are_in_order_of_arrival_whatever_comes_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midstream.store.view.cooperate", partial(cooperate, budget=0.0))
    view, made = filled(90)
    ids = [flow.id for flow in made]
    first, second = view.take_out(ids[:30]), view.take_out(ids[30:60])
    one = asyncio.create_task(view.show_back(view.store_back(second), None))
    await turns(2)
    await asyncio.gather(one, view.show_back(view.store_back(first), None))
    assert list(view.all_ids) == list(view.shown) == ids
    showing = asyncio.create_task(view.show_back(view.store_back(view.take_out(ids[:30])), None))
    await turns(2)
    taken = view.take_out(None)
    await showing
    view.put_back(taken)
    assert list(view.all_ids) == list(view.shown) == ids


class Machine(RuleBasedStateMachine):
    """Whatever happens, the view shows what a naive one would, and keeps the focus on a shown flow."""

    @initialize()
    def begin(self) -> None:
        self.view = View()
        self.view.slice = 0.0
        self.flows: dict[str, HTTPFlow] = {}
        self.filter: str | None = None
        self.order = ("time", False)
        self.count = 0
        self.random = random.Random(1)
        self.taken: tuple[Taken, dict[str, HTTPFlow]] | None = None
        self.loop = asyncio.new_event_loop()
        self.tasks: list[asyncio.Task[Any]] = []

    def start(self, coro: Coroutine[Any, Any, Any]) -> None:
        self.tasks.append(self.loop.create_task(coro))
        self.loop.run_until_complete(turns(1))

    @rule(start=st.integers(0, 5), size=st.integers(0, 3), method=st.sampled_from(["GET", "PUT"]))
    def add(self, start: int, size: int, method: str) -> None:
        self.count += 1
        flow = http_flow(f"http://h/{start}{size}", method, response_body=b"x" * size, start=START + start)
        self.flows[flow.id] = flow
        self.view.add(flow)

    @rule(size=st.integers(0, 3), path=st.sampled_from(["/00", "/12", "/33"]), marked=st.booleans())
    def change(self, size: int, path: str, marked: bool) -> None:
        if self.flows:
            flow = self.random.choice(list(self.flows.values()))
            assert flow.response is not None
            flow.response.raw_content = b"x" * size
            flow.request.path = path
            flow.marked = ":dog:" if marked else ""
            self.view.update(flow)

    @rule(count=st.integers(0, 3))
    def remove(self, count: int) -> None:
        gone = list(self.flows)[:count]
        assert self.view.remove(gone) == [self.flows.pop(id_) for id_ in gone]

    @precondition(lambda self: self.taken is None)
    @rule(every=st.integers(1, 3))
    def take_out(self, every: int) -> None:
        gone = list(self.flows)[::every]
        self.taken = self.view.take_out(gone), {id_: self.flows.pop(id_) for id_ in gone}

    @precondition(lambda self: self.taken is not None)
    @rule(in_slices=st.booleans())
    def put_back(self, in_slices: bool) -> None:
        assert self.taken is not None
        (taken, flows), self.taken = self.taken, None
        self.flows |= flows
        if in_slices:
            self.start(self.view.show_back(self.view.store_back(taken), None))
        else:
            self.view.put_back(taken)

    @rule()
    def focus(self) -> None:
        if self.view.shown:
            self.view.set_focus(self.random.choice(list(self.view.shown)))

    @rule(text=st.sampled_from([None, "~m get", "~marked", "/3", "~q"]), in_slices=st.booleans())
    def set_filter(self, text: str | None, in_slices: bool) -> None:
        self.filter = text
        filter_ = filters.parse(text) if text else None
        if in_slices:
            self.start(self.view.refilter(filter_))
        else:
            self.view.set_filter(filter_)

    @rule(key=st.sampled_from(list(ORDERS)), reverse=st.booleans(), in_slices=st.booleans())
    def set_order(self, key: str, reverse: bool, in_slices: bool) -> None:
        self.order = (key, reverse)
        if in_slices:
            self.start(self.view.reorder(key, reverse))
        else:
            self.view.set_order(key, reverse)
            assert (self.view.order, self.view.reversed) == self.order

    @precondition(lambda self: any(not task.done() for task in self.tasks))
    @rule(count=st.integers(1, 12))
    def go_on(self, count: int) -> None:
        self.loop.run_until_complete(turns(count))

    @rule()
    def tidy(self) -> None:
        self.view.tidy()

    @rule()
    def finish(self) -> None:
        if self.tasks:
            self.loop.run_until_complete(asyncio.wait(self.tasks))
        for task in self.tasks:
            task.result()
        self.tasks.clear()

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        try:
            self.finish()
            self.shows_what_it_should()
        finally:
            self.loop.close()

    @invariant()
    def is_whole(self) -> None:
        view, shown = self.view, list(self.view.shown)
        assert set(view.all_ids) == set(self.flows)
        assert set(shown) <= set(self.flows)
        assert [view.index(id_) for id_ in shown] == list(range(len(shown)))
        assert view.focus_id in shown if shown else view.focus_id is None

    @invariant()
    def shows_what_it_should(self) -> None:
        if any(not task.done() for task in self.tasks):
            return
        wanted = {id_ for id_, flow in self.flows.items() if self.filter is None or filters.match(self.filter, flow)}
        assert set(self.view.shown) == wanted
        assert (self.view.order, self.view.reversed) == self.order
        self.view.tidy()
        assert is_sorted(self.view)


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestMachine = Machine.TestCase
