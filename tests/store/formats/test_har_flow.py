"""HAR files of others: what browsers and tools are known to write, as in their sources, and what is simply wrong."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.exceptions import FlowReadException
from midstream.flows.http import HTTPFlow
from midstream.io import FlowReader
from midstream.store.formats.har_flow import EntryProblem, flow_of

HARS = Path(__file__).parent / "data" / "har"


def entry(request: dict[str, Any] | None = None, response: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The least that an entry needs, and what is said beyond that."""
    return {
        "startedDateTime": "2026-11-22T12:00:00.000Z",
        "time": 50,
        "request": {"method": "GET", "url": "https://example.com/", "headers": [], **(request or {})},
        "response": {"status": 200, "headers": [], "content": {"text": "hi", "size": 2}, **(response or {})},
        **more,
    }


def read(*entries: Any) -> tuple[list[HTTPFlow], str]:
    """The flows of these entries, and what was complained of."""
    flows: list[Any] = []
    try:
        for flow in FlowReader(io.BytesIO(json.dumps({"log": {"entries": entries}}).encode())).stream():
            flows.append(flow)
    except FlowReadException as error:
        return flows, str(error)
    return flows, ""


@pytest.mark.parametrize("name", ["chromium", "firefox", "webkit", "charles", "insomnia", "fiddler", "mitmproxy"])
def test_files_as_programs_write_them(name: str) -> None:
    """Made after the sources that `har_flow` names, and for Charles after published captures."""
    with (HARS / f"{name}.har").open("rb") as file:
        flows: list[Any] = list(FlowReader(file).stream())
    expected = json.loads((HARS / f"{name}.json").read_text())
    assert [told(flow) for flow in flows] == expected


def told(flow: HTTPFlow) -> dict[str, Any]:
    request, response = flow.request, flow.response
    result: dict[str, Any] = {
        "request": f"{request.method} {request.url} {request.http_version}",
        "request headers": [f"{name}: {value}" for name, value in request.headers.items(multi=True)],
        "request body": None if request.raw_content is None else request.raw_content.decode("latin-1"),
        "start": request.timestamp_start,
        "end": flow.response.timestamp_end if flow.response else request.timestamp_end,
        "server": [flow.server_conn.address, flow.server_conn.peername],
        "comment": flow.comment,
        "error": flow.error.msg if flow.error else None,
    }
    if request.authority:
        result["authority"] = request.authority
    if response is not None:
        result["response"] = f"{response.http_version} {response.status_code} {response.reason}"
        if "content-encoding" in response.headers:
            response.headers.pop("content-length", None)  # how well zlib packs is its own business
        result["response headers"] = [f"{name}: {value}" for name, value in response.headers.items(multi=True)]
        result["response body"] = None if response.content is None else response.content.decode("latin-1")
    if flow.websocket is not None:
        result["websocket"] = [
            ["->" if message.from_client else "<-", message.type, message.content.decode("latin-1"), message.timestamp]
            for message in flow.websocket.messages
        ]
        result["closed"] = [flow.websocket.closed_by_client, flow.websocket.close_code, flow.websocket.close_reason]
    return json.loads(json.dumps(result))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("HTTP/1.1", "HTTP/1.1"), ("http/1.0", "HTTP/1.0"), ("h2", "HTTP/2.0"), ("HTTP/2", "HTTP/2.0"),
        ("http/2.0", "HTTP/2.0"), ("h3", "HTTP/3"), ("h3-29", "HTTP/3"), ("HTTP/3.0", "HTTP/3"), ("quic/43", "HTTP/3"),
        ("unknown", "HTTP/1.1"), ("", "HTTP/1.1"), (None, "HTTP/1.1"), (2, "HTTP/1.1"),
    ],
)  # fmt: skip
def test_versions(said: Any, meant: str) -> None:
    flow = flow_of(entry({"httpVersion": said}, {"httpVersion": said}))
    assert flow.request.http_version == meant and flow.response is not None and flow.response.http_version == meant


def test_parts_of_the_first_line_are_no_headers() -> None:
    headers = [{"name": f":{name}", "value": value} for name, value in (("authority", "a:1"), ("path", "/"), ("x", ""))]
    flow = flow_of(entry({"headers": [*headers, {"name": "a", "value": "b"}], "httpVersion": ""}))
    assert flow.request.http_version == "HTTP/2.0" and flow.request.authority == "a:1"
    assert flow.request.headers.fields == ((b"a", b"b"),)
    assert flow_of(entry({"httpVersion": "h2"})).request.authority == "example.com"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T12:00:00Z", 1795348800.0), ("2026-11-22T13:00:00.500+01:00", 1795348800.5),
        ("2026-11-22T07:00:00.1234567-05:00", 1795348800.123456), ("20261122T120000Z", 1795348800.0),
        ("2026-11-22 12:00:00", 1795348800.0), (1795348800000, 1795348800.0), (1795348800.25, 1795348800.25),
        ("yesterday", 0.0), ("", 0.0), (None, 0.0), ("0001-01-01T00:00:00+14:00", 0.0),
    ],
)  # fmt: skip
def test_dates(text: Any, seconds: float) -> None:
    flow = flow_of(entry(startedDateTime=text))
    assert flow.request.timestamp_start == seconds
    assert flow.response is not None and flow.response.timestamp_end == seconds + 0.05


