"""Packed flows: whatever the bytes are, reading them gives a flow or a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.flow import Flow
from midstream.flows.state import StateError
from midstream.store.session_codec import (
    Stored,
    Unpackable,
    pack,
    pack_flow,
    packed_notes,
    snapshot,
    unpack,
    unpack_flow,
)
from midstream.store.session_connections import connection_snapshot, pack_connection, unpack_connection
from midstream.store.session_talk import messages_of
from midstream.testing.flows import tflow, tflows, twebsocketflow

KINDS = [*tflows(), twebsocketflow()]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4),
    max_leaves=20,
)


def stored(flow: Flow) -> Stored:
    messages = [pack(message.get_state()) for message in messages_of(flow) or ()]
    return Stored(1, pack_flow(snapshot(flow, 1, 2)), {}, messages, 0)


def read(data: Stored) -> Flow:
    client, server = KINDS[0].client_conn, KINDS[0].server_conn
    return unpack_flow(data, lambda _: client, lambda _: server)[0]


@pytest.mark.parametrize("flow", KINDS, ids=lambda flow: flow.type)
def test_every_kind_comes_back(flow: Flow) -> None:
    again, shot = unpack_flow(stored(flow), lambda _: flow.client_conn, lambda _: flow.server_conn)
    assert again.get_state() == flow.get_state()
    assert shot == snapshot(flow, 1, 2)
    assert again.live == flow.live


@given(st.data())
def test_damaged_bytes_give_a_sentence(data: st.DataObject) -> None:
    good = stored(data.draw(st.sampled_from(KINDS)))
    raw = bytearray(good.data)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)) | st.just(len(raw)))
    try:
        assert isinstance(read(good._replace(data=bytes(raw[:cut]))), Flow)
    except StateError as error:
        assert str(error)


@given(st.binary() | VALUES.map(lambda value: packed_notes({"x": value})[0]))
def test_foreign_bytes_give_a_sentence(raw: bytes) -> None:
    for reader in (lambda: read(Stored(1, raw, {}, (), 0)), lambda: unpack_connection(raw)):
        with pytest.raises(StateError):
            reader()


@given(VALUES)
def test_notes_come_back_as_they_are_or_stay(value: object) -> None:
    data, is_whole = packed_notes({"note": value})
    again = unpack(data)
    if is_whole:
        assert repr(again) == repr({"note": value})  # by repr: a NaN equals nothing
    else:
        assert again == {}


def test_what_loses_its_kind_is_not_whole() -> None:
    for value in ((1, 2), {1, 2}, object(), 1 << 70, {"deep": (1,)}, {(1, 2): 3}, bytearray(b"x")):
        assert not packed_notes({"note": value})[1]


def test_lengths_that_lie_take_no_memory() -> None:
    nested = b"\xdd\x7f\xff\xff\xff" * 400  # lists of two thousand million items, each in the next
    with pytest.raises(StateError):
        unpack(nested)


def test_text_of_any_kind_comes_back() -> None:
    flow = tflow(resp=True)
    flow.comment = "lone \ud800, raw \udc80, wide 字, nul \0"
    assert read(stored(flow)).comment == flow.comment


@pytest.mark.parametrize("flow", KINDS, ids=lambda flow: flow.type)
def test_connections_come_back(flow: Flow) -> None:
    for connection in (flow.client_conn, flow.server_conn):
        again = unpack_connection(pack_connection(connection_snapshot(connection)))
        assert again.get_state() == connection.get_state()


def test_what_has_no_form_is_refused() -> None:
    flow = tflow(resp=True)
    flow.request.raw_content = object()  # type: ignore[assignment]
    with pytest.raises((Unpackable, TypeError)):
        pack_flow(snapshot(flow, 1, 2))
