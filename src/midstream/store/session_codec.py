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

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

import msgpack

from midstream.flows import change
from midstream.flows.connection import Client, Connection, Server
from midstream.flows.flow import FLOW_FORMAT_VERSION, Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.state import State, StateError
from midstream.flows.tunnel import TunnelFlow
from midstream.flows.unsaved import Unsaved

FORMAT = 1
"""The version of what is written. A reader of version n reads 1 to n."""
INLINE = 64 << 10
"""Bytes of a body that is written with its flow; a larger one is written apart, and only when it is another."""

Snapshot: TypeAlias = tuple[Any, ...]

MOST_ITEMS = 100_000
"""Of a list or dict: what a wrong length may make the reader take memory for."""


class Unpackable(ValueError):
    """A flow holds what has no form in the session."""


# --- snapshots, on the loop

_HEAD = attrgetter("id", "live", "intercepted", "is_replay", "marked", "comment", "timestamp_created")
_MESSAGE = ("raw_http_version", "_headers.fields", "raw_content", "timestamp_start", "timestamp_end")
_REQUEST = attrgetter(*_MESSAGE, "_host", "_port", "raw_method", "raw_scheme", "raw_authority", "raw_path")
_RESPONSE = attrgetter(*_MESSAGE, "_status_code", "raw_reason")
_BODY = 2  # where raw_content stands in both
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
    return _pack(kept), len(kept) == len(notes)


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


def large_bodies(content: tuple[Any, ...]) -> list[tuple[int, bytes]]:
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
    return _pack((*parts[:6], changes, parts.backup and _plain_backup(parts.backup), content))


def _plain_backup(backup: State) -> State:
    """Without notes that have no form, which keep the flow in memory."""
    return {**backup, "metadata": unpack(packed_notes(backup["metadata"])[0])}


def pack(value: tuple[Any, ...]) -> bytes:
    """The bytes of a message of a conversation, or of a connection. Raises Unpackable."""
    return _pack(value)


def _pack(value: Any) -> bytes:
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
    bodies: dict[int, bytes]
    messages: Sequence[bytes]
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
    flow.live = live is True
    if changes:
        flow._changes = change.from_states(changes) or None
    return flow, snapshot(flow, client, server)


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
            return {"messages": [unpack(message) for message in stored.messages]}
        (state,) = content
        return {str(key): value for key, value in state.items()}
    except (TypeError, ValueError, AttributeError) as error:
        raise error if isinstance(error, StateError) else StateError("damaged: it is no flow") from None


def _request(values: Any, trailers: Any, bodies: dict[int, bytes]) -> State:
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


def _response(values: Any, trailers: Any, bodies: dict[int, bytes]) -> State:
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


def _body(value: Any, bodies: dict[int, bytes], side: int) -> Any:
    if type(value) is not int:
        return value
    body = bodies.get(side, b"")
    if len(body) != value:
        raise StateError(f"damaged: {len(body)} of {value} bytes of its body are there")
    return body


def _socket(values: Any, stored: Stored) -> State:
    by_client, code, reason, end = values
    return {
        "messages": [unpack(message) for message in stored.messages],
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


# --- connections

_ENDS = ("peername", "sockname", "transport_protocol", "error", "tls", "certificate_list", "alpn", "alpn_offers")
_TLS = ("cipher", "cipher_list", "tls_version", "sni", "timestamp_start", "timestamp_end", "timestamp_tls_setup")
_CLIENT_NAMES = ("id", *_ENDS, *_TLS, "mitmcert", "proxy_mode", "tls_resumed", "hello", "_fingerprints")
_SERVER_NAMES = ("id", *_ENDS, *_TLS, "address", "timestamp_tcp_setup", "via", "tls_resumed")
_CLIENT, _SERVER = attrgetter(*_CLIENT_NAMES), attrgetter(*_SERVER_NAMES)


def connection_snapshot(connection: Connection) -> Snapshot:
    """What a connection is like now. Whether it is open is not part of it."""
    return _CLIENT(connection) if isinstance(connection, Client) else _SERVER(connection)


def pack_connection(shot: Snapshot) -> bytes:
    """The bytes of such a snapshot. Raises Unpackable."""
    is_client = len(shot) == len(_CLIENT_NAMES)
    values = dict(zip(_CLIENT_NAMES if is_client else _SERVER_NAMES, shot, strict=True))
    try:
        values["certificate_list"] = [cert.to_pem() for cert in values["certificate_list"]]
        values["alpn_offers"], values["cipher_list"] = list(values["alpn_offers"]), list(values["cipher_list"])
        if is_client:
            values["mitmcert"] = values["mitmcert"] and values["mitmcert"].to_pem()
            values["proxy_mode"] = values["proxy_mode"].full_spec
    except (TypeError, ValueError, AttributeError) as error:
        raise Unpackable(f"a connection: {error}") from None
    return _pack(values)


def unpack_connection(data: bytes) -> Client | Server:
    """A closed connection with these values. Raises StateError."""
    values = unpack(data)
    if not isinstance(values, dict):
        raise StateError("damaged: it is no connection")
    resumed = values.pop("tls_resumed", None) is True
    if "proxy_mode" not in values:
        server = Server.from_state(values)
        server.tls_resumed = resumed
        return server
    hello, fingerprints = values.pop("hello", b""), values.pop("_fingerprints", None)
    client = Client.from_state(values)
    client.tls_resumed = resumed
    if isinstance(hello, bytes):
        client.hello = hello
    if (
        isinstance(fingerprints, list)
        and len(fingerprints) == 2
        and all(isinstance(each, str) for each in fingerprints)
    ):
        client.fingerprints = (fingerprints[0], fingerprints[1])
    return client
