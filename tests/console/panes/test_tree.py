"""The tree of hosts and paths: what it counts, what its filters select, folding, the focus, large lists."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream import filters
from midstream.console.host_tree import DEEPEST, MOST, HostTree, Node, filter_for
from midstream.console.panes.tree import TreePane
from midstream.flows.flow import Error
from midstream.flows.http import HTTPFlow
from midstream.store.rows import Row
from tests.kit.captured import dns_flow, http_flow, tcp_flow, websocket_flow
from tests.kit.fake_console import FakeConsole, screen
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean
from tests.kit.stopwatch import never_held


class Crumbs:
    """Remembers what was pushed."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def push(self, text: str) -> None:
        filters.parse(text)
        self.texts.append(text)


@pytest.fixture
def pane(console: FakeConsole) -> TreePane:
    console.breadcrumbs = Crumbs()  # type: ignore[attr-defined]
    return TreePane(console)  # type: ignore[arg-type]


def shop() -> list[HTTPFlow]:
    flows = [
        http_flow("https://api.example/v2/cart?x=1", response_body=b"x" * 2000),
        http_flow("https://api.example/v2/cart", "POST", status=503),
        http_flow("https://api.example/v2/login", status=404),
        http_flow("https://api.example/", status=301),
        http_flow("https://cdn.example/a.js"),
    ]
    flows[4].error = Error("reset")
    return flows


def at(pane: TreePane, words: str) -> None:
    lines = screen(pane, 80, 30)
    pane.scroll.focus = next(index for index, line in enumerate(lines[1:]) if words in line)


async def test_hosts_are_folded_and_counted(console: FakeConsole, pane: TreePane) -> None:
    console.add(*shop())
    pane.entered()
    lines = screen(pane, 80, 10)
    assert "2 hosts, 5 flows" in lines[0]
    assert lines[1].split() == ["▸", "api.example", "4", "4xx", "1", "5xx", "1", "-", "2.0k"]
    assert lines[2].split() == ["▸", "cdn.example", "1", "2xx", "1", "1", "5b"]
    pane.left()


async def test_unfolding_down_to_a_flow(console: FakeConsole, pane: TreePane) -> None:
    flows = shop()
    console.add(*flows)
    pane.entered()
    for words in ("api.example", "/v2", "/cart"):
        at(pane, words)
        pane.navigate("right")
    text = "\n".join(screen(pane, 80, 20))
    assert "1 GET 200 text 2.0k  ?x=1" in text
    assert "2 POST 503 text 5b" in text
    at(pane, "POST 503")
    assert pane.focused_flow() is flows[1]
    pane.navigate("select")
    assert console.view.focus_id == flows[1].id
    assert console.opened == ["detail"]
    pane.navigate("left")
    assert "POST 503" not in "\n".join(screen(pane, 80, 20))
    pane.navigate("left")  # from /cart to /v2
    pane.navigate("left")
    assert "/cart" not in "\n".join(screen(pane, 80, 20))
    pane.left()


async def test_enter_on_a_node_filters_the_list(console: FakeConsole, pane: TreePane) -> None:
    flows = shop()
    console.add(*flows)
    pane.entered()
    at(pane, "api.example")
    pane.navigate("right")
    at(pane, "/v2")
    pane.navigate("select")
    assert console.opened == ["flows"]
    (text,) = console.breadcrumbs.texts  # type: ignore[attr-defined]
    passes = filters.parse(text)
    assert [passes(flow) for flow in flows] == [True, True, True, False, False]
    pane.left()


async def test_a_flow_is_revealed(console: FakeConsole, pane: TreePane) -> None:
    flows = shop()
    console.add(*flows)
    pane.entered()
    pane.reveal(flows[2].id)
    assert pane.focused_flow() is flows[2]
    pane.left()


async def test_the_focus_stays_on_its_line_while_flows_come_and_go(console: FakeConsole, pane: TreePane) -> None:
    flows = shop()
    console.add(*flows)
    pane.entered()
    at(pane, "cdn.example")
    console.add(http_flow("http://aaa.example/"))
    pane._look_again = 0.0
    lines = screen(pane, 80, 10)
    assert "cdn.example" in lines[1 + pane.scroll.focus - pane.scroll.top]
    console.view.remove([flow.id for flow in flows[:4]])
    pane._look_again = 0.0
    assert "2 hosts, 2 flows" in screen(pane, 80, 10)[0]
    console.view.clear()
    pane._look_again = 0.0
    assert "No flows yet." in "\n".join(screen(pane, 80, 10))
    pane.left()


async def test_updates_are_counted_once(console: FakeConsole, pane: TreePane) -> None:
    flow = http_flow("http://h/a", status=None, live=True)
    console.add(flow)
    pane.entered()
    flow.response = http_flow(status=500, response_body=b"x" * 100).response
    console.view.update(flow)
    console.view.update(flow)
    root = pane.tree.root
    assert (root.count, root.size, root.codes[5], root.codes[0]) == (1, 100, 1, 0)
    flow.request.path = "/b"
    console.view.update(flow)
    assert list(root.children["h"].children) == ["b"]
    pane.left()


async def test_many_flows_are_read_in_slices(console: FakeConsole, pane: TreePane) -> None:
    console.add(*(http_flow(f"http://h{number % 300}.example/{number % 7}/{number}") for number in range(20_000)))
    pane.entered()
    assert "reading" in screen(pane, 80, 10)[0]
    wanted = console.view.shown[777]
    pane.reveal(wanted)
    async with never_held(0.2):  # 50 ms by design
        while pane.tree.root.count < 20_000:
            await asyncio.sleep(0)
        await console.settle()
    assert pane.focused_flow() is console.view.get(wanted)
    pane.left()


