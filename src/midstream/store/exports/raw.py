"""The formats `raw`, `raw_request` and `raw_response`: the messages in the notation of HTTP/1.1.

Bodies are those of the wire, content encoding and all, since the head says so; chunked ones are in one chunk. Messages
of HTTP/2 and 3 are written the same way, with their version in the first line and their authority in Host.
"""

from __future__ import annotations

from collections.abc import Iterator

from midstream.flows.flow import Flow
from midstream.flows.headers import HeaderFields, Headers
from midstream.flows.http import HTTPFlow, Message
from midstream.store.exports.outgoing import CannotExport, request_of, whole_body


def raw_request(flow: Flow) -> bytes:
    """The request. CannotExport."""
    request = request_of(flow)
    fields = request.headers.fields
    target = request.raw_path
    if request.first_line_format == "authority":
        target = request.raw_authority
    elif request.raw_authority and not (request.is_http2 or request.is_http3):
        target = b"%b://%b%b" % (request.raw_scheme, request.raw_authority, request.raw_path)
    elif request.raw_authority and "host" not in request.headers:
        fields = ((b"host", request.raw_authority), *fields)
    body = whole_body(flow, "request", request.raw_content)
    return b"%b %b %b\r\n%b" % (
        request.raw_method,
        target,
        request.raw_http_version,
        _rest(request, fields, body),
    )


def raw_response(flow: Flow) -> bytes:
    """The response. CannotExport."""
    request_of(flow)
    response = flow.response if isinstance(flow, HTTPFlow) else None
    if response is None:
        raise CannotExport("the flow has no response (yet)")
    body = whole_body(flow, "response", response.raw_content)
    first = b"%b %d %b\r\n" % (response.raw_http_version, response.status_code, response.data.reason)
    return first + _rest(response, response.headers.fields, body)


def raw(flow: Flow) -> bytes:
    """The request, a blank line, the response, and what was said on a WebSocket."""
    request_of(flow)
    assert isinstance(flow, HTTPFlow)
    parts = []
    if flow.request.raw_content is not None or flow.response is None:
        parts.append(raw_request(flow))
    if flow.response is not None and (flow.response.raw_content is not None or not parts):
        parts.append(raw_response(flow))
    if flow.websocket is not None:
        parts.append(b"\n".join(message_lines(flow)))
    return b"\r\n\r\n".join(parts)


def message_lines(flow: HTTPFlow) -> Iterator[bytes]:
    """What was said on a WebSocket: `[OUTGOING] …` came from the client, `[INCOMING] …` from the server."""
    if flow.websocket is not None:
        for message in flow.websocket.messages:
            yield (b"[OUTGOING] " if message.from_client else b"[INCOMING] ") + message.content


def _rest(message: Message, fields: HeaderFields, body: bytes) -> bytes:
    head = b"".join([b"%b: %b\r\n" % field for field in fields]) + b"\r\n"
    if "chunked" not in message.headers.get("transfer-encoding", "").lower():
        return head + body
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return head + chunk + b"0\r\n" + _trailers(message.trailers) + b"\r\n"


def _trailers(trailers: Headers | None) -> bytes:
    return b"".join([b"%b: %b\r\n" % field for field in trailers.fields]) if trailers else b""
