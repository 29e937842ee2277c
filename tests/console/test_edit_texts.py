from __future__ import annotations

import gzip
import sys

import pytest

from midstream.addons.proxyserver import ProxyServer
from midstream.console.panes.text_pane import TextPane
from midstream.flows.headers import Headers
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow
from tests.kit.hostile import TEXTS, WIDTHS, assert_clean
from tests.kit.origins import answering, ok, origin

FIELDS = ((b"Host", b"shop.example"), (b"X-A", b"\xff"), (b"x-a", b"2"), (b"content-length", b"3"))


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path, 100, 26) as shown:
        yield shown


def a_flow(shown: Shown, **more):
    more.setdefault("request_headers", FIELDS)
    flow = http_flow("http://shop.example/a?x=1", "POST", request_body=more.pop("body", b"q=1"), **more)
    shown.view.add(flow)
    return flow


def text_pane(shown: Shown) -> TextPane:
    pane = shown.console.pane
    assert isinstance(pane, TextPane)
    return pane


def edit(shown: Shown, part: str) -> TextPane:
    shown.console.run_command(f"console.edit.text '{part}'")
    return text_pane(shown)


async def test_a_whole_request_is_edited(shown):
    flow = a_flow(shown)
    shown.press("e", "r")
    pane = text_pane(shown)
    assert pane.edit.text.startswith("POST http://shop.example/a?x=1 HTTP/1.1\nHost: shop.example\nX-A: \udcff\n")
    assert pane.edit.text.endswith("\n\nq=1")
    shown.press("meta >", "&", "b", "ctrl s")
    await shown.until_shown("request edited")
    assert flow.request.raw_content == b"q=1&b"
    assert flow.request.headers["content-length"] == "5"
    assert flow.request.headers.fields[:3] == FIELDS[:3]


async def test_only_what_is_different_is_set(shown):
    flow = a_flow(shown)
    flow.request.headers["content-encoding"] = "gzip"
    flow.request.raw_content = packed = gzip.compress(b"q=1", mtime=7)
    pane = edit(shown, "request")
    pane.edit.set_text(pane.edit.text.replace("POST", "PUT"))
    shown.press("ctrl s")
    await shown.until_shown("request edited")
    assert flow.request.method == "PUT"
    assert flow.request.raw_content == packed


async def test_a_bad_line_is_named_while_it_is_typed_and_nothing_is_applied(shown):
    flow = a_flow(shown)
    pane = edit(shown, "request-headers")
    shown.press("down", " ")
    assert "! line 2: ' Host' is no header name" in shown.text
    assert "! ␠" not in shown.text
    shown.press("ctrl s")
    assert shown.console.pane is pane
    assert flow.request.headers.fields == FIELDS
    shown.press("backspace", "ctrl s")
    assert shown.console.pane.name == "flows"


async def test_leaving_asks_when_something_was_typed(shown):
    flow = a_flow(shown)
    shown.press("e", "r", "esc")
    assert shown.console.pane.name == "flows"
    pane = edit(shown, "request-body")
    shown.press("x", "esc", "esc")
    assert shown.console.pane is pane
    shown.press("esc", "d")
    assert flow.request.raw_content == b"q=1"
    edit(shown, "request-body")
    shown.press("x", "esc", "a")
    await shown.until_shown("request body edited")
    assert flow.request.raw_content == b"xq=1"


async def test_bytes_and_line_ends_of_a_body_are_kept(shown):
    flow = a_flow(shown, body=b"a\r\n\xff\tb\r\n")
    edit(shown, "request-body")
    assert "\\xff␉   b" in shown.text
    shown.press("x", "enter", "ctrl s")
    await shown.until_shown("request body edited")
    assert flow.request.raw_content == b"x\r\na\r\n\xff\tb\r\n"


async def test_a_body_is_written_in_its_own_encoding(shown):
    flow = a_flow(shown, body="Größe".encode("latin-1"))
    flow.request.headers["content-type"] = "text/plain; charset=latin-1"
    edit(shown, "request-body")
    assert "Größe" in shown.text
    shown.press("日", "ctrl s")
    assert "cannot be written in" in shown.text
    shown.press("backspace", "é", "ctrl s")
    await shown.until_shown("request body edited")
    assert flow.request.raw_content == "éGröße".encode("latin-1")


