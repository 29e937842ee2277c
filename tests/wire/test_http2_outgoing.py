"""Header lists of HTTP/2 as they go out: untouched, edited, and translated from and to HTTP/1."""

import copy
import pickle
import re
from typing import Any

import pytest
from hpack import HeaderTuple, NeverIndexedHeaderTuple

from midstream.wire.http1 import (
    CHUNKED,
    NO_BODY,
    UNTIL_CLOSE,
    Fields,
    Outgoing,
    Refused,
    RequestHead,
    ResponseHead,
    parse_request_head,
    parse_response_head,
)
from midstream.wire.http2 import (
    PseudoFields,
    check_http2_request,
    check_http2_response,
    check_http2_trailers,
    http1_request_fields,
    read_http2_request,
    read_http2_response,
)

PSEUDO = PseudoFields(b"POST", b"https", b"a.org", b"/x")
START = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"a.org"), (b":path", b"/x")]


def ask(*fields: Any, body: int = NO_BODY, original: RequestHead | None = None, **pseudo: Any) -> Outgoing:
    return check_http2_request(PSEUDO._replace(**pseudo), fields, body, original)


def answer(
    *fields: Any, body: int = 0, status: Any = 200, method: bytes = b"GET", original: ResponseHead | None = None
) -> Outgoing:
    return check_http2_response(status, fields, body, method, original)


def came_by_http1(*lines: bytes, start: bytes = b"POST /x HTTP/1.1") -> RequestHead:
    return parse_request_head(b"\r\n".join((start, *lines, b"", b"")))


def passed_on(head: RequestHead, body: int, authority: bytes = b"") -> Outgoing:
    pseudo = PseudoFields(head.method, b"https", authority, head.target)
    return check_http2_request(pseudo, head.fields, body, head)


# -- untouched --


def test_an_untouched_request_goes_out_as_it_came():
    came = [*START, (b"x", b"1"), (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"te", b"trailers"), (b"x", b"")]
    head, pseudo = read_http2_request(came, False)
    assert check_http2_request(pseudo, head.fields, 7, head) == (tuple(came), 7, ())
    came.append((b"host", b"A.org"))
    head, pseudo = read_http2_request(came, False)
    assert check_http2_request(pseudo, head.fields, CHUNKED, head) == (tuple(came), CHUNKED, ())


def test_an_untouched_response_goes_out_as_it_came():
    for came, ends, method, body, framing in (
        ([(b":status", b"200"), (b"set-cookie", b"a"), (b"set-cookie", b"b")], False, b"GET", 9, 9),
        ([(b":status", b"200"), (b"content-length", b"5")], False, b"GET", 5, 5),
        ([(b":status", b"200"), (b"content-length", b"5")], True, b"HEAD", 0, NO_BODY),
        ([(b":status", b"304"), (b"content-length", b"5")], True, b"GET", 0, NO_BODY),
        ([(b":status", b"204")], True, b"GET", 0, NO_BODY),
        ([(b":status", b"103"), (b"link", b"<x>")], False, b"GET", 0, NO_BODY),
    ):
        head = read_http2_response(came, method, ends)
        assert check_http2_response(head.status, head.fields, body, method, head) == (tuple(came), framing, ())


def test_a_host_alone_becomes_the_authority():
    """RFC 9113 §8.3.1"""
    head, pseudo = read_http2_request([START[0], START[1], START[3], (b"host", b"b.org"), (b"x", b"1")], True)
    assert check_http2_request(pseudo, head.fields, NO_BODY, head).fields == (
        *START[:2],
        (b":authority", b"b.org"),
        START[3],
        (b"x", b"1"),
    )


