"""Socket.IO over WebSocket: what kind of packet a message is, and what it carries.

Packets that only keep the connection alive say so; nothing is left out (socket.io/docs/v4/socket-io-protocol,
engine-io-protocol).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped
from midstream.flows.http import HTTPFlow

_ENGINE = (b"OPEN", b"CLOSE", b"PING", b"PONG", b"MESSAGE", b"UPGRADE", b"NOOP")
_SOCKET = (b"CONNECT", b"DISCONNECT", b"EVENT", b"ACK", b"CONNECT_ERROR", b"BINARY_EVENT", b"BINARY_ACK")
_MESSAGE = 4
# Attachments, namespace and number of an acknowledgement, each of which may be left out.
_HEAD = re.compile(rb"(?:([0-9]{1,9})-)?(?:(/[^,\x00-\x1f]{0,200}),)?([0-9]{1,18})?")


class SocketIO(Stepped):
    """For WebSockets below /socket.io/."""

    name = "Socket.IO"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        message = metadata.websocket_message
        if message is not None and not message.is_text:
            yield b"attachment\n"
            yield from _hex(data)
            return
        kind = data[0] - 0x30 if data else -1
        if not 0 <= kind < len(_ENGINE):
            raise ValueError("this is no packet of Engine.IO")
        if kind != _MESSAGE:
            yield b"EngineIO." + _ENGINE[kind] + b" " + data[1:] if data[1:] else b"EngineIO." + _ENGINE[kind]
            return
        kind = data[1] - 0x30 if len(data) > 1 else -1
        if not 0 <= kind < len(_SOCKET):
            raise ValueError("this is no packet of Socket.IO")
        head = _HEAD.match(data, 2)
        assert head is not None  # all of it may be missing
        attachments, namespace, number = head.groups()
        parts = [b"SocketIO." + _SOCKET[kind]]
        if namespace:
            parts.append(namespace)
        if number:
            parts.append((b"of " if kind in (3, 6) else b"wants ack ") + number)
        if attachments:
            parts.append(attachments + b" attachments" if attachments != b"1" else b"1 attachment")
        rest = data[head.end() :]
        yield b" ".join([*parts, rest] if rest else parts)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if metadata.websocket_message is None or not isinstance(metadata.flow, HTTPFlow):
            return 0
        return 1 if data and "/socket.io/" in metadata.flow.request.path.partition("?")[0] + "/" else 0


def _hex(data: bytes) -> Iterator[bytes | None]:
    from midstream.text.hexdump import hexdump

    for count, line in enumerate(hexdump(data), 1):
        yield f"{line}\n".encode("ascii")
        if count % 500 == 0:
            yield None
