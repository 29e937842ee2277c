"""`mitmproxy.io.har`: flows out of the entries of a HAR that a script has read itself."""

from __future__ import annotations

from typing import Any

from midstream.flows.http import Headers
from midstream.store.formats.har_flow import flow_of as request_to_flow
from midstream.store.formats.har_flow import headers_of

__all__ = ["fix_headers", "request_to_flow"]


def fix_headers(request_headers: list[Any]) -> Headers:
    """The header fields of an entry."""
    return headers_of(request_headers)