def test_never_indexed_fields_stay_so():
    """RFC 7541 §6.2.3, also when something else was edited, and for credentials that HTTP/1 brought (§7.1.3)."""

    def kinds(outgoing: Outgoing) -> dict[bytes, bool]:
        return {field[0]: isinstance(field, NeverIndexedHeaderTuple) for field in outgoing.fields}

    came = [*START, NeverIndexedHeaderTuple(b"x-key", b"secret"), HeaderTuple(b"x", b"1")]
    head, pseudo = read_http2_request(came, True)
    assert kinds(check_http2_request(pseudo, head.fields, NO_BODY, head))[b"x-key"]
    edited = kinds(check_http2_request(pseudo, (*head.fields, (b"y", b"2")), NO_BODY, head))
    assert (edited[b"x-key"], edited[b"x"], edited[b"y"]) == (True, False, False)
    translated = kinds(passed_on(came_by_http1(b"Host: a", b"Authorization: Basic x", b"X: 1"), NO_BODY))
    assert (translated[b"authorization"], translated[b"x"]) == (True, False)


def test_fields_are_plain_pairs_that_can_be_copied():
    came = [*START, NeverIndexedHeaderTuple(b"x-key", b"secret"), HeaderTuple(b"x", b"1")]
    fields = read_http2_request(came, True)[0].fields
    for copied in (copy.copy(fields[0]), copy.deepcopy(fields)[0], pickle.loads(pickle.dumps(fields))[0]):
        assert type(copied) is tuple
        assert copied == (b"x-key", b"secret")
    assert type(fields[1]) is tuple


# -- edited --


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"method": b"G T"}, "the method 'G T' contains a character that no method may have"),
        ({"method": "GET"}, "the :method is str, not bytes"),
        ({"path": b"/ x"}, "the :path '/ x' is empty or contains white space"),
        ({"path": b""}, "the :path '' is empty"),
        ({"path": 5}, "the :path is int, not bytes"),
        ({"path": None}, "the request has no :path"),
        ({"path": b"x"}, "the :path 'x' does not begin with a slash"),
        ({"scheme": b"gopher"}, "the :scheme 'gopher' is neither http nor https"),
        ({"scheme": None}, "the request has no :scheme"),
        ({"authority": b"a\r\nb"}, "the :authority 'a\\r\\nb' is no host with an optional port"),
        ({"authority": b"u@a"}, "the :authority 'u@a' is no host with an optional port"),
        ({"protocol": b"websocket"}, "a :protocol stands in a request that is no CONNECT"),
        ({"method": b"CONNECT"}, "the CONNECT request has a :scheme or :path"),
    ],
)
def test_bad_pseudo_fields(parts: dict[str, Any], reason: str):
    head, _ = read_http2_request(START, True)
    for original in (None, head):
        with pytest.raises(Refused, match="^" + re.escape(reason)) as caught:
            ask(original=original, **parts)
        assert caught.value.reason.isprintable()


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ((b"x", b"a\r\nb: c"), "the header 'x' contains CR or LF"),
        ((b"x", b"a\x00"), "the header 'x' contains NUL"),
        ((b"x y", b""), "the header name 'x y' is empty or contains a character that no name may have"),
        ((b":path", b"/"), "the header name ':path' is empty or contains a character that no name may have"),
        ((b"", b"x"), "the header name '' is empty or contains a character that no name may have"),
        (("x", b"x"), "the name of a header is str, not bytes"),
        ((b"x", None), "the value of the header 'x' is NoneType, not bytes"),
    ],
)
def test_bad_fields(field: tuple[Any, Any], reason: str):
    for check in (ask, answer, lambda *fields: check_http2_trailers(fields)):
        with pytest.raises(Refused, match="^" + re.escape(reason)):
            check((b"a", b"1"), field)


@pytest.mark.parametrize("status", [99, 600, "200", None, 101])
def test_bad_status(status: Any):
    with pytest.raises(Refused, match=r"^the status "):
        answer(status=status)


def test_names_go_out_in_lower_case():
    assert ask((b"X-A", b"B")).fields[4:] == ((b"x-a", b"B"),)
    assert answer((b"X-A", b"B")).fields[1:] == ((b"x-a", b"B"),)
    assert check_http2_trailers(((b"X-A", b"B"),)) == ((b"x-a", b"B"),)


