"""A flow out of an entry of a HAR, whoever wrote it. The other way is `har_entry`; files are `har_read`'s business.

Entries come from programs that differ, and may be hostile: each value may be missing or anything. What can be read
becomes a flow; EntryProblem says why one cannot. What programs are known to do, and is met here:

- Chromium (DevTools, `Log.ts`): status 0 and `_error` for failures, brackets around IPv6 addresses, ws:// URLs with
  `_webSocketMessages`, several values of a header in one with line breaks, `:authority` and its like among the headers.
- Firefox (`har-builder.js`): empty `timings`, httpVersion "" of failures, times with the zone of the user.
- WebKit (`HARBuilder.js`): httpVersion "" or a display name, `expires` "" , sizes -1, `_serverPort`.
- Charles: null for statusText, mimeType and redirectURL; a body that is no form as the name of its one parameter;
  `_charlesStatus`; pseudo-headers.
- Insomnia (`common/har.ts`): cookies beside the headers, parameters without text, status 0 for what was never sent.
- Fiddler: seven digits behind the second. browsermob-proxy: status -999. mitmproxy: no charset is Latin-1.
"""

from __future__ import annotations

import ipaddress
import math
import re
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from midstream.flows.connection import Client, Server
from midstream.flows.flow import Error
from midstream.flows.http import Headers, HTTPFlow, Request, Response
from midstream.flows.response import reason_phrase
from midstream.flows.websocket import BINARY, TEXT, WebSocketData, WebSocketMessage
from midstream.store.formats.har_body import post_data_of, put_body, response_body
from midstream.store.formats.har_entry import OWN
from midstream.store.formats.har_text import from_base64, to_bytes
from midstream.text import url as urls

_SCHEMES: Final = {"http": b"http", "https": b"https", "ws": b"http", "wss": b"https"}


class EntryProblem(ValueError):
    """Why this is no flow."""


class NotHttp(EntryProblem):
    """It was never HTTP, such as data: and blob: URLs in a browser: nothing went over a network, nobody misses it."""


def flow_of(entry: Any) -> HTTPFlow:
    """Raises EntryProblem."""
    entry, request = _dict(entry), _dict(_dict(entry).get("request"))
    own = _dict(entry.get(OWN))
    if not request:
        raise EntryProblem("there is no request")
    start = _date(entry.get("startedDateTime"))
    end = start + max(_number(entry.get("time")) or 0.0, 0.0) / 1000
    scheme, host, port, path = _target(request.get("url"), request.get("method"), own)
    server = _server(entry, own, (host, port))
    server.tls = scheme == b"https"
    flow = HTTPFlow(_client(own, start), server)
    flow.timestamp_created = _number(own.get("created")) or start
    flow.request = _request(request, own, (scheme, host, port, path), (start, end))
    _fill_response(flow, entry, own, (start, end))
    _fill_marks(flow, entry, own)
    if (messages := entry.get("_webSocketMessages")) is not None:
        flow.websocket = _websocket(messages, _dict(own.get("websocket")), flow)
    return flow


# --- the request


def _target(url: Any, method: Any, own: dict[str, Any]) -> tuple[bytes, str, int, bytes]:
    """Scheme, host, port and path."""
    if not isinstance(url, str) or not url:
        raise EntryProblem("its request has no URL")
    scheme = _SCHEMES.get(url.partition(":")[0].strip().lower())
    if scheme is None and ":" in url:
        raise NotHttp(f"{url[:20]} is no HTTP")
    try:
        _, host, port, path = urls.parse(url.strip().partition("#")[0])
    except ValueError as error:
        raise EntryProblem(str(error)) from None
    assert scheme is not None  # or it would be no URL
    if isinstance(own_path := own.get("path"), str):
        path = own_path.encode("latin-1", "replace")
    if isinstance(method, str) and method.upper() == "CONNECT":
        scheme = path = b""
    name = host.decode("ascii")
    if isinstance(own.get("host"), str) and (own_port := _integer(own.get("port"))) is not None:
        name, port = own["host"], own_port
    return scheme, name, port, path


