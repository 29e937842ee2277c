"""Flows as the session writes them: snapshots taken on the loop, packed in a thread, and made flows again.

A snapshot is a tuple of the immutable values that a flow consists of, so that taking one costs a microsecond, the
thread may pack it while the flow goes on, and whether a flow has changed is a comparison of two tuples, mostly by
identity. Packed by msgpack, it is read again through the checks that flow files go through: a damaged or hostile file
gives a sentence, never code. Measured for a flow of 1 kB: 0.6 µs on the loop and 3 µs in the thread, and 14 µs to make
a flow of it again; as an item of a flow file it takes 20 µs, all of them on the loop, and 76 µs to read.

Used by `session_kept` (snapshots) and `session_file` (bytes). Connections, large bodies and the messages of
conversations are written apart: they are shared, or must not be written again when a mark changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

import msgpack

from midstream.flows import change
from midstream.flows.connection import Client, Server
from midstream.flows.elsewhere import Elsewhere, conversation_of, put_elsewhere
from midstream.flows.flow import FLOW_FORMAT_VERSION, Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.state import State, StateError
from midstream.flows.tcp import TCPMessage
from midstream.flows.tunnel import TunnelFlow
from midstream.flows.udp import UDPMessage
from midstream.flows.unsaved import Unsaved
from midstream.flows.websocket import checked_message

FORMAT = 1
"""The version of what is written. A reader of version n reads 1 to n."""
INLINE = 64 << 10
"""Bytes of a body that is written with its flow; a larger one is written apart, and only when it is another."""

Snapshot: TypeAlias = tuple[Any, ...]
Body: TypeAlias = bytes | Elsewhere[bytes]

MOST_ITEMS = 100_000
"""Of a list or dict: what a wrong length may make the reader take memory for."""


class Unpackable(ValueError):
    """A flow holds what has no form in the session."""


# --- snapshots, on the loop

_HEAD = attrgetter("id", "live", "intercepted", "is_replay", "marked", "comment", "timestamp_created")
_MESSAGE = ("raw_http_version", "_headers.fields", "held_content", "timestamp_start", "timestamp_end")
_REQUEST = attrgetter(*_MESSAGE, "_host", "_port", "raw_method", "raw_scheme", "raw_authority", "raw_path")
_RESPONSE = attrgetter(*_MESSAGE, "_status_code", "raw_reason")
_BODY = 2  # where the body stands in both; one that is elsewhere is not read for it
_SOCKET = attrgetter("closed_by_client", "close_code", "close_reason", "timestamp_end")
HTTP_PARTS = 5  # the parts of the content of an HTTP flow; others have one or none
_COMMON = frozenset(Flow._SCHEMA)


class Parts(NamedTuple):
    """Where the parts of a snapshot stand."""

    kind: str
    head: tuple[Any, ...]
    client: int
    server: int
    error: tuple[str, float] | None
    notes: bytes | None
    changes: tuple[tuple[change.Change, bool], ...] | None
    backup: State | None
    content: tuple[Any, ...]


def snapshot(flow: Flow, client: int, server: int) -> Snapshot:
    """What the flow is like now, but for the messages of a conversation; its connections by their numbers."""
    error = flow.error
    content: tuple[Any, ...]
    if type(flow) is HTTPFlow:
        request, response, socket = flow._request, flow._response, flow.websocket
        content = (
            _REQUEST(request),
            None if request._trailers is None else request._trailers.fields,
            None if response is None else _RESPONSE(response),
            None if response is None or response._trailers is None else response._trailers.fields,
            None if socket is None else _SOCKET(socket),
        )
    elif isinstance(flow, TunnelFlow):
        content = ()
    else:
        content = ({key: value for key, value in flow.get_state().items() if key not in _COMMON},)
    return (
        flow.type,
        _HEAD(flow),
        client,
        server,
        None if error is None else (error.msg, error.timestamp),
        packed_notes(flow._metadata)[0] if flow._metadata else None,
        tuple([(each, each.undone) for each in flow._changes]) if flow._changes else None,
        flow._backup,
        content,
    )


def packed_notes(notes: dict[Any, Any]) -> tuple[bytes, bool]:
    """What addons noted, and whether that is all of it and will come back as it is."""
    kept = {key: note for key, note in notes.items() if _is_plain(key, 0) and _is_plain(note, 0)}
    if len(kept) > MOST_ITEMS:
        kept = {}
    return pack(kept), len(kept) == len(notes)


def comes_back_whole(flow: Flow) -> bool:
    """Whether the flow loses nothing by leaving memory: attributes of scripts would be lost, and notes that have no
    form.
    """
    if flow.__dict__ or flow.client_conn.__dict__ or flow.server_conn.__dict__:
        return False
    if flow._backup is not None and not packed_notes(flow._backup["metadata"])[1]:
        return False
    return not flow._metadata or packed_notes(flow._metadata)[1]


def _is_plain(value: object, depth: int) -> bool:
    """Whether msgpack gives back the same. A tuple would come back as a list."""
    kind = type(value)
    if kind is str or kind is bytes or kind is bool or kind is float or value is None:
        return True
    if kind is int:
        return -(1 << 63) <= value < 1 << 64  # type: ignore[operator]
    if depth > 20 or isinstance(value, Unsaved):
        return False
    if kind is list:
        return len(value) <= MOST_ITEMS and all(_is_plain(item, depth + 1) for item in value)  # type: ignore[arg-type, attr-defined]
    if kind is not dict or len(value) > MOST_ITEMS:  # type: ignore[arg-type]
        return False
    return all(_is_plain(key, 21) and _is_plain(item, depth + 1) for key, item in value.items())  # type: ignore[attr-defined]


def large_bodies(content: tuple[Any, ...]) -> list[tuple[int, Body]]:
    """The bodies that are written apart: of the request (0) and of the response (1)."""
    found = []
    for side, index in enumerate((0, 2)) if len(content) == HTTP_PARTS else ():
        message = content[index]
        body = message[_BODY] if message else None
        if body is not None and len(body) > INLINE:
            found.append((side, body))
    return found


def weight(content: tuple[Any, ...]) -> int:
    """About how many bytes a flow takes in memory, without its messages."""
    size = 3000
    if len(content) == HTTP_PARTS:
        size += len(content[0][_BODY] or b"")
        size += len(content[2][_BODY] or b"") if content[2] is not None else 0
    return size


# --- bytes, in a thread


def pack_flow(shot: Snapshot) -> bytes:
    """The bytes of a snapshot, large bodies left out. Raises Unpackable."""
    parts = Parts(*shot)
    content = parts.content
    for side, body in large_bodies(content):
        index = side * 2
        message = content[index]
        content = (*content[:index], (*message[:_BODY], len(body), *message[_BODY + 1 :]), *content[index + 1 :])
    changes = parts.changes and [_change_state(each, undone) for each, undone in parts.changes]
    return pack((*parts[:6], changes, parts.backup and _plain_backup(parts.backup), content))


def _plain_backup(backup: State) -> State:
    """Without notes that have no form, which keep the flow in memory."""
    return {**backup, "metadata": unpack(packed_notes(backup["metadata"])[0])}


def pack(value: Any) -> bytes:
    """The bytes of plain values: of a message of a conversation, or of a connection. Raises Unpackable."""
    try:
        packed: bytes = msgpack.packb(value, unicode_errors="surrogatepass")
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unpackable(str(error)) from None
    return packed


def _change_state(each: change.Change, undone: bool) -> State:
    """As it is saved in files, but with large bodies: within one program's life what was edited can be put back."""
    parts = [
        [name, *({"size": side.size} if isinstance(side, change.NotKept) else side for side in (before, after))]
        for name, before, after in each.parts
    ]
    return {
        "who": each.who,
        "during": each.during,
        "timestamp": each.timestamp,
        "undone": undone,
        "parts": parts,
    }


