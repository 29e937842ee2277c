"""HTTP/2 on the wire, without I/O: header lists read and made, frames counted, the h2 library kept within bounds.

The door to the `http2_*` files, used by the HTTP/2 sides of the proxy; what is refused stands in design/promises.md.
"""

from midstream.wire.http2_budget import ENHANCE_YOUR_CALM, FrameBudget, FrameLimits, TooMuch
from midstream.wire.http2_connection import BoundedDecoder, Http2Connection, KnownSettings, explain_fault
from midstream.wire.http2_fields import (
    CONNECTION_SPECIFIC,
    HTTP_20,
    BodyLength,
    FieldList,
    PseudoFields,
    read_http2_request,
    read_http2_response,
    read_http2_trailers,
    same_host,
)
from midstream.wire.http2_outgoing import (
    check_http2_request,
    check_http2_response,
    check_http2_trailers,
    http1_request_fields,
    measured_nothing,
)

__all__ = [
    "CONNECTION_SPECIFIC",
    "ENHANCE_YOUR_CALM",
    "HTTP_20",
    "BodyLength",
    "BoundedDecoder",
    "FieldList",
    "FrameBudget",
    "FrameLimits",
    "Http2Connection",
    "KnownSettings",
    "PseudoFields",
    "TooMuch",
    "check_http2_request",
    "check_http2_response",
    "check_http2_trailers",
    "explain_fault",
    "http1_request_fields",
    "measured_nothing",
    "read_http2_request",
    "read_http2_response",
    "read_http2_trailers",
    "same_host",
]
