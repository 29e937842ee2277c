from __future__ import annotations

from midstream.console.tally import Tally
from midstream.store.view import View
from tests.kit.captured import http_flow


def make() -> tuple[View, Tally, list[str]]:
    view, held = View(), []
    tally = Tally(view, held.append)
    view.on_change.append(lambda change: tally.note(change))
    return view, tally, held


def test_it_counts_what_is_held_and_marked_without_walking():
    view, tally, announced = make()
    flows = [http_flow(f"http://x/{number}", live=True) for number in range(3)]
    for flow in flows:
        view.add(flow)
    flows[1].intercepted = True
    view.update(flows[1])
    view.update(flows[1])
    assert list(tally.held) == [flows[1].id]
    assert announced == [flows[1].id], "announced once"
    flows[2].marked = ":default:"
    view.update(flows[2])
    assert tally.marked == {flows[2].id}
    view.remove([flows[1].id])
    assert not tally.held
    view.clear()
    assert not tally.marked


def test_a_marked_flow_that_is_put_back_is_counted_again():
    view, tally, _ = make()
    marked, plain = http_flow(), http_flow()
    marked.marked = ":default:"
    view.add(marked)
    view.add(plain)
    taken = view.take_out([marked.id, plain.id])
    assert not tally.marked
    view.put_back(taken)
    assert tally.marked == {marked.id}


def test_what_is_in_flight():
    view, tally, _ = make()
    waiting, done = http_flow(status=None, live=True), http_flow(live=True)
    view.add(waiting)
    view.add(done)
    assert set(tally.in_flight) == {waiting.id}
    waiting.response = done.response
    view.update(waiting)
    assert not tally.in_flight
    view.add(http_flow(status=None, live=True))
    view.clear()
    assert not tally.in_flight


def test_a_view_that_is_there_already_is_counted():
    view = View()
    flow = http_flow(live=True)
    flow.intercepted = True
    view.add(flow)
    assert list(Tally(view, lambda id_: None).held) == [flow.id]


def test_bars():
    _, tally, _ = make()
    assert tally.bars() == ""
    tally.per_second.extend([0, 1, 4, 8])
    assert tally.bars() == " ▁▄█"
    assert tally.rate == 13 / 4


def test_what_is_read_from_a_file_is_no_traffic():
    view, tally, _ = make()
    view.add(http_flow())
    view.add(http_flow(live=True))
    tally._second -= 1
    tally.roll()
    assert sum(tally.per_second) == 1
