"""The body of a request or response, out of an entry of a HAR, so that it agrees with the headers beside it.

Used by `har_flow`. Bodies stand decoded in a HAR, under headers that say how they came. A flow with such headers needs
the encoded body: it is encoded again, and only where that fails does the header go. Content-Length is that of the body
that is there. A body that is not in the file is missing (None); nobody invents an empty one.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus

from midstream.flows import encodings
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.multipart import boundary_of, new_boundary
from midstream.store.formats.har_entry import OWN
from midstream.store.formats.har_text import bytes_of, from_base64

_URLENCODED: Final = "application/x-www-form-urlencoded"
# Each costs a pass over the body.
_MOST_CODINGS = 4


class Body(NamedTuple):
    """A body as it was found."""

    data: bytes | None
    may_be_encoded: bool = False
    """Bytes that the program did not look into: with their content encoding, if they have one."""
    is_raw: bool = False
    """Bytes that could not be decoded when they were written."""


def put_body(message: Request | Response, body: Body, is_head: bool = False) -> None:
    """Give the message this body, in the form that its headers speak of."""
    if body.data is None:
        message.raw_content = None
        return
    message.raw_content = body.data if body.is_raw else _encoded(message, body)
    if "content-length" not in message.headers:
        return
    if isinstance(message, Response) and not message.raw_content and (is_head or _has_no_body(message.status_code)):
        return  # it tells of what a GET would have brought
    if "transfer-encoding" in message.headers:
        return
    length = str(len(message.raw_content))
    if message.headers["content-length"] != length:
        message.headers["content-length"] = length


def _has_no_body(status: int) -> bool:
    return status < 200 or status in (204, 304)  # RFC 9110 §6.4.1


def _encoded(message: Request | Response, body: Body) -> bytes:
    data = body.data or b""
    encoding = message.headers.get("content-encoding", "")
    names = encodings.codings(encoding)
    if not names or not data:
        return data
    if body.may_be_encoded and _is_encoded(data, encoding):
        return data
    try:
        if len(names) > _MOST_CODINGS:
            raise ValueError
        return encodings.encode(data, encoding)
    except ValueError:
        del message.headers["content-encoding"]
        return data


def _is_encoded(data: bytes, encoding: str) -> bool:
    try:
        return bool(encodings.decode(data, encoding))
    except ValueError:
        return False


# --- responses


def response_body(response: dict[str, Any], flow: HTTPFlow) -> Body:
    """The body of a response."""
    content = response.get("content")
    if not isinstance(content, dict):
        return Body(None if _size(response.get("bodySize")) else b"")
    text, size = content.get("text"), content.get("size")
    if not isinstance(text, str):
        had_one = bool(content.get("comment")) or _size(size) or _size(response.get("bodySize"))
        return Body(None if had_one and flow.request.method != "HEAD" else b"")
    assert flow.response is not None
    is_raw = content.get(f"{OWN}Raw") is True
    if _is_base64(content) and (data := from_base64(text)) is not None:
        return Body(data, False, is_raw)
    return Body(bytes_of(text, _type(flow.response, content), size), False, is_raw)


def _size(value: Any) -> bool:
    return isinstance(value, int | float) and value > 0


def _is_base64(part: dict[str, Any]) -> bool:
    encoding = part.get("encoding", part.get("_encoding"))
    return isinstance(encoding, str) and encoding.strip().lower() == "base64"


def _type(message: Request | Response, part: dict[str, Any]) -> str:
    found: str = message.headers.get("content-type", "")
    mime = part.get("mimeType")
    return found or (mime if isinstance(mime, str) else "")


# --- requests


def post_data_of(har_request: dict[str, Any], request: Request) -> Body:
    """The body of a request."""
    data = har_request.get("postData")
    if not isinstance(data, dict):
        return Body(None if _size(har_request.get("bodySize")) else b"")
    text, params = data.get("text"), data.get("params")
    is_raw = data.get(f"{OWN}Raw") is True
    if isinstance(text, str) and _is_base64(data) and (found := from_base64(text)) is not None:
        return Body(found, "_encoding" not in data, is_raw)  # ours is never encoded
    size = har_request.get("bodySize")
    if isinstance(text, str) and (text or not params):
        if not text and data.get("comment") and _size(size):
            return Body(None)
        return Body(bytes_of(text, _type(request, data), size), False, is_raw)
    if isinstance(params, list) and params:
        fields = [each for each in params if isinstance(each, dict) and isinstance(each.get("name"), str)]
        kind = _type(request, data).lower()
        return Body(_of_params(fields, request, kind, size))
    return Body(b"")


def _of_params(fields: list[dict[str, Any]], request: Request, kind: str, size: Any) -> bytes:
    if "multipart" in kind:
        return _multipart(fields, request, kind)
    if "json" in kind and any(each.get("value") not in (None, "") for each in fields):
        # chrome-har makes parameters of the keys of a JSON object, and leaves out the text.
        return json.dumps({each["name"]: each.get("value") for each in fields}, ensure_ascii=False).encode(
            "utf-8", "replace"
        )
    return _urlencoded(fields, kind, size)


def _urlencoded(fields: list[dict[str, Any]], kind: str, size: Any) -> bytes:
    names: list[tuple[str, str]] = [(each["name"], _value(each)) for each in fields]
    if len(names) == 1 and not names[0][1]:
        # Charles takes whatever comes under the type of a form for one, and JSON becomes the name of a parameter.
        only = names[0][0].encode("utf-8", "replace")
        if len(only) == size or _URLENCODED not in kind:
            return only
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in names).encode()


def _quoted(text: str) -> str:
    return quote_plus(text, errors="replace")


def _value(field: dict[str, Any]) -> str:
    value = field.get("value")
    return value if isinstance(value, str) else ""


def _multipart(fields: list[dict[str, Any]], request: Request, kind: str) -> bytes:
    """RFC 7578. What a program does not tell is left empty."""
    boundary = boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        boundary = new_boundary()
        request.headers["content-type"] = f"{kind.partition(';')[0]}; boundary={boundary}"
    lines = []
    for field in fields:
        head = f'Content-Disposition: form-data; name="{_in_quotes(field["name"])}"'
        if isinstance(field.get("fileName"), str):
            head += f'; filename="{_in_quotes(field["fileName"])}"'
        if isinstance(field.get("contentType"), str) and field["contentType"]:
            head += f"\r\nContent-Type: {' '.join(field['contentType'].split())}"
        lines.append(f"--{boundary}\r\n{head}\r\n\r\n{_value(field)}\r\n")
    return ("".join(lines) + f"--{boundary}--\r\n").encode("utf-8", "replace")


def _in_quotes(text: str) -> str:
    """As browsers write names (WHATWG HTML, multipart/form-data)."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
