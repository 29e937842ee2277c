"""Header lists of HTTP/2 as they come in: what is refused and why, and what the rest is read as."""

import re

import pytest
from h2.exceptions import ProtocolError
from h2.utilities import HeaderValidationFlags, validate_headers
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire.http1 import CHUNKED, NO_BODY, Limits, Refused
from midstream.wire.http2 import (
    BodyLength,
    PseudoFields,
    read_http2_request,
    read_http2_response,
    read_http2_trailers,
)

List = list[tuple[bytes, bytes]]
REQUEST: List = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a.org"), (b":path", b"/")]
POST: List = [(b":method", b"POST"), *REQUEST[1:]]
RESPONSE: List = [(b":status", b"200")]


def without(name: bytes, headers: List = REQUEST) -> List:
    return [field for field in headers if field[0] != name]


def having(name: bytes, value: bytes, headers: List = REQUEST) -> List:
    """The list with one field set in its place, or at the end."""
    if name not in dict(headers):
        return [*headers, (name, value)]
    return [(key, value if key == name else old) for key, old in headers]


def assert_refused(reason: str, read, *args, **kwargs) -> None:
    with pytest.raises(Refused, match="^" + re.escape(reason)) as caught:
        read(*args, **kwargs)
    assert caught.value.reason.isprintable()


BAD_PSEUDO: list[tuple[List, str]] = [
    ([], "the request has no :method"),
    (without(b":method"), "the request has no :method"),
    (without(b":scheme"), "the request has no :scheme"),
    (without(b":path"), "the request has no :path"),
    ([(b"accept", b"*/*"), *REQUEST], "the pseudo header ':method' stands after an ordinary header"),
    ([*REQUEST, (b"a", b"b"), (b":path", b"/")], "the pseudo header ':path' stands after an ordinary header"),
    ([*REQUEST, (b"a", b"b"), (b":x", b"/")], "the pseudo header ':x' stands after an ordinary header"),
    ([*REQUEST, (b":status", b"200")], "the pseudo header ':status' does not belong there"),
    ([*REQUEST, (b":", b"x")], "the pseudo header ':' does not belong there"),
    ([*REQUEST, (b":Path", b"/")], "the pseudo header ':Path' does not belong there"),
    ([*REQUEST, (b":path ", b"/")], "the pseudo header ':path ' does not belong there"),
    ([*REQUEST, (b":host", b"a")], "the pseudo header ':host' does not belong there"),
    ([*REQUEST, (b":protocol", b"websocket")], "the pseudo header ':protocol' does not belong there"),
    *[([*REQUEST, field], f"the pseudo header '{field[0].decode()}' stands there twice") for field in REQUEST],
    (having(b":method", b""), "the method '' contains a character that no method may have"),
    (having(b":method", b"GET /evil HTTP/1.1"), "the method 'GET /evil HTTP/1.1' contains a character"),
    (having(b":method", b"GET\r\nX: 1"), "the method 'GET\\r\\nX: 1' contains a character"),
    (having(b":method", b"G\x00T"), "the method 'G\\x00T' contains a character"),
    (having(b":scheme", b""), "the :scheme '' is neither http nor https"),
    (having(b":scheme", b"ftp"), "the :scheme 'ftp' is neither http nor https"),
    (having(b":scheme", b"https://evil/x?"), "the :scheme 'https://evil/x?' is neither http nor https"),
    (having(b":scheme", b"http\r\n"), "the :scheme 'http\\r\\n' is neither http nor https"),
    (having(b":path", b""), "the :path '' is empty or contains white space or a control character"),
    (having(b":path", b"/a b"), "the :path '/a b' is empty or contains white space"),
    (having(b":path", b" /"), "the :path ' /' is empty or contains white space"),
    (having(b":path", b"/ HTTP/1.1\r\nX: 1"), "the :path '/ HTTP/1.1\\r\\nX: 1' is empty or contains white space"),
    (having(b":path", b"/\x00"), "the :path '/\\x00' is empty or contains white space or a control character"),
    (having(b":path", b"/\x7f"), "the :path '/\\x7f' is empty or contains white space or a control character"),
    (having(b":path", b"http://b.org/"), "the :path 'http://b.org/' does not begin with a slash"),
    (having(b":path", b"@b.org/"), "the :path '@b.org/' does not begin with a slash"),
    (having(b":path", b"*"), "the :path '*' does not begin with a slash"),
    (having(b":authority", b""), "the :authority '' is no host with an optional port"),
    (having(b":authority", b"a b"), "the :authority 'a b' is no host with an optional port"),
    (having(b":authority", b"a\r\nX: 1"), "the :authority 'a\\r\\nX: 1' is no host with an optional port"),
    (having(b":authority", b"u@a.org"), "the :authority 'u@a.org' is no host with an optional port"),
    (having(b":authority", b"a.org/x"), "the :authority 'a.org/x' is no host with an optional port"),
    (having(b":authority", b"a.org?x"), "the :authority 'a.org?x' is no host with an optional port"),
    (having(b":authority", b"a.org#x"), "the :authority 'a.org#x' is no host with an optional port"),
    (having(b":authority", b"a.org\\x"), "the :authority 'a.org\\\\x' is no host with an optional port"),
]