@pytest.mark.parametrize("time", [-1, None, "soon", 1e300, float("inf"), True])
def test_times_that_are_none(time: Any) -> None:
    assert flow_of(entry(time=time)).request.timestamp_end == 1795348800.0


def test_bodies_agree_with_their_headers() -> None:
    headers = [{"name": "Content-Encoding", "value": "gzip"}, {"name": "Content-Length", "value": "7"}]
    flow = flow_of(entry(response={"headers": headers}))
    assert flow.response is not None and flow.response.raw_content is not None
    assert flow.response.content == b"hi" and flow.response.raw_content.startswith(b"\x1f\x8b")
    assert flow.response.headers["content-length"] == str(len(flow.response.raw_content))
    for unknown in ("magic", "gzip, gzip, gzip, gzip, gzip"):
        headers[0]["value"] = unknown
        flow = flow_of(entry(response={"headers": headers}))
        assert flow.response is not None and flow.response.raw_content == b"hi"
        assert flow.response.headers.fields == ((b"Content-Length", b"2"),)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304)])
def test_the_length_of_what_was_not_sent_stays(method: str, status: int) -> None:
    headers = [{"name": "content-length", "value": "1234"}]
    flow = flow_of(entry({"method": method}, {"status": status, "headers": headers, "content": {"size": 0}}))
    assert flow.response is not None and flow.response.raw_content == b""
    assert flow.response.headers["content-length"] == "1234"


def test_a_body_that_is_not_in_the_file_is_missing_and_not_empty() -> None:
    headers = [{"name": "content-length", "value": "9"}]
    flow = flow_of(entry({"bodySize": 9}, {"headers": headers, "content": {"size": 9}}))
    assert flow.request.raw_content is None
    assert flow.response is not None and flow.response.raw_content is None
    assert flow.response.headers["content-length"] == "9"
    without = {"method": "GET", "url": "http://a/"}
    assert flow_of({"request": without, "response": {"status": 204}}).request.raw_content == b""


def test_text_has_the_charset_that_its_header_names() -> None:
    headers = [{"name": "Content-Type", "value": "text/html; charset=iso-8859-1"}]
    flow = flow_of(entry(response={"headers": headers, "content": {"text": "é", "size": 1}}))
    assert flow.response is not None and flow.response.raw_content == b"\xe9"
    for size, data in ((2, b"\xc3\xa9"), (1, b"\xe9"), (None, b"\xe9"), (-1, b"\xe9")):
        flow = flow_of(entry(response={"content": {"text": "é", "size": size}}))
        assert flow.response is not None
        assert flow.response.raw_content == (data if size == 1 else b"\xc3\xa9")


def test_what_is_called_base64_and_is_none_is_taken_as_it_is() -> None:
    flow = flow_of(entry(response={"content": {"text": "not base64!", "encoding": "base64"}}))
    assert flow.response is not None and flow.response.content == b"not base64!"


def test_a_packed_request_that_a_browser_did_not_look_into_stays_as_it_was() -> None:
    import gzip

    packed = gzip.compress(b"x" * 100)
    data = {"text": base64.b64encode(packed).decode(), "encoding": "base64"}
    flow = flow_of(entry({"postData": data, "headers": [{"name": "content-encoding", "value": "gzip"}]}))
    assert flow.request.raw_content == packed


def test_forms_without_text_are_put_together() -> None:
    params = [{"name": "a b", "value": "ä"}, {"name": "c"}]
    form = {"mimeType": "application/x-www-form-urlencoded", "params": params}
    assert flow_of(entry({"postData": form})).request.raw_content == b"a+b=%C3%A4&c="
    params = [
        {"name": "f", "fileName": 'x".txt', "contentType": "text/plain", "value": "1"},
        {"name": "g", "value": "2"},
    ]
    headers = [{"name": "content-type", "value": "multipart/form-data; boundary=xyz"}]
    flow = flow_of(entry({"postData": {"mimeType": "multipart/form-data", "params": params}, "headers": headers}))
    assert flow.request.multipart_form.items(multi=True) == [(b"f", b"1"), (b"g", b"2")]
    assert b'filename="x%22.txt"\r\nContent-Type: text/plain' in (flow.request.raw_content or b"")
    flow = flow_of(entry({"postData": {"mimeType": "multipart/form-data", "params": params}}))
    assert flow.request.multipart_form.items(multi=True) == [(b"f", b"1"), (b"g", b"2")]


