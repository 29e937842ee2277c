"""Whole screens against golden text. MIDSTREAM_GOLDEN=write in the environment writes them anew: read the diff.

A scene is one line in `SCENES`: its name, what is done before, and the keys that are pressed. Each is painted in three
sizes; `NAME-SIZE.txt` is the text, `NAME-SIZE.mono.txt` the same with the mono palette, where a row of letters below
a row of text tells how it looks: b bold, u underlined, s reversed, S reversed and bold.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from midstream.addons.eventstore import EventStore
from midstream.console.palettes import PALETTES
from midstream.console.palettes.roles import ROLES
from midstream.flows.attempt import attempt_of
from midstream.flows.change import Change, Part
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.hub.log import LogEntry
from tests.console.layout_scenes import a_queue, plain, three_toasts, traffic, two_carts, two_panes
from tests.console.masters import Shown, shown_console
from tests.kit.captured import START, dns_flow, http_flow, websocket_flow

GOLDEN = Path(__file__).parent / "golden"
SIZES = [(120, 32), (80, 24), (60, 16)]
SMALL_SIZES = [(50, 12)]
_SIGNS = {"default": " ", "bold": "b", "underline": "u", "standout": "s", "standout,bold": "S"}

# --- what is there before the keys ------------------------------------------------------------------------------------


def nothing(shown: Shown) -> None:
    """No flow at all."""


def some_traffic(shown: Shown) -> None:
    for number, (method, url, status) in enumerate(
        [
            ("GET", "https://shop.example/", 200),
            ("GET", "https://cdn.example/app.3f9c.js", 200),
            ("POST", "https://api.example/v2/login", 401),
            ("GET", "https://api.example/v2/cart?currency=EUR", 503),
            ("DELETE", "https://api.example/v2/cart/items/7", 204),
        ]
    ):
        flow = http_flow(url, method, status=status, start=1_700_000_000.0 + number, response_body=b"x" * 700 * number)
        shown.view.add(flow)
    flow.marked = ":default:"
    shown.view.update(flow)


def a_form(shown: Shown) -> None:
    flow = http_flow(
        "https://shop.example/v2/cart%20items?currency=EUR&q=a+b&flag",
        "POST",
        start=1_700_000_000.0,
        request_headers=(
            (b"Host", b"shop.example"),
            (b"Cookie", b"sid=31d4d96e407aad42;  theme=dark; consent"),
            (b"Content-Type", b"multipart/form-data; boundary=XX"),
            (b"X-Odd", b"\xff\\ \xe2\x80\xaeevil"),
        ),
        request_body=b'--XX\r\nContent-Disposition: form-data; name="sku"\r\n\r\nA-1009\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="photo"; filename="me.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n--XX--\r\n",
    )
    assert flow.response is not None
    flow.response.headers.add("Set-Cookie", "sid=1; Path=/; HttpOnly")
    flow.response.headers.add("Set-Cookie", "theme=light")
    shown.view.add(flow)


def some_options(shown: Shown) -> None:
    shown.options.update(confdir="~/.midstream")
    shown.options.update(intercept="~m POST", view_order="size", client_replay_concurrency=5, console_bell=False)


def some_filters(shown: Shown) -> None:
    some_traffic(shown)
    shown.options.console_filters = ["slow: ~m POST | ~c 503", "pages: !~a & ~t html"]
    shown.press("f", "~d api", "enter", "f", "@slow", "enter", "meta f")
    shown.console.breadcrumbs.toggle(1)


def as_a_list(shown: Shown) -> None:
    some_traffic(shown)
    shown.options.update(console_flowlist_layout="list", view_order="size")


def with_other_columns(shown: Shown) -> None:
    some_traffic(shown)
    columns = ["number", "started", "client", "host", "path", "code", "size:8", "waited"]
    shown.options.update(console_columns=columns, view_order="duration", view_order_reversed=True)


def _shop(**more: object) -> HTTPFlow:
    """A request with a token and a JSON body, and its answer, over TLS."""
    flow = http_flow(
        "https://api.example/v2/cart/items",
        "POST",
        request_headers=(
            (b"Host", b"api.example"),
            (b"Authorization", b"Bearer eyJh" + b"bGciOi" * 130),
            (b"Content-Type", b"application/json"),
            (b"Accept", b"*/*"),
        ),
        request_body=b'{"sku": "A-1009", "qty": 2, "tags": ["new", {"a/b": null}]}',
        response_headers=((b"Content-Type", b"application/json"),),
        response_body=b'{"items": [{"sku": "A-1009", "qty": 2}], "total": 19.9, "note": "\\u202e"}',
        **more,  # type: ignore[arg-type]
    )
    client, server = flow.client_conn, flow.server_conn
    client.tls, client.tls_version, client.sni, client.alpn = True, "TLSv1.3", "api.example", b"h2"
    client.timestamp_start, client.timestamp_tls_setup = START - 0.020, START - 0.009
    server.tls, server.tls_version, server.peername = True, "TLSv1.3", ("203.0.113.9", 443)
    server.timestamp_start, server.timestamp_tcp_setup = START + 0.001, START + 0.012
    server.timestamp_tls_setup = START + 0.03
    return flow


def in_detail(shown: Shown, *flows: Flow) -> None:
    for flow in flows:
        shown.view.add(flow)
    shown.view.set_focus(flows[0].id)
    pane = shown.console.open_pane("detail")
    pane.clock = lambda: START + 4.1  # type: ignore[attr-defined]


def a_post(shown: Shown) -> None:
    flow = _shop()
    again = http_flow("https://api.example/v2/cart/items", "POST", start=START + 9)
    again.is_replay, again.metadata["replay_of"] = "request", flow.id
    in_detail(shown, flow, again)


def a_held_post(shown: Shown) -> None:
    flow = _shop(status=None, live=True)
    flow.intercepted = True
    in_detail(shown, flow)


def an_edited_post(shown: Shown) -> None:
    flow = _shop()
    fields = flow.request.headers.fields
    parts = Part("request.headers", fields, (*fields, (b"x-debug", b"1")))
    flow.note_change(Change("you", "edit", (parts,), START + 11))
    parts = Part("request.content", b'{\n  "qty": 1\n}', b'{\n  "qty": 2\n}')
    flow.note_change(Change("redact.py", "request", (parts,), START + 20, undone=True))
    in_detail(shown, flow)


def a_socket(shown: Shown) -> None:
    words = [b'{"op": "subscribe", "channel": "prices"}', b'{"eur": 1.07}', b"\x00\x01\xff", b"bye \x1b[2J"]
    flow = websocket_flow(*((number % 2 == 0, word) for number, word in enumerate(words * 4)))
    assert flow.websocket is not None
    flow.websocket.closed_by_client, flow.websocket.close_code = True, 1001
    flow.websocket.timestamp_end = START + 3
    in_detail(shown, flow)


def a_live_socket(shown: Shown) -> None:
    flow = websocket_flow((True, b'{"op": "ping"}'), live=True)
    flow.injector = lambda message: None
    in_detail(shown, flow)


def a_lookup(shown: Shown) -> None:
    in_detail(shown, dns_flow())


def some_attempts(shown: Shown) -> None:
    some_traffic(shown)
    first = shown.view.get(shown.view.shown[0])
    assert isinstance(first, HTTPFlow)
    for number in range(2):
        attempt = attempt_of(first)
        attempt.request.timestamp_start = 1_700_000_010.0 + number
        attempt.response = http_flow(status=500 * number or 200, start=1_700_000_010.0).response
        shown.view.add(attempt)


def some_log(shown: Shown) -> None:
    """Nothing but these entries: a repeated failure with a traceback, one about a flow, one of several lines."""
    some_traffic(shown)
    store = shown.console.master.addons.get("eventstore")
    assert isinstance(store, EventStore)
    store.clear()
    shown.console.messages.clear()
    trace = "Traceback (most recent call last):\n  File \"my_addon.py\", line 3, in response\nKeyError: 'sku'"
    about = next(iter(shown.view.all_ids))
    entries = [LogEntry("proxy listening at *:8080", "info", START, "proxy")]
    entries += [LogEntry("my_addon failed in response", "error", START + n, "my_addon", "", trace) for n in range(8)]
    entries += [
        LogEntry("server reset by peer", "warn", START + 9.5, "proxy", "127.0.0.1:50312", flow=about),
        LogEntry("two lines:\nthe second", "alert", START + 10, "other"),
    ]
    for entry in entries:
        store._keep(entry)


# --- the scenes -------------------------------------------------------------------------------------------------------

KEYS = """\
version: 1
unbind:
  - {keys: Z, in: [flows]}
