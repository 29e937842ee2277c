"""The format `python`: a program that sends the same request with httpx.

Bytes are bytes literals in ASCII, so that nothing in them is read as code. httpx writes Host first and methods in
capitals; all other fields keep order and spelling. What it would add is taken out.
"""

from __future__ import annotations

import re

from midstream.store.exports.outgoing import CannotExport, Outgoing

_WIDTH = 60  # bytes of the body on one line
_WITH_LENGTH = (b"POST", b"PUT", b"PATCH")
_VISIBLE = re.compile(rb"[\x21-\x7e]+")


def python(request: Outgoing) -> str:
    """The program. CannotExport for a method or path that httpx would not send as it is."""
    method = request.method.decode("ascii")
    if method != method.upper():
        raise CannotExport(f"httpx would send the method {method!r} in capitals; export as curl")
    if not _VISIBLE.fullmatch(request.target):
        raise CannotExport("httpx sends no path that is not ASCII; export as curl")
    fields = list(request.fields)
    if request.authority:
        fields.insert(0, (b"Host", request.authority))
    lines = [
        "import httpx",
        "",
        "request = httpx.Request(",
        f"    {method!r},",
        f"    {request.origin + '/'!r},",
        "    headers=[",
        *(f"        ({name!r}, {value!r})," for name, value in fields),
        "    ],",
        *(_content(request.body) if request.body else ()),
        f'    extensions={{"target": {request.target!r}}},',
        ")",
        *_removed(request),
        f"with httpx.Client({_client(request)}) as client:",
        "    response = client.send(request)",
        "print(response.status_code, response.reason_phrase)",
        "print(response.text)",
    ]
    return "\n".join(lines) + "\n"


def _content(body: bytes) -> list[str]:
    """One literal for each line, or piece of a long line, of the body."""
    pieces = [line[at : at + _WIDTH] for line in body.splitlines(keepends=True) for at in range(0, len(line), _WIDTH)]
    if len(pieces) == 1:
        return [f"    content={body!r},"]
    return ["    content=(", *(f"        {piece!r}" for piece in pieces), "    ),"]


def _removed(request: Outgoing) -> list[str]:
    """httpx adds a length where it misses one."""
    needs_one = not request.is_multiplexed and request.body and not request.is_chunked
    if request.has(b"content-length") or needs_one or not (request.body or request.method in _WITH_LENGTH):
        return []
    return ['del request.headers["Content-Length"]']


def _client(request: Outgoing) -> str:
    return "http1=False, http2=True" if request.is_multiplexed else ""