BAD_FIELDS: list[tuple[bytes, bytes, str]] = [
    (b"", b"x", "a header has no name"),
    (b"X-A", b"1", "the header name 'X-A' has an upper-case letter, which HTTP/2 forbids"),
    (b"x a", b"1", "the header name 'x a' contains a character that no name may have"),
    (b"x:", b"1", "the header name 'x:' contains a character that no name may have"),
    (b"x: 1\r\ny", b"1", "the header name 'x: 1\\r\\ny' contains a character that no name may have"),
    (b"x\x00", b"1", "the header name 'x\\x00' contains a character that no name may have"),
    (b"x\x001\ny", b"1", "the header name 'x\\x001\\ny' contains a character that no name may have"),
    (b"\xc3\xa9", b"1", "the header name '\\xc3\\xa9' contains a character that no name may have"),
    (b"x", b"a\r\nb: c", "the header 'x' contains CR or LF"),
    (b"x", b"a\nb\x00c", "the header 'x' contains CR or LF"),
    (b"x", b"a\r", "the header 'x' contains CR or LF"),
    (b"x", b"\n", "the header 'x' contains CR or LF"),
    (b"x", b"a\x00", "the header 'x' contains NUL"),
    (b"x", b"\x1b[31m", "the header 'x' contains a control character"),
    (b"x", b"\x7f", "the header 'x' contains a control character"),
    (b"x", b" a", "the value of the header 'x' begins or ends with white space"),
    (b"x", b"\ta", "the value of the header 'x' begins or ends with white space"),
    (b"x", b"a ", "the value of the header 'x' begins or ends with white space"),
    (b"x", b"a\t", "the value of the header 'x' begins or ends with white space"),
    (b"x", b" ", "the value of the header 'x' begins or ends with white space"),
    *[
        (name, b"x", f"the header '{name.decode()}' is about a connection and must not stand in HTTP/2")
        for name in (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
    ],
    (b"transfer-encoding", b"chunked", "the header 'transfer-encoding' is about a connection"),
    (b"te", b"gzip", "the header 'te' is 'gzip'; HTTP/2 allows only 'trailers'"),
    (b"te", b"trailers, gzip", "the header 'te' is 'trailers, gzip'; HTTP/2 allows only 'trailers'"),
]

BAD_LENGTHS = [
    *[
        ([value], f"the Content-Length '{value.decode()}' is not a number")
        for value in (b"+5", b"-5", b"5.0", b"0x5", b"", b"5, 5", b"5,6", b"5 5", b"5_0")
    ],
    ([b"5", b"5"], "the message has more than one Content-Length field"),
    ([b"5", b"6"], "the message has more than one Content-Length field"),
    ([b"9223372036854775808"], "the Content-Length '9223372036854775808' is too large"),
]


@pytest.mark.parametrize(("headers", "reason"), BAD_PSEUDO)
def test_pseudo_fields_of_requests(headers: List, reason: str):
    assert_refused(reason, read_http2_request, headers, True)


@pytest.mark.parametrize(("name", "value", "reason"), BAD_FIELDS)
def test_fields(name: bytes, value: bytes, reason: str):
    around = [(b"a", b"1"), (name, value), (b"b", b"2")]
    assert_refused(reason, read_http2_request, [*REQUEST, *around], True)
    assert_refused(reason, read_http2_response, [*RESPONSE, *around], b"GET", False)
    assert_refused(reason, read_http2_trailers, around)


@pytest.mark.parametrize(("values", "reason"), BAD_LENGTHS)
def test_lengths(values: list[bytes], reason: str):
    fields = [(b"content-length", value) for value in values]
    assert_refused(reason, read_http2_request, [*POST, *fields], False)
    assert_refused(reason, read_http2_response, [*RESPONSE, *fields], b"GET", False)
    assert_refused(reason, read_http2_response, [*RESPONSE, *fields], b"HEAD", True)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "the response has no :status"),
        ([(b"a", b"b")], "the response has no :status"),
        ([*RESPONSE, *RESPONSE], "the pseudo header ':status' stands there twice"),
        ([*RESPONSE, (b":path", b"/")], "the pseudo header ':path' does not belong there"),
        ([(b"a", b"b"), *RESPONSE], "the pseudo header ':status' stands after an ordinary header"),
        *[
            ([(b":status", value)], f"the :status {str(value)[1:]} is not a number from 100 to 599")
            for value in (b"", b"20", b"2000", b"99", b"600", b"+20", b"2 0", b"200 OK", b"\xb2\xb2\xb2", b"200\n")
        ],
        ([(b":status", b"101")], "the status 101 does not exist in HTTP/2"),
    ],
)
def test_pseudo_fields_of_responses(headers: List, reason: str):
    assert_refused(reason, read_http2_response, headers, b"GET", False)


