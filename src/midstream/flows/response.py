"""An HTTP response, from any version of HTTP.

Made by the proxy from a parsed head and by scripts through `Response.make`.
"""

import time
from collections.abc import Iterable
from email.utils import formatdate, mktime_tz, parsedate_tz
from http import HTTPStatus
from typing import Any, ClassVar

from midstream.flows import cookies
from midstream.flows import state as s
from midstream.flows.checked_slot import CheckedSlot
from midstream.flows.headers import AnyHeaders, HeaderFields, Headers
from midstream.flows.message import MESSAGE_SCHEMA, Message, content_argument, header_arguments
from midstream.flows.multidict import Fields, MultiDictView, pairs_of
from midstream.text.sizes import human_size

# RFC 9110 §15 where the standard library still has older names, and codes that it does not know.
_REASONS = {
    **{int(status): status.phrase for status in HTTPStatus},
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Content",
}


def reason_phrase(status_code: int) -> str:
    """The usual reason phrase of a status code, empty if there is none."""
    return _REASONS.get(status_code, "")


def _checked_status(value: int) -> int:
    if not isinstance(value, int):
        raise TypeError(f"Expected an int for status_code, but got {type(value).__name__}.")
    return value


class Response(Message):
    """A response. The reason phrase is kept as the bytes of the wire (`raw_reason`) and read as Latin-1."""

    __slots__ = {"_status_code": "", "raw_reason": "`reason` as bytes."}

    _status_code: int

    status_code = CheckedSlot("_status_code", _checked_status, "The status as a number.")

    _DATA: ClassVar[dict[str, str]] = {**Message._DATA, "status_code": "status_code", "reason": "raw_reason"}
    _SCHEMA: ClassVar[s.Schema] = s.Schema({**MESSAGE_SCHEMA, "status_code": s.integer, "reason": s.binary})

    def __init__(
        self,
        http_version: str | bytes,
        status_code: int,
        reason: str | bytes,
        headers: Headers | HeaderFields,
        content: bytes | None,
        trailers: Headers | HeaderFields | None,
        timestamp_start: float,
        timestamp_end: float | None,
    ) -> None:
        self.raw_http_version = (
            http_version if isinstance(http_version, bytes) else http_version.encode("ascii", "strict")
        )
        self._status_code = _checked_status(status_code)
        self.raw_reason: bytes = reason if isinstance(reason, bytes) else reason.encode("latin-1", "strict")
        self._headers = headers if isinstance(headers, Headers) else Headers(headers)
        if isinstance(content, str):
            raise ValueError("The content of a response is bytes, not text.")
        self.raw_content = content
        self._trailers = None if trailers is None else header_arguments(trailers)
        self.timestamp_start = timestamp_start
        self.timestamp_end = timestamp_end
        self.stream, self.pace = False, None

    @classmethod
    def make(
        cls,
        status_code: int = 200,
        content: str | bytes = b"",
        headers: AnyHeaders = (),
    ) -> "Response":
        """A response as scripts want it. Text content is encoded as the headers say."""
        fields = Headers.of(headers).copy()
        _checked_status(status_code)
        now = time.time()
        response = cls(b"HTTP/1.1", status_code, reason_phrase(status_code), fields, None, None, now, now)
        if isinstance(content_argument(content), str):
            response.text = content  # type: ignore[assignment]
        else:
            response.content = content  # type: ignore[assignment]
        return response

    def __repr__(self) -> str:
        if self.raw_content:
            kind = self.headers.get("content-type", "unknown content type")
            return f"Response({self.status_code}, {kind}, {human_size(len(self.raw_content))})"
        return f"Response({self.status_code}, no content)"

    @property
    def reason(self) -> str:
        """The reason phrase; always empty in HTTP/2 and 3."""
        return self.raw_reason.decode("latin-1")

    @reason.setter
    def reason(self, value: str | bytes) -> None:
        self.raw_reason = value.encode("latin-1", "strict") if isinstance(value, str) else value

    @property
    def cookies(self) -> MultiDictView[str, tuple[str | None, Any]]:
        """Name → (value, attributes) of every Set-Cookie header; attributes may be given as a dict or pairs.

        Cookies that nobody changes keep their spelling. A change inside of the attributes must be assigned to count.
        """
        return MultiDictView(self._get_cookies, self._set_cookies)

    @cookies.setter
    def cookies(self, value: Iterable[tuple[str, tuple[str | None, Any]]]) -> None:
        self._set_cookies(pairs_of(value))

    def _get_cookies(self) -> list[tuple[str, tuple[str | None, Any]]]:
        return [cookies.read_set_cookie(header) for header in self.headers.get_all("Set-Cookie")]

    def _set_cookies(self, value: Fields[str, tuple[str | None, Any]]) -> None:
        before = self.headers.get_all("Set-Cookie")
        self.headers.set_all("Set-Cookie", cookies.write_set_cookies(list(value), before))

    def refresh(self, now: float | None = None) -> None:
        """Move Date, Expires, Last-Modified and the expiry of cookies by as much as this response is older than `now`.

        For answering a request with a response of the past. Dates that cannot be read stay as they are.
        """
        delta = (time.time() if now is None else now) - self.timestamp_start
        for name in ("date", "expires", "last-modified"):
            if name in self.headers and (moved := _moved(self.headers[name], delta)):
                self.headers[name] = moved
        if "set-cookie" in self.headers:
            self._refresh_cookies(delta)

    def _refresh_cookies(self, delta: float) -> None:
        refreshed = []
        for name, (value, attributes) in self._get_cookies():
            expires = attributes.get("expires")
            if expires and (moved := _moved(expires, delta)):
                attributes["expires"] = moved
            refreshed.append((name, (value, attributes)))
        self._set_cookies(tuple(refreshed))


def _moved(date: str, delta: float) -> str | None:
    """An HTTP date moved by seconds; None when it is none."""
    try:
        parsed = parsedate_tz(date)
        return formatdate(mktime_tz(parsed) + delta, usegmt=True) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None
