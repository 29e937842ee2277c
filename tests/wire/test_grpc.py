"""Messages of gRPC in bodies."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire import grpc


@given(st.lists(st.tuples(st.integers(0, 255), st.binary())), st.data())
def test_messages(messages: list[tuple[int, bytes]], draw: st.DataObject) -> None:
    data = b"".join(grpc.frame(flags, message) for flags, message in messages)
    found = list(grpc.frames(data))
    assert [(one.flags, data[one.start + grpc.HEAD : one.end]) for one in found] == messages
    assert all(one.is_whole for one in found)
    cut = data[: draw.draw(st.integers(0, len(data)))]
    pieces = list(grpc.frames(cut))
    assert b"".join(cut[one.start : one.end] for one in pieces) == cut
    assert all(one.is_whole for one in pieces[:-1])


@given(st.lists(st.binary()))
def test_web_text(parts: list[bytes]) -> None:
    assert grpc.from_web_text(b"".join(base64.b64encode(part) + b"\r\n" for part in parts)) == b"".join(parts)


@pytest.mark.parametrize("data", [b"a", b"=", b"aaa=a", b"\xff\xff\xff\xff", b"a=======", b"===="])
def test_what_is_no_base64(data: bytes) -> None:
    with pytest.raises(ValueError, match="this is no base64"):
        grpc.from_web_text(data)