def unpack(data: bytes) -> Any:
    """The values of packed bytes, tuples as lists. Raises StateError."""
    try:
        return msgpack.unpackb(
            data,
            strict_map_key=False,
            unicode_errors="surrogatepass",
            max_array_len=MOST_ITEMS,
            max_map_len=MOST_ITEMS,
        )
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise StateError(f"damaged: {error}") from None


# --- flows again


class Stored(NamedTuple):
    """What a session file has of one flow: packed bytes, large bodies by their side, messages in their order."""

    number: int
    data: bytes
    bodies: Mapping[int, Body]
    messages: Sequence[bytes] | Elsewhere[list[Any]]
    first: int
    """The number of the first message that is left."""


def unpack_flow(
    stored: Stored, client_of: Callable[[int], Client], server_of: Callable[[int], Server]
) -> tuple[Flow, Snapshot]:
    """The flow, and the snapshot that it would give now. Raises StateError for anything that was never written."""
    values = unpack(stored.data)
    try:
        kind, head, client, server, error, notes, changes, backup, content = values
        id_, live, intercepted, is_replay, marked, comment, created = head
    except (TypeError, ValueError):
        raise StateError("damaged: it is no flow") from None
    state: State = {
        "version": FLOW_FORMAT_VERSION,
        "type": kind,
        "id": id_,
        "error": None if error is None else dict(zip(("msg", "timestamp"), error, strict=False)),
        "client_conn": client_of(client),
        "server_conn": server_of(server),
        "intercepted": intercepted,
        "is_replay": is_replay,
        "marked": marked,
        "metadata": unpack(notes) if notes else {},
        "comment": comment,
        "timestamp_created": created,
        "backup": backup and _usable(backup),
        **_content(kind, content, stored),
    }
    flow = Flow.from_state(state)
    _leave_elsewhere(flow, stored)
    flow.live = live is True
    if changes:
        flow._changes = change.from_states(changes) or None
    return flow, snapshot(flow, client, server)