def test_an_interim_response_does_not_end():
    assert_refused(
        "the response ends with the interim status 100", read_http2_response, [(b":status", b"100")], b"GET", True
    )
    assert read_http2_response([(b":status", b"103"), (b"link", b"<a>")], b"GET", False).framing == NO_BODY


def test_no_pseudo_field_in_trailers():
    assert_refused("the pseudo header ':status' does not belong there", read_http2_trailers, [(b":status", b"200")])
    assert_refused("the pseudo header ':path' stands after", read_http2_trailers, [(b"a", b"b"), (b":path", b"/")])


def test_trailers_keep_what_may_stand_there():
    trailers = [(b"grpc-status", b"0"), (b"content-length", b"5"), (b"host", b"b"), (b"proxy-x", b"1"), (b"x", b"")]
    assert read_http2_trailers(trailers) == ((b"grpc-status", b"0"), (b"x", b""))


def test_what_is_left_of_a_request():
    fields = [(b"cookie", b"a=1"), (b"x", b""), (b"cookie", b"b=2"), (b"te", b"trailers"), (b"x", b"a\tb \xff")]
    head, pseudo = read_http2_request([*REQUEST, *fields], True)
    assert pseudo == PseudoFields(b"GET", b"https", b"a.org", b"/", None)
    assert head.fields == tuple(fields)
    assert (head.method, head.target, head.version, head.block) == (b"GET", b"/", b"HTTP/2.0", b"")
    assert (head.host, head.keep_alive, head.upgrade, head.hop) == (b"a.org", True, None, False)


def test_framing_of_requests():
    length = (b"content-length", b"5")
    assert read_http2_request(REQUEST, True)[0].framing == NO_BODY
    assert read_http2_request(POST, False)[0].framing == CHUNKED
    assert read_http2_request([*POST, length], False)[0].framing == 5
    assert read_http2_request([*POST, (b"content-length", b"0")], True)[0].framing == 0
    assert_refused("the content-length is 5, but the message ends", read_http2_request, [*POST, length], True)


