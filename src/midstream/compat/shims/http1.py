"""`mitmproxy.net.http.http1`: HTTP/1 messages to bytes and back, for scripts that write or read raw messages.

The proxy has its own, strict reader and writer (`midstream.wire.http1`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from midstream.compat.shims.http_messages import parse_content_length, parse_transfer_encoding
from midstream.compat.shims.url import parse_authority
from midstream.flows.headers import Headers
from midstream.flows.message import Message
from midstream.flows.request import Request
from midstream.flows.response import Response
from midstream.text import url
from midstream.wire.http1 import chunk, last_chunk, request_head_bytes, response_head_bytes

_VERSION = re.compile(rb"HTTP/\d\.\d")


def assemble_request_head(request: Request) -> bytes:
    """The request line and the header fields of a request."""
    data = request.data
    form = request.first_line_format
    if form == "authority":
        target = data.authority
    elif form == "absolute":
        target = b"%b://%b%b" % (data.scheme, data.authority, data.path)
    else:
        target = data.path
    return request_head_bytes(data.method, target, data.http_version, data.headers.fields)


def assemble_response_head(response: Response) -> bytes:
    """The status line and the header fields of a response."""
    data = response.data
    return response_head_bytes(data.http_version, data.status_code, data.reason, data.headers.fields)


def assemble_request(request: Request) -> bytes:
    """A whole request; ValueError when its body is not there."""
    return assemble_request_head(request) + b"".join(_body_of(request))


def assemble_response(response: Response) -> bytes:
    """A whole response; ValueError when its body is not there."""
    return assemble_response_head(response) + b"".join(_body_of(response))


def assemble_body(headers: Headers, body_chunks: Iterable[bytes], trailers: Headers | None) -> Iterator[bytes]:
    """The body as these headers frame it."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        yield from (chunk(piece) for piece in body_chunks if piece)
        yield last_chunk(trailers.fields if trailers else ())
    elif trailers:
        raise ValueError("trailers can be sent behind a chunked body only: set transfer-encoding to chunked")
    else:
        yield from body_chunks


def read_request_head(lines: Sequence[bytes]) -> Request:
    """A request of the lines of its head, without a body; ValueError when they are none."""
    parts = lines[0].split()
    if len(parts) != 3 or not _VERSION.fullmatch(parts[2]):
        raise ValueError(f"{lines[0]!r} is no request line")
    method, target, version = parts
    scheme = authority = b""
    host: str = ""
    port: int | None = 0
    path = target
    try:
        if method == b"CONNECT":
            authority, path = target, b""
            host, port = parse_authority(target, check=True)
        elif not (target == b"*" or target.startswith(b"/")):
            scheme, rest = target.split(b"://", maxsplit=1)
            authority = re.split(b"[/?#]", rest, maxsplit=1)[0]
            _, name, port, path = url.parse(target)
            host = name.decode("ascii")
        if port is None:
            raise ValueError("there is no port")
    except ValueError as error:
        raise ValueError(f"{lines[0]!r} is no request line: {error}") from None
    headers = _read_headers(lines[1:])
    return Request(host, port, method, scheme, authority, path, version, headers, None, None, time.time(), None)


def read_response_head(lines: Sequence[bytes]) -> Response:
    """A response of the lines of its head, without a body; ValueError when they are none."""
    version, _, rest = lines[0].partition(b" ")
    status, _, reason = rest.lstrip().partition(b" ")
    if not status.isdigit() or not _VERSION.fullmatch(version):
        raise ValueError(f"{lines[0]!r} is no status line")
    return Response(version, int(status), reason, _read_headers(lines[1:]), None, None, time.time(), None)


def raise_if_http_version_unknown(http_version: bytes) -> None:
    """ValueError for what does not look like `HTTP/1.1`."""
    if not _VERSION.fullmatch(http_version):
        raise ValueError(f"{http_version!r} is no version of HTTP")


def get_header_tokens(headers: Headers, key: str) -> list[str]:
    """The items of a header that is a list."""
    return [item.strip() for item in headers[key].split(",")] if key in headers else []


def connection_close(http_version: str | bytes, headers: Headers) -> bool:
    """Whether the connection is to be closed after a message."""
    options = [option.lower() for option in get_header_tokens(headers, "connection")]
    if "close" in options or "keep-alive" in options:
        return "close" in options
    return http_version not in ("HTTP/1.1", b"HTTP/1.1", "HTTP/2.0", b"HTTP/2.0")


def expected_http_body_size(request: Request, response: Response | None = None) -> Literal[-1] | int | None:
    """Bytes of the body that follows a head; None when it is chunked, -1 when it ends with the connection."""
    message: Message = request if response is None else response
    if response is None:
        if request.headers.get("expect", "").lower() == "100-continue":
            return 0
    elif (
        request.method == "HEAD"
        or response.status_code < 200
        or response.status_code in (204, 304)
        or (request.method == "CONNECT" and response.status_code < 300)
    ):
        return 0
    if "transfer-encoding" in message.headers:
        coding = parse_transfer_encoding(message.headers["transfer-encoding"])
        if coding != "identity":
            return None if coding.endswith("chunked") else -1
    if "content-length" in message.headers:
        return parse_content_length(message.headers["content-length"])
    return 0 if response is None else -1


def _body_of(message: Message) -> Iterator[bytes]:
    if message.raw_content is None:
        raise ValueError("the body is not there: it was streamed or left out")
    return assemble_body(message.headers, [message.raw_content], message.trailers)


def _read_headers(lines: Iterable[bytes]) -> Headers:
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and fields:  # a folded value
            name, value = fields[-1]
            fields[-1] = name, value + b"\r\n " + line.strip()
            continue
        name, colon, value = line.partition(b":")
        if not name or not colon:
            raise ValueError(f"{line!r} is no header line")
        fields.append((name, value.strip()))
    return Headers(fields)