@pytest.mark.parametrize("text", ["[::1]", "::1", " ::1 "])
def test_addresses_of_ipv6_in_brackets(text: str) -> None:
    assert flow_of(entry(serverIPAddress=text)).server_conn.peername == ("::1", 443)


def test_json_that_chrome_har_took_apart_is_put_together() -> None:
    data = {
        "mimeType": "application/json",
        "params": [{"name": "a", "value": {"b": [1]}}, {"name": "ä", "value": None}],
    }
    assert flow_of(entry({"postData": data})).request.json() == {"a": {"b": [1]}, "ä": None}


def test_addresses_that_are_none() -> None:
    for text in ("", "example.com", None, 7, "1.2.3.4, 5.6.7.8"):
        assert flow_of(entry(serverIPAddress=text)).server_conn.peername is None


@pytest.mark.parametrize("status", [0, -1, -999, None, "", 20])
def test_a_response_that_never_came_is_an_error(status: Any) -> None:
    flow = flow_of(entry(response={"status": status, "statusText": "", "_error": "net::ERR_FAILED"}))
    assert flow.response is None and flow.error is not None and flow.error.msg == "net::ERR_FAILED"
    flow = flow_of(entry(response={"status": status, "statusText": "NO RESPONSE"}))
    assert flow.error is not None and flow.error.msg == "NO RESPONSE"
    flow = flow_of(entry(response={"status": status}))
    assert flow.error is not None and "no response" in flow.error.msg


def test_several_values_of_a_header_that_chromium_put_into_one() -> None:
    flow = flow_of(
        entry(response={"headers": [{"name": "set-cookie", "value": "a=1\nb=2"}, {"name": "x\ny", "value": ""}]})
    )
    assert flow.response is not None
    assert flow.response.headers.fields == ((b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"))
    assert flow_of(entry({"headers": {"A": "1"}})).request.headers.fields == ((b"A", b"1"),)
    assert flow_of(entry({"headers": [["A", "1"], 7, None]})).request.headers.fields == ((b"A", b"1"),)


@pytest.mark.parametrize("text", ["a\u2028b", "a\x85b", "a\x0cb", "a\x1cb", "a\x0bb"])
def test_no_other_character_makes_two_fields_of_one(text: str) -> None:
    flow = flow_of(entry({"headers": [{"name": "x", "value": text}]}))
    assert flow.request.headers.fields == ((b"x", text.encode()),)


def test_what_never_was_http_is_passed_over_without_a_word() -> None:
    urls = [
        "data:text/plain,x",
        "blob:https://a/1",
        "about:blank",
        "file:///etc/passwd",
        "chrome-extension://x/y",
        "ftp://a/",
    ]
    flows, problem = read(*[entry({"url": url}) for url in urls], entry())
    assert len(flows) == 1 and not problem


def test_one_line_says_what_could_not_be_read() -> None:
    flows, problem = read(entry(), {"request": {}}, entry({"url": "https:///"}), 7, entry({"url": ""}), entry())
    assert len(flows) == 2
    assert problem.startswith("byte ") and "entry 2: there is no request" in problem
    assert problem.endswith("; 4 entries in all could not be read") and "\n" not in problem


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
    max_leaves=5,
)
PLACES = """
    startedDateTime time request response comment connection serverIPAddress _webSocketMessages _midstream timings
    request.method request.url request.httpVersion request.headers request.cookies request.postData request.bodySize
    request._trailers request.postData.text request.postData.params request.postData.encoding
    response.status response.statusText response.headers response.content response.content.text response.content.size
    response.content.encoding response.content.mimeType response._error response._trailers
    _midstream.id _midstream.marked _midstream.client _midstream.server _midstream.serverTimes _midstream.authority
    _midstream.host _midstream.port _midstream.path _midstream.requestTimes _midstream.responseTimes
    _midstream.websocket _midstream.websocket.closeCode _midstream.created _midstream.serverPort _midstream.errorTime
"""


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES.split()), ANY), max_size=4))
def test_any_value_anywhere_raises_nothing_else(changes: list[tuple[str, Any]]) -> None:
    value = entry(
        {"postData": {"text": "a"}}, _midstream={"websocket": {}}, _webSocketMessages=[{"opcode": 8, "data": "A+g="}]
    )
    for names, new in changes:
        path = names.split(".")
        place: Any = value
        for name in path[:-1]:
            place = place.setdefault(name, {}) if isinstance(place, dict) else {}
        if isinstance(place, dict):
            place[path[-1]] = new
    try:
        flow = flow_of(value)
    except EntryProblem:
        return
    flow.copy()  # its state is one that can be saved and read