async def test_a_response_that_is_not_there_is_made(shown):
    flow = a_flow(shown, status=None)
    shown.press("e", "R")
    pane = text_pane(shown)
    assert pane.edit.text.startswith("HTTP/1.1 200 OK\n")
    pane.edit.set_text("HTTP/1.1 404 Gone\nX: 1\n\nnot here")
    shown.press("ctrl s")
    await shown.until_shown("response edited")
    assert (flow.response.status_code, flow.response.reason, flow.response.text) == (404, "Gone", "not here")
    shown.press("V")
    await shown.until(lambda: flow.response is None)


async def test_a_change_by_somebody_else_is_asked_about(shown):
    flow = a_flow(shown)
    pane = edit(shown, "request-body")
    shown.press("x")
    flow.request.raw_content = b"other"
    assert "changed by somebody else meanwhile" in shown.text
    shown.press("ctrl s", "r")
    assert pane.edit.text == "other"
    shown.press("ctrl z", "ctrl s")
    await shown.until_shown("request body edited")
    assert flow.request.raw_content == b"xq=1"


async def test_a_binary_body_is_edited_as_its_view_shows_it(shown):
    flow = a_flow(shown, body=b"\x08\x96\x01")
    flow.request.headers = Headers(((b"content-type", b"application/x-protobuf"),))
    pane = edit(shown, "request-body")
    assert "150" in pane.edit.text
    pane.edit.set_text(pane.edit.text.replace("150", "151"))
    shown.press("ctrl s")
    await shown.until_shown("edited")
    assert flow.request.raw_content == b"\x08\x97\x01"
    pane = edit(shown, "request-body")
    pane.edit.set_text("1: [")
    shown.press("ctrl s")
    await shown.until(lambda: not pane._is_busy)
    assert shown.console.pane is pane
    assert flow.request.raw_content == b"\x08\x97\x01"


async def test_what_cannot_be_edited_here_says_why(shown):
    flow = a_flow(shown, body=b"x" * 70_000)
    shown.console.run_command("console.edit.text request-body")
    assert "longer than 64 kB: e b and e B open it in $EDITOR" in shown.text
    flow.request.raw_content = None
    shown.console.run_command("console.edit.text request")
    assert "the body was not stored" in shown.text
    shown.console.run_command("console.edit.text nonsense")
    assert "nonsense" in shown.text


async def test_a_text_goes_on_in_an_editor_and_comes_back(shown, tmp_path, monkeypatch):
    editor = tmp_path / "editor"
    editor.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[1], 'ab').write(b'&more=1\\n')\n")
    editor.chmod(0o755)
    monkeypatch.setenv("MIDSTREAM_EDITOR", str(editor))
    flow = a_flow(shown)
    pane = edit(shown, "request-body")
    shown.press("x", "ctrl o")
    await shown.until(lambda: pane.edit.text == "xq=1&more=1")
    shown.press("ctrl z")
    assert pane.edit.text == "xq=1"
    shown.press("ctrl r", "ctrl s")
    await shown.until_shown("request body edited")
    assert flow.request.raw_content == b"xq=1&more=1"


async def test_heads_still_open_in_an_editor(shown, tmp_path, monkeypatch):
    editor = tmp_path / "editor"
    editor.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[1], 'ab').write(b'X-New: 1\\n')\n")
    editor.chmod(0o755)
    monkeypatch.setenv("MIDSTREAM_EDITOR", str(editor))
    flow = a_flow(shown)
    shown.press("e", "e")
    assert "in $EDITOR:" in shown.text
    shown.press("esc")
    shown.console.run_command("console.edit.editor request-headers")
    await shown.until_shown("request headers edited")
    assert flow.request.headers["X-New"] == "1"


# -- new requests ------------------------------------------------------------------------------------------------------


