"""What filter operators look at: pieces of flows, as cheaply as the model gives them.

Used by the operator table. A piece that a flow does not have is empty or None, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from midstream.filters.patterns import BytesTest, StrTest
from midstream.flows.dns import DNSFlow, DNSMessage
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Message, Request
from midstream.flows.tunnel import TunnelFlow

Test: TypeAlias = Callable[[Flow], bool]


class Sides(NamedTuple):
    """Which of the two directions an operator looks at."""

    request: bool
    response: bool


# Scripts, style, images and fonts: what a page loads besides its data.
_ASSET_TYPES = frozenset(
    {
        "application/ecmascript",
        "application/javascript",
        "application/vnd.ms-fontobject",
        "application/x-javascript",
        "text/css",
        "text/ecmascript",
        "text/javascript",
        "text/x-javascript",
    }
)
# A search runs over all flows in one go: bodies that grow beyond this when decoded are searched as they came.
_DECODED_LIMIT = 8 * 1024 * 1024
# A host name without port and without IDNA (`xn--`).
_PLAIN_HOST = re.compile(rb"(?!.*[xX][nN]--)[A-Za-z0-9.-]+\Z").match
_ASSET_FAMILIES = ("image/", "font/", "application/font", "application/x-font")


def is_asset(flow: Flow) -> bool:
    """Whether the response is JavaScript, CSS, an image or a font."""
    if not isinstance(flow, HTTPFlow) or flow.response is None:
        return False
    return is_asset_type(content_type_of(flow.response))


def is_asset_type(value: bytes) -> bool:
    """The same of a content type."""
    media = value.partition(b";")[0].strip().lower().decode("latin-1")
    return media in _ASSET_TYPES or media.startswith(_ASSET_FAMILIES)


def has_response(flow: Flow) -> bool:
    return isinstance(flow, HTTPFlow | DNSFlow) and flow.response is not None


def lacks_response(flow: Flow) -> bool:
    return isinstance(flow, HTTPFlow | DNSFlow) and flow.response is None


def status_is(number: int) -> Test:
    """The status code equals `number`."""
    return lambda flow: isinstance(flow, HTTPFlow) and flow.response is not None and flow.response.status_code == number


def url(test: StrTest) -> Test:
    """The URL with the host that the client named; for DNS the name that was asked for."""

    def run(flow: Flow) -> bool:
        if isinstance(flow, HTTPFlow):
            return test(shown_url(flow.request))
        if isinstance(flow, DNSFlow):
            question = flow.request.question
            return question is not None and test(question.name)
        return False

    return run


def shown_url(request: Request) -> str:
    """`request.pretty_url`, three times as fast for what nearly all requests are: HTTP/1 with one plain Host."""
    host: bytes | None = None
    for name, value in request.headers.fields:
        if len(name) == 4 and name.lower() == b"host":
            if host is not None:
                return request.pretty_url
            host = value
    if (
        host is None
        or _PLAIN_HOST(host) is None
        or request.raw_http_version not in (b"HTTP/1.1", b"HTTP/1.0")
        or request.raw_scheme not in (b"http", b"https")
        or not request.raw_path.startswith(b"/")
        or request.raw_method.upper() == b"CONNECT"
    ):
        return request.pretty_url
    return (b"%b://%b%b" % (request.raw_scheme, host, request.raw_path)).decode("utf-8", "surrogateescape")


def host(test: StrTest) -> Test:
    """The host that was connected to, or the one that the client named."""

    def run(flow: Flow) -> bool:
        if not isinstance(flow, HTTPFlow):
            return False
        request = flow.request
        return test(request.host) or test(request.pretty_host)

    return run


def method(test: BytesTest) -> Test:
    """The method as it is stored, in its own case."""
    return lambda flow: isinstance(flow, HTTPFlow) and test(flow.request.raw_method)


def source(test: StrTest) -> Test:
    """The client as `ip:port`."""
    return lambda flow: test(f"{flow.client_conn.peername[0]}:{flow.client_conn.peername[1]}")


def destination(test: StrTest) -> Test:
    """The server as `host:port`, as it was addressed."""
    return lambda flow: (address := flow.server_conn.address) is not None and test(f"{address[0]}:{address[1]}")


def metadata(test: StrTest) -> Test:
    """The flow's metadata as lines of `key: value`."""
    return lambda flow: test("\n".join([f"{key}: {value}" for key, value in flow.metadata.items()]))


def header_block(test: BytesTest, sides: Sides) -> Test:
    """The head fields as lines, with the spelling of the wire."""
    return _of_messages(lambda message: test(bytes(message.headers)), sides)


def content_type(test: BytesTest, sides: Sides) -> Test:
    """The value of Content-Type; a message without one never matches."""

    def run(message: Message) -> bool:
        value = content_type_of(message)
        return bool(value) and test(value)

    return _of_messages(run, sides)


def body(test: BytesTest, sides: Sides) -> Test:
    """Decoded bodies and messages; those of the client count as request, those of the server as response."""

    def run(flow: Flow) -> bool:
        return any(test(piece) for piece in _bodies(flow, *sides))

    return run


def _of_messages(run: Callable[[Message], bool], sides: Sides) -> Test:
    request, response = sides

    def test(flow: Flow) -> bool:
        if not isinstance(flow, HTTPFlow):
            return False
        return (request and run(flow.request)) or (response and flow.response is not None and run(flow.response))

    return test


def _bodies(flow: Flow, request: bool, response: bool) -> Iterator[bytes]:
    if isinstance(flow, HTTPFlow):
        if request and (content := _content(flow.request)) is not None:
            yield content
        if response and flow.response is not None and (content := _content(flow.response)) is not None:
            yield content
        if flow.websocket is not None:
            for frame in flow.websocket.messages:
                if request if frame.from_client else response:
                    yield frame.content
    elif isinstance(flow, TunnelFlow):
        for chunk in flow.messages:
            if request if chunk.from_client else response:
                yield chunk.content
    elif isinstance(flow, DNSFlow):
        if request:
            yield dns_text(flow.request)
        if response and flow.response is not None:
            yield dns_text(flow.response)


def _content(message: Message) -> bytes | None:
    return message.get_content(strict=False, limit=_DECODED_LIMIT)


def dns_text(message: DNSMessage) -> bytes:
    """The names that are asked for and the records, one on a line."""
    records = (*message.answers, *message.authorities, *message.additionals)
    lines = [question.name for question in message.questions]
    lines.extend(f"{record.name} {record}" for record in records)
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def content_type_of(message: Message) -> bytes:
    """The value of the first Content-Type, b"" for none."""
    for key, value in message.headers.fields:
        if len(key) == 12 and key.lower() == b"content-type":
            return value
    return b""
