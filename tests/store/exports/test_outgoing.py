"""What a request to be sent again is made of, and what cannot be sent."""

from __future__ import annotations

import pytest

from midstream.flows.flow import Flow
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow
from midstream.store.exports.formats import NAMES, export
from midstream.store.exports.outgoing import LONGEST_BODY, CannotExport, outgoing
from midstream.store.exports.raw import raw, raw_request, raw_response
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow


def changed(**parts: object) -> HTTPFlow:
    flow = http_flow()
    for name, value in parts.items():
        setattr(flow.request, name, value)
    return flow


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("flow", [dns_flow(), tcp_flow(), udp_flow()], ids=lambda flow: flow.type)
def test_only_http_can_be_exported(name: str, flow: Flow) -> None:
    with pytest.raises(CannotExport, match=f"a {flow.type} flow is no HTTP request"):
        export(name, flow)


@pytest.mark.parametrize(
    ("flow", "reason"),
    [
        (changed(method="CONNECT"), "opens a tunnel"),
        (changed(scheme="ftp"), "the scheme of the request is 'ftp'"),
        (changed(raw_content=None), "the body of the request was not kept"),
        (changed(raw_content=b"x" * (LONGEST_BODY + 1)), "larger than 8 MB"),
        (changed(trailers=Headers(((b"x", b"y"),))), "has trailers"),
        (changed(raw_method=b"A B"), "no HTTP method"),
        (changed(raw_path=b""), "the path is empty"),
        (changed(raw_path=b"/a b"), "the path is empty or holds spaces"),
        (changed(raw_path=b"/\r\nX: y"), "the path is empty or holds spaces"),
        (changed(headers=Headers(((b"@/etc/passwd", b"y"),))), "is no name of a header"),
        (changed(headers=Headers(((b"x", b"a\r\nb: c"),))), "the header x holds a line break"),
        (changed(headers=Headers(((b"x", b"\0"),))), "the header x holds a line break or NUL"),
        (changed(_host="a b; touch x"), "no host that a URL could hold"),
    ],
)
def test_what_no_program_can_send_is_refused(flow: HTTPFlow, reason: str) -> None:
    with pytest.raises(CannotExport, match=reason):
        outgoing(flow)


def test_a_body_that_was_cut_is_refused() -> None:
    flow = http_flow(request_body=b"begin")
    flow.metadata["request_body_cut"] = "first 5 of 9 bytes"
    with pytest.raises(CannotExport, match="not kept whole"):
        outgoing(flow)


@pytest.mark.parametrize(
    ("url", "host", "sni", "where"),
    [
        ("http://192.0.2.1/", b"example.com", None, "http://example.com"),
        ("http://192.0.2.1:8080/", b"example.com:8080", None, "http://example.com:8080"),
        ("http://127.0.0.1:8080/", b"localhost", None, "http://127.0.0.1:8080"),
        ("https://192.0.2.1/", b"192.0.2.1", "example.com", "https://example.com"),
        ("https://192.0.2.1/", b"<bad>", None, "https://192.0.2.1"),
        ("http://example.com/", b"other.example", None, "http://example.com"),
        ("http://[2001:db8::1]:81/", b"", None, "http://[2001:db8::1]:81"),
    ],
)
def test_where_it_goes(url: str, host: bytes, sni: str | None, where: str) -> None:
    flow = http_flow(url, request_headers=((b"Host", host),))
    flow.server_conn.sni = sni
    assert outgoing(flow).origin == where


def test_a_request_of_http_2_has_its_authority_and_no_host_field() -> None:
    flow = http_flow("https://example.com/", request_headers=((b"host", b"ignored"), (b"x", b"y")))
    flow.request.http_version = "HTTP/2.0"
    flow.request.authority = "example.com"
    request = outgoing(flow)
    assert request.is_multiplexed
    assert (request.authority, request.fields) == (b"example.com", ((b"x", b"y"),))
    assert raw_request(flow).startswith(b"GET / HTTP/2.0\r\nhost: ignored\r\n")


def test_what_was_meant_for_the_proxy_is_left_out() -> None:
    fields = ((b"Proxy-Authorization", b"Basic x"), (b"a", b"b"), (b"proxy-connection", b"keep-alive"))
    assert outgoing(http_flow(request_headers=fields)).fields == ((b"a", b"b"),)


def test_raw_messages_are_framed_as_they_were() -> None:
    flow = http_flow(
        "http://example.com/",
        "POST",
        request_body=b"abc",
        request_headers=((b"Transfer-Encoding", b"chunked"),),
        response_body=b"\x1f\x8b",
        response_headers=((b"Content-Encoding", b"gzip"),),
    )
    flow.request.trailers = Headers(((b"x", b"y"),))
    assert raw_request(flow).endswith(b"\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n")
    assert raw_response(flow) == b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b"
    assert raw(flow) == raw_request(flow) + b"\r\n\r\n" + raw_response(flow)


def test_raw_of_what_is_not_whole() -> None:
    flow = http_flow(status=None)
    assert raw(flow) == raw_request(flow)
    with pytest.raises(CannotExport, match="has no response"):
        raw_response(flow)
    flow = http_flow()
    flow.request.raw_content = None
    assert raw(flow) == raw_response(flow)
    assert flow.response is not None
    flow.response.raw_content = None
    with pytest.raises(CannotExport, match="the body of the response was not kept"):
        raw(flow)


def test_what_was_said_on_a_websocket_is_part_of_raw() -> None:
    assert raw(websocket_flow((True, b"a\xff"), (False, b"b"))).endswith(b"\r\n\r\n[OUTGOING] a\xff\n[INCOMING] b")
