"""The format `httpie`: a command line of `http` (HTTPie 3) that sends the same request.

Method, target, body and the values of all fields are the same. HTTPie decides about the order of the fields and how
their names are spelled, adds what is missing of Connection, Accept-Encoding, User-Agent and a length, and spells
needless percent escapes its own way.
Fields are written so that none is read as data, a query or the name of a file.
"""

from __future__ import annotations

import re

from midstream.store.exports import shell
from midstream.store.exports.outgoing import CannotExport, Outgoing

# The characters of its separators (`:` `=` `@` `;` …). A backslash before one of them makes it plain text; before
# anything else, another backslash included, it is a backslash.
_SPECIAL = re.compile(rb"([:;=@])")
_BARE_BACKSLASH = re.compile(rb"(?<!\\)(?:\\\\)*\\[:;=@]")

_OWN = (b"User-Agent", b"Accept", b"Accept-Encoding", b"Content-Type")
_FRAMING = (b"content-length", b"transfer-encoding")


def httpie(request: Outgoing) -> str:
    """The command line. CannotExport for what HTTPie cannot send."""
    if b"\\" in request.target or b"#" in request.target or not request.target.startswith(b"/"):
        raise CannotExport("HTTPie cannot send this path as it is; export as curl")
    words: list[str | bytes] = [b"http", b"--ignore-netrc", b"--path-as-is"]
    if request.is_chunked and request.body:
        words.append(b"--chunked")
    if not request.body:
        words.append(b"--ignore-stdin")
    items = [_item(name, value) for name, value in _fields(request)]
    items += [name + b":" for name in _OWN if not request.has(name.lower())]
    words += [_method(request), request.origin.encode("ascii") + request.target, *items]
    return (f"{shell.printed(request.body)} | " if request.body else "") + shell.line(words)


def _method(request: Outgoing) -> bytes:
    if request.method != request.method.upper() or not re.fullmatch(rb"[A-Z]+", request.method):
        raise CannotExport(f"HTTPie takes no method {request.method.decode('ascii')!r}; export as curl")
    return request.method


def _fields(request: Outgoing) -> list[tuple[bytes, bytes]]:
    fields = list(request.without(*_FRAMING, *((b"host",) if _says_host_itself(request) else ())))
    if request.authority not in (b"", request.own_authority):
        fields.insert(0, (b"Host", request.authority))
    return fields


def _says_host_itself(request: Outgoing) -> bool:
    return all(value == request.own_authority for name, value in request.fields if name.lower() == b"host")


def _item(name: bytes, value: bytes) -> bytes:
    if name.startswith(b"-"):
        raise CannotExport(f"HTTPie takes the header {name.decode('ascii')} for a flag; export as curl")
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        raise CannotExport(
            f"the header {name.decode('ascii')} is not UTF-8, which HTTPie cannot send; export as curl"
        ) from None
    if not value:
        return name + b";"
    if _BARE_BACKSLASH.search(value):
        raise CannotExport(f"HTTPie cannot send the backslashes of the header {name.decode('ascii')}; export as curl")
    # Only what comes first in a value could make another separator of the colon.
    return name + b":" + (_SPECIAL.sub(rb"\\\1", value[:1]) + value[1:])
