from __future__ import annotations

import pytest

from midstream.console.panes.text_pane import TextPane
from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.registries import registry_of
from tests.console.masters import Shown, shown_console
from tests.kit.captured import START, http_flow, tcp_flow, udp_flow, websocket_flow

BYTES = b"\x00\x01\xfe\xff"


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path, 100, 26) as shown:
        yield shown


def add(shown: Shown, flow, held: bool = False):
    shown.view.add(flow)
    if held:
        flow.intercept()
        shown.view.update(flow)
    return flow


def text_pane(shown: Shown) -> TextPane:
    pane = shown.console.pane
    assert isinstance(pane, TextPane)
    return pane


def contents(flow) -> list[bytes]:
    return [each.content for each in getattr(flow, "websocket", flow).messages]


@pytest.mark.parametrize("make", [websocket_flow, tcp_flow, udp_flow])
async def test_the_held_message_is_edited_undone_and_recorded(shown, make):
    flow = add(shown, make((True, b"one"), (False, b"two\r\n\xc3\xa9\r\n"), live=True), held=True)
    shown.press("e", "t")
    if make is not websocket_flow:
        # Raw connections do not say what is text: what can be read as text is.
        assert "hex" not in shown.text.lower()
    assert "message 2 of 2, from the server" in shown.text
    shown.press("x", "ctrl s")
    await shown.until_shown("message edited")
    assert "already been sent" not in shown.text
    assert contents(flow) == [b"one", b"xtwo\r\n\xc3\xa9\r\n"]
    assert [part.name for change in flow.changes for part in change.parts] == ["messages[1].content"]
    shown.press("u")
    await shown.until(lambda: contents(flow)[1] == b"two\r\n\xc3\xa9\r\n")
    shown.press("ctrl r")
    await shown.until(lambda: contents(flow)[1].startswith(b"x"))


async def test_the_same_edit_again_on_the_next_held_message(shown):
    add(shown, websocket_flow((True, b'{"qty": 1, "id": 7}'), live=True), held=True)
    other = add(shown, websocket_flow((True, b'{"qty": 1, "id": 8}'), live=True), held=True)
    shown.press("e", "t", *["right"] * 8, "delete", "2", "ctrl s")
    await shown.until_shown("message edited")
    shown.press(".")
    await shown.until(lambda: contents(other) == [b'{"qty": 2, "id": 8}'])


async def test_a_message_that_was_sent_says_so_and_is_the_selected_one(shown):
    flow = add(shown, websocket_flow((True, b"one"), (True, b"two"), live=True), held=True)
    shown.console.run_command("console.view.flow @focus")
    shown.console.run_command("console.flowview.tab messages")
    shown.press("up", "e", "t")
    assert "message 1 of 2, from the client" in shown.text
    shown.press("x", "ctrl s")
    await shown.until_shown("message edited; it had already been sent")
    assert contents(flow) == [b"xone", b"two"]
    shown.press("u")
    await shown.until(lambda: contents(flow) == [b"one", b"two"])


async def test_a_stored_message_is_edited(shown):
    flow = add(shown, websocket_flow((True, b"one")))
    shown.press("e", "t", "x", "ctrl s")
    await shown.until_shown("message edited")
    assert "sent" not in shown.lines[-3]
    assert contents(flow) == [b"xone"]
    shown.press("V")
    await shown.until(lambda: contents(flow) == [b"one"])


async def test_a_text_message_is_text_whatever_it_holds(shown):
    flow = add(shown, websocket_flow((True, b"\x00\x1b[2J\xff")))
    shown.press("e", "t")
    assert "as Hex" not in shown.text
    assert text_pane(shown).edit.text == "\x00\x1b[2J\udcff"
    shown.press("x", "ctrl s")
    await shown.until_shown("message edited")
    assert contents(flow) == [b"x\x00\x1b[2J\xff"]


@pytest.mark.parametrize("make", [websocket_flow, tcp_flow, udp_flow])
async def test_bytes_are_edited_as_hex_digits(shown, make):
    flow = add(shown, make((True, BYTES)))
    if make is websocket_flow:
        flow.websocket.messages[0].type = 2
    shown.press("e", "t")
    assert "message 1 of 1, from the client as Hex Stream" in shown.text
    shown.press("z", "ctrl s")
    await shown.until_shown("no run of hex digits")
    assert contents(flow) == [BYTES]
    shown.press("backspace", "7", "f", "ctrl s")
    await shown.until_shown("message edited")
    assert contents(flow) == [b"\x7f" + BYTES]


class Ticks(InteractiveContentview):
    """Bytes of one sort of message as numbers, as an addon may show them."""

    name = "Ticks"

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        return "ticks: " + " ".join(map(str, data))

    def reencode(self, prettified: str, metadata: Metadata) -> bytes:
        return bytes(map(int, prettified.removeprefix("ticks: ").split()))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 2


async def test_binary_messages_that_a_view_knows_are_edited_as_it_shows_them(shown):
    registry_of(shown.console.master).register(Ticks)
    flow = add(shown, websocket_flow((True, b"\x01\x02")))
    flow.websocket.messages[0].type = 2
    shown.press("e", "t")
    assert text_pane(shown).edit.text == "ticks: 1 2"
    shown.press("meta >", " ", "x", "ctrl s")
    await shown.until_shown("invalid literal")
    shown.press("backspace", "3", "ctrl s")
    await shown.until_shown("message edited")
    assert contents(flow) == [b"\x01\x02\x03"]


async def test_each_message_keeps_its_own_unfinished_text(shown):
    add(shown, websocket_flow((True, b"one"), (True, b"two")))
    shown.console.run_command("console.view.flow @focus")
    shown.console.run_command("console.flowview.tab messages")
    shown.press("e", "t", "x")
    shown.console.open_pane("flows")
    shown.console.run_command("console.view.flow @focus")
    shown.press("up", "e", "t")
    assert text_pane(shown).edit.text == "one"
    shown.press("esc", "down", "e", "t")
    assert text_pane(shown).edit.text == "xtwo"


async def test_what_cannot_be_edited_here_says_why(shown):
    flow = add(shown, tcp_flow())
    shown.console.run_command("console.edit.text message")
    assert "the flow has no messages" in shown.text
    flow.messages = tcp_flow((True, b"x" * 70_000)).messages
    shown.console.run_command("console.edit.text message")
    assert "longer than 64 kB: e e opens it in $EDITOR" in shown.text
    flow.messages = tcp_flow((True, b"\x00" * 40_000)).messages
    shown.console.run_command("console.edit.text message")
    assert "longer than 64 kB: e e opens it in $EDITOR" in shown.text
    shown.console.run_command("console.edit.text 'message (Nonsense)'")
    assert "is no choice" in shown.text


async def test_the_parts_that_are_offered_fit_the_flow(shown):
    options = shown.console.master.commands.execute
    assert "message" not in options("console.edit.text.options")
    add(shown, tcp_flow((True, BYTES)))
    assert list(options("console.edit.text.options")) == ["message", "message (Hex Stream)"]
    shown.view.add(http_flow("http://a.example/", start=START + 1))
    shown.press("G")
    assert "message" not in options("console.edit.text.options")
