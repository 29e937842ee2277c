"""Whatever header lists come, what goes out of them reads back: over HTTP/2, and translated to HTTP/1."""

from hypothesis import given
from hypothesis import strategies as st

from midstream.wire.http1 import (
    CHUNKED,
    NO_BODY,
    Fields,
    Refused,
    check_outgoing_request,
    check_outgoing_response,
    parse_request_head,
    parse_response_head,
    request_head_bytes,
    response_head_bytes,
)
from midstream.wire.http2 import (
    check_http2_request,
    check_http2_response,
    check_http2_trailers,
    http1_request_fields,
    read_http2_request,
    read_http2_response,
    read_http2_trailers,
)
from tests.wire.test_http2_fields import lists
from tests.wire.test_http2_outgoing import PSEUDO, START

bodies = st.sampled_from([0, 5, NO_BODY, CHUNKED])
edits = st.one_of(st.just(()), lists.map(tuple))


@given(lists, edits, bodies)
def test_what_goes_out_as_a_request_reads_back(came: list[tuple[bytes, bytes]], edit: Fields, body: int):
    try:
        head, pseudo = read_http2_request([*START, *came], False)
    except Refused:
        head, pseudo = None, PSEUDO
    fields = (*(head.fields if head else came), *edit) if edit or head is None else head.fields
    try:
        out = check_http2_request(pseudo, fields, body, head)
    except Refused as refused:
        assert refused.reason.isprintable()
        return
    ends = body in (0, NO_BODY)
    again, again_pseudo = read_http2_request(out.fields, ends)
    assert again_pseudo._replace(authority=None) == pseudo._replace(authority=None)
    # A repair may say of a body that is not there that its length is zero.
    assert again.framing in (body, NO_BODY, CHUNKED) or (ends and again.framing == 0)
    assert check_http2_request(again_pseudo, again.fields, body, again) == (out.fields, body, ())  # nothing left to do


@given(lists, edits, bodies, st.sampled_from([200, 204, 304, 103]), st.sampled_from([b"GET", b"HEAD"]))
def test_what_goes_out_as_a_response_reads_back(
    came: list[tuple[bytes, bytes]], edit: Fields, body: int, status: int, method: bytes
):
    try:
        head = read_http2_response([(b":status", b"%d" % status), *came], method, False)
    except Refused:
        head = None
    fields = (*(head.fields if head else came), *edit) if edit or head is None else head.fields
    try:
        out = check_http2_response(status, fields, body, method, head)
    except Refused as refused:
        assert refused.reason.isprintable()
        return
    again = read_http2_response(out.fields, method, out.framing in (0, NO_BODY) and status >= 200)
    assert again.status == status
    assert check_http2_response(status, again.fields, body, method, again).fields == out.fields


@given(lists)
def test_trailers_read_back(came: list[tuple[bytes, bytes]]):
    try:
        out = check_http2_trailers(tuple(came))
    except Refused as refused:
        assert refused.reason.isprintable()
        return
    assert read_http2_trailers(out) == out


@given(lists, bodies)
def test_what_goes_on_to_http1_reads_back(came: list[tuple[bytes, bytes]], body: int):
    """Nothing that HTTP/2 brings makes another message of HTTP/1."""
    try:
        head, pseudo = read_http2_request([*START, *came], False)
        assert pseudo.authority is not None
        fields = http1_request_fields(pseudo.authority, head.fields)
        out = check_outgoing_request(head.method, head.target, b"HTTP/1.1", fields, body)
    except Refused:
        return
    again = parse_request_head(request_head_bytes(head.method, head.target, b"HTTP/1.1", out.fields))
    assert (again.method, again.target, again.fields) == (head.method, head.target, out.fields)
    assert again.framing == out.framing


@given(lists, bodies, st.sampled_from([b"200", b"204", b"304", b"404"]))
def test_what_comes_back_to_http1_reads_back(came: list[tuple[bytes, bytes]], body: int, status: bytes):
    try:
        head = read_http2_response([(b":status", status), *came], b"GET", False)
        out = check_outgoing_response(b"HTTP/1.1", head.status, b"OK", head.fields, body, b"GET")
    except Refused:
        return
    again = parse_response_head(response_head_bytes(b"HTTP/1.1", head.status, b"OK", out.fields), b"GET")
    assert (again.status, again.fields, again.framing) == (head.status, out.fields, out.framing)