def test_framing_of_responses():
    length = (b"content-length", b"5")

    def framing(headers: List, ends: bool, method: bytes = b"GET") -> int:
        return read_http2_response(headers, method, ends).framing

    assert framing(RESPONSE, True) == 0
    assert framing(RESPONSE, False) == CHUNKED
    assert framing([*RESPONSE, length], False) == 5
    assert_refused(
        "the content-length is 5, but the message ends", read_http2_response, [*RESPONSE, length], b"GET", True
    )
    for headers, method in (
        (RESPONSE, b"HEAD"),
        ([(b":status", b"304")], b"GET"),
        ([(b":status", b"204")], b"GET"),
        (RESPONSE, b"CONNECT"),
    ):
        assert framing([*headers, length], True, method) == framing([*headers, length], False, method) == NO_BODY


def test_connect():
    connect = [(b":method", b"CONNECT"), (b":authority", b"a.org:443")]
    head, pseudo = read_http2_request(connect, False)
    assert (head.target, head.framing, head.host) == (b"a.org:443", NO_BODY, b"a.org:443")
    assert pseudo == PseudoFields(b"CONNECT", None, b"a.org:443", None)
    for name, value in ((b":scheme", b"https"), (b":path", b"/")):
        assert_refused(
            "the CONNECT request has a :scheme or :path", read_http2_request, [*connect, (name, value)], False
        )
    assert_refused("the CONNECT request has no :authority", read_http2_request, connect[:1], False)
    assert_refused(
        "a CONNECT request must not have a body", read_http2_request, [*connect, (b"content-length", b"5")], False
    )


def test_extended_connect():
    asked = [*having(b":method", b"CONNECT"), (b":protocol", b"websocket")]
    head, pseudo = read_http2_request(asked, False, extended_connect=True)
    assert (head.target, pseudo.protocol, pseudo.scheme, head.framing) == (b"/", b"websocket", b"https", NO_BODY)

    def refused(reason: str, headers: List) -> None:
        assert_refused(reason, read_http2_request, headers, False, extended_connect=True)

    refused("a :protocol stands in a request that is no CONNECT", having(b":method", b"GET", asked))
    refused("the request has no :path", without(b":path", asked))
    refused("the request has no :scheme", without(b":scheme", asked))
    refused("the CONNECT request has no :authority", without(b":authority", asked))
    refused("the :protocol 'a b' contains a character", having(b":protocol", b"a b", asked))
    assert_refused("the pseudo header ':protocol' does not belong there", read_http2_request, asked, False)


def test_host_and_authority():
    def host(value: bytes, headers: List = REQUEST) -> bytes | None:
        return read_http2_request([*headers, (b"host", value)], True)[0].host

    assert host(b"a.org") == host(b"A.ORG") == host(b"a.org:443") == b"a.org"
    assert host(b"b.org", without(b":authority")) == b"b.org"
    assert read_http2_request(without(b":authority"), True)[0].host is None
    for value in (b"b.org", b"a.org:80", b"a.org, b.org", b"a.org."):
        assert_refused(f"the Host '{value.decode()}' is not that of :authority, 'a.org'", host, value)
    assert_refused("the request has more than one Host field", host, b"a.org", [*REQUEST, (b"host", b"a.org")])


def test_asterisk():
    assert read_http2_request(having(b":path", b"*", having(b":method", b"OPTIONS")), True)[0].target == b"*"


def test_expectations():
    expecting = [*POST, (b"expect", b"100-Continue")]
    assert read_http2_request(expecting, False)[0].expects_continue
    assert not read_http2_request(expecting, True)[0].expects_continue


def test_fields_that_end_here_are_known():
    assert read_http2_request([*REQUEST, (b"proxy-authorization", b"Basic x")], True)[0].hop
    assert read_http2_response([*RESPONSE, (b"proxy-authenticate", b"Basic")], b"GET", True).hop


