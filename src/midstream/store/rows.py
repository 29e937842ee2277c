"""Rows: the small summaries of flows that lists paint, sort and count.

The view keeps one `Row` per flow and rewrites it whenever the flow changed, so that nobody has to touch the flow itself
to paint a line of a list (the flow may be on disk one day). A row never refers to its flow. Its texts are as they came
from the network: escape them before they are painted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

from midstream.filters.row_tests import Facts, url_of
from midstream.filters.subjects import content_type_of, shown_url
from midstream.flows.dns import DNSFlow, types
from midstream.flows.elsewhere import Elsewhere
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Message, Request, Response
from midstream.flows.tunnel import TunnelFlow, TunnelMessage
from midstream.flows.websocket import WebSocketMessage
from midstream.text.url import default_port

Kind: TypeAlias = Literal["http", "ws", "tcp", "udp", "dns"]
Held: TypeAlias = Literal["", "request", "response", "message"]

# Longer than any list is wide; a megabyte of path must not sit in memory twice.
LONGEST_TEXT = 2048

# One object for all rows that say the same: a tenth of what a row takes.
_METHODS = {name.encode(): name for name in ("GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT")}
_SCHEMES = {name.encode(): name for name in ("http", "https")}
_MEDIA_TYPES = {
    name: name
    for name in (
        *("text/html", "text/plain", "text/css", "text/javascript", "application/javascript", "application/json"),
        *("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "font/woff2", "text/xml"),
        *("application/octet-stream", "application/x-www-form-urlencoded", "multipart/form-data", "application/grpc"),
    )
}

# Where one of these was not there before, somebody made a response.
_ANSWERS = frozenset({"response", "response.status_code"})


class Shared(NamedTuple):
    """What many rows have in common: one object for all that say the same, so that a row pays for one reference.

    `version` as the flow has it · `client` and `server` are addresses without ports · `answered` names who answered in
    place of the server: a mock rule, an addon, `you` · `comment` is a person's · `unkept` says that the body passed
    through and was not kept.
    """

    version: str = ""
    client: str = ""
    server: str = ""
    answered: str = ""
    comment: str = ""
    unkept: bool = False


_shared = lru_cache(1024)(Shared)

# The same facts as those of an earlier flow, mostly: a page's flows differ in little.
_known = lru_cache(4096)(Facts)
_LONGEST_FACT = 255
_WHOLE = Facts(True, "", b"", b"")


class Row:
    """What a list shows of one flow. `revision` grows with every rewrite; all else is described by its name.

    `number` counts arrivals from 1 · `port` is 0 where it goes without saying · `created` is the start in seconds since
    the epoch · `facts` is what filters ask for (filters/row_tests.py) · `status` is the HTTP status or the DNS response
    code · `size` is the body of the response, or of the request while there is none, or all messages · `duration` in
    seconds, None while the flow is in flight · `waited` are the seconds until the answer began, None while it has not ·
    `messages` counts websocket, TCP and UDP messages · `held` names what waits for a person · `failed` is the error
    message · `refused` is the status of a gRPC call that did not succeed, in digits · `shared` is what many rows have
    in common · `key` is the place in the view's order.
    """

    __slots__ = (
        "_asked",
        "content_type",
        "created",
        "duration",
        "facts",
        "failed",
        "held",
        "host",
        "id",
        "key",
        "kind",
        "live",
        "marked",
        "messages",
        "method",
        "modified",
        "number",
        "path",
        "port",
        "refused",
        "replay",
        "revision",
        "scheme",
        "shared",
        "size",
        "status",
        "waited",
    )

    def __init__(self, flow: Flow, number: int = 0) -> None:
        self.id = flow.id
        self.number = number
        self.revision = -1
        self.key: tuple[Any, ...] = ()
        created = flow.timestamp_start
        # Files may hold anything that is a float, and a NaN would break every order.
        self.created: float = created if math.isfinite(created) else 0.0
        self.kind: Kind = "http"
        self.method = ""
        self.scheme = ""
        self.host = ""
        self.port = 0
        self.path = ""
        self.content_type = ""
        self.status: int | None = None
        self.size = 0
        self.messages = 0
        self.duration: float | None = None
        self.waited: float | None = None
        self.held: Held = ""
        self.refused = ""
        self.facts: Facts | None = None
        self._asked: tuple[object, ...] = ()  # of the request that was read last, while the flow is in flight
        self.rewrite(flow)

    def rewrite(self, flow: Flow) -> None:
        """Take over the present state of the flow. New messages are added up; the older are not read again."""
        self.revision += 1
        self.live: bool = flow.live
        self.marked: str = flow.marked
        self.replay: str = flow.is_replay or ""
        self.modified: bool = flow.modified()
        self.failed: str = (flow.error.msg or "?") if flow.error is not None else ""
        self.shared = _shared_by(flow)
        if isinstance(flow, HTTPFlow):
            self._rewrite_http(flow)
        elif isinstance(flow, DNSFlow):
            self._rewrite_dns(flow)
        elif isinstance(flow, TunnelFlow):
            self._rewrite_raw(flow)

    def _rewrite_http(self, flow: HTTPFlow) -> None:
        request, response = flow.request, flow.response
        asked = _parts_of(request)
        if asked != self._asked:
            self._rewrite_request(request)
        self.status = response.status_code if response is not None else None
        self._note_received(response)
        self.duration = None
        self.waited = self._since_start(flow, response.timestamp_start if response is not None else None)
        if flow.websocket is not None:
            if self.kind != "ws":
                self.kind = "ws"
                self.size = 0  # so far it was the size of a body
            self._count(flow.websocket.held_messages)
            end = flow.websocket.timestamp_end
            self.content_type = ""
        else:
            self.kind = "http"
            message: Message = response if response is not None else request
            self.size = _body_size(message)
            self.content_type = media_type(message.headers.get("content-type", ""))
            end = response.timestamp_end if response is not None else None
            if response is not None and self.content_type.startswith("application/grpc"):
                self.refused = _refused(response)
        self._set_end(flow, end)
        # What is over is seldom rewritten, and a row must not keep the headers of its flow in memory.
        self._asked = asked if flow.live and self.duration is None else ()
        self._set_held(flow, "response" if response is not None else "request")
        if flow.intercepted and flow.websocket is not None and flow.websocket.held_messages:
            self._set_held(flow, "message")

    def _rewrite_request(self, request: Request) -> None:
        self.method = _METHODS.get(request.raw_method) or _text(request.raw_method)
        self.scheme = _SCHEMES.get(request.raw_scheme) or _text(request.raw_scheme)
        self.host = request.pretty_host[:LONGEST_TEXT]
        self.path = request.path[:LONGEST_TEXT]
        url = shown_url(request)
        self._find_port(request, url)
        sent = content_type_of(request)
        self.facts = _known(
            len(request.raw_method) <= LONGEST_TEXT and url == url_of(self),
            request.host if len(request.host) <= _LONGEST_FACT and len(self.host) <= _LONGEST_FACT else None,
            sent if len(sent) <= _LONGEST_FACT else None,
            b"",
        )

    def _find_port(self, request: Request, url: str) -> None:
        """The port that the client named, which a URL shows; where none can be read, the one that is connected to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        named = url.removeprefix(f"{self.scheme}://{host}").removesuffix(self.path)
        if not named:
            self.port = 0
        elif named[0] == ":" and named.isascii() and named[1:].isdigit() and len(named) <= len(":65535"):
            self.port = int(named[1:])
        else:
            self.port = request.port if request.port != default_port(self.scheme) else 0

    def _note_received(self, response: Response | None) -> None:
        facts = self.facts
        assert facts is not None, "a request has some"
        received: bytes | None = content_type_of(response) if response is not None else b""
        if received is not None and len(received) > _LONGEST_FACT:
            received = None
        if received != facts.received:
            self.facts = _known(facts.is_whole, facts.server, facts.sent, received)

    def _rewrite_dns(self, flow: DNSFlow) -> None:
        self.kind = "dns"
        self.method = "QUERY"
        self.scheme = "dns"
        question = flow.request.question
        self.host = question.name[:LONGEST_TEXT] if question is not None else ""
        self.content_type = types.to_str(question.type) if question is not None else ""
        self.facts = _WHOLE if len(self.host) < LONGEST_TEXT else None
        response = flow.response
        self.status = response.response_code if response is not None else None
        self.size = (response if response is not None else flow.request).size
        self._set_end(flow, response.timestamp if response is not None else None)
        self._set_held(flow, "response" if response is not None else "request")

    def _rewrite_raw(self, flow: TunnelFlow[Any]) -> None:
        self.kind = "udp" if flow.type == "udp" else "tcp"
        self.method = self.scheme = self.kind
        address = flow.server_conn.address
        self.host = f"{address[0]}:{address[1]}" if address is not None else ""
        self._count(messages := flow.held_messages)
        if isinstance(messages, Elsewhere):  # it is over, and all is known
            self._set_held(flow, "message")
            return
        last = messages[-1] if messages else None
        self._set_end(flow, None if flow.live or last is None else last.timestamp)
        self._set_held(flow, "request" if last is None else "message")

    def _count(self, messages: Sequence[TunnelMessage] | Sequence[WebSocketMessage] | Elsewhere[Any]) -> None:
        if isinstance(messages, Elsewhere):
            return
        # O(new messages): a long conversation must not be walked at each of its messages.
        known = self.messages
        if known > len(messages):
            known = self.size = 0
        self.size += sum(len(messages[index].content) for index in range(known, len(messages)))
        self.messages = len(messages)

    def _set_end(self, flow: Flow, end: float | None) -> None:
        if end is None and flow.error is not None:
            end = flow.error.timestamp
        self.duration = self._since_start(flow, end)

    def _since_start(self, flow: Flow, moment: float | None) -> float | None:
        if moment is None:
            return None
        # A draft is sent long after it was made, and keeps its place by when that was.
        seconds = moment - max(self.created, flow.timestamp_start)
        return seconds if seconds > 0 else 0.0  # NaN is none

    def _set_held(self, flow: Flow, side: Held) -> None:
        self.held = side if flow.intercepted else ""


