"""The format `wget`: a command line of GNU Wget 1.15 or newer that sends the same request.

Method, target, body and the fields are the same, their order is wget's. It adds what is missing of Accept,
Accept-Encoding, User-Agent (empty), Connection and, for a body, Content-Type. What it would change or cannot take, such
as a NUL in the body or two fields of one name, is refused. `--no-config` keeps ~/.wgetrc out of it.
"""

from __future__ import annotations

import re

from midstream.store.exports import shell
from midstream.store.exports.outgoing import CannotExport, Outgoing

_FLAGS = (b"--no-config", b"--no-netrc", b"--no-hsts", b"--no-iri", b"--tries=1", b"--max-redirect=0")
# What wget leaves alone in a URL: it escapes other characters, and resolves the segments `.` and `..`.
_PLAIN_TARGET = re.compile(rb"/[A-Za-z0-9._~!$&'()*+,;=:@/-]*(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?")
_ESCAPES = re.compile(rb"%[0-9A-Fa-f]{2}")
_DOTS = re.compile(rb"/\.{1,2}(?:/|\?|\Z)|//")


def wget(request: Outgoing) -> str:
    """The command line. CannotExport for what wget cannot send."""
    _check(request)
    words: list[str | bytes] = [b"wget", *_FLAGS, b"--content-on-error", b"-O", b"-"]
    if request.method != b"GET" or request.body:
        words.append(b"--method=" + request.method)
    fields = request.without(b"content-length", b"transfer-encoding")
    if request.authority not in (b"", request.own_authority):
        fields = ((b"Host", request.authority), *fields)
    words += [b"--header=%b: %b" % field for index, field in enumerate(fields) if not _is_own(request, index, field)]
    if not request.has(b"user-agent"):
        words.append(b"--user-agent=")
    if request.body:
        words.append(b"--body-data=" + request.body)
    return shell.line([*words, request.origin.encode("ascii") + request.target])


def _is_own(request: Outgoing, index: int, field: tuple[bytes, bytes]) -> bool:
    return field[0].lower() == b"host" and field[1] == request.own_authority


def _check(request: Outgoing) -> None:
    path = request.target.partition(b"?")[0]
    if not _PLAIN_TARGET.fullmatch(_ESCAPES.sub(b"-", request.target)) or _DOTS.search(path):
        raise CannotExport("wget would change the path; export as curl")
    if request.method != request.method.upper():
        raise CannotExport(f"wget would send the method {request.method.decode('ascii')!r} in capitals; export as curl")
    names = [name.lower() for name, _ in request.fields]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CannotExport(f"wget sends one header of each name, and {twice.decode('ascii')} is there twice; use curl")
    if b"\0" in request.body or len(request.body) > shell.LONGEST_ARGUMENT:
        raise CannotExport("wget takes no body that holds NUL or is longer than 100,000 bytes; export as curl")
