"""Edits that are repeated on other flows: where they fit, and what is said where they do not."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.parts import differences, snapshot
from midstream.flows.repeating import CannotRepeat, Operation, _fitted, operations_of, planned
from tests.kit.captured import http_flow, tcp_flow, websocket_flow


def done(flow: Flow, change: Callable[[], object]) -> tuple[Operation, ...]:
    before = snapshot(flow)
    change()
    return operations_of(flow, differences(flow, before, snapshot(flow)))


def repeat(flow: Flow, operations: tuple[Operation, ...]) -> list[str]:
    plan = planned(flow, operations)
    plan.carry_out()
    return plan.done


def posted(body: bytes, *headers: tuple[bytes, bytes], path: str = "/cart") -> HTTPFlow:
    length = b"%d" % len(body)
    return http_flow(
        f"http://example.com{path}",
        "POST",
        request_body=body,
        request_headers=(*headers, (b"content-length", length)),
        status=None,
    )


def test_headers_are_set_added_and_removed() -> None:
    flow = posted(b"", (b"X-One", b"1"), (b"X-Two", b"2"), (b"Accept", b"*/*"))

    def change() -> None:
        del flow.request.headers["x-one"]
        flow.request.headers["x-two"] = "22"
        flow.request.headers["x-debug"] = "1"

    operations = done(flow, change)
    other = posted(b"", (b"x-ONE", b"1"), (b"X-Two", b"something"), (b"Via", b"a"))
    assert repeat(other, operations) == ["X-One removed, X-Two: 22 set, x-debug: 1 added"]
    assert other.request.headers.fields == (
        (b"X-Two", b"22"),
        (b"Via", b"a"),
        (b"content-length", b"0"),
        (b"x-debug", b"1"),
    )
    with pytest.raises(CannotRepeat, match="it is so already"):
        repeat(other, operations)


def test_a_header_that_is_there_twice_is_not_guessed() -> None:
    flow = posted(b"", (b"X-A", b"1"))
    operations = done(flow, lambda: flow.request.headers.__setitem__("x-a", "2"))
    other = posted(b"", (b"X-A", b"7"), (b"X-A", b"8"))
    with pytest.raises(CannotRepeat, match="it has 2 headers 'X-A', none with the value that was changed"):
        repeat(other, operations)


def test_the_change_of_a_body_is_done_where_it_fits() -> None:
    flow = posted(b'{"sku": "A", "qty": 1}')
    operations = done(flow, lambda: setattr(flow.request, "content", b'{"sku": "A", "qty": 20}'))
    assert [operation.part for operation in operations] == ["request.content"]  # and not the length
    other = posted(b'{"id": 1, "qty": 1, "sku": "B"}')
    assert repeat(other, operations) == ["request body"]
    assert other.request.content == b'{"id": 1, "qty": 20, "sku": "B"}'
    assert other.request.headers["content-length"] == "32"
    third = posted(b'{"id": 1, "qty": 5}')
    with pytest.raises(CannotRepeat, match="its request body has not what was changed"):
        repeat(third, operations)
    assert third.request.content == b'{"id": 1, "qty": 5}'


def test_lines_and_bodies_written_anew() -> None:
    flow = posted(b"one\ntwo\nthree\n")
    operations = done(flow, lambda: setattr(flow.request, "content", b"one\n2\nthree\nfour\n"))
    other = posted(b"zero\none\ntwo\nthree\n")
    repeat(other, operations)
    assert other.request.content == b"zero\none\n2\nthree\nfour\n"
    operations = done(flow, lambda: setattr(flow.request, "content", b"<xml/>"))
    repeat(other, operations)
    assert other.request.content == b"<xml/>"


def test_coded_bodies_are_changed_decoded() -> None:
    def zipped(data: bytes) -> HTTPFlow:
        return posted(gzip.compress(data), (b"content-encoding", b"gzip"))

    flow = zipped(b"name=ann&qty=1")
    operations = done(flow, lambda: setattr(flow.request, "content", b"name=ann&qty=2"))
    other, plain = zipped(b"name=bob&qty=1"), posted(b"qty=1&name=eve")
    repeat(other, operations)
    assert other.request.content == b"name=bob&qty=2"
    assert other.request.headers["content-encoding"] == "gzip"
    repeat(plain, operations)
    assert plain.request.raw_content == b"qty=2&name=eve"


def test_method_and_path() -> None:
    flow = posted(b"", path="/cart?currency=EUR&n=1")

    def change() -> None:
        flow.request.method = "PUT"
        flow.request.path = "/cart?currency=USD&n=1"

    operations = done(flow, change)
    other = posted(b"", path="/shop/list?n=9&currency=EUR")
    assert repeat(other, operations) == ["request method", "path /shop/list?n=9&currency=USD"]
    assert other.request.method == "PUT"
    with pytest.raises(CannotRepeat, match="its path has not what was changed"):
        repeat(posted(b"", path="/none"), operations[1:])


def test_a_response_that_was_written_and_one_that_was_changed() -> None:
    flow = posted(b"")
    operations = done(flow, lambda: setattr(flow, "response", Response.make(404, b"no", {"x-me": "1"})))
    assert [operation.part for operation in operations] == ["response"]
    other = posted(b"")
    assert repeat(other, operations) == ["whole response"]
    assert other.response is not None
    assert (other.response.status_code, other.response.content, other.response.headers["x-me"]) == (404, b"no", "1")
    status = done(flow, lambda: setattr(flow.response, "status_code", 500))
    with pytest.raises(CannotRepeat, match="it has no response yet"):
        repeat(posted(b""), status)


def test_marks_comments_messages_and_other_kinds() -> None:
    flow = tcp_flow((True, b"login ann"))
    operations = done(flow, lambda: setattr(flow.messages[-1], "content", b"login root"))
    other = websocket_flow((True, b"old"), (True, b"please login ann now"))
    assert repeat(other, operations) == ["message"]
    assert other.websocket is not None
    assert other.websocket.messages[-1].content == b"please login root now"
    with pytest.raises(CannotRepeat, match="it has no messages"):
        repeat(posted(b""), operations)
    marked = done(flow, lambda: (setattr(flow, "marked", ":dog:"), setattr(flow, "comment", "see")))
    target = posted(b"")
    assert repeat(target, marked) == ["mark", "comment"]
    assert (target.marked, target.comment) == (":dog:", "see")
    http = posted(b"")
    path = done(http, lambda: setattr(http.request, "path", "/b"))
    with pytest.raises(CannotRepeat, match="a tcp flow has no request path"):
        repeat(flow, path)


def test_nothing_is_done_when_one_part_does_not_fit() -> None:
    flow = posted(b"a=1", (b"X-A", b"1"))

    def change() -> None:
        flow.request.headers["x-a"] = "2"
        flow.request.content = b"a=2"

    operations = done(flow, change)
    other = posted(b"a=7", (b"X-A", b"1"))
    before = other.request.headers.fields
    with pytest.raises(CannotRepeat):
        repeat(other, operations)
    assert other.request.headers.fields == before


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes(before: bytes, after: bytes, present: bytes) -> None:
    assert _fitted(before, after, before, "it") == after
    try:
        _fitted(before, after, present, "it")
    except CannotRepeat:
        pass
