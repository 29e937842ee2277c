import asyncio
from collections.abc import Iterable

import pytest

from midstream import filters
from midstream.flows.http import HTTPFlow
from midstream.store.order import ORDERS
from midstream.store.view import Change, View
from tests.kit.captured import START, http_flow
from tests.kit.stopwatch import never_held


def flows(count: int, **options: object) -> list[HTTPFlow]:
    return [http_flow(f"http://example.com/{n}", start=START + n) for n in range(count)]


def filled(count: int) -> tuple[View, list[HTTPFlow]]:
    view, made = View(), flows(count)
    for flow in made:
        view.add(flow)
    return view, made


def paths(view: View, ids: Iterable[str] | None = None) -> list[str]:
    return [view.row(id_).path for id_ in (view.shown if ids is None else ids)]


def test_flows_are_stored_and_found() -> None:
    view, made = filled(3)
    assert len(view) == 3
    assert paths(view) == ["/0", "/1", "/2"]
    assert list(view.all_ids) == [flow.id for flow in made]
    assert view.get(made[1].id) is made[1]
    assert view.get("nobody") is None
    assert view.row(made[2].id).number == 3
    assert view.index(made[2].id) == 2
    assert view.index("nobody") is None
    assert made[0].id in view
    with pytest.raises(KeyError):
        view.row("nobody")
    with pytest.raises(ValueError, match="already in the view"):
        view.add(made[0])


def test_the_first_flow_is_focused_and_stays_so() -> None:
    view, made = filled(3)
    assert view.focus_id == made[0].id
    view.set_focus(made[1].id)
    early = http_flow("http://example.com/early", start=START - 1)
    view.add(early)
    assert paths(view) == ["/early", "/0", "/1", "/2"]
    assert view.focus_id == made[1].id
    assert view.index(made[1].id) == 2


def test_follow_moves_the_focus_to_new_flows() -> None:
    view, _ = filled(1)
    view.follow = True
    new = flows(2)[1]
    view.add(new)
    assert view.focus_id == new.id
    view.set_filter(filters.parse("example"))
    hidden = http_flow("http://other.test/")
    view.add(hidden)
    assert view.focus_id == new.id


def test_a_removed_focus_moves_to_the_next_shown_else_to_the_last() -> None:
    view, made = filled(4)
    view.set_focus(made[1].id)
    assert view.remove([made[1].id]) == [made[1]]
    assert view.focus_id == made[2].id
    view.remove([made[2].id, made[3].id])
    assert view.focus_id == made[0].id
    view.clear()
    assert (view.focus_id, len(view), list(view.shown)) == (None, 0, [])
    assert view.remove(["nobody"]) == []


def test_next_means_next_in_display_order() -> None:
    view, made = filled(4)
    view.set_order("time", True)
    view.set_focus(made[2].id)
    view.remove([made[2].id])
    assert view.focus_id == made[1].id
    view.set_focus(made[0].id)
    view.remove([made[0].id])
    assert view.focus_id == made[1].id


def test_focus_refuses_what_is_not_shown() -> None:
    view, made = filled(2)
    view.set_filter(filters.parse("/0"))
    with pytest.raises(ValueError, match="not shown"):
        view.set_focus(made[1].id)
    view.set_focus(None)
    assert view.focus_id is None


def test_a_filter_keeps_the_focus_or_picks_the_nearest() -> None:
    view, made = filled(6)
    view.set_focus(made[3].id)
    view.set_filter(filters.parse('"/[135]"'))
    assert paths(view) == ["/1", "/3", "/5"]
    assert view.focus_id == made[3].id
    view.set_filter(filters.parse('"/[045]"'))
    assert view.focus_id == made[4].id
    view.set_filter(filters.parse('"/[01]"'))
    assert view.focus_id == made[1].id
    view.set_filter(filters.parse("nothing"))
    assert view.focus_id is None
    assert view.filter_text == "nothing"
    view.set_filter(None)
    assert view.focus_id == made[0].id
    assert view.filter_text == ""