def _request(
    request: dict[str, Any], own: dict[str, Any], target: tuple[bytes, str, int, bytes], times: tuple[float, float]
) -> Request:
    scheme, host, port, path = target
    method = request.get("method") if isinstance(request.get("method"), str) else ""
    headers, pseudo = _headers(request.get("headers"))
    version = _version(request.get("httpVersion"), bool(pseudo))
    if "cookie" not in headers and (cookie := _cookies(request.get("cookies"))):
        headers.add("Cookie" if version == b"HTTP/1.1" else "cookie", cookie)
    if isinstance(own.get("authority"), str):
        authority = to_bytes(own["authority"])
    elif b":authority" in pseudo:
        authority = pseudo[b":authority"]
    elif not scheme or (version in (b"HTTP/2.0", b"HTTP/3") and "host" not in headers):
        authority = to_bytes(urls.hostport(scheme.decode(), host, port))
    else:
        authority = b""
    own_times = _own_times(own.get("requestTimes"), times)
    raw_method = to_bytes("".join(str(method).split()) or "GET")
    result = Request(
        host, port, raw_method, scheme, authority, path, version, headers, b"", _trailers(request), *own_times
    )
    put_body(result, post_data_of(request, result))
    return result


def _cookies(value: Any) -> str:
    """The Cookie header that a program left out, or kept to itself."""
    pairs = [(_text(each.get("name")), _text(each.get("value"))) for each in map(_dict, _list(value))]
    return "; ".join(f"{name}={text}" for name, text in pairs if name and not _breaks(name + text))


# --- the response


def _fill_response(flow: HTTPFlow, entry: dict[str, Any], own: dict[str, Any], times: tuple[float, float]) -> None:
    response = _dict(entry.get("response"))
    status = _integer(response.get("status"))
    error = response.get("_error") or response.get("_errorMessage")
    if status is not None and 100 <= status <= 999:
        headers, pseudo = _headers(response.get("headers"))
        version = _version(response.get("httpVersion"), bool(pseudo))
        reason = response.get("statusText")
        if not own and not version.startswith(b"HTTP/1"):
            reason = ""  # RFC 9113 §8.3.1: there is none
        elif not isinstance(reason, str) or (not reason and not own):
            reason = reason_phrase(status)
        own_times = _own_times(own.get("responseTimes"), times)
        flow.response = Response(
            version,
            status,
            _one_line(reason).encode("latin-1", "replace"),
            headers,
            b"",
            _trailers(response),
            *own_times,
        )
        put_body(flow.response, response_body(response, flow), flow.request.method == "HEAD")
    elif not error and not own:
        words = (response.get("statusText"), response.get("comment"), entry.get("comment"))
        error = (
            next((word for word in words if isinstance(word, str) and word), None) or "the file tells of no response"
        )
    if error:
        when = _number(own.get("errorTime"))
        flow.error = Error(_one_line(_text(error)), times[1] if when is None else when)


# --- connections


def _client(own: dict[str, Any], start: float) -> Client:
    return Client(peername=_address(own.get("client")) or ("127.0.0.1", 0), sockname=("", 0), timestamp_start=start)


def _server(entry: dict[str, Any], own: dict[str, Any], address: tuple[str, int]) -> Server:
    server = Server(address=_address(own.get("server")) or address if "server" not in own or own["server"] else None)
    ip = _text(entry.get("serverIPAddress")).strip().strip("[]")
    try:
        ipaddress.ip_address(ip)
    except ValueError:
        pass
    else:
        port = _integer(own.get("serverPort")) or _integer(entry.get("_serverPort")) or address[1]
        server.peername = (ip, port)
    if own and isinstance(entry.get("connection"), str):
        server.id = entry["connection"]
    times = [_number(value) for value in _list(own.get("serverTimes"))]
    if len(times) == 3:
        server.timestamp_start, server.timestamp_tcp_setup, server.timestamp_tls_setup = times
    return server


def _address(value: Any) -> tuple[str, int] | None:
    match value:
        case [str(host), int(port)] if 0 <= port <= 65535:
            return host, port
        case _:
            return None


# --- WebSockets and marks


def _websocket(messages: Any, own: dict[str, Any], flow: HTTPFlow) -> WebSocketData:
    data = WebSocketData()
    for each in map(_dict, _list(messages)):
        opcode, text = _integer(each.get("opcode")), _text(each.get("data"))
        when = _number(each.get("time")) or flow.request.timestamp_start
        from_client = each.get("type") == "send"
        if opcode == 8:
            _close(data, from_binary(text), from_client, when)
        if opcode not in (TEXT, BINARY):
            continue  # pings, and what Chromium says of errors with opcode -1
        content = to_bytes(text) if opcode == TEXT else from_binary(text)
        dropped, injected = each.get(f"{OWN}Dropped") is True, each.get(f"{OWN}Injected") is True
        data.messages.append(WebSocketMessage(opcode, from_client, content, when, dropped, injected))
    if own:
        by_client, reason = own.get("closedByClient"), own.get("closeReason")
        data.closed_by_client = by_client if isinstance(by_client, bool) else None
        data.close_code = _integer(own.get("closeCode"))
        data.close_reason = reason if isinstance(reason, str) else None
        data.timestamp_end = _number(own.get("end"))
    elif data.timestamp_end is None and data.messages:
        data.timestamp_end = data.messages[-1].timestamp
    return data