async def test_a_request_is_written_and_kept_as_a_draft(shown):
    shown.press("+")
    assert "type the URL behind https://, or paste a curl command" in shown.text
    shown.press("x.example/a")
    assert "ok  0 headers, no body" in shown.text
    shown.press("enter", "enter", "body", "meta s")
    await shown.until_shown("in the list, not sent")
    (flow,) = [shown.view.get(id_) for id_ in shown.view.shown]
    assert flow.request.url == "https://x.example/a"
    assert flow.request.content == b"body"
    assert flow.response is None
    assert shown.view.focus_id == flow.id


async def test_a_request_goes_over_the_wire_and_its_answer_is_in_the_list(shown):
    master = shown.console.master
    master.options.set("server=false", defer=True)
    # The replays of this master have a proxy, which has its settings from this addon.
    proxy = master.addons.get("clientplayback")._proxy
    async with origin(answering(lambda heard: ok(b"hello"))) as server, proxy:
        master.addons.add(ProxyServer(proxy))
        master.is_up.set()
        shown.press("+")
        shown.paste(f"curl -X PATCH '{server.url('/a?x=%20&y=+')}' -H 'X-A:  1' --data-raw '{{}}'")
        shown.press("ctrl s")
        await shown.until(lambda: server.requests)
        (heard,) = server.requests
        assert heard.head.startswith(b"PATCH /a?x=%20&y=+ HTTP/1.1\r\n")
        assert (heard.fields["x-a"], heard.fields["content-length"], heard.body) == ("1", "2", b"{}")
        (id_,) = shown.view.shown
        await shown.until(lambda: shown.view.get(id_).response is not None)
        assert shown.view.focus_id == id_
        assert shown.view.get(id_).response.text == "hello"
        assert shown.console.pane.name == "flows"
        await shown.until(lambda: master.commands.call("replay.client.count") == 0)


async def test_a_pasted_curl_command_becomes_the_request(shown):
    shown.press("+")
    shown.paste("curl -k -X PUT 'http://x.example/é?q=a b' -H 'A: 1' -d '{}'\n")
    pane = text_pane(shown)
    assert pane.edit.text == (
        "PUT http://x.example/%C3%A9?q=a%20b\nA: 1\nContent-Type: application/x-www-form-urlencoded\n\n{}"
    )
    assert "passed over" in shown.text
    shown.press("ctrl z")
    assert pane.edit.text == "GET https://"
    shown.paste("curl 'http://x")
    assert "this ' is not closed" in shown.text


async def test_a_request_begins_as_that_of_a_flow(shown):
    a_flow(shown)
    shown.console.run_command("console.compose.like @focus")
    pane = text_pane(shown)
    assert pane.edit.text == "POST http://shop.example/a?x=1 HTTP/1.1\nHost: shop.example\nX-A: \udcff\nx-a: 2\n\nq=1"
    shown.press("meta s")
    await shown.until(lambda: len(shown.view.shown) == 2)
    made = shown.view.get(shown.view.focus_id)
    assert made.request.headers.fields == (*FIELDS[:3], (b"content-length", b"3"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("GET /path HTTP/1.1\n\n", "must start with a scheme"),
        ("GET wss://x.example/ HTTP/1.1\n\n", "cannot be sent"),
        ("CONNECT http://x.example/ HTTP/1.1\n\n", "only opens a tunnel"),
        ("G(T http://x.example/\n\n", "is no method"),
        ("GET http://x.example/\nbad name: 1\n\n", "is no header name"),
    ],
)
async def test_what_cannot_be_sent_is_said_before(shown, text, reason):
    shown.press("+")
    pane = text_pane(shown)
    pane.edit.set_text(text)
    assert reason in shown.text
    shown.press("ctrl s", "meta s")
    assert shown.console.pane is pane
    assert not shown.view.shown


async def test_a_request_that_is_left_is_there_again(shown):
    shown.press("+", "x.example", "esc", "esc")
    shown.console.run_command("console.view.flows")
    shown.press("+")
    assert "GET https://x.example" in shown.text
    shown.press("esc", "d", "+")
    assert "x.example" not in shown.text


