"""HTTP and DNS messages with fixed values: what the flows of `testing` carry, and what keyword arguments change in it.

For tests of addons. Requests and responses for real URLs are made by `http.Request.make` and `http.Response.make`.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from midstream.flows.dns import DNSMessage, Question, ResourceRecord, classes, types
from midstream.flows.http import Headers, Request, Response

START = 946681200
"""When every exchange of `testing` begins, in seconds since the epoch: the last evening of 1999."""


def treq(**kwargs: Any) -> Request:
    """`GET address:22/path` with a header and the body `content`; arguments are those of `http.Request`."""
    values: dict[str, Any] = {
        "host": "address",
        "port": 22,
        "method": b"GET",
        "scheme": b"http",
        "authority": b"",
        "path": b"/path",
        "http_version": b"HTTP/1.1",
        "headers": Headers(((b"header", b"qvalue"), (b"content-length", b"7"))),
        "content": b"content",
        "trailers": None,
        "timestamp_start": START,
        "timestamp_end": START + 1,
    }
    return Request(**(values | kwargs))


def tresp(**kwargs: Any) -> Response:
    """`200 OK` with a header and the body `message`; arguments are those of `http.Response`."""
    values: dict[str, Any] = {
        "http_version": b"HTTP/1.1",
        "status_code": 200,
        "reason": b"OK",
        "headers": Headers(((b"header-response", b"svalue"), (b"content-length", b"7"))),
        "content": b"message",
        "trailers": None,
        "timestamp_start": START + 2,
        "timestamp_end": START + 3,
    }
    return Response(**(values | kwargs))


def tdnsreq(**kwargs: Any) -> DNSMessage:
    """The query for the IPv4 addresses of `dns.google`; arguments are those of `dns.DNSMessage`."""
    values: dict[str, Any] = {
        "id": 42,
        "query": True,
        "op_code": 0,
        "authoritative_answer": False,
        "truncation": False,
        "recursion_desired": True,
        "recursion_available": False,
        "reserved": 0,
        "response_code": 0,
        "questions": [Question("dns.google", types.A, classes.IN)],
        "answers": [],
        "authorities": [],
        "additionals": [],
        "timestamp": float(START),
    }
    return DNSMessage(**(values | kwargs))


def tdnsresp(**kwargs: Any) -> DNSMessage:
    """The answer to `tdnsreq()`: two addresses; arguments are those of `dns.DNSMessage`."""
    values: dict[str, Any] = {
        "query": False,
        "recursion_available": True,
        "answers": [ResourceRecord.A("dns.google", IPv4Address(address), ttl=32) for address in ("8.8.8.8", "8.8.4.4")],
        "timestamp": START + 1.0,
    }
    return tdnsreq(**(values | kwargs))
