"""A flow as an entry of a HAR, except for what becomes of its bodies (`har_write`). The other way is `har_flow`.

By HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), and where that is silent as Chromium's DevTools write it
(front_end/models/har/Log.ts): failed requests, WebSocket messages. Fields of our own begin with `_midstream`.
"""

from __future__ import annotations

import base64
import ipaddress
import math
from collections import OrderedDict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from midstream.flows import websocket
from midstream.flows.connection import Server
from midstream.flows.cookies import CookieAttrs
from midstream.flows.headers import HeaderFields
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.store.formats.har_text import shown
from midstream.text.url import unparse

OWN: Final = "_midstream"
"""What a HAR has no field for."""

Entry = dict[str, Any]

# Which connections were used before is remembered for so many; of more, old ones seem new again.
_CONNECTIONS = 10_000


class Connections:
    """The connections of the entries so far: only the first entry of each took the time to connect."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()

    def is_new(self, server: Server) -> bool:
        """Whether this is the first entry of that connection."""
        new = server.id not in self._seen
        self._seen[server.id] = None
        if len(self._seen) > _CONNECTIONS:
            self._seen.popitem(last=False)
        return new


def entry_of(flow: HTTPFlow, connections: Connections, post_data: Entry | None, content: Entry) -> Entry:
    """The entry, with what `har_write` made of the bodies."""
    request, response = flow.request, flow.response
    timings = _timings(flow, connections)
    entry: Entry = {
        "startedDateTime": date(request.timestamp_start),
        "time": sum(value for key, value in timings.items() if value > 0 and key != "ssl"),
        "request": _request(flow, post_data),
        "response": _response(flow, response, content),
        "cache": {},
        "timings": timings,
    }
    server = flow.server_conn
    if server.peername and (address := _ip(server.peername[0])):
        entry["serverIPAddress"] = address
    if server.timestamp_start is not None:
        entry["connection"] = server.id
    if flow.comment:
        entry["comment"] = flow.comment
    if flow.websocket is not None:
        entry["_resourceType"] = "websocket"
        entry["_webSocketMessages"] = [_message(message) for message in flow.websocket.messages]
    entry[OWN] = _own(flow)
    return entry


# --- request and response


def _request(flow: HTTPFlow, post_data: Entry | None) -> Entry:
    request = flow.request
    result: Entry = {
        "method": shown(request.raw_method),
        "url": url_of(flow),
        "httpVersion": shown(request.raw_http_version),
        "cookies": [
            {"name": _clean(name), "value": _clean(value)} for name, value in request.cookies.items(multi=True)
        ],
        "headers": _headers(request.headers.fields),
        "queryString": [
            {"name": _clean(name), "value": _clean(value)} for name, value in request.query.items(multi=True)
        ],
        "headersSize": _head_size(request),
        "bodySize": -1 if request.raw_content is None else len(request.raw_content),
    }
    if post_data is not None:
        result["postData"] = post_data
    if request.trailers is not None:
        result["_trailers"] = _headers(request.trailers.fields)
    return result


def _response(flow: HTTPFlow, response: Response | None, content: Entry) -> Entry:
    error = _clean(flow.error.msg) if flow.error is not None else None
    if response is None:
        return {
            "status": 0,
            "statusText": "",
            "httpVersion": "",
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": "x-unknown"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
            "_transferSize": 0,
            "_error": error,
        }
    head, size = _head_size(response), -1 if response.raw_content is None else len(response.raw_content)
    result: Entry = {
        "status": response.status_code,
        "statusText": response.reason,
        "httpVersion": shown(response.raw_http_version),
        "cookies": [_cookie(name, *cookie) for name, cookie in response.cookies.items(multi=True)],
        "headers": _headers(response.headers.fields),
        "content": content,
        "redirectURL": _clean(response.headers.get("location", "")),
        "headersSize": head,
        "bodySize": size,
        "_transferSize": max(head, 0) + max(size, 0),
        "_error": error,
    }
    if response.trailers is not None:
        result["_trailers"] = _headers(response.trailers.fields)
    return result


def _headers(fields: HeaderFields) -> list[Entry]:
    result: list[Entry] = []
    for name, value in fields:
        header = {"name": shown(name), "value": shown(value)}
        if header["value"].encode("utf-8") != value:  # no UTF-8
            header[f"{OWN}Bytes"] = base64.b64encode(value).decode()
        result.append(header)
    return result


def _cookie(name: str, value: str | None, attributes: CookieAttrs) -> Entry:
    cookie: Entry = {"name": _clean(name), "value": _clean(value or "")}
    for key, field in (("path", "path"), ("domain", "domain"), ("samesite", "sameSite")):
        if attributes.get(key):
            cookie[field] = _clean(attributes[key] or "")
    if (expires := attributes.get("expires")) and (when := _http_date(expires)) is not None:
        cookie["expires"] = when
    cookie["httpOnly"] = "httponly" in attributes
    cookie["secure"] = "secure" in attributes
    return cookie


def _head_size(message: Request | Response) -> int:
    """Bytes of the head as HTTP/1 writes it; other versions pack it, and nobody knows."""
    if not message.raw_http_version.startswith(b"HTTP/1"):
        return -1
    if isinstance(message, Request):
        first = len(message.raw_method) + len(message.raw_path or message.raw_authority) + 2
    else:
        first = len(str(message.status_code)) + len(message.raw_reason) + 2
    return first + len(message.raw_http_version) + 2 + len(bytes(message.headers)) + 2


def url_of(flow: HTTPFlow) -> str:
    """The URL as tools want it: absolute, ASCII, without a fragment, by the name that the client used.

    WebSockets have the scheme that browsers give them.
    """
    request = flow.request
    if request.first_line_format == "authority":
        return f"https://{quote(request.authority, safe=_IN_URLS)}/"
    url = request.pretty_url if request.scheme else unparse("http", request.host or "unknown", 80, request.path)
    url = _ascii_url(url.partition("#")[0])
    return "ws" + url.removeprefix("http") if flow.websocket is not None and url.startswith("http") else url


def _ascii_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            host = quote(host, safe=_IN_URLS, errors="surrogateescape")
    return f"{scheme}://{host}{slash}{quote(path, safe=_IN_URLS, errors='surrogateescape')}"


_IN_URLS: Final = "%/:?#[]@!$&'()*+,;=~-._"


def _message(message: websocket.WebSocketMessage) -> Entry:
    is_text = message.is_text
    entry: Entry = {
        "type": "send" if message.from_client else "receive",
        "time": _finite(message.timestamp) or 0,
        "opcode": message.type,
        "data": message.content.decode("utf-8", "replace") if is_text else base64.b64encode(message.content).decode(),
    }
    if message.dropped:
        entry[f"{OWN}Dropped"] = True
    if message.injected:
        entry[f"{OWN}Injected"] = True
    return entry


# --- times


def _timings(flow: HTTPFlow, connections: Connections) -> dict[str, float]:
    """Milliseconds of each phase; -1 where there was none. TLS is a part of `connect` too, as HAR 1.2 wants it."""
    request, response, server = flow.request, flow.response, flow.server_conn
    timings = {"blocked": -1.0, "dns": -1.0, "connect": -1.0, "ssl": -1.0}
    sent = request.timestamp_end or request.timestamp_start
    ready = sent
    start, tcp, tls = server.timestamp_start, server.timestamp_tcp_setup, server.timestamp_tls_setup
    if connections.is_new(server) and start is not None and tcp is not None:
        timings["connect"] = _milliseconds(start, tls or tcp)
        if tls is not None:
            timings["ssl"] = _milliseconds(tcp, tls)
        if start >= sent:  # a person may have held it, or an addon
            timings["blocked"] = _milliseconds(sent, start)
            ready = tls or tcp
    timings["send"] = _milliseconds(request.timestamp_start, sent)
    timings["wait"] = _milliseconds(ready, response.timestamp_start) if response is not None else 0.0
    timings["receive"] = (
        _milliseconds(response.timestamp_start, response.timestamp_end) if response is not None else 0.0
    )
    return timings


def _milliseconds(start: float, end: float | None) -> float:
    took = ((end if end is not None else start) - start) * 1000
    return round(took, 3) if 0 <= took < math.inf else 0.0


def date(timestamp: float) -> str:
    """ISO 8601 in UTC with microseconds; the epoch for what no calendar has."""
    try:
        when = datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        when = datetime.fromtimestamp(0, UTC)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _http_date(text: str) -> str | None:
    try:
        return date(parsedate_to_datetime(text).timestamp())
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


# --- the rest


def _own(flow: HTTPFlow) -> Entry:
    """What our own import needs to make the same flow of it. Bodies are never here: who blacks out a text in a HAR must
    not leave another copy behind.
    """
    request, response, server = flow.request, flow.response, flow.server_conn
    own: Entry = {
        "id": flow.id,
        "marked": flow.marked,
        "isReplay": flow.is_replay,
        "created": _finite(flow.timestamp_created),
        "client": list(flow.client_conn.peername[:2]),
        "server": list(server.address[:2]) if server.address else None,
        "serverPort": server.peername[1] if server.peername else None,
        "serverTimes": _times(server.timestamp_start, server.timestamp_tcp_setup, server.timestamp_tls_setup),
        "host": request.host,
        "port": request.port,
        "scheme": shown(request.raw_scheme),
        "authority": shown(request.raw_authority),
        "requestTimes": _times(request.timestamp_start, request.timestamp_end),
    }
    if request.raw_path.isascii() is False or b"#" in request.raw_path or not request.raw_path.startswith(b"/"):
        own["path"] = request.raw_path.decode("latin-1")
    if response is not None:
        own["responseTimes"] = _times(response.timestamp_start, response.timestamp_end)
    if flow.error is not None:
        own["errorTime"] = _finite(flow.error.timestamp)
    if (data := flow.websocket) is not None:
        own["websocket"] = {
            "closedByClient": data.closed_by_client,
            "closeCode": data.close_code,
            "closeReason": _clean(data.close_reason) if data.close_reason is not None else None,
            "end": _finite(data.timestamp_end),
        }
    return own


def _times(*values: float | None) -> list[float | None]:
    return [_finite(value) for value in values]


def _finite(value: float | None) -> float | None:
    """JSON has no other numbers, and flow files may hold any."""
    return value if value is not None and math.isfinite(value) else None


def _ip(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return ""


def _clean(text: str) -> str:
    """Text of a flow for a file: what stands for bytes that were no UTF-8 becomes a character."""
    return shown(text.encode("utf-8", "surrogateescape")) if not text.isascii() else text
