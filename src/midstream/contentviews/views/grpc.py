"""gRPC: the messages of a body, each a document of YAML like those of the protobuf view.

The type of the message comes from the method that the path names. What gRPC-Web sends is shown as well: base64 is
undone, and trailers are a map of their own.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.stepped import Stepped, joined
from midstream.flows import encodings

if TYPE_CHECKING:
    from midstream.contentviews.protobuf.types import MessageType
    from midstream.contentviews.yaml_nodes import Node

_TYPE = re.compile(r"application/grpc(?:-web(?:-text)?)?(?:\+proto)?")
MOST_DECODED = 8 * 1024 * 1024  # of one message; further ones of a body share it
_TRAILERS = "!trailers"


class GRPC(Stepped, InteractiveContentview):
    """By its type."""

    name = "gRPC"
    syntax_highlight = "yaml"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        from midstream.contentviews.protobuf import chosen
        from midstream.contentviews.yaml_tree import REST_TAG, SEPARATOR
        from midstream.wire import grpc

        message, remarks = chosen.for_message(metadata)
        for remark in remarks:
            yield f"# {remark}\n".encode("utf-8", "backslashreplace")
        data = _unwrapped(data, metadata)
        left = MOST_DECODED
        for count, one in enumerate(grpc.frames(data)):
            if count:
                yield SEPARATOR
            if not one.is_whole:
                there = max(one.end - one.start - grpc.HEAD, 0)
                yield f"# cut short: {there:,} of {one.length:,} bytes are there\n".encode()
                yield f"{REST_TAG} {data[one.start : one.end].hex()}\n".encode()
                continue
            content = data[one.start + grpc.HEAD : one.end]
            if one.flags & grpc.COMPRESSED and content:
                coding = _coding(metadata)
                content = encodings.decode(content, coding, left)
                left -= len(content)
                yield f"# {coding}, {one.length:,} bytes\n".encode("ascii", "backslashreplace")
            yield from _trailers(content) if one.flags & grpc.TRAILERS else _message(content, message)

    def reencode(self, prettified: str, metadata: Metadata) -> bytes:
        from midstream.contentviews import yaml_nodes
        from midstream.contentviews.protobuf import chosen
        from midstream.wire import grpc

        message = chosen.for_message(metadata).message
        original = metadata.original_data or b""
        shown = joined(self.steps(original, metadata)).decode("utf-8", "backslashreplace") if original else ""
        old_data = _unwrapped(original, metadata)
        frames, old = list(grpc.frames(old_data)), yaml_nodes.documents(shown)
        out = []
        for at, document in enumerate(yaml_nodes.documents(prettified)):
            raw = old_data[frames[at].start : frames[at].end] if at < len(frames) else b""
            if at < len(old) and document.strip() == old[at].strip() and raw:
                out.append(raw)
            else:
                before = old[at] if at < len(old) else ""
                out.append(_encoded(document, before, raw, message, metadata))
        data = b"".join(out)
        return base64.b64encode(data) if _is_text(metadata) else data

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if _TYPE.fullmatch(metadata.content_type or "") else 0


def _is_text(metadata: Metadata) -> bool:
    return (metadata.content_type or "").startswith("application/grpc-web-text")


def _unwrapped(data: bytes, metadata: Metadata) -> bytes:
    from midstream.wire import grpc

    return grpc.from_web_text(data) if _is_text(metadata) else data


def _coding(metadata: Metadata) -> str:
    message = metadata.http_message
    coding = message.headers.get("grpc-encoding", "") if message is not None else ""
    if not encodings.codings(coding):
        raise ValueError("a message is compressed, and no header grpc-encoding says how")
    return coding


def _message(content: bytes, message: MessageType | None) -> Iterator[bytes | None]:
    from midstream.contentviews.protobuf import reading
    from midstream.contentviews.yaml_tree import binary, write

    try:
        yield from write(reading.events(content, message), len(content))
    except ValueError as error:
        yield f"# no protobuf: {error}\n{binary(content)}\n".encode()


def _trailers(content: bytes) -> Iterator[bytes | None]:
    from midstream.contentviews.yaml_tree import END, Begin, Event, text, write

    def events() -> Iterator[Event]:
        yield Begin("map", _TRAILERS)
        for line in content.decode("utf-8", "backslashreplace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                yield text(name)
                yield text(value.strip())
        yield END

    return write(events(), len(content))


def _encoded(document: str, before: str, raw: bytes, message: MessageType | None, metadata: Metadata) -> bytes:
    """A message that was edited, with its head."""
    from midstream.contentviews import yaml_nodes as nodes
    from midstream.contentviews.yaml_tree import REST_TAG
    from midstream.wire import grpc

    new = nodes.read(document)
    old = nodes.read(before) if before else None
    if new is not None and nodes.tag(new) == REST_TAG:
        return nodes.hex_bytes(new)
    if new is not None and nodes.tag(new) == _TRAILERS:
        lines = [f"{nodes.string(name)}: {nodes.string(value)}\r\n" for name, value in nodes.pairs(new)]
        return grpc.frame(grpc.TRAILERS, "".join(lines).encode("utf-8", "surrogateescape"))
    is_compressed = bool(raw and raw[0] & grpc.COMPRESSED)
    original = raw[grpc.HEAD :]
    if is_compressed and original:
        original = encodings.decode(original, _coding(metadata), MOST_DECODED)
    content = _content(new, message, old, original)
    if is_compressed:
        content = encodings.encode(content, _coding(metadata))
    return grpc.frame(grpc.COMPRESSED if is_compressed else 0, content)


def _content(new: Node | None, message: MessageType | None, old: Node | None, original: bytes) -> bytes:
    from midstream.contentviews import yaml_nodes as nodes
    from midstream.contentviews.protobuf import writing

    if new is not None and nodes.tag(new) == "!binary":
        return nodes.hex_bytes(new)
    was_message = old is not None and nodes.tag(old) == "map"
    return writing.encode(new, message, old if was_message else None, original)
