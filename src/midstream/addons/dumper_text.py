"""What flows look like as printed lines. Every text from the network is escaped here before it becomes part of one.

Called by the dumper addon, which knows when and where to print. A flow begins with the client's address; what belongs
to it is indented by four, headers and bodies by eight.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from midstream.addons.dumper_body import LongBody, body_lines
from midstream.contentviews.api import ContentviewMessage
from midstream.contentviews.registries import AUTO
from midstream.flows.dns import DNSFlow, response_codes, types
from midstream.flows.flow import Flow
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Message, Request, Response
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.flows.udp import UDPFlow, UDPMessage
from midstream.flows.websocket import WebSocketMessage, close_words
from midstream.text.colours import painted
from midstream.text.escape import visible, visible_bytes
from midstream.text.sizes import human_size
from midstream.text.times import human_duration

_INDENT = " " * 4
BODY_INDENT = " " * 8
_NARROWEST_URL = 24

Line: TypeAlias = str | LongBody
"""Of a body that takes a while there is the place only."""


@dataclass(frozen=True, slots=True)
class Look:
    """How to print: `detail` 1 to 4, `cutoff` in lines; `named_host` shows the host that the client named; `view` names
    the content view of bodies.
    """

    detail: int = 1
    cutoff: int = 512
    colour: bool = False
    fit_terminal: bool = False
    named_host: bool = False
    view: str = AUTO

    def paint(self, text: str, colour: str) -> str:
        return painted(text, colour) if self.colour else text


def http_lines(flow: HTTPFlow, look: Look) -> Iterator[Line]:
    """A request with its response or error."""
    request = flow.request
    yield _request_line(flow, look)
    yield from _head_and_body(request, flow, look)
    if flow.response is not None:
        yield _response_line(flow, flow.response, look)
        yield from _head_and_body(flow.response, flow, look)
    yield from _error(flow, look)


def websocket_end_lines(flow: HTTPFlow, look: Look) -> Iterator[str]:
    """How a websocket was closed."""
    websocket = flow.websocket
    assert websocket is not None
    sides = {True: "closed by client", False: "closed by server", None: "ended by the proxy"}
    who = sides[websocket.closed_by_client]
    code = "" if websocket.close_code is None else f" {websocket.close_code}"
    words = close_words(websocket)
    reason = f" {visible(words, expand_tabs=True)}" if words else ""
    count = len(websocket.messages)
    summary = f"websocket {who}:{code}{reason} after {count} message{'' if count == 1 else 's'}"
    yield f"{_client(flow, look)} {summary} {_server_name(flow, look)}"
    yield from _error(flow, look)


def message_lines(flow: Flow, message: TCPMessage | UDPMessage | WebSocketMessage, look: Look) -> Iterator[Line]:
    """One message of a websocket, TCP or UDP flow."""
    arrow = "->" if message.from_client else "<-"
    kind = flow.type
    if isinstance(message, WebSocketMessage):
        kind = "websocket text" if message.is_text else "websocket binary"
        kind += " (injected)" if message.injected else ""
    size = human_size(len(message.content))
    yield f"{_client(flow, look)} {look.paint(arrow, 'cyan')} {_server_name(flow, look)} {kind} {size}"
    if look.detail >= 3:
        yield from _body(message, flow, look)


def raw_error_lines(flow: TCPFlow | UDPFlow, look: Look) -> Iterator[str]:
    """A TCP or UDP flow that failed."""
    yield f"{_client(flow, look)} {flow.type} {_server_name(flow, look)}"
    yield from _error(flow, look)


def dns_lines(flow: DNSFlow, look: Look) -> Iterator[str]:
    """A DNS query with its answers or error."""
    questions = ", ".join(f"{types.to_str(question.type)} {question.name}" for question in flow.request.questions)
    yield f"{_client(flow, look)} {look.paint('DNS', 'bold')} {visible(questions, expand_tabs=True)}"
    response = flow.response
    if response is not None:
        answers = ", ".join(visible(str(answer), expand_tabs=True) for answer in response.answers)
        yield f"{_INDENT}{look.paint('<-', 'cyan')} {answers or visible(response_codes.to_str(response.response_code))}"
    yield from _error(flow, look)


# -- pieces -----------------------------------------------------------------------------------------------------------


def _client(flow: Flow, look: Look) -> str:
    return look.paint(visible(_hostport(flow.client_conn.peername)), "dim")


def _hostport(address: tuple[str | int, ...]) -> str:
    host = str(address[0])
    return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"


def _server_name(flow: Flow, look: Look) -> str:
    if isinstance(flow, HTTPFlow):
        return visible(_url(flow, look), expand_tabs=True)
    address = flow.server_conn.address
    return visible(_hostport(address)) if address is not None else "-"


def _url(flow: HTTPFlow, look: Look) -> str:
    request = flow.request
    if request.method == "CONNECT":
        return _hostport((request.host, request.port))
    return request.pretty_url if look.named_host else request.url


def _request_line(flow: HTTPFlow, look: Look) -> str:
    request = flow.request
    method = visible(request.method, expand_tabs=True)
    tags = "".join([" [replay]" if flow.is_replay == "request" else "", _version_tag(flow)])
    url = visible(_url(flow, look), expand_tabs=True)
    if look.fit_terminal and look.detail == 1:
        used = len(_hostport(flow.client_conn.peername)) + len(method) + len(tags) + 2
        room = max(shutil.get_terminal_size().columns - used, _NARROWEST_URL)
        if len(url) > room:
            url = url[: room - 1] + "…"
    return f"{_client(flow, look)} {look.paint(method, 'bold')} {url}{tags}"


def _version_tag(flow: HTTPFlow) -> str:
    """The versions, unless both sides spoke plain HTTP/1."""
    versions = [flow.request.http_version]
    if flow.response is not None and flow.response.http_version not in versions:
        versions.append(flow.response.http_version)
    if all(version in ("HTTP/1.0", "HTTP/1.1") for version in versions):
        return ""
    return f" [{visible(' '.join(versions), expand_tabs=True)}]"


def _response_line(flow: HTTPFlow, response: Response, look: Look) -> str:
    status = f"{response.status_code} {visible(response.reason, expand_tabs=True)}".rstrip()
    colour = "green" if response.status_code < 400 else "yellow" if response.status_code < 500 else "red"
    parts = [_INDENT + look.paint("<-", "cyan"), look.paint(status, colour), _size(response)]
    if response.timestamp_end:
        parts.append(human_duration(response.timestamp_end - flow.request.timestamp_start))
    if flow.is_replay == "response":
        parts.append("[replay]")
    return " ".join(parts)


def _size(message: Message) -> str:
    if message.raw_content is None:
        return "(streamed)" if message.stream else "(no content stored)"
    return human_size(len(message.raw_content))


def _error(flow: Flow, look: Look) -> Iterator[str]:
    if flow.error is not None:
        yield f"{_INDENT}{look.paint('!! ' + visible(flow.error.msg, expand_tabs=True), 'red')}"


def _head_and_body(message: Request | Response, flow: HTTPFlow, look: Look) -> Iterator[Line]:
    if look.detail < 2:
        return
    yield from _fields(message.headers, look)
    if look.detail >= 3:
        for number, line in enumerate(_body(message, flow, look)):
            if not number:
                yield ""
            yield line
    if message.trailers:
        yield f"{BODY_INDENT}(trailers)"
        yield from _fields(message.trailers, look)
    if look.detail >= 3:
        yield ""


def _body(message: ContentviewMessage, flow: Flow, look: Look) -> Iterator[Line]:
    lines = body_lines(message, flow, look.view, look.cutoff if look.detail < 4 else None)
    return iter([lines]) if isinstance(lines, LongBody) else (BODY_INDENT + line for line in lines)


def _fields(headers: Headers, look: Look) -> Iterator[str]:
    for name, value in headers.fields:
        field = look.paint(visible_bytes(name, expand_tabs=True), "blue")
        yield f"{BODY_INDENT}{field}: {visible_bytes(value, expand_tabs=True)}"
