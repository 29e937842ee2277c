"""Frames of HTTP/3, in flows whose client speaks it: names, headers, settings and data.

A message of such a flow is a piece of a stream, which ends anywhere: the pieces before it are looked at as well, and
what began in them is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped
from midstream.flows.tcp import TCPFlow

if TYPE_CHECKING:
    from midstream.wire.http3 import Frame

_MOST_BEFORE = 1024 * 1024
_STEP = 500


class HTTP3(Stepped):
    """By the ALPN of the client."""

    name = "HTTP/3 Frames"
    comes_at_once = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        from midstream.wire import http3

        stream, begin = _stream(data, metadata)
        pos = 0
        if _is_unidirectional(stream, metadata):
            kind, pos = http3.varint(stream, 0)
            if begin == 0:
                yield f"stream: {http3.STREAM_NAMES.get(kind, f'type {kind:#x}')}\n".encode()
            if kind not in (http3.CONTROL, http3.PUSH):
                yield from _dump(stream[max(pos, begin) :])
                return
            if kind == http3.PUSH:
                _, pos = http3.varint(stream, pos)
        for one in http3.frames(stream, pos):
            yield None
            if one.end > begin:
                yield from _frame(stream, one, begin)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        flow = metadata.flow
        if not data or metadata.tcp_message is None or flow is None:
            return 0
        return 2 if flow.client_conn.alpn == b"h3" else 0


def _stream(data: bytes, metadata: Metadata) -> tuple[bytes, int]:
    """The stream up to the end of these data, and where in it they begin."""
    message, flow = metadata.tcp_message, metadata.flow
    if message is None or not isinstance(flow, TCPFlow):
        return data, 0
    before: list[bytes] = []
    for each in flow.messages:
        if each is message:
            joined = b"".join(before)
            return (joined + data, len(joined)) if len(joined) <= _MOST_BEFORE else (data, 0)
        if each.from_client == message.from_client:
            before.append(each.content)
    return data, 0


def _is_unidirectional(stream: bytes, metadata: Metadata) -> bool:
    """RFC 9000 §2.1: the second bit of a stream's id; without one, whether this begins as a control stream does."""
    flow = metadata.flow
    for name in ("quic_stream_id_client", "quic_stream_id_server"):
        number = flow.metadata.get(name) if flow is not None else None
        if isinstance(number, int):
            return bool(number & 2)
    return stream[:2] == b"\x00\x04" or stream[:1] in (b"\x02", b"\x03")


def _frame(stream: bytes, one: Frame, begin: int) -> Iterator[bytes | None]:
    from midstream.wire import http3

    name = http3.NAMES.get(one.type, f"type {one.type:#x}")
    remarks = "" if one.is_whole else ", goes on in what follows"
    if one.start < begin:
        remarks += ", began before"
    yield f"{name} Frame, {one.end - one.content:,} bytes{remarks}\n".encode()
    content = stream[one.content : one.end]
    if one.is_whole and one.type in (http3.HEADERS, http3.PUSH_PROMISE):
        yield from _headers(content, one.type)
    elif one.is_whole and one.type == http3.SETTINGS:
        yield from _settings(content)
    elif one.is_whole and one.type in (http3.GOAWAY, http3.CANCEL_PUSH, http3.MAX_PUSH_ID):
        yield f"id: {http3.varint(content, 0)[0]}\n".encode()
    else:
        yield from _dump(stream[max(one.content, begin) : one.end])
    yield b"\n"


def _headers(content: bytes, type_: int) -> Iterator[bytes | None]:
    from midstream.contentviews.calling import as_bytes
    from midstream.wire import http3, qpack

    if type_ == http3.PUSH_PROMISE:
        number, pos = http3.varint(content, 0)
        yield f"push id: {number}\n".encode()
        content = content[pos:]
    try:
        found = qpack.fields(content)
    except ValueError as error:
        yield f"({error})\n".encode()
        yield from _dump(content)
        return
    for name, value in found:
        yield as_bytes(f"{name}: {value}\n")


def _settings(content: bytes) -> Iterator[bytes | None]:
    from midstream.wire import http3

    pos = 0
    while pos < len(content):
        number, pos = http3.varint(content, pos)
        value, pos = http3.varint(content, pos)
        yield f"{http3.SETTING_NAMES.get(number, f'{number:#x}')}: {value}\n".encode()


def _dump(content: bytes) -> Iterator[bytes | None]:
    from midstream.text.hexdump import hexdump

    for count, line in enumerate(hexdump(content), 1):
        yield f"{line}\n".encode("ascii")
        if count % _STEP == 0:
            yield None