def _leave_elsewhere(flow: Flow, stored: Stored) -> None:
    if isinstance(flow, HTTPFlow):
        for side, message in enumerate((flow._request, flow._response)):
            body = stored.bodies.get(side)
            if message is not None and isinstance(body, Elsewhere):
                put_elsewhere(message, body)
    owner = conversation_of(flow)
    if owner is not None and isinstance(stored.messages, Elsewhere):
        put_elsewhere(owner, stored.messages)


def kind_of(data: bytes) -> str:
    """Which type of flow it is. StateError."""
    values = unpack(data)
    return str(values[0]) if isinstance(values, list) and values else ""


def unpack_messages(kind: str, packed: Iterable[bytes]) -> list[Any]:
    """The messages of a conversation of that type. StateError."""
    made = {"http": checked_message, "tcp": TCPMessage._checked, "udp": UDPMessage._checked}.get(kind)
    if made is None:
        raise StateError("damaged: it is no conversation")
    return [made(unpack(each), "message") for each in packed]


def _content(kind: object, content: Any, stored: Stored) -> State:
    try:
        if kind == "http":
            request, request_trailers, response, response_trailers, socket = content
            return {
                "request": _request(request, request_trailers, stored.bodies),
                "response": response and _response(response, response_trailers, stored.bodies),
                "websocket": socket and _socket(socket, stored),
            }
        if kind in ("tcp", "udp"):
            return {"messages": _messages(stored)}
        (state,) = content
        return {str(key): value for key, value in state.items()}
    except (TypeError, ValueError, AttributeError) as error:
        raise error if isinstance(error, StateError) else StateError("damaged: it is no flow") from None


def _request(values: Any, trailers: Any, bodies: Mapping[int, Body]) -> State:
    version, headers, body, start, end, host, port, method, scheme, authority, path = values
    return {
        "http_version": version,
        "headers": headers,
        "content": _body(body, bodies, 0),
        "trailers": trailers,
        "timestamp_start": start,
        "timestamp_end": end,
        "host": host,
        "port": port,
        "method": method,
        "scheme": scheme,
        "authority": authority,
        "path": path,
    }


def _response(values: Any, trailers: Any, bodies: Mapping[int, Body]) -> State:
    version, headers, body, start, end, status, reason = values
    return {
        "http_version": version,
        "headers": headers,
        "content": _body(body, bodies, 1),
        "trailers": trailers,
        "timestamp_start": start,
        "timestamp_end": end,
        "status_code": status,
        "reason": reason,
    }


def _body(value: Any, bodies: Mapping[int, Body], side: int) -> Any:
    if type(value) is not int:
        return value
    body = bodies.get(side, b"")
    if len(body) != value:
        raise StateError(f"damaged: {len(body):,} of {value:,} bytes of its body are there")
    return None if isinstance(body, Elsewhere) else body


def _messages(stored: Stored) -> list[Any]:
    messages = stored.messages
    return [] if isinstance(messages, Elsewhere) else [unpack(message) for message in messages]


def _socket(values: Any, stored: Stored) -> State:
    by_client, code, reason, end = values
    return {
        "messages": _messages(stored),
        "closed_by_client": by_client,
        "close_code": code,
        "close_reason": reason,
        "timestamp_end": end,
    }


def _usable(backup: Any) -> State | None:
    """What a revert can go back to, with the tuples of a fresh state: whether a flow is modified is a comparison."""
    try:
        return {**Flow.from_state(backup).get_state(), "backup": None}
    except StateError:
        return None
