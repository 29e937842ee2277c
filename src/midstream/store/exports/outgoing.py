"""A captured request as another program has to send it: what all request formats begin with.

Made from a flow by `outgoing`, which refuses what no program could send as it was. The formats write it down in their
languages; they look at no flow.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from midstream.flows.flow import Flow
from midstream.flows.headers import HeaderFields
from midstream.flows.http import HTTPFlow, Request
from midstream.text import url as urls

LONGEST_BODY = 8 * 1024 * 1024
"""Bytes of a body that becomes part of a command line or program."""

_FOR_PROXIES = (b"proxy-authorization", b"proxy-connection")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE_BREAK = re.compile(rb"[\r\n\0]")
_BLANK = re.compile(rb"[\x00-\x20\x7f]")


class CannotExport(ValueError):
    """A flow cannot be written in a format; the text is one sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request that can be sent. All bytes are those of the wire, the body with its content encoding."""

    method: bytes
    scheme: str
    host: str
    """A name, or an address without brackets; ASCII."""
    port: int
    target: bytes
    """Path and query, or `*`."""
    version: bytes
    """`HTTP/1.0`, `HTTP/1.1`, `HTTP/2.0` or `HTTP/3`."""
    authority: bytes
    """What the :authority of HTTP/2 said; empty in HTTP/1, where Host is one of the fields."""
    fields: HeaderFields
    body: bytes
    address: str
    """The address that the server had; empty if it is not known."""

    @property
    def origin(self) -> str:
        """The URL without its path."""
        return urls.unparse(self.scheme, self.host, self.port, "")

    @property
    def own_authority(self) -> bytes:
        """What a program says in Host by itself for this URL."""
        return urls.hostport(self.scheme, self.host, self.port).encode("ascii")

    @property
    def is_multiplexed(self) -> bool:
        """HTTP/2 or 3: no reason phrase, no framing in fields, names in lower case."""
        return not self.version.startswith(b"HTTP/1")

    @property
    def is_chunked(self) -> bool:
        """Whether the body was framed in chunks."""
        return any(name.lower() == b"transfer-encoding" and b"chunked" in value.lower() for name, value in self.fields)

    def has(self, name: bytes) -> bool:
        """Whether there is a field of this name, given in lower case."""
        return any(have.lower() == name for have, _ in self.fields)

    def without(self, *names: bytes) -> HeaderFields:
        """The fields but those of these names, given in lower case."""
        return tuple([pair for pair in self.fields if pair[0].lower() not in names])

    def is_plain_field(self, index: int) -> bool:
        """Whether a program says this very Host by itself: the first field, spelled the usual way."""
        return index == 0 and self.fields[0] == (b"Host", self.own_authority)


def request_of(flow: Flow) -> Request:
    """The HTTP request of a flow. CannotExport if it has none."""
    if not isinstance(flow, HTTPFlow):
        raise CannotExport(f"a {flow.type} flow is no HTTP request; cut.save writes its parts")
    return flow.request


def whole_body(flow: Flow, part: str, body: bytes | None) -> bytes:
    """The body of a message. CannotExport when not all of it was kept."""
    if body is None:
        raise CannotExport(f"the body of the {part} was not kept; a stream is kept with store_streamed_bodies")
    if cut := flow.metadata.get(f"{part}_body_cut"):
        raise CannotExport(f"the body of the {part} was not kept whole ({cut}); raise body_buffer_limit")
    return body


def outgoing(flow: Flow) -> Outgoing:
    """The request of a flow, to be sent again to where it went. CannotExport."""
    request = request_of(flow)
    if request.first_line_format == "authority":
        raise CannotExport("a CONNECT request opens a tunnel; export the requests that went through it")
    if request.scheme not in ("http", "https"):
        raise CannotExport(f"the scheme of the request is {request.scheme!r}; only http and https can be exported")
    if request.trailers:
        raise CannotExport("the request has trailers, which no format but raw_request and har can express")
    if not _TOKEN.fullmatch(request.raw_method):
        raise CannotExport(f"{request.method!r} is no HTTP method")
    if not request.raw_path or _BLANK.search(request.raw_path):
        raise CannotExport("the path is empty or holds spaces or control characters; no program could send it")
    body = whole_body(flow, "request", request.raw_content)
    if len(body) > LONGEST_BODY:
        raise CannotExport("the body of the request is larger than 8 MB; raw_request takes it as it is")
    multiplexed = request.is_http2 or request.is_http3
    # RFC 9110 §7.6.1: meant for the proxy, which has sent neither on.
    fields = tuple([pair for pair in request.headers.fields if pair[0].lower() not in _FOR_PROXIES])
    authority = request.raw_authority if multiplexed else b""
    if multiplexed:
        named = next((value for name, value in fields if name.lower() == b"host"), b"")
        fields = tuple([pair for pair in fields if pair[0].lower() != b"host" and pair[0][:1] != b":"])
        authority = authority or named
    _check_fields(((b"Host", authority), *fields))
    host = _host_of(flow, request)
    return Outgoing(
        method=request.raw_method,
        scheme=request.scheme,
        host=host,
        port=request.port,
        target=request.raw_path,
        version=request.raw_http_version,
        authority=authority,
        fields=fields,
        body=body,
        address=_address_of(flow),
    )


def _check_fields(fields: HeaderFields) -> None:
    for name, value in fields:
        if not _TOKEN.fullmatch(name):
            raise CannotExport(f"{name.decode('ascii', 'backslashreplace')!r} is no name of a header")
        if _LINE_BREAK.search(value):
            raise CannotExport(f"the header {name.decode('ascii')} holds a line break or NUL; no program could send it")


def _host_of(flow: Flow, request: Request) -> str:
    """Where the request goes: in transparent mode the name that the client meant, where the address stands for it."""
    host = request.host
    if _is_address(host):
        host = _name_behind(flow, request) or host
    try:
        ascii_host = urls.host_to_bytes(host)
        urls.split_authority(urls.hostport(b"", ascii_host, request.port))
    except ValueError as error:
        raise CannotExport(f"the request names no host that a URL could hold: {error}") from None
    return ascii_host.decode("ascii")


def _name_behind(flow: Flow, request: Request) -> str | None:
    named = request.host_header
    try:
        name, port = urls.split_authority((named or "").encode("ascii"))
    except ValueError:
        name, port = b"", None
    found = name.decode("ascii")
    if found and not _is_address(found) and (port or urls.default_port(request.scheme)) == request.port:
        return found
    sni = flow.server_conn.sni
    return sni if request.scheme == "https" and sni and not _is_address(sni) else None


def _address_of(flow: Flow) -> str:
    for place in (flow.server_conn.peername, flow.server_conn.address):
        if place and _is_address(place[0]):
            return place[0]
    return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