def from_binary(text: str) -> bytes:
    """Chromium writes binary messages as base64; what is none is taken as it is."""
    data = from_base64(text)
    return to_bytes(text) if data is None else data


def _close(data: WebSocketData, payload: bytes, from_client: bool, when: float) -> None:
    """RFC 6455 §5.5.1: a code and words, or nothing."""
    data.closed_by_client, data.timestamp_end = from_client, when
    if len(payload) >= 2:
        data.close_code = int.from_bytes(payload[:2])
        data.close_reason = payload[2:].decode("utf-8", "replace")
    else:
        data.close_code = 1005


def _fill_marks(flow: HTTPFlow, entry: dict[str, Any], own: dict[str, Any]) -> None:
    comment = entry.get("comment")
    flow.comment = comment if isinstance(comment, str) else ""
    if isinstance(own.get("marked"), str):
        flow.marked = own["marked"]
    if own.get("isReplay") in ("request", "response"):
        flow.is_replay = own["isReplay"]
    try:
        flow.id = str(UUID(_text(own.get("id"))))
    except ValueError:
        pass


# --- values


def _headers(value: Any) -> tuple[Headers, dict[bytes, bytes]]:
    """The fields, and those that begin with a colon: HTTP/2 and 3 have parts of the first line among them."""
    fields: list[tuple[bytes, bytes]] = []
    pseudo: dict[bytes, bytes] = {}
    pairs = list(value.items()) if isinstance(value, dict) else _list(value)
    for each in pairs:
        name, text, raw = _pair(each)
        if not name or _breaks(name):
            continue
        # Chromium puts the values of several fields of one name into one, with line breaks between them.
        for line in (raw,) if raw is not None else map(to_bytes, _LINE_BREAK.split(text.replace("\0", ""))):
            if name.startswith(":"):
                pseudo[to_bytes(name)] = line
            else:
                fields.append((to_bytes(name), line.strip()))
    return Headers(tuple(fields)), pseudo


def _pair(each: Any) -> tuple[str, str, bytes | None]:
    """Name and value, and the bytes of the value where these are no UTF-8 and nobody changed the text."""
    match each:
        case [name, value] | (name, value):
            return _text(name).strip(), _text(value), None
        case {"name": name}:
            text, raw = _text(each.get("value")), from_base64(_text(each.get(f"{OWN}Bytes")))
            return (
                _text(name).strip(),
                text,
                raw if raw and raw.decode("latin-1") == text and not _breaks(text) else None,
            )
        case _:
            return "", "", None


def headers_of(value: Any) -> Headers:
    """The header fields of an entry, without those that begin with a colon."""
    return _headers(value)[0]


def _trailers(message: dict[str, Any]) -> Headers | None:
    return headers_of(message["_trailers"]) if isinstance(message.get("_trailers"), list) else None


def _version(value: Any, has_pseudo: bool) -> bytes:
    name = _text(value).strip().lower()
    if name in _HTTP2:
        return b"HTTP/2.0"
    if name.startswith(("h3", "http/3", "quic", "http/2+quic")):
        return b"HTTP/3"
    if name in ("http/1.0", "http 1.0"):
        return b"HTTP/1.0"
    return b"HTTP/2.0" if has_pseudo and not name.startswith("http/1") else b"HTTP/1.1"


# `splitlines` would also cut at what is a part of a value, such as U+2028.
_LINE_BREAK = re.compile(r"\r\n|[\r\n]")
_HTTP2 = frozenset({"h2", "h2c", "http/2", "http/2.0", "http 2", "http2", "spdy"})


def _date(value: Any) -> float:
    """Seconds since the epoch; 0 for what is no time. Without a zone it is taken for UTC."""
    if (number := _number(value)) is not None:
        return number / 1000 if number > 1e11 else number  # milliseconds, as JavaScript counts
    try:
        when = datetime.fromisoformat(_text(value).strip())
        return max((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp(), 0.0)
    except (ValueError, OverflowError):
        return 0.0


def _own_times(value: Any, times: tuple[float, float]) -> tuple[float, float | None]:
    match [_number(each) for each in _list(value)]:
        case [float(start), end]:
            return start, end
        case _:
            return times


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e15 else None


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        return int(value)
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


def _breaks(text: str) -> bool:
    """Whether this would be more than one line of a head."""
    return any(mark in text for mark in "\r\n\0")


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())
