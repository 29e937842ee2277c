"""What can be copied of a flow, by name: its address, heads, bodies, cookies, certificate; and why something cannot.

The commands of copy_commands.py ask it, and the menu of `y`, which shows what there is now. A part is made from the
flow as it may be shown (`master.showing`). Whole exports (curl, raw) are the addon `export`'s business, tables of parts
those of `cut`; what is under the cursor is told by the panes (`Pane.copies`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from midstream.flows.connection import Connection
from midstream.flows.dns import DNSFlow
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Message
from midstream.flows.tunnel import TunnelFlow
from midstream.text.escape import visible

Content = str | bytes | None


class Part(NamedTuple):
    """`text` gives nothing when there is none of it; `missing` says so. `is_there` is asked with every frame: quick."""

    name: str
    is_there: Callable[[Flow], object]
    text: Callable[[Flow], Content]
    missing: str


def part_of(name: str) -> Part | None:
    """The part of this name."""
    return _PARTS.get(name)


def names() -> list[str]:
    """The parts of flows that can be copied."""
    return list(_PARTS)


def as_text(content: Content) -> str:
    """What goes to the clipboard: bytes that are no UTF-8 can be on none, and stand there as escapes."""
    return content.decode("utf-8", "backslashreplace") if isinstance(content, bytes) else content or ""


# --- the messages of HTTP -------------------------------------------------------------------------------------------


def _request(flow: Flow) -> Message | None:
    return flow.request if isinstance(flow, HTTPFlow) else None


def _response(flow: Flow) -> Message | None:
    return flow.response if isinstance(flow, HTTPFlow) else None


def _head(message: Message | None) -> str | None:
    if message is None:
        return None
    return "".join([f"{_plain(name)}: {_plain(value)}\n" for name, value in message.headers.fields])


def _body(message: Message | None) -> bytes | None:
    # What cannot be decoded is given as it came.
    return message.get_content(strict=False) if message is not None and message.raw_content is not None else None


def _has_body(message: Message | None) -> bool:
    return message is not None and bool(message.held_content)


def _has_header(message: Message | None, name: str) -> bool:
    return message is not None and name in message.headers


def _values(message: Message | None, name: str, between: str) -> str | None:
    return between.join(message.headers.get_all(name)) if message is not None and name in message.headers else None


def _status_line(flow: Flow) -> str | None:
    if isinstance(flow, HTTPFlow) and (response := flow.response) is not None:
        return f"{response.http_version} {response.status_code} {response.reason}".rstrip()
    return flow.error.msg if flow.error is not None else None


def _plain(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


# --- any flow -------------------------------------------------------------------------------------------------------


def _url(flow: Flow) -> str | None:
    match flow:
        case HTTPFlow():
            return flow.request.url
        case DNSFlow():
            return flow.request.question.name if flow.request.question is not None else None
    return _address(flow.server_conn)


def _host(flow: Flow) -> str | None:
    return flow.request.pretty_host if isinstance(flow, HTTPFlow) else _url(flow)


def _line(flow: Flow) -> str:
    """A flow in one line, as lists show it."""
    if isinstance(flow, HTTPFlow):
        status = flow.response.status_code if flow.response is not None else "ERR" if flow.error is not None else "-"
        return f"{flow.request.method} {flow.request.url} {status}"
    return f"{flow.type} {_url(flow) or '-'}"


def _address(connection: Connection) -> str | None:
    address = connection.peername or getattr(connection, "address", None)
    if not address:
        return None
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _certificates(flow: Flow) -> str | None:
    chain = flow.server_conn.certificate_list
    return "".join([cert.to_pem().decode("ascii") for cert in chain]) or None


def _messages(flow: Flow) -> bytes | str | None:
    match flow:
        case HTTPFlow() if flow.websocket is not None:
            messages = flow.websocket.messages
        case TunnelFlow():
            messages = flow.messages
        case DNSFlow() if flow.response is not None:
            return "".join([f"{answer}\n" for answer in flow.response.answers]) or None
        case _:
            return None
    return b"\n".join([message.content for message in messages])


def _has_messages(flow: Flow) -> bool:
    if isinstance(flow, HTTPFlow):
        return flow.websocket is not None and bool(flow.websocket.messages)
    if isinstance(flow, TunnelFlow):
        return bool(flow.messages)
    return isinstance(flow, DNSFlow) and flow.response is not None and bool(flow.response.answers)


_ALL = (
    Part("line", lambda flow: True, _line, ""),
    Part("url", _url, _url, "this flow has no address"),
    Part("host", _host, _host, "this flow has no host"),
    Part(
        "path",
        _request,
        lambda flow: flow.request.path if isinstance(flow, HTTPFlow) else None,
        "this flow has no path",
    ),
    Part("request-headers", _request, lambda flow: _head(_request(flow)), "this flow has no headers"),
    Part("response-headers", _response, lambda flow: _head(_response(flow)), "there is no response (yet)"),
    Part(
        "request-body",
        lambda flow: _has_body(_request(flow)),
        lambda flow: _body(_request(flow)),
        "the request has no body",
    ),
    Part(
        "response-body",
        lambda flow: _has_body(_response(flow)),
        lambda flow: _body(_response(flow)),
        "there is no response body",
    ),
    Part(
        "cookies",
        lambda flow: _has_header(_request(flow), "cookie"),
        lambda flow: _values(_request(flow), "cookie", "; "),
        "the request has no cookies",
    ),
    Part(
        "set-cookies",
        lambda flow: _has_header(_response(flow), "set-cookie"),
        lambda flow: _values(_response(flow), "set-cookie", "\n"),
        "the response sets no cookies",
    ),
    Part(
        "status-line",
        lambda flow: _response(flow) is not None or flow.error is not None,
        _status_line,
        "there is no response (yet)",
    ),
    Part("messages", _has_messages, _messages, "this flow has no messages"),
    Part(
        "certificate",
        lambda flow: flow.server_conn.certificate_list,
        _certificates,
        "the server has shown no certificate",
    ),
    Part(
        "server-address",
        lambda flow: _address(flow.server_conn),
        lambda flow: _address(flow.server_conn),
        "no server is known",
    ),
    Part(
        "client-address",
        lambda flow: _address(flow.client_conn),
        lambda flow: _address(flow.client_conn),
        "no client is known",
    ),
    Part("comment", lambda flow: flow.comment, lambda flow: flow.comment, "this flow has no comment"),
)
_PARTS = {part.name: part for part in _ALL}


def why_not(name: str, copies: Mapping[str, object], flow: Flow | None) -> str:
    """Why nothing of this name can be copied here and now, in a few words; "" when it can. `copies` are the pane's."""
    if name in copies:
        return ""
    part = _PARTS.get(name)
    if part is None:
        return f"there is no {visible(name)} under the cursor"
    if flow is None:
        return "there is no flow in focus"
    return "" if part.is_there(flow) else part.missing