def test_limits():
    limits = Limits(max_head=1000, max_fields=10, max_trailers=500)

    def status(read, headers: List, *args) -> int:
        with pytest.raises(Refused) as caught:
            read(headers, *args, limits)
        return caught.value.status

    many = [(b"a", b"1")] * 11
    long = [(b"a", b"x" * 1000)]
    for fields in (many, long, [(b"a", b"x" * 400)] * 3):
        assert status(read_http2_request, [*REQUEST, *fields], True) == 431
        assert status(read_http2_response, [*RESPONSE, *fields], b"GET", True) == 431
        assert status(read_http2_trailers, fields) == 431
    assert status(read_http2_request, having(b":path", b"/" * 1000), True) == 431
    # RFC 9113 §6.5.2: names, values, and 32 for each field
    exact = [(b"a", b"x" * (1000 - 33 - sum(len(name) + len(value) + 32 for name, value in REQUEST)))]
    assert read_http2_request([*REQUEST, *exact], True, limits)[0].fields == tuple(exact)
    assert status(read_http2_request, [*REQUEST, (b"ab", exact[0][1])], True) == 431


def test_body_length():
    body = BodyLength(5)
    body.take(3)
    assert_refused("the body ends 2 bytes before its content-length of 5", body.end)
    body.take(2)
    body.end()
    assert_refused("the body is longer than its content-length of 5", body.take, 1)
    body = BodyLength(NO_BODY)
    body.take(0)
    body.end()
    assert_refused("a body follows where none may be", body.take, 1)
    body = BodyLength(CHUNKED)
    body.take(1 << 40)
    body.end()


wild = st.binary(max_size=5)
names = st.one_of(
    wild,
    st.sampled_from(
        b":method :scheme :authority :path :status :protocol host content-length te transfer-encoding connection "
        b"cookie x X".split()
    ),
)
values = st.one_of(
    wild,
    st.sampled_from(b"GET CONNECT https / * a.org 5 0 200 trailers".split()),
    st.sampled_from([b" x", b"a\r\nb: c"]),
)
lists = st.lists(st.tuples(names, values), max_size=6)


def accepted_by_h2(headers: List, *, client: bool, trailers: bool, response: bool) -> bool:
    try:
        list(validate_headers(headers, HeaderValidationFlags(client, trailers, response, False)))
    except ProtocolError:
        return False
    return True


@given(st.one_of(lists, lists.map(lambda extra: REQUEST + extra), lists.map(lambda extra: POST + extra)), st.booleans())
def test_what_passes_as_a_request_passes_h2_too(headers: List, ends: bool):
    try:
        head, pseudo = read_http2_request(headers, ends)
    except Refused as refused:
        assert refused.reason.isprintable()
        return
    start = [(b":" + name.encode(), value) for name, value in pseudo._asdict().items() if value is not None]
    assert sorted([*start, *head.fields]) == sorted(headers)
    assert list(head.fields) == [field for field in headers if field[0][:1] != b":"]
    if head.host is not None:  # h2 wants one of Host and :authority; without either the connection names the server
        assert accepted_by_h2(headers, client=False, trailers=False, response=False)


@given(st.one_of(lists, lists.map(lambda extra: RESPONSE + extra)), st.sampled_from([b"GET", b"HEAD"]), st.booleans())
def test_what_passes_as_a_response_passes_h2_too(headers: List, method: bytes, ends: bool):
    try:
        head = read_http2_response(headers, method, ends)
    except Refused as refused:
        assert refused.reason.isprintable()
        return
    assert [(b":status", b"%d" % head.status), *head.fields] == headers
    assert accepted_by_h2(headers, client=True, trailers=False, response=True)


@given(lists)
def test_what_passes_as_trailers_passes_h2_too(headers: List):
    try:
        trailers = read_http2_trailers(headers)
    except Refused as refused:
        assert refused.reason.isprintable()
        return
    assert set(trailers) <= set(headers)
    assert accepted_by_h2(headers, client=True, trailers=True, response=False)
