"""HAR files (HTTP Archive 1.2): flows as JSON that browsers and other tools open. Only HTTP flows have a place there.

`har_pieces` makes the whole document piece by piece, each in about a millisecond however large a body is, so that
whoever walks it can give the loop its turns; nothing but the flow at hand is in memory. The addon savehar writes files
with it, export the entry of one flow. What stands in an entry is `har_entry`'s business, reading is `har_read`'s.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Generator, Iterable, Iterator
from typing import Final, NamedTuple

from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.store.formats.har_entry import OWN, Connections, Entry, entry_of
from midstream.store.formats.har_text import (
    QUICK,
    base64_pieces,
    is_ambiguous,
    is_long_text,
    text_of,
    text_pieces,
)

VERSION: Final = "1.2"

LONGEST: Final = 64 << 20
"""Bytes of a body that is written; no program opens a HAR of larger ones. The entry says that it was left out."""

END: Final = b"\n]}}\n"
"""What follows the last entry."""

_TOO_LARGE = "the body is too large for a HAR"

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
# Stands in the place of a long body until the rest is JSON. Traffic cannot know it.
_MARK = f"body {secrets.token_hex(16)} "


class Decoded(NamedTuple):
    """The bodies of a flow without their content encodings; None for one that is missing or cannot be decoded."""

    request: bytes | None
    response: bytes | None


def decode(flow: HTTPFlow) -> Decoded:
    """Take the content encodings off; of a large body in a thread."""
    return Decoded(_decoded(flow.request), _decoded(flow.response) if flow.response is not None else None)


def takes_time(flow: HTTPFlow) -> bool:
    """Whether `decode` may take more than a moment."""
    response = flow.response
    return any(
        len(message.raw_content or b"") > QUICK and "content-encoding" in message.headers
        for message in ((flow.request, response) if response is not None else (flow.request,))
    )


def _decoded(message: Request | Response) -> bytes | None:
    try:
        return message.get_content()
    except ValueError:
        return None


def start(creator_version: str) -> bytes:
    """What comes before the first entry."""
    log = {"version": VERSION, "creator": {"name": "midstream", "version": creator_version}, "pages": []}
    return _json({"log": log})[:-2] + b',"entries":['


def har_pieces(flows: Iterable[Flow], creator_version: str) -> Iterator[bytes]:
    """A whole document; flows that are not HTTP are passed over."""
    yield start(creator_version)
    entries = Entries()
    for flow in flows:
        if isinstance(flow, HTTPFlow):
            yield from entries.pieces(flow, decode(flow))
    yield END


class Entries:
    """The entries of one document, one after the other."""

    def __init__(self) -> None:
        self._connections = Connections()
        self.count = 0

    def pieces(self, flow: HTTPFlow, decoded: Decoded) -> Iterator[bytes]:
        """One entry, with the comma in front of it if it is not the first. Some pieces are empty: they are pauses."""
        bodies: list[_Long] = []
        post_data: Entry | None = None
        if flow.request.raw_content:
            post_data = yield from _post_data(flow.request, decoded.request, bodies)
        content: Entry = {}
        if flow.response is not None:
            content = yield from _content(flow.response, decoded.response, bodies)
        entry = entry_of(flow, self._connections, post_data, content)
        before = b",\n" if self.count else b"\n"
        self.count += 1
        rest = _json(entry)
        for index, body in enumerate(bodies):
            front, _, rest = rest.partition(_json(f"{_MARK}{index}"))
            yield before + front + b'"'
            before = b""
            yield from body.pieces()
            rest = b'"' + rest
        yield before + rest


class Packer:
    """Packs a document as the name of its file wants it: `.zhar` by zlib, `.gz` by gzip, everything else not at all."""

    def __init__(self, name: str) -> None:
        lower = name.lower()
        bits = 15 if lower.endswith(".zhar") else 31 if lower.endswith(".gz") else 0
        self._packing = zlib.compressobj(9, wbits=bits) if bits else None

    def pack(self, data: bytes) -> bytes:
        """What can be written so far."""
        return self._packing.compress(data) if self._packing is not None else data

    def pause(self) -> bytes:
        """What makes everything readable that was packed so far."""
        return self._packing.flush(zlib.Z_SYNC_FLUSH) if self._packing is not None else b""

    def finish(self) -> bytes:
        """The end."""
        return self._packing.flush() if self._packing is not None else b""

    def copy(self) -> Packer:
        """Another one that goes on from here."""
        other = Packer("")
        other._packing = self._packing.copy() if self._packing is not None else None
        return other


# --- bodies


class _Long(NamedTuple):
    """A large body."""

    content: bytes
    is_text: bool

    def pieces(self) -> Iterator[bytes]:
        """What stands between the quotes."""
        if self.is_text:
            for piece in text_pieces(self.content):
                yield _json(piece)[1:-1]
        else:
            yield from base64_pieces(self.content)


class _Part(NamedTuple):
    """A body as an entry has it."""

    text: str
    is_base64: bool


def _part(content: bytes, content_type: str, bodies: list[_Long]) -> Generator[bytes, None, _Part]:
    """The body, as the value of the generator; a large one is appended to `bodies`, and marks its place."""
    if len(content) <= QUICK:
        text = None if is_ambiguous(content, content_type) else text_of(content, content_type)
        if text is None:
            return _Part(b"".join(base64_pieces(content)).decode(), True)
        return _Part(text, False)
    is_text = yield from is_long_text(content, content_type)
    bodies.append(_Long(content, is_text))
    return _Part(f"{_MARK}{len(bodies) - 1}", not is_text)


def _post_data(request: Request, decoded: bytes | None, bodies: list[_Long]) -> Generator[bytes, None, Entry]:
    raw = request.raw_content or b""
    content_type = request.headers.get("content-type", "")
    if max(len(raw), len(decoded or b"")) > LONGEST:
        return {"mimeType": _shown_type(content_type), "text": "", "comment": _TOO_LARGE}
    part = yield from _part(raw if decoded is None else decoded, content_type, bodies)
    data: Entry = {"mimeType": _shown_type(content_type), "text": part.text}
    if part.is_base64:
        data["_encoding"] = "base64"  # `encoding` of the proposal for HAR 1.3; in 1.2 it is a field of ours
    if decoded is None:
        data[f"{OWN}Raw"] = True
    if len(raw) <= QUICK and (form := request.urlencoded_form):
        data["params"] = [{"name": name, "value": value} for name, value in form.items(multi=True)]
    return data


def _content(response: Response, decoded: bytes | None, bodies: list[_Long]) -> Generator[bytes, None, Entry]:
    raw = response.raw_content
    content_type = response.headers.get("content-type", "")
    content: Entry = {"size": 0, "mimeType": _shown_type(content_type)}
    if raw is None:
        return content | {"comment": "the body was not kept"}
    body = raw if decoded is None else decoded
    if max(len(raw), len(body)) > LONGEST:
        return content | {"size": len(body), "comment": _TOO_LARGE}
    content |= {"size": len(body), "compression": len(body) - len(raw)}
    part = yield from _part(body, content_type, bodies)
    content["text"] = part.text
    if part.is_base64:
        content["encoding"] = "base64"
    if decoded is None:
        content[f"{OWN}Raw"] = True
    return content


def _shown_type(content_type: str) -> str:
    return content_type or "x-unknown"  # as Chromium and WebKit write it


def _json(value: object) -> bytes:
    # What has no form in UTF-8 came from bytes that were none.
    return _encoder.encode(value).encode("utf-8", "replace")