@pytest.mark.parametrize("width", WIDTHS)
async def test_hostile_texts_are_painted_clean(tmp_path, width):
    async with shown_console(tmp_path, max(width, 20), 12) as shown:
        for text in TEXTS:
            a_flow(shown, body=text.encode("utf-8", "surrogateescape"))
            shown.console.run_command("view.focus.go -1")
            pane = edit(shown, "request-body")
            for key in ("end", "x", "page_down"):
                pane.typed(key)
                for rows in (1, 2, 3, 12):
                    assert_clean(pane.render((width, rows), True), width)
            pane.close()


# -- finding ----------------------------------------------------------------------------------------------------------


async def test_finding_in_a_text_goes_there_while_it_is_typed_and_on(shown):
    a_flow(shown, body=b"Cart one\ncart two\n\xff\x1b[2J\ncart three")
    pane = edit(shown, "request-body")
    shown.press("down", "ctrl f", "cart")
    assert "2 of 3" in shown.prompt_line
    assert pane.edit.place == (2, 1), "what stands at the cursor is the first hit"
    shown.press("enter", "meta n")
    assert pane.edit.place == (4, 1)
    assert "3 of 3" in shown.text
    shown.press("meta n")
    assert pane.edit.place == (1, 1)
    shown.press("meta p")
    assert pane.edit.place == (4, 1)
    shown.press("x", "ctrl s")
    await shown.until_shown("request body edited")


async def test_case_matters_with_a_capital_letter_and_esc_goes_back(shown):
    a_flow(shown, body=b"cart\nCart\ncart")
    pane = edit(shown, "request-body")
    shown.press("ctrl f", "Cart")
    assert "1 of 1" in shown.prompt_line
    assert pane.edit.place == (2, 1)
    shown.press("esc")
    assert pane.edit.place == (1, 1)
    shown.press("ctrl f", "nothing", "enter")
    assert "not found" in shown.text
    assert pane.edit.place == (1, 1)
    assert pane.edit.text == "cart\nCart\ncart"


async def test_what_was_found_is_seen_and_goes_on_being_seen_while_one_types(shown):
    a_flow(shown, body=b"a cart, a cart")
    pane = edit(shown, "request-body")
    shown.press("ctrl f", "cart", "enter")
    assert shown.text
    assert pane.edit.hits == [(2, 6), (10, 14)]
    shown.press("home", "my ")
    assert shown.text
    assert pane.edit.hits == [(5, 9), (13, 17)]
    shown.press("ctrl f", "enter")
    assert shown.text
    assert not pane.edit.hits


async def test_a_line_by_its_number(shown):
    a_flow(shown, body=b"1\n2\n3\n4")
    pane = edit(shown, "request-body")
    shown.press("meta g")
    assert "line (1 to 4):" in shown.text
    shown.press("three", "enter")
    assert "'three' is no number of a line" in shown.text
    shown.press("ctrl u", "3", "enter")
    assert pane.edit.place == (3, 1)
    shown.press("meta g", "99", "enter")
    assert pane.edit.place == (4, 1)


async def test_help_lies_over_a_text_and_comes_back_to_it(shown):
    a_flow(shown)
    pane = edit(shown, "request-body")
    shown.press("x", "f1")
    assert "Editing in place" in shown.text
    assert "Go to a line" in shown.text
    shown.press("q")
    assert shown.console.pane is pane
    assert pane.edit.text == "xq=1"
    assert "not applied" not in shown.text


async def test_the_keys_of_emacs_find_and_apply(shown):
    shown.options.update(console_keys="emacs")
    await shown.until(lambda: shown.console.keys.keymap.bound(("ctrl s",), "text")[0].command == "console.search")
    flow = a_flow(shown, body=b"a cart")
    pane = edit(shown, "request-body")
    shown.press("ctrl f", "ctrl s", "cart", "enter")
    assert pane.edit.cursor == 2
    shown.press("x", "ctrl x", "ctrl s")
    await shown.until_shown("request body edited")
    assert flow.request.raw_content == b"a xcart"