def test_updates_move_flows_in_and_out_of_the_filter() -> None:
    view, made = filled(3)
    view.set_filter(filters.parse("~marked"))
    assert list(view.shown) == []
    made[1].marked = ":default:"
    view.update(made[1])
    assert paths(view) == ["/1"]
    assert view.focus_id == made[1].id
    made[0].marked = ":default:"
    view.update(made[0])
    assert paths(view) == ["/0", "/1"]
    made[1].marked = ""
    view.update(made[1])
    assert paths(view) == ["/0"]
    assert view.focus_id == made[0].id
    view.update(http_flow())  # never stored


def test_marked_only_holds_for_new_flows_too() -> None:
    view, made = filled(2)
    made[1].marked = ":dog:"
    view.update(made[1])
    view.show_marked(True)
    view.add(http_flow())
    assert view.marked_only
    assert paths(view) == ["/1"]
    view.show_marked(False)
    assert len(view.shown) == 3


def test_orders() -> None:
    view = View()
    for url, method, size, status in (
        ("http://b/", "PUT", 5, 500),
        ("http://c/", "GET", 9, 200),
        ("http://a/", "POST", 1, 404),
    ):
        flow = http_flow(url, method, response_body=b"x" * size, status=status)
        assert flow.response is not None
        flow.response.timestamp_end = flow.timestamp_start + {200: 0.1, 500: 0.2, 404: 0.3}[status]
        view.add(flow)
    hosts = {
        "time": ["b", "c", "a"],
        "method": ["c", "a", "b"],
        "url": ["a", "b", "c"],
        "size": ["a", "b", "c"],
        "host": ["a", "b", "c"],
        "code": ["c", "a", "b"],
        "type": ["b", "c", "a"],
        "duration": ["c", "b", "a"],
        "messages": ["b", "c", "a"],
    }
    assert set(hosts) == set(ORDERS)
    for key, expected in hosts.items():
        view.set_order(key)
        assert (view.order, view.reversed) == (key, False)
        assert [view.row(id_).host for id_ in view.shown] == expected
        view.set_order(key, True)
        assert [view.row(id_).host for id_ in view.shown] == expected[::-1]
        assert [view.shown[i] for i in range(3)] == list(view.shown) == list(view.shown[:])
        assert [view.index(id_) for id_ in view.shown] == [0, 1, 2]
        assert view.shown[-1] == list(view.shown)[2]
        with pytest.raises(IndexError):
            view.shown[3]
    with pytest.raises(ValueError, match=r"'siz' is no order; did you mean 'size'\?"):
        view.set_order("siz")


def test_an_edited_key_moves_the_row_at_once_but_sizes_wait_for_tidy() -> None:
    view, made = filled(3)
    view.set_order("url")
    made[0].request.path = "/9"
    view.update(made[0])
    assert paths(view) == ["/1", "/2", "/9"]
    view.set_order("size")
    assert made[0].response is not None
    before = paths(view)
    made[0].response.raw_content = b"x" * 1000
    view.update(made[0])
    assert paths(view) == before
    assert view.index(made[0].id) is not None
    assert view.tidy()
    assert paths(view) == ["/1", "/2", "/9"]
    assert not view.tidy()


def test_tidy_with_many_changes() -> None:
    view, made = filled(500)
    view.set_order("size")
    for n, flow in enumerate(made):
        assert flow.response is not None
        flow.response.raw_content = b"x" * (1000 - n)
        view.update(flow)
    view.remove([made[0].id])
    assert view.tidy()
    assert paths(view) == [f"/{n}" for n in range(499, 0, -1)]


def test_listeners_hear_of_each_change() -> None:
    view = View()
    heard: list[Change] = []
    view.on_change.append(heard.append)
    first, second = flows(2)
    view.add(first)
    view.add(second)
    view.update(second)
    view.set_focus(second.id)
    view.remove([second.id])
    view.set_filter(filters.parse("~q"))
    assert heard == [
        ("add", first.id),
        ("focus", first.id),
        ("add", second.id),
        ("update", second.id),
        ("focus", second.id),
        ("remove", second.id),
        ("focus", first.id),
        ("refresh", None),
        ("focus", None),
    ]
    assert view.changes == len(heard)