def test_upper_case_that_somebody_wrote_is_refused_when_told_so():
    """What HTTP/1 brought is translated all the same."""
    head = came_by_http1(b"Host: a", b"X-A: 1")
    pseudo = PseudoFields(b"POST", b"https", b"", b"/x")
    assert check_http2_request(pseudo, head.fields, NO_BODY, head, normalize=False).fields[-1] == (b"x-a", b"1")
    for original, fields in ((head, (*head.fields, (b"X-B", b"2"))), (None, ((b"X-B", b"2"),))):
        with pytest.raises(Refused, match=r"^the header name 'X-B' has an upper-case letter, which HTTP/2 forbids"):
            check_http2_request(PSEUDO, fields, NO_BODY, original, normalize=False)
    with pytest.raises(Refused, match=r"^the header name 'X-B' has an upper-case letter"):
        check_http2_response(200, ((b"X-B", b"2"),), 0, b"GET", normalize=False)


def test_fields_about_a_connection_are_left_out():
    silent = [(b"Connection", b"close"), (b"Keep-Alive", b"x"), (b"Proxy-Connection", b"close")]
    assert ask(*silent) == (tuple(START), NO_BODY, ())
    assert answer(*silent) == (((b":status", b"200"),), 0, ())
    told = ask((b"Upgrade", b"x"), (b"Transfer-Encoding", b"chunked"), (b"TE", b"gzip"), body=5)
    assert told.fields == tuple(START)
    assert told.repairs == (
        "the header 'Upgrade' has no meaning in HTTP/2 and was left out",
        "the header 'Transfer-Encoding' has no meaning in HTTP/2 and was left out",
        "the header 'TE' with the value 'gzip' was left out of HTTP/2",
    )
    assert ask((b"TE", b"trailers")).fields[4:] == ((b"te", b"trailers"),)


REQUEST_LENGTHS: list[tuple[list[bytes], int, list[bytes], int]] = [
    # content-length, body -> content-length, how many repairs
    ([], NO_BODY, [], 0),
    ([], 5, [], 0),
    ([], CHUNKED, [], 0),
    ([b"5"], 5, [b"5"], 0),
    ([b"3"], 5, [b"5"], 1),
    ([b"+5"], 5, [b"5"], 1),
    ([b"5", b"5"], 5, [b"5"], 1),
    ([b"0"], NO_BODY, [b"0"], 0),
    ([b"5"], NO_BODY, [b"0"], 1),
    ([b"5"], CHUNKED, [], 1),
    ([b"5"], UNTIL_CLOSE, [], 1),
]


@pytest.mark.parametrize(("lengths", "body", "expected", "repairs"), REQUEST_LENGTHS)
def test_lengths(lengths: list[bytes], body: int, expected: list[bytes], repairs: int):
    for checked in (
        ask(*[(b"content-length", value) for value in lengths], body=body),
        answer(*[(b"content-length", value) for value in lengths], body=body),
    ):
        assert [value for name, value in checked.fields if name == b"content-length"] == expected
        assert len(checked.repairs) == repairs


def test_a_body_of_another_length_than_it_came_with():
    head, pseudo = read_http2_request([*START, (b"content-length", b"5")], False)
    assert check_http2_request(pseudo, head.fields, 6, head).fields[4:] == ((b"content-length", b"6"),)
    answered = read_http2_response([(b":status", b"200"), (b"content-length", b"5")], b"GET", False)
    assert check_http2_response(200, answered.fields, 6, b"GET", answered).fields[1:] == ((b"content-length", b"6"),)


def test_answers_without_a_body():
    for status, method, kept in ((204, b"GET", 0), (304, b"GET", 1), (200, b"HEAD", 1), (200, b"CONNECT", 0)):
        checked = answer((b"content-length", b"5"), status=status, method=method, body=5)
        assert (len(checked.fields) - 1, checked.framing) == (kept, NO_BODY)
    assert answer((b"content-length", b"x"), method=b"HEAD").fields[1:] == ()
    assert answer((b"content-length", b"0"), status=204) == (((b":status", b"204"),), NO_BODY, ())


