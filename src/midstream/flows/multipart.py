"""multipart/form-data bodies (RFC 7578) as name and value pairs.

Used by `Request.multipart_form`. A part whose name occurs in the old body keeps its headers (file name, content type),
so that editing one field does not rob the others. Values pass as they are, whatever bytes they hold.
"""

import re
import secrets
from collections.abc import Iterator
from typing import NamedTuple

from midstream.flows.charset import parse_content_type

_NAME = re.compile(rb"^content-disposition:[^\r\n]*?[;\s]name=(?:\"([^\"\r\n]*)\"|([^;\s\"]+))", re.IGNORECASE | re.M)
_DELIMITER_ENDS = re.compile(rb"--|[ \t]*\r?\n")
# RFC 2046 §5.1.1
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")


class Part(NamedTuple):
    """One part: the `name` of its Content-Disposition, its header block and its body."""

    name: bytes
    head: bytes
    value: bytes


def boundary_of(content_type: str) -> str | None:
    """The boundary that a Content-Type names, None when it is no multipart type or the boundary is not valid."""
    parsed = parse_content_type(content_type)
    if parsed is None or parsed[0] != "multipart":
        return None
    boundary = parsed[2].get("boundary", "").strip('"')
    return boundary if _BOUNDARY.fullmatch(boundary) else None


def new_boundary() -> str:
    """A boundary that occurs in no body that was not made to contain it."""
    return "----midstream" + secrets.token_hex(16)


def read(content: bytes, boundary: str) -> list[Part]:
    """The named parts of a body. What is no such part is left out; a missing end is forgiven."""
    return [part for chunk in chunks(content, boundary) if (part := part_of(chunk)) is not None]


def chunks(content: bytes, boundary: str) -> Iterator[bytes]:
    """What stands behind each delimiter, up to the next one, and no further than the closing one."""
    return (content[start:end] for start, end in spans(content, boundary))


def spans(content: bytes, boundary: str) -> Iterator[tuple[int, int]]:
    """Where the chunks begin and end."""
    dashes = b"--" + boundary.encode("ascii")
    start, at = -1, content.find(dashes)
    while at >= 0:
        after = at + len(dashes)
        # RFC 2046 §5.1.1: the line break before a delimiter belongs to the delimiter, not to the part.
        if (at == 0 or content[at - 1] == 0x0A) and (end := _DELIMITER_ENDS.match(content, after)):
            if start >= 0:
                yield start, at - 1 - content.startswith(b"\r", max(at - 2, start))
            if end[0] == b"--":
                return
            start = after
        at = content.find(dashes, after)
    if start >= 0:
        yield start, len(content)


def part_of(chunk: bytes) -> Part | None:
    """A chunk as a part; None when it has no name."""
    chunk = re.sub(rb"\A[ \t]*\r?\n", b"", chunk, count=1)
    head, separator, value = _split_head(chunk)
    match = _NAME.search(head) if separator else None
    if match is None:
        return None
    return Part(match[1] if match[1] is not None else match[2], head, value)


def _split_head(chunk: bytes) -> tuple[bytes, bytes, bytes]:
    if b"\r\n\r\n" in chunk:
        return chunk.partition(b"\r\n\r\n")
    return chunk.partition(b"\n\n")


def write(pairs: list[tuple[bytes, bytes]], boundary: str, before: list[Part]) -> bytes:
    """A body of these pairs, with the headers of old parts of the same name. Raises ValueError if it would be split."""
    delimiter = b"--" + boundary.encode("ascii")
    left = list(before)
    lines = []
    for name, value in pairs:
        if delimiter in value:
            raise ValueError(f"form field {name!r} contains the boundary of the form")
        old = next((part for part in left if part.name == name), None)
        if old is not None:
            left.remove(old)
        head = old.head if old is not None else b'Content-Disposition: form-data; name="%b"' % escaped(name)
        lines += [delimiter, head, b"", value]
    return b"\r\n".join([*lines, delimiter + b"--", b""])


def escaped(name: bytes) -> bytes:
    """A name or a file name as it stands in its quotes."""
    # As HTML forms do it (WHATWG HTML §4.10.21.8): there is no other escape inside of these quotes.
    return name.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")