def test_settings_live_as_long_as_their_flow() -> None:
    view, made = filled(1)
    view.settings(made[0].id)["mode"] = "json"
    assert view.settings(made[0].id) == {"mode": "json"}
    view.remove([made[0].id])
    with pytest.raises(KeyError):
        view.settings(made[0].id)
    view.add(made[0])
    assert view.settings(made[0].id) == {}


async def test_refilter_in_slices_gives_what_set_filter_gives() -> None:
    view, _ = filled(3000)
    seen: list[tuple[int, int, int]] = []
    assert await view.refilter(filters.parse('"/.*7$"'), lambda *numbers: seen.append(numbers))
    sliced = list(view.shown)
    view.set_filter(None)
    view.set_filter(filters.parse('"/.*7$"'))
    assert sliced == list(view.shown)
    assert seen[-1] == (300, 3000, 3000)
    assert seen == sorted(seen)


class SlowFilter(filters.Filter):
    """Counts the flows it has seen, newest first, and takes so long that every one of them ends a slice."""

    def __init__(self, text: str) -> None:
        super().__init__(text, filters.parse(text).node)

    def __call__(self, flow: object) -> bool:
        until = loop_time() + 0.005
        while loop_time() < until:
            pass
        return super().__call__(flow)  # type: ignore[arg-type]


def loop_time() -> float:
    return asyncio.get_running_loop().time()


async def test_events_during_a_pass_are_not_lost() -> None:
    view, made = filled(40)
    view.set_focus(made[3].id)
    found: list[int] = []
    running = asyncio.create_task(view.refilter(SlowFilter("~u example"), lambda n, *_: found.append(n)))
    while len(found) < 5:
        await asyncio.sleep(0)
    assert len(view.shown) == 40  # a short pass does not flicker
    new = http_flow("http://example.com/new", start=START + 100)
    view.add(new)
    other = http_flow("http://other.test/hidden", start=START + 101)
    view.add(other)
    view.remove([made[0].id, made[39].id])
    made[38].request.url = "http://other.test/38"  # examined already
    view.update(made[38])
    while len(found) < 27:
        await asyncio.sleep(0)
    assert 20 < len(view.shown) < 38  # a long one shows what it has found, the newest first
    assert view.focus_id not in (None, made[3].id)
    assert await running
    assert paths(view) == [f"/{n}" for n in range(1, 38)] + ["/new"]
    assert view.focus_id == made[3].id


async def test_a_focus_that_a_person_moves_during_a_pass_is_kept() -> None:
    view, made = filled(40)
    found: list[int] = []
    running = asyncio.create_task(view.refilter(SlowFilter("~u example"), lambda n, *_: found.append(n)))
    while len(found) < 30:
        await asyncio.sleep(0)
    view.set_focus(made[38].id)
    assert await running
    assert view.focus_id == made[38].id


async def test_a_newer_filter_takes_over() -> None:
    view, _ = filled(40)
    started = asyncio.Event()
    older = asyncio.create_task(view.refilter(SlowFilter("~q"), lambda *_: started.set()))
    await started.wait()
    newer = asyncio.create_task(view.refilter(filters.parse('"/3"')))
    assert not await older
    assert await newer
    assert view.filter_text == '"/3"'
    assert len(view.shown) == 11
    started.clear()
    older = asyncio.create_task(view.refilter(SlowFilter("~q"), lambda *_: started.set()))
    await started.wait()
    view.set_filter(None)
    assert not await older
    assert len(view.shown) == 40


async def test_the_loop_is_not_held_while_filtering_many_flows() -> None:
    view, _ = filled(20_000)
    async with never_held(0.1):
        await view.refilter(filters.parse("~h nothing | ~b nothing | ~m get"))
    assert len(view.shown) == 20_000
