"""The box that sends messages into live conversations."""

import pytest

from midstream.addons.inject import Inject
from midstream.console import message_form
from midstream.console.message_form import MessageForm
from midstream.flows.errors import CommandError
from midstream.flows.tcp import TCPMessage
from midstream.flows.websocket import WebSocketMessage
from tests.kit.captured import tcp_flow, websocket_flow
from tests.kit.fake_console import FakeConsole


@pytest.fixture
def console() -> FakeConsole:
    made = FakeConsole()
    made.master.commands.collect_commands(Inject())
    return made


def typed(form: MessageForm, *keys: str) -> None:
    for key in keys:
        form.press(key)


def test_a_text_to_the_server(console: FakeConsole) -> None:
    flow, sent = websocket_flow(live=True), list[WebSocketMessage]()
    flow.injector = sent.append
    form = MessageForm(console, flow)  # type: ignore[arg-type]
    typed(form, *'{"a":1}', "enter")
    assert form.finished
    assert [(one.from_client, one.content, one.is_text, one.injected) for one in sent] == [
        (True, b'{"a":1}', True, True)
    ]
    assert console.messages == ["sent 7b to the server"]


def test_bytes_to_the_client_and_what_are_none(console: FakeConsole) -> None:
    flow, sent = tcp_flow(live=True), list[TCPMessage]()
    flow.injector = sent.append
    form = MessageForm(console, flow)  # type: ignore[arg-type]
    form._to.choose("client")
    form._kind.choose("binary")
    typed(form, *"00 f", "enter")
    assert not form.finished
    assert "pairs of hex digits" in form.problem
    typed(form, *"f 1a", "enter")
    assert form.finished
    assert [(one.from_client, one.content) for one in sent] == [(False, b"\x00\xff\x1a")]


def test_an_old_message_once_more(console: FakeConsole) -> None:
    flow = websocket_flow((False, b"tick"), live=True)
    sent = list[WebSocketMessage]()
    flow.injector = sent.append
    assert flow.websocket is not None
    form = MessageForm(console, flow, flow.websocket.messages[0])  # type: ignore[arg-type]
    typed(form, *"!", "enter")
    assert [(one.from_client, one.content) for one in sent] == [(False, b"tick!")]
    raw = WebSocketMessage(2, True, b"\xff\x00")
    form = MessageForm(console, flow, raw)  # type: ignore[arg-type]
    typed(form, "enter")
    assert [(one.from_client, one.content, one.is_text) for one in sent[1:]] == [(True, b"\xff\x00", False)]


def test_a_conversation_that_has_ended_keeps_what_was_typed(console: FakeConsole) -> None:
    flow = websocket_flow(live=True)
    form = MessageForm(console, flow)  # type: ignore[arg-type]
    typed(form, *"hello", "enter")
    assert not form.finished
    assert "not live" in form.problem
    assert form._text.value == "hello"


def test_a_long_message_is_refused(console: FakeConsole) -> None:
    message = WebSocketMessage(1, True, b"x" * (message_form.LONGEST + 1))
    with pytest.raises(CommandError, match="longer than 64k"):
        MessageForm(console, websocket_flow(), message)  # type: ignore[arg-type]


def test_hostile_messages(console: FakeConsole) -> None:
    from midstream.console.widgets.canvas import paint
    from tests.kit.hostile import TEXTS, WIDTHS, assert_clean

    for text in TEXTS:
        for kind in (1, 2):
            raw = text.encode("utf-8", "surrogatepass")
            form = MessageForm(console, websocket_flow(), WebSocketMessage(kind, True, raw))  # type: ignore[arg-type]
            for columns in WIDTHS:
                assert_clean(paint(form.lines(columns, 12), columns, 12), columns)
