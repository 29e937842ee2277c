"""HTTP/1 on the wire, without I/O: strict reading of heads and chunked bodies, writing that changes nothing, checks in
between.

The door to the `http1_*` files, used by the HTTP/1 sides of the proxy; what is refused stands in design/promises.md.
h11 is the oracle of the tests: on what both accept they agree.
"""

from midstream.wire.http1_chunked import FORBIDDEN_IN_TRAILERS, ChunkedReader
from midstream.wire.http1_heads import (
    CHUNKED,
    HTTP_10,
    HTTP_11,
    NO_BODY,
    UNTIL_CLOSE,
    Framing,
    RequestHead,
    ResponseHead,
    find_head_end,
    parse_request_head,
    parse_response_head,
)
from midstream.wire.http1_outgoing import (
    Outgoing,
    check_outgoing_request,
    check_outgoing_response,
    check_outgoing_trailers,
)
from midstream.wire.http1_syntax import DEFAULT_LIMITS, HOP_BY_HOP, Fields, Limits, Refused
from midstream.wire.http1_write import (
    END_TO_END,
    chunk,
    field_lines,
    last_chunk,
    request_head_bytes,
    response_head_bytes,
    strip_hop_by_hop,
    strip_hop_lines,
)

__all__ = [
    "CHUNKED",
    "DEFAULT_LIMITS",
    "END_TO_END",
    "FORBIDDEN_IN_TRAILERS",
    "HOP_BY_HOP",
    "HTTP_10",
    "HTTP_11",
    "NO_BODY",
    "UNTIL_CLOSE",
    "ChunkedReader",
    "Fields",
    "Framing",
    "Limits",
    "Outgoing",
    "Refused",
    "RequestHead",
    "ResponseHead",
    "check_outgoing_request",
    "check_outgoing_response",
    "check_outgoing_trailers",
    "chunk",
    "field_lines",
    "find_head_end",
    "last_chunk",
    "parse_request_head",
    "parse_response_head",
    "request_head_bytes",
    "response_head_bytes",
    "strip_hop_by_hop",
    "strip_hop_lines",
]