def _parts_of(request: Request) -> tuple[object, ...]:
    """All that a row reads of a request but its body: mostly the very same objects at each event of the flow."""
    return (
        request.raw_method,
        request.raw_scheme,
        request.raw_authority,
        request._host,
        request._port,
        request.raw_path,
        request.raw_http_version,
        request._headers.fields,
    )


def _refused(response: Response) -> str:
    """The status of a gRPC call, "" for success; HTTP calls all of them 200. Without a body it is in the head."""
    status = (response.trailers or response.headers).get("grpc-status", "0")
    return status if status != "0" and status.isdecimal() and len(status) <= 2 else ""


def _shared_by(flow: Flow) -> Shared:
    client, server = flow.client_conn.peername, flow.server_conn.peername
    version, unkept = "", False
    if isinstance(flow, HTTPFlow):
        version = flow.request.http_version
        message = flow.response if flow.response is not None else flow.request
        unkept = message.held_content is None and (message.timestamp_end is not None or not flow.live)
    return _shared(
        version,
        client[0],
        server[0] if server else "",
        _answered(flow),
        flow.comment[:LONGEST_TEXT],
        unkept,
    )


def _answered(flow: Flow) -> str:
    """Who answered in place of the server; "" for the server."""
    notes = flow._metadata
    if notes:
        if "mock" in notes:
            return "mock"
        if "blocklisted" in notes:
            return "block_list"
    for change in flow.changes:
        if any(part.name in _ANSWERS and part.before is None for part in change.parts):
            return change.who
    return ""


def row_of(flow: Flow) -> Row:
    """A row for a flow that no view holds."""
    return Row(flow)


def media_type(content_type: str) -> str:
    """`text/html` of `Text/HTML; charset=utf-8`."""
    name = content_type.partition(";")[0].strip().lower()[:LONGEST_TEXT]
    return _MEDIA_TYPES.get(name, name)


def _text(raw: bytes) -> str:
    return raw[:LONGEST_TEXT].decode("utf-8", "surrogateescape")


def _body_size(message: Message) -> int:
    body = message.held_content
    if body is not None:
        return len(body)
    # A streamed body is not stored; its announced length is the best that is known.
    announced = message.headers.get("content-length", "")
    return int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else 0
