"""The format `curl`: a command line that sends the same bytes, request line, header order and body.

What curl adds of its own is taken out. Left is: Host comes in HTTP/1 where it was; the body of HTTP/2 gets a
content-length, without which a server of HTTP/1 could not read it; a chunked body is one chunk. `-q` keeps ~/.curlrc
out of it. Needs curl 7.55 (2017) or newer.
"""

from __future__ import annotations

import re

from midstream.store.exports import shell
from midstream.store.exports.outgoing import Outgoing

# What curl's reader of URLs leaves alone. The rest goes into --request-target, which it does not read at all.
_PLAIN_TARGET = re.compile(rb"/[A-Za-z0-9._~!$&'()*+,;=:@%/\[\]{}-]*(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?\[\]{}-]+)?")
_GLOBBED = re.compile(rb"[\[\]{}]")
_EXPECTS_FROM = 1024 * 1024  # bytes of a body from which on curl asks first
_PATIENCE = b"10"

_VERSIONS = {b"HTTP/1.0": b"--http1.0", b"HTTP/1.1": b"--http1.1"}


def curl(request: Outgoing, keep_address: bool = False) -> str:
    """The command line. With `keep_address` the name of the server is not looked up again."""
    words: list[str | bytes] = [b"curl", b"-q", *_version(request), *_url(request)]
    body, pipe = _body(request)
    method = _method(request, bool(body))
    if keep_address and request.address and request.address != request.host:
        address = f"[{request.address}]" if ":" in request.address else request.address
        words += [b"--resolve", f"{request.host}:{request.port}:{address}".encode("ascii")]
    if any(name.lower() == b"accept-encoding" and value for name, value in request.fields):
        words.append(b"--compressed")  # the field stays as it is; the answer becomes readable
    return pipe + shell.line([*words, *method, *_headers(request, bool(body)), *body])


def _version(request: Outgoing) -> list[bytes]:
    if request.version in _VERSIONS:
        return [_VERSIONS[request.version]]
    # HTTP/3 is in few builds of curl; the request is the same in HTTP/2.
    return [b"--http2" if request.scheme == "https" else b"--http2-prior-knowledge"]


def _url(request: Outgoing) -> list[bytes]:
    origin, target = request.origin.encode("ascii"), request.target
    if not _PLAIN_TARGET.fullmatch(target):
        return [origin + b"/", b"--request-target", target]
    flags = [b"--path-as-is"] if b"/." in target else []
    if _GLOBBED.search(target) or "[" in request.origin:
        flags.append(b"--globoff")
    return [*flags, origin + target]


def _method(request: Outgoing, has_data: bool) -> list[bytes]:
    method = request.method
    if method == b"HEAD":
        # -X HEAD would wait for a body that never comes, but only that goes together with one of ours.
        return [b"-X", method, b"--max-time", _PATIENCE] if has_data else [b"--head"]
    return [] if method == (b"POST" if has_data else b"GET") else [b"-X", method]


def _headers(request: Outgoing, has_data: bool) -> list[bytes]:
    lines = _host(request)
    for index, (name, value) in enumerate(request.fields):
        if request.is_plain_field(index) or (name.lower() == b"content-length" and not _is_length(request, value)):
            continue
        # An empty value would take the field away; a semicolon means that it is meant.
        lines.append(b"%b: %b" % (name, value) if value.strip() else b"%b;" % name)
    own = [b"User-Agent", b"Accept"]
    if has_data:
        own.append(b"Content-Type")
        if len(request.body) > _EXPECTS_FROM:
            own.append(b"Expect")
    lines += [b"%b:" % name for name in own if not request.has(name.lower())]
    return [each for line in lines for each in (b"-H", line)]


def _host(request: Outgoing) -> list[bytes]:
    """What has to be said before the fields, so that Host is what it was, and where."""
    if request.is_multiplexed:
        return [] if request.authority in (b"", request.own_authority) else [b"Host: " + request.authority]
    if not request.has(b"host"):
        return [b"Host:"]
    # Only the first one is taken for curl's own, which comes first and is called Host.
    return [] if request.fields[0][0] == b"Host" and request.fields[0][1] else [b"Host:"]


def _is_length(request: Outgoing, value: bytes) -> bool:
    """Whether a Content-Length is true; an edited body gets one of curl's."""
    return not request.is_chunked and value == b"%d" % len(request.body)


def _body(request: Outgoing) -> tuple[list[bytes], str]:
    """The arguments for the body, and the pipe that it comes through."""
    body = request.body
    if not body and not request.is_chunked:
        return [], ""
    if len(body) <= shell.LONGEST_ARGUMENT and shell.is_text(body):
        return [b"--data-raw", body], ""  # unlike --data it takes no @ for the name of a file
    return [b"--data-binary", b"@-"], f"{shell.printed(body)} | "