async def test_of_very_many_some_are_shown(console: FakeConsole, pane: TreePane) -> None:
    count = MOST + 300
    console.add(
        *(http_flow("http://h/poll") for _ in range(count)), *(http_flow(f"http://h/{n}") for n in range(count))
    )
    pane.entered()
    await console.settle()
    at(pane, "h ")
    pane.navigate("right")
    pane._look_again = 0.0
    assert pane.row_count() == 1 + MOST + 1
    pane.navigate("end")
    assert "… 301 more: enter shows them in the list" in "\n".join(screen(pane, 80, 10))
    pane.navigate("select")
    assert console.opened == ["flows"]
    pane.reveal(console.view.shown[3])
    assert pane.focused_flow() is None  # it is not among the last ones
    pane.left()


async def test_search_and_clicks(console: FakeConsole, pane: TreePane) -> None:
    console.add(*shop())
    pane.entered()
    screen(pane, 80, 10)
    assert pane.search("cdn")
    assert pane.scroll.focus == 1
    assert pane.clicked((80, 10), 1, 1, 1)  # on the sign
    assert "/v2" in "\n".join(screen(pane, 80, 10))
    pane.left()


@pytest.mark.parametrize(
    ("flow", "others"),
    [
        (http_flow("http://h:8080/a"), [http_flow("http://h/a"), http_flow("http://xh:8080/a")]),
        (http_flow("http://[::1]:8080/a"), [http_flow("http://h/a")]),
        (http_flow("http://[::1]/a"), [http_flow("http://[::1]:81/a")]),
        (websocket_flow((True, b"x")), [http_flow("http://example.com.evil/socket")]),
        (tcp_flow((True, b"x")), [http_flow("http://example.com/")]),
        (dns_flow(), [dns_flow("other.example")]),
        (http_flow("http://h/a(b)/c+d"), [http_flow("http://h2/a(b)/c+d")]),
    ],
)
def test_the_filter_of_a_host_selects_what_is_below_it(flow: HTTPFlow, others: list[HTTPFlow]) -> None:
    tree = HostTree()
    tree.note(Row(flow))
    node = tree.root.in_order()[0]
    passes = filters.parse(filter_for(node))
    assert passes(flow)
    assert not any(passes(other) for other in others)


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/?#", max_codepoint=126, min_codepoint=33), max_size=8), max_size=16
    )
)
def test_the_filter_of_a_path_selects_its_flow(segments: list[str]) -> None:
    flow = http_flow("http://h/" + "/".join(segments))
    tree = HostTree()
    tree.note(Row(flow))
    node = tree.node_of(flow.id)
    assert node is not None
    assert node.depth <= DEEPEST
    assert filters.parse(filter_for(node))(flow)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["/", "/a", "/a/b", "/b"]), st.booleans())))
def test_counts_are_those_of_the_flows_that_are_there(steps: list[tuple[int, str, bool]]) -> None:
    tree, flows = HostTree(), [http_flow(f"http://h{number % 2}/") for number in range(6)]
    there: dict[str, str] = {}
    for number, path, stays in steps:
        flow = flows[number]
        flow.request.path = path
        if stays:
            tree.note(Row(flow))
            there[flow.id] = path
        else:
            tree.remove(flow.id)
            there.pop(flow.id, None)
    assert tree.root.count == len(tree) == len(there)
    _open_all(tree.root)
    assert sorted(id_ for _, id_ in tree.lines() if id_) == sorted(there)
    assert all(node.count for node, _ in tree.lines())


def _open_all(node: Node) -> None:
    node.is_open = True
    for child in node.in_order():
        _open_all(child)


async def test_hostile_hosts_and_paths(console: FakeConsole, pane: TreePane) -> None:
    pane.entered()
    for text in TEXTS:
        flow = http_flow()
        console.view.add(flow)
        row = console.view.row(flow.id)
        row.host, row.path, row.method = text, f"/{text}/{text}?{text}", text[:20]
        pane.tree.note(row)
        filters.parse(filter_for(pane.tree.node_of(flow.id) or pane.tree.root))
    _open_all(pane.tree.root)
    pane.tree.shape += 1
    for width in WIDTHS:
        pane._look_again = 0.0
        assert_clean(pane.render((width, 90), True), width)
    pane.left()


async def test_a_search_finds_what_is_folded_and_folds_it_again(console: FakeConsole, pane: TreePane) -> None:
    pane.entered()
    assert not pane.search("login")
    console.add(*shop())
    screen(pane, 80, 12)
    place = pane.search_place()
    assert pane.search("login")
    assert "/login" in screen(pane, 80, 12)[1 + pane.scroll.focus - pane.scroll.top]
    pane.search_return(place)
    lines = screen(pane, 80, 12)
    assert not any("login" in line for line in lines)
    assert pane.scroll.focus == 0
    assert pane.search("a.js")
    assert "/a.js" in screen(pane, 80, 12)[1 + pane.scroll.focus - pane.scroll.top]
    assert not pane.search("nowhere")
    assert pane.search("cart", backwards=True)
    assert "/cart" in screen(pane, 80, 12)[1 + pane.scroll.focus - pane.scroll.top]
