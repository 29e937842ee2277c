"""Heads of messages as text for an editor, and back: a start line and one `name: value` line per field.

Lines that were not touched come back as the same bytes, whatever those are (P1): whoever reads a text names the head
that it was made of. Errors name the line; nothing is guessed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_BAD_IN_TARGET = re.compile(rb"[\x00-\x20\x7f]")

Fields = tuple[tuple[bytes, bytes], ...]


class BadHead(ValueError):
    """A text that is no head; the message begins with the line."""


class RequestText(NamedTuple):
    method: bytes
    url: bytes
    version: bytes
    fields: Fields


class ResponseText(NamedTuple):
    version: bytes
    status: int
    reason: bytes
    fields: Fields


def write_request(method: bytes, url: bytes, version: bytes, fields: Fields) -> bytes:
    """The text of a request head; the whole URL stands in the first line, so that it can be edited too."""
    return b"%s %s %s\n%s" % (method, url, version, _write_fields(fields))


def write_response(version: bytes, status: int, reason: bytes, fields: Fields) -> bytes:
    """The text of a response head."""
    return b"%s %d %s\n%s" % (version, status, reason, _write_fields(fields))


def read_request(text: bytes, before: RequestText | None = None) -> RequestText:
    """The parts of an edited request head. BadHead names the line."""
    start, fields = _read(text, before.fields if before is not None else ())
    if before is not None and text.startswith(write_request(*before[:3], ())):
        return before._replace(fields=fields)
    parts = start.split(b" ")
    if len(parts) != 3:
        raise BadHead(f"line 1: a request begins with 'METHOD URL VERSION', not {_shown(start)}")
    method, url, version = parts
    if not _TOKEN.fullmatch(method):
        raise BadHead(f"line 1: {_shown(method)} is no method")
    if not url or _BAD_IN_TARGET.search(url):
        raise BadHead(f"line 1: {_shown(url)} is no URL")
    _check_version(version)
    return RequestText(method, url, version, fields)


def read_response(text: bytes, before: ResponseText | None = None) -> ResponseText:
    """The parts of an edited response head. BadHead names the line."""
    start, fields = _read(text, before.fields if before is not None else ())
    if before is not None and text.startswith(write_response(*before[:3], ())):
        return before._replace(fields=fields)
    version, _, rest = start.partition(b" ")
    status, _, reason = rest.partition(b" ")
    _check_version(version)
    if not re.fullmatch(rb"[1-5]\d\d", status):
        raise BadHead(f"line 1: {_shown(status)} is no status code")
    if _BAD_IN_VALUE.search(reason):
        raise BadHead("line 1: the reason holds a control character")
    return ResponseText(version, int(status), reason, fields)


def _check_version(version: bytes) -> None:
    if not re.fullmatch(rb"HTTP/\d(\.\d)?", version):
        raise BadHead(f"line 1: {_shown(version)} is no version, such as HTTP/1.1")


def _write_fields(fields: Fields) -> bytes:
    return b"".join(b"%s: %s\n" % field for field in fields)


def _read(text: bytes, before: Fields) -> tuple[bytes, Fields]:
    as_it_came = {b"%s: %s" % field: field for field in before}
    lines = text.split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise BadHead("line 1: the head is empty")
    fields = []
    for number, whole in enumerate(lines[1:], 2):
        line = whole.removesuffix(b"\r")
        if (field := as_it_came.get(whole) or as_it_came.get(line)) is not None:
            fields.append(field)
            continue
        if not line.strip():
            raise BadHead(f"line {number}: an empty line ends a head; a body is edited on its own")
        name, colon, value = line.partition(b":")
        if not colon:
            raise BadHead(f"line {number}: a header is 'name: value', not {_shown(line)}")
        if not _TOKEN.fullmatch(name):
            raise BadHead(f"line {number}: {_shown(name)} is no header name")
        value = value.strip(b" \t")
        if _BAD_IN_VALUE.search(value):
            raise BadHead(f"line {number}: the value of {_shown(name)} holds a control character")
        fields.append((name, value))
    return lines[0].strip(b" \t\r"), tuple(fields)


def _shown(data: bytes) -> str:
    return repr(data[:60].decode("utf-8", "backslashreplace"))
