"""WebSocket messages."""

import pytest

from midstream.flows.websocket import BINARY, TEXT, WebSocketData, WebSocketMessage


def test_text_messages() -> None:
    message = WebSocketMessage(TEXT, True, "é".encode())
    assert message.is_text
    assert message.text == "é"
    message.text = "ü"
    assert message.content == "ü".encode()
    assert repr(message) == "'ü'"
    assert message.timestamp > 0


def test_binary_messages_have_no_text() -> None:
    message = WebSocketMessage(BINARY, True, b"\xff", 1.0)
    assert repr(message) == "b'\\xff'"
    with pytest.raises(AttributeError, match=r"use \.content"):
        _ = message.text
    with pytest.raises(AttributeError):
        message.text = "x"


def test_dropping() -> None:
    for name in ("drop", "kill"):
        message = WebSocketMessage(TEXT, True, b"")
        getattr(message, name)()
        assert message.dropped


def test_state() -> None:
    data = WebSocketData()
    data.messages.append(WebSocketMessage(TEXT, False, b"x", 1.0, injected=True))
    data.close_code = 1000
    again = WebSocketData.from_state(data.get_state())
    assert again.get_state() == data.get_state()
    assert repr(again) == "<WebSocketData (1 messages)>"
    again.messages.append(WebSocketMessage.from_state([2, True, b"", 1, False, False]))
    data.set_state(again.get_state())
    assert len(data.messages) == 2
    with pytest.raises(ValueError, match="9 is no type of message"):
        WebSocketMessage.from_state([9, True, b"", 1, False, False])