bind:
  - {keys: d, in: [flows], run: flow.kill @focus, help: Kill instead}
  - {keys: T, in: [flows, detail], run: tagg.it @focus, help: Tag it}
  - {keys: ctrl i, run: flow.resume @all, help: Resume all}
  - {keys: entre, run: flow.resume @all}
"""

Before = Callable[[Shown], Awaitable[None] | None]


class Scene(NamedTuple):
    """`before` sees the open console; `keys` are pressed as `Shown.press` does; then `until` must be on the screen."""

    name: str
    before: Before
    keys: tuple[str | Callable[[Shown], None], ...] = ()
    until: str = ""
    key_file: str = ""
    sizes: list[tuple[int, int]] = SIZES


SCENES = [
    Scene("empty", nothing),
    Scene("flows", some_traffic, sizes=[*SIZES, *SMALL_SIZES]),
    Scene("menu", some_traffic, ("e", MENU := "open the menu")),
    Scene("completion", some_traffic, (":", "flow.mark @focus :", "tab")),
    Scene("filtered", some_traffic, ("f", "~d api", "enter"), until="all 5 > ~d api 3"),
    Scene("filter-error", some_traffic, ("f", "~d api & (~m POST"), until="is not closed"),
    Scene("filter-operators", some_traffic, ("f", "~s & ~ma")),
    Scene("filter-values", some_traffic, ("f", "~d exa"), until="5 of 5 flows"),
    Scene("filters", some_filters, (",", "f", "down")),
    Scene("filters-off", some_filters, ("j",)),
    Scene("search", some_traffic, ("/", "cart")),
    Scene("search-next", some_traffic, ("/", "cart", "enter", "n", "n")),
    Scene("search-missing", some_traffic, ("/", "cart(")),
    Scene("search-bodies", some_traffic, ("/", "tab", "xxx"), until="1 of 4   bodies: 4 flows"),
    Scene("search-options", nothing, ("O", "/", "intercept", "enter", "n")),
    Scene(
        "history", some_traffic, (":", "view.focus.next", "enter", ":", "view.focus.prev", "enter", ":", "ctrl r", "vf")
    ),
    Scene("command-error", some_traffic, (":", "flow.mark @shwn ")),
    Scene("confirm", some_traffic, ("z",)),
    Scene("confirm-held", a_held_post, (",", "z")),
    Scene("quit", a_held_post, ("ctrl c", "enter")),
    Scene("chooser-find", some_traffic, ("o", "/", "me")),
    Scene("menu-copy", a_post, ("y", MENU)),
    Scene("export", a_post, ("x",), until="curl -q"),
    Scene("export-file", a_post, ("x", "h", "tab", "f", "tab", "ctrl u", "/none/x", "enter"), until="har"),
    Scene("palette", some_traffic, ("ctrl p", "flow mark")),
    Scene("palette-flows", some_traffic, ("ctrl p", "shift tab", "shift tab", "api")),
    Scene("palette-nothing", some_traffic, ("ctrl p", "zzqq")),
    Scene("commands", nothing, ("C", "/", "flow.comment", "enter")),
    Scene("commands-form", some_traffic, (":", "console.command.form flow.mark", "enter", "tab", ":do", "enter")),
    Scene("log", some_log, ("6", "k")),
    Scene("log-expanded", some_log, ("6", "k", "k", "v")),
    Scene("log-drawer", some_log, ("E",)),
    Scene("log-whose", some_log, ("6", "a")),
    Scene("keys-of-a-box", some_traffic, ("o", "?")),
    Scene("keys-of-the-prompt", some_traffic, (":", "flow.", "f1")),
    Scene("help", nothing, ("?",)),
    Scene("help-filters", nothing, ("?", "G")),
    Scene("result", some_traffic, (":", "view.order.options", "enter")),
    Scene("chooser", some_traffic, ("o",)),
    Scene("colours", some_traffic, (",", "p", "down")),
    Scene("undone", some_traffic, ("d", "d", "u")),
    Scene("attempts", some_attempts, (",", "a"), until="13:30, 200"),
    Scene("prompt", some_traffic, ("i", "~d x"), sizes=SMALL_SIZES),
    Scene("marked-none", some_traffic, ("M", "U"), until="Nothing to show"),
    Scene("flows-peek", some_traffic, ("j", "P")),
    Scene("flows-bars", some_traffic, ("t", "t")),
    Scene("flows-list", as_a_list),
    Scene("flows-columns", with_other_columns),
    Scene("mark-names", some_traffic, ('"', "a", "G", '"', "b", "'")),
    Scene("tree", some_traffic, ("T",)),
    Scene("keys", nothing, ("K",), key_file=KEYS),
    Scene("keys-missing", nothing, ("K", "/", "tagg", "enter"), key_file=KEYS),
    Scene("keys-legacy", nothing, ("K", "/", "resume all", "enter", "n"), key_file=KEYS),
    Scene("grid-headers", a_form, ("e", "h", "j", "j", "enter", "X")),
    Scene("grid-changed", a_form, ("e", "c", "j", "d", "a", "bad;name", "tab", "v", "enter", "h")),
    Scene("grid-leave", a_form, ("e", "q", "d", "esc")),
    Scene("grid-set-cookies", a_form, ("e", "C", "l")),
    Scene("grid-multipart", a_form, ("e", "F", "j")),
    Scene("grid-empty", a_form, ("e", "f")),
    Scene("text-request", a_form, ("e", "r", "down", " ")),
    Scene("text-find", a_form, ("e", "r", "ctrl f", "o", "enter", "meta n")),
    Scene("text-message", a_live_socket, ("e", "t", "right", "x")),
    Scene("compose", nothing, ("+", "shop.example/a")),
    Scene("options-edit", some_options, ("O", "c", "j", "j", "enter", " | (~c 4")),
    Scene("options-choices", some_options, ("O", "c", "G", "enter")),
    Scene("keys-rebind", nothing, ("K", "/", "command.set intercept", "enter", "enter"), key_file=KEYS),
    Scene("detail-request", a_post),
    Scene("detail-held", a_held_post, ("end",)),
    Scene("detail-response", a_post, ("tab", "/", "sku|qty", "enter", "n")),
    Scene("detail-hex", a_post, ("tab", ":", "console.flowview.mode.set 'hex dump'", "enter")),
    Scene("detail-views", a_post, ("m",)),
    Scene("detail-timing", a_post, ("tab", "tab")),
    Scene("detail-connection", a_post, ("tab", "tab", "tab")),
    Scene("detail-edits", an_edited_post, ("[",)),
    Scene("detail-messages", a_socket, ("tab", "tab")),
    Scene("detail-message", a_socket, ("tab", "tab", "up", "up", "enter")),
    Scene("detail-send", a_live_socket, ("+", "hello")),
    Scene("detail-copy", a_post, ("tab", "G", "ctrl v", "k", "v", "k", "w", "w")),
    Scene("detail-dns", a_lookup),
    Scene("options", nothing, ("O", "G")),
    Scene("flow-table", some_traffic, (":", "view.flows.resolve ~s", "enter")),
    Scene("any-key", nothing, ("K", "\\"), key_file=KEYS),
    Scene("queue", a_queue, ("2",)),
    Scene("queue-empty", traffic, ("2",)),
    Scene("compare", two_carts, ("c",), until="5 differences"),
    Scene("compare-all", two_carts, ("c", "tab", "d"), until="1 difference"),
    Scene("toasts", traffic, (three_toasts,)),
    Scene("layout-vertical", two_panes("vertical"), ("j",)),
    Scene("layout-horizontal", two_panes("horizontal"), ("j", "enter")),
    Scene("layout-drawer", two_panes("horizontal"), ("E", "?")),
    Scene("plain", plain, ("j",)),
]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_scene(tmp_path, monkeypatch, scene):
    for columns, rows in scene.sizes:
        async with played(scene, tmp_path, monkeypatch, columns, rows) as shown:
            _compare(_scrubbed(shown.text), f"{scene.name}-{columns}x{rows}")
            shown.options.console_palette = "mono"
            _compare(_with_looks(shown), f"{scene.name}-{columns}x{rows}.mono")


@asynccontextmanager
async def played(scene, tmp_path, monkeypatch, columns, rows):
    """The console at the end of a scene."""
    home = tmp_path / f"{columns}x{rows}"
    monkeypatch.setenv("HOME", str(home))
    confdir = home / ".midstream"
    confdir.mkdir(parents=True)
    (confdir / "keys.yaml").write_text(scene.key_file or "version: 1\n")
    async with shown_console(confdir, columns, rows) as shown:
        await _play(shown, scene)
        yield shown


async def _play(shown: Shown, scene: Scene) -> None:
    always = asyncio.all_tasks()
    done = scene.before(shown)
    if inspect.isawaitable(done):
        await done
    shown.console.messages.clear()  # what the start had to say: it names this checkout
    await settle(shown, always)
    for key in scene.keys:
        if callable(key):
            key(shown)
        elif key is MENU:
            shown.console.keys._open()
        else:
            shown.press(key)
        await settle(shown, always)
    if scene.until:
        await shown.until_shown(scene.until)
        await settle(shown, always)


async def settle(shown: Shown, always: set[asyncio.Task[object]]) -> None:
    """Paint, and wait until what is made beside the loop for the screen is there: each key meets what a person saw."""
    for _ in range(3):  # what is painted may ask for more
        assert shown.text
        await shown.until(lambda: asyncio.all_tasks() <= always)


# --- comparing --------------------------------------------------------------------------------------------------------


def _scrubbed(text: str) -> str:
    """The screen without what depends on the minute: bars, rates and durations of held flows."""
    text = re.sub(r"[▁▂▃▄▅▆▇█ ]+ +<?\d+/s", "", text)
    text = re.sub(r"lag \d+ms", "", text)
    text = re.sub(r"(?m)^ keys  \d+ ", " keys  N ", text)
    text = re.sub(r"(?m)^ commands  \d+ of \d+ ", " commands  N of N ", text)
    text = re.sub(r"(?m) +\d+ of [\d,]+ \|", "  N of N |", text)
    text = re.sub(r"\.py:\d+\) +\|", ".py:N) |", text)
    text = re.sub(r"(?m)^( options  \d+ of) \d+ (.* all) \d+ ", r"\1 N \2 N ", text)
    text = re.sub(r"(?m)^ options  \d+ (.* all) \d+ ", r" options  N \1 N ", text)
    return "\n".join(line.rstrip() for line in text.split("\n")) + "\n"


def _with_looks(shown: Shown) -> str:
    text = shown.text.split("\n")
    assert shown.screen.canvas is not None
    palette = PALETTES["mono"]
    lines = []
    for line, row in zip(text, shown.screen.canvas.content(), strict=True):
        lines.append(line)
        looks = [(_SIGNS[palette[role].mono if role else "default"], data.decode()) for role, _, data in row]
        lines.append("".join(sign * len(part) for sign, part in looks))
    return _scrubbed("\n".join(lines))


def _compare(text: str, name: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("MIDSTREAM_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@pytest.fixture(autouse=True)
def one_time_zone(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def test_what_is_painted_has_a_role_in_every_palette(tmp_path):
    for palette in PALETTES.values():
        assert set(palette) == set(ROLES)
    async with shown_console(tmp_path) as shown:
        some_traffic(shown)
        for keys in ((), ("O",), ("C",), ("?",), ("q", "q", "q", "E"), ("i", "("), ("esc", ","), ("esc", "enter")):
            shown.press(*keys)
            assert shown.text
            canvas = shown.screen.canvas
            assert canvas is not None
            used = {role for row in canvas.content() for role, _, _ in row}
            assert used <= set(ROLES), used - set(ROLES)


def test_every_golden_file_belongs_to_a_scene():
    wanted = {f"{scene.name}-{c}x{r}{mono}.txt" for scene in SCENES for c, r in scene.sizes for mono in ("", ".mono")}
    assert {path.name for path in GOLDEN.iterdir()} == wanted
