import asyncio

import pytest

from midstream import filters
from midstream.flows.flow import Flow
from midstream.hub.recording import Recorder
from midstream.store.specs import Flows, Removed, takes_long
from midstream.store.view import View
from midstream.work.slices import Generation
from tests.kit.captured import START, http_flow


def view_of(count: int) -> View:
    view = View()
    for n in range(count):
        view.add(http_flow(f"http://example.com/{n}", start=START + n))
    return view


def paths(view: View, spec: str) -> list[str]:
    return [flow.request.path for flow in view.resolve(spec)]  # type: ignore[attr-defined]


def test_words() -> None:
    view = view_of(4)
    ids = list(view.all_ids)
    marked = view.get(ids[1])
    assert marked is not None
    marked.marked = ":dog:"
    view.update(marked)
    view.set_order("time", True)
    view.set_filter(filters.parse('"/[123]"'))
    view.set_focus(ids[2])
    assert paths(view, "@all") == ["/0", "/1", "/2", "/3"]
    assert paths(view, "@shown") == ["/3", "/2", "/1"]
    assert paths(view, "@hidden") == ["/0"]
    assert paths(view, "@focus") == ["/2"]
    assert paths(view, " @marked ") == ["/1"]
    assert paths(view, "@unmarked") == ["/0", "/2", "/3"]
    assert paths(View(), "@focus") == []


def test_ids_and_filters() -> None:
    view = view_of(3)
    first, _, last = view.all_ids
    unknown = "0" * 36
    assert paths(view, f"@{last},{unknown},{first}") == ["/2", "/0"]
    assert paths(view, f"@{unknown}") == []
    assert paths(view, "/1") == ["/1"]
    assert paths(view, "~q") == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("@focs", "'@focs' names no flows; did you mean '@focus'?"),
        ("@", "names no flows; use @all"),
        ("@2", "a row's number is no id; go there and use @focus"),
        ("~u", "column 1: ~u needs a regex"),
        ("  (", 'column 3: "(" is not closed'),
        ("", "column 1: a filter is needed"),
    ],
)
def test_what_is_no_spec_is_explained(spec: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        view_of(1).resolve(spec)
    assert message in str(caught.value)


def test_the_sequence_is_lazy_and_survives_removals() -> None:
    view = view_of(4)
    found = view.resolve("@all")
    assert len(found) == 4
    assert found[1] is view.get(found.ids[1])
    assert [flow.id for flow in found[1:3]] == list(found.ids[1:3])
    view.remove([found.ids[0]])
    assert [flow.id for flow in found] == list(found.ids[1:])
    with pytest.raises(Removed, match="was removed"):
        found[0]


def test_no_flow_is_looked_at_before_somebody_asks() -> None:
    view = view_of(4)
    got: list[str] = []
    view.in_memory = lambda id_: got.append(id_)  # type: ignore[method-assign]
    found = view.resolve("~b body")
    assert got == []
    assert len(found) == 0
    assert len(got) == 4


async def test_looking_in_slices_finds_the_same() -> None:
    view = view_of(300)
    by_filter = view.resolve("~u /1..$")
    assert by_filter.is_searched_for
    assert await by_filter.look()
    assert not by_filter.is_searched_for
    assert len(by_filter) == 100
    assert await view.resolve("@all").look()
    assert not view.resolve("@all").is_searched_for


async def test_flows_may_come_and_go_while_they_are_looked_for() -> None:
    view = view_of(100)
    meant = view.resolve("@unmarked")
    get = view.in_memory

    def get_that_disturbs(id_: str) -> Flow | None:
        """What traffic does between two slices."""
        found = get(id_)
        if found is not None and view.row(id_).number == 5:
            view.remove([each for each in view.all_ids if view.row(each).number > 50])
            view.add(http_flow("http://example.com/new"))
        return found

    view.in_memory = get_that_disturbs  # type: ignore[method-assign]
    assert await meant.look()
    assert len(meant) == 50


async def test_a_newer_search_ends_an_older_one() -> None:
    turns = Generation()
    older = Flows((None for _ in range(10_000_000)), View())
    looking = asyncio.ensure_future(older.look(turns.begin()))
    await asyncio.sleep(0)
    newer = view_of(3).resolve("~all")
    assert await newer.look(turns.begin())
    assert len(newer) == 3
    assert not await looking
    assert older.is_searched_for


def test_marks_are_read_from_the_flows_as_rows_may_be_told_later() -> None:
    view = View()
    flow = http_flow("http://example.com/")
    view.add(flow)
    flow.marked = ":dog:"
    assert (list(view.resolve("@marked")), list(view.resolve("@unmarked"))) == ([flow], [])


class OnDisk:
    """A store with nothing in memory; whoever reads takes long."""

    def in_memory(self, id_: str) -> None:
        return None

    def get(self, id_: str) -> None:
        raise AssertionError(f"{id_} was read")


def test_what_is_mostly_on_disk_is_too_much_for_one_go() -> None:
    ids = [str(n) for n in range(60)]
    assert Flows(ids, OnDisk()).is_far
    assert takes_long(Flows(ids, OnDisk()), 2000)
    assert not takes_long(Flows(ids[:50], OnDisk()), 2000)
    recorder = Recorder()
    recorder.on = True
    with recorder.of_command([Flows(ids, OnDisk())], "delete"):
        pass  # which goes by ids
    view = View()
    assert not takes_long([http_flow()], 1)
    assert takes_long([http_flow(), http_flow()], 1)
    assert not view.resolve("@all").is_far