def test_host_and_authority():
    def authority(outgoing: Outgoing) -> tuple[list[bytes], int]:
        named = [value for name, value in outgoing.fields if name in (b":authority", b"host")]
        return named, len(outgoing.repairs)

    assert authority(ask((b"Host", b"a.org"))) == ([b"a.org"], 0)
    assert authority(ask((b"Host", b"A.org:443"))) == ([b"a.org"], 0)
    assert authority(ask((b"Host", b"b.org"), authority=b"")) == ([b"b.org"], 0)
    assert authority(ask((b"Host", b"b.org"))) == ([b"b.org"], 1)  # an addon set it
    assert authority(ask(authority=b"")) == ([], 0)
    with pytest.raises(Refused, match="the request has more than one Host field"):
        ask((b"Host", b"a.org"), (b"Host", b"a.org"))

    head, pseudo = read_http2_request([*START, (b"host", b"a.org")], True)
    moved = pseudo._replace(authority=b"c.org")
    assert authority(check_http2_request(moved, head.fields, NO_BODY, head)) == ([b"c.org"], 0)
    edited = ((b"host", b"b.org"),)
    assert authority(check_http2_request(pseudo, edited, NO_BODY, head)) == ([b"b.org"], 1)
    both = ((b"host", b"a.org"), (b"x", b"1"))
    assert authority(check_http2_request(pseudo, both, NO_BODY, head)) == ([b"a.org", b"a.org"], 0)


def test_a_method_that_became_connect():
    connect = PseudoFields(b"CONNECT", None, b"a.org:443", None)
    assert check_http2_request(connect, (), 0).fields == ((b":method", b"CONNECT"), (b":authority", b"a.org:443"))
    with pytest.raises(Refused, match="a CONNECT request must not have a body"):
        check_http2_request(connect, (), 5)


def test_trailers_that_come_too_late_are_dropped():
    assert check_http2_trailers(((b"Grpc-Status", b"0"), (b"Content-Length", b"5"), (b"Connection", b"x"))) == (
        (b"grpc-status", b"0"),
    )


# -- from HTTP/1 --


def test_a_request_of_http1():
    head = came_by_http1(
        b"Host: b.org:8443",
        b"User-Agent: curl",
        b"Connection: keep-alive, X-Hop, te",
        b"Keep-Alive: 5",
        b"X-Hop: 1",
        b"Proxy-Authorization: Basic x",
        b"TE: gzip, trailers",
        b"Upgrade: h2c",
        b"Cookie: a=1; b=2",
        b"Transfer-Encoding: chunked",
    )
    assert passed_on(head, CHUNKED) == (
        (
            (b":method", b"POST"),
            (b":scheme", b"https"),
            (b":authority", b"b.org:8443"),
            (b":path", b"/x"),
            (b"user-agent", b"curl"),
            (b"te", b"trailers"),
            (b"cookie", b"a=1; b=2"),
        ),
        CHUNKED,
        (),
    )


def test_the_target_of_http1_decides():
    head = came_by_http1(b"Host: a.org", b"Content-Length: 2")
    assert passed_on(head, 2, b"a.org").fields == (*START, (b"content-length", b"2"))


def test_a_response_of_http1():
    raw = b"HTTP/1.1 200 OK\r\nServer: x\r\nConnection: close, X-A\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    head = parse_response_head(raw, b"GET")
    assert check_http2_response(200, head.fields, 5, b"GET", head) == (((b":status", b"200"), (b"server", b"x")), 5, ())
    head = parse_response_head(b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\n", b"GET")
    assert check_http2_response(200, head.fields, UNTIL_CLOSE, b"GET", head).framing == CHUNKED


# -- to HTTP/1 --


def test_a_request_for_http1():
    fields: Fields = ((b"a", b"1"), (b"cookie", b"x=1"), (b"b", b"2"), (b"cookie", b"y=2"), (b"cookie", b"z=3"))
    assert http1_request_fields(b"a.org", fields) == (
        (b"Host", b"a.org"),
        (b"a", b"1"),
        (b"cookie", b"x=1; y=2; z=3"),
        (b"b", b"2"),
    )
    assert http1_request_fields(b"a.org", ((b"a", b"1"), (b"Host", b"b"))) == ((b"a", b"1"), (b"Host", b"b"))
    assert http1_request_fields(b"", fields[:1]) == fields[:1]
