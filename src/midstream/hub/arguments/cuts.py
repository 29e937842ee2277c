"""`cut[]`: attribute paths of flows with commas between them, such as `request.method,response.status_code`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midstream.hub.arguments.argument import Argument, Commands, starting_with
from midstream.hub.types import CutSpec

_MESSAGE = ("content", "raw_content", "text", "timestamp_end", "timestamp_start", "header[")
_REQUEST = ("method", "scheme", "host", "http_version", "port", "path", "url", *_MESSAGE)
_RESPONSE = ("status_code", "reason", *_MESSAGE)
_CLIENT = ("peername.port", "peername.host", "tls_version", "sni", "tls_established")
_SERVER = ("address.port", "address.host", "ip_address.host", "tls_version", "sni", "tls_established")

PATHS = (
    *(f"request.{name}" for name in _REQUEST),
    *(f"response.{name}" for name in _RESPONSE),
    *(f"client_conn.{name}" for name in _CLIENT),
    *(f"server_conn.{name}" for name in _SERVER),
)


class CutsArgument(Argument):
    typ = CutSpec
    display = "cut[]"
    examples = ("request.url", "request.method,response.status_code")

    def parse(self, manager: Commands, t: Any, s: str) -> list[str]:
        return s.split(",")

    def is_valid(self, manager: Commands, t: Any, val: object) -> bool:
        if isinstance(val, str | bytes) or not isinstance(val, Sequence):
            return False
        return all(isinstance(item, str) for item in val)

    def completion(self, manager: Commands, t: Any, s: str) -> Sequence[str]:
        before, comma, last = s.rpartition(",")
        return [before + comma + path for path in starting_with(last, sorted(PATHS))]
