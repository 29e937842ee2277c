"""Whether what a session writes can be read again: a flow that a script gave odd values must not be lost for it.

`session_file` asks, in its thread, before it writes. Reading everything back at once would cost more than packing it
does. But nearly all flows are alike in the kinds of their values, and whether a flow can be read depends on these: one
of each shape is unpacked, the others pass. Not a check of what is read; `session_codec` makes that.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
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
    unpack_connection,
    unpack_flow,
)

_MOST_SHAPES: Final = 1000
_CLIENT, _SERVER = Client(peername=("", 0), sockname=("", 0)), Server(address=None)

_proven: set[Hashable] = set()


def prove_flow(shot: Snapshot, data: bytes, messages: Sequence[tuple[Any, ...]], packed: Sequence[bytes]) -> None:
    """Unpackable when a flow could not be read again; the message says why."""
    parts = Parts(*shot)

    def read() -> None:
        bodies = dict(large_bodies(parts.content))
        unpack_flow(Stored(0, data, bodies, packed, 0), lambda number: _CLIENT, lambda number: _SERVER)

    _prove(_flow_shape(parts, messages), read)


def prove_connection(shot: Snapshot, data: bytes) -> None:
    """The same for a connection."""
    _prove(tuple(map(_shape, shot)), lambda: unpack_connection(data))


def _prove(shape: Hashable | None, read: Callable[[], object]) -> None:
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


def _flow_shape(parts: Parts, messages: Sequence[tuple[Any, ...]]) -> Hashable | None:
    """What flows that are read alike have in common; None for one that has to be looked at by itself."""
    content = parts.content
    if content and len(content) != HTTP_PARTS:
        return None
    shapes: list[Hashable] = [parts.kind, tuple(map(type, parts.head)), _shape(parts.head[3]), _shape(parts.error)]
    for index, part in enumerate(content):
        if part is None or index == HTTP_PARTS - 1:  # what is known of a WebSocket
            shapes.append(_shape(part))
        elif index % 2:
            if not _are_fields(part):
                return None
        else:
            if not _are_fields(part[1]):
                return None
            shapes.append(tuple(map(type, part)))
    shapes.append(frozenset([tuple(map(_shape, message)) for message in messages]))
    return tuple(shapes)


def _are_fields(fields: object) -> bool:
    return (
        type(fields) is tuple
        and len(fields) <= MOST_ITEMS
        and all(len(field) == 2 and type(field[0]) is bytes is type(field[1]) for field in fields)
    )


def _shape(value: object) -> Hashable:
    kind = type(value)
    if isinstance(value, str) and len(value) < 16:  # it may be one of a few words
        return value
    if isinstance(value, int) and -1 < value < 16:  # or one of a few numbers
        return kind, value
    if isinstance(value, tuple):
        return kind, *map(type, value)
    if isinstance(value, list):
        return frozenset(map(type, value))
    return kind
