"""Whether what a session writes can be read again: a flow that a script gave odd values must not be lost for it.

`session_file` asks, in its thread, before it writes. Reading everything back at once would cost more than packing it
does. But nearly all flows are alike in the kinds of their values, and whether a flow can be read depends on these: one
of each shape is unpacked, the others pass. Not a check of what is read; `session_codec` makes that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from midstream.flows.connection import Client, Server
from midstream.store.session_codec import (
    HTTP_PARTS,
    MOST_ITEMS,
    Parts,
    Snapshot,
    Stored,
    Unpackable,
    large_bodies,
    unpack_flow,
)
from midstream.store.session_connections import unpack_connection

_MOST_SHAPES: Final = 1000
_CLIENT, _SERVER = Client(peername=("", 0), sockname=("", 0)), Server(address=None)

_proven: set[object] = set()


def prove_flow(shot: Snapshot, data: bytes, messages: Sequence[tuple[Any, ...]], packed: Sequence[bytes]) -> None:
    """Unpackable when a flow could not be read again; the message says why."""
    parts = Parts(*shot)

    def read() -> None:
        bodies = dict(large_bodies(parts.content))
        unpack_flow(Stored(0, data, bodies, packed, 0), lambda number: _CLIENT, lambda number: _SERVER)

    _prove(_flow_shape(parts, messages), read)


def prove_connection(shot: Snapshot, data: bytes) -> None:
    """The same for a connection."""
    _prove(_connection_shape(shot), lambda: unpack_connection(data))


def _prove(shape: object, read: Callable[[], object]) -> None:
    if shape is not None and shape in _proven:
        return
    try:
        read()
    except Exception as error:  # whatever it is, it would be the same at the time when the flow is needed
        raise Unpackable(str(error)) from None
    if len(_proven) >= _MOST_SHAPES:
        _proven.clear()
    if shape is not None:
        _proven.add(shape)


def _flow_shape(parts: Parts, messages: Sequence[tuple[Any, ...]]) -> object:
    """What flows that are read alike have in common; None for one that has to be looked at by itself."""
    head, content = parts.head, parts.content
    if content and len(content) != HTTP_PARTS:
        return None
    shapes: list[object] = [parts.kind, tuple(map(type, head)), head[3], _kinds(parts.error)]  # 3: is_replay
    for index, part in enumerate(content):
        is_trailers = index % 2 == 1
        fields = part if is_trailers or part is None or index == HTTP_PARTS - 1 else part[1]
        if index < HTTP_PARTS - 1 and fields is not None and not _are_fields(fields):
            return None
        shapes.append(is_trailers or _kinds(part))
    if messages:  # the first value of a message may be one of a few numbers
        shapes.append(frozenset([(message[0], *map(type, message)) for message in messages]))
    return tuple(shapes)


def _are_fields(fields: object) -> bool:
    if type(fields) is not tuple or len(fields) > MOST_ITEMS:
        return False
    return all([type(name) is bytes is type(value) for name, value in fields])  # noqa: C419 # twice as quick


def _kinds(values: Sequence[object] | None) -> object:
    return values and tuple(map(type, values))


def _connection_shape(shot: Snapshot) -> object:
    return tuple([_kinds(value) if isinstance(value, tuple) else _kind(value) for value in shot])


def _kind(value: object) -> object:
    if isinstance(value, list):
        return frozenset(map(type, value))
    # A short text may be one of a few words.
    return value if isinstance(value, str) and len(value) < 8 else type(value)
