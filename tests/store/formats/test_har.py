"""HAR files of ours: by the schema, read by another library, read back by us, and in small pieces."""

import base64
import gzip
import io
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from haralyzer import HarParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft6Validator, FormatChecker
from referencing import Registry, Resource

from midstream.exceptions import FlowReadException
from midstream.flows.flow import Error, Flow
from midstream.flows.http import Headers, HTTPFlow
from midstream.io import FlowReader
from midstream.store.formats import har_text
from midstream.store.formats.har_write import LONGEST, Packer, har_pieces
from midstream.testing.flows import tflow, twebsocketflow
from tests.kit.captured import START, http_flow, tcp_flow

SCHEMAS = json.loads((Path(__file__).parent / "data" / "har_schema.json").read_text())["schemas"]
REGISTRY = Registry().with_resources([(schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS])
SCHEMA = Draft6Validator({"$ref": "har.json#"}, registry=REGISTRY, format_checker=FormatChecker())


def document(*flows: Flow) -> bytes:
    return b"".join(har_pieces(flows, "1.0"))


def read(data: bytes) -> list[HTTPFlow]:
    flows = list(FlowReader(io.BytesIO(data)).stream())
    assert all(isinstance(flow, HTTPFlow) for flow in flows)
    return flows  # type: ignore[return-value]


def entry(flow: HTTPFlow) -> Any:
    return json.loads(document(flow))["log"]["entries"][0]


def of_every_kind() -> list[HTTPFlow]:
    form = http_flow(
        "https://example.com/form?q=%C3%A4&empty",
        "POST",
        request_body=b"a=1&b=%20x&c",
        request_headers=((b"Content-Type", b"application/x-www-form-urlencoded"), (b"Cookie", b"x=1; y=2")),
        response_headers=(
            (b"Set-Cookie", b"sid=1; Path=/; HttpOnly; Secure; SameSite=Lax; Expires=Wed, 21 Oct 2015 07:28:00 GMT"),
            (b"Set-Cookie", b"other=2"),
            (b"Location", b"/there"),
        ),
        status=302,
    )
    packed = http_flow("http://example.com/packed", response_headers=((b"content-type", b"text/html"),))
    assert packed.response is not None
    packed.response.headers["content-encoding"] = "gzip"
    packed.response.content = b"hello " * 1000
    binary = http_flow(
        "http://example.com/binary", "PUT", request_body=bytes(range(256)), response_body=b"\x89PNG\0\xff"
    )
    with_body = http_flow("http://example.com/get", "GET", request_body="größe".encode())
    http2 = http_flow("https://example.com:8443/h2", response_headers=((b"content-type", b"application/json"),))
    assert http2.response is not None
    http2.request.http_version = http2.response.http_version = "HTTP/2.0"
    http2.request.authority = "example.com:8443"
    http2.response.trailers = Headers(((b"grpc-status", b"0"),))
    http2.response.raw_reason = b""
    failed = http_flow("http://example.com/failed", status=None)
    failed.error = Error("connection refused", START + 3)
    half = http_flow("http://example.com/half")
    half.error = Error("the server stopped sending", START + 4)
    waiting = http_flow("http://example.com/waiting", status=None)
    not_kept = http_flow("http://example.com/huge")
    assert not_kept.response is not None
    not_kept.response.raw_content = None
    broken = http_flow("http://example.com/broken", response_body=b"no gzip")
    assert broken.response is not None
    broken.response.headers["content-encoding"] = "gzip"
    odd = http_flow(
        "http://example.com/odd",
        "ODD",
        request_headers=((b"X-Latin", b"caf\xe9"), (b"X-Utf8", "café".encode()), (b"x-empty", b"")),
        response_headers=((b"Content-Type", b"text/plain; charset=iso-8859-1"),),
        response_body=b"caf\xe9",
    )
    marked = http_flow("http://[::1]:8080/marked")
    marked.marked, marked.comment, marked.is_replay = ":red_circle:", "look at <this>\n", "request"
    marked.server_conn.peername = ("::1", 8080, 0, 0)  # type: ignore[assignment] # as sockets of IPv6 give it
    times = (START + 0.011, START + 0.02, START + 0.04)
    marked.server_conn.timestamp_start, marked.server_conn.timestamp_tcp_setup = times[:2]
    marked.server_conn.timestamp_tls_setup = times[2]
    return [form, packed, binary, with_body, http2, failed, half, waiting, not_kept, broken, odd, marked]


ALL = [*of_every_kind(), tflow(resp=True), tflow(err=True), twebsocketflow()]


def test_the_schema_of_har_1_2_is_fulfilled() -> None:
    SCHEMA.validate(json.loads(document(*ALL)))


def test_what_comes_back_is_what_was_written() -> None:
    for before, after in zip(ALL, read(document(*ALL)), strict=True):
        expected = before.get_state()
        found = after.get_state()
        for key in ("id", "error", "is_replay", "marked", "comment", "websocket", "timestamp_created"):
            assert found[key] == expected[key], (before.request.url, key)
        for part in ("request", "response"):
            for key, value in (expected[part] or {}).items():
                if key == "content" and value and value.startswith(b"\x1f\x8b"):
                    message: Any = getattr(before, part)
                    assert getattr(after, part).content == message.content
                    continue
                if (key, value) == ("content", None):
                    assert found[part]["content"] is None
                    continue
                if key == "headers" and b"Content-Length" not in dict(value):
                    value = tuple((name, text) for name, text in value if name.lower() != b"content-length")
                    found[part]["headers"] = tuple(
                        (name, text) for name, text in found[part]["headers"] if name.lower() != b"content-length"
                    )
                assert found[part][key] == value, (before.request.url, part, key)
        assert after.server_conn.address == before.server_conn.address
        assert after.server_conn.timestamp_start == before.server_conn.timestamp_start


def test_another_library_reads_it() -> None:
    parser = HarParser(json.loads(document(*ALL)))
    assert parser.har_data["version"] == "1.2" and len(parser.har_data["entries"]) == len(ALL)
    entries = [each for page in parser.pages for each in page.entries]
    assert sorted(each.url for each in entries) == sorted(each["request"]["url"] for each in parser.har_data["entries"])
    first = next(each for each in entries if "/form" in each.url)
    assert parser.match_headers(first, "request", "Cookie", "x=1")
    assert first.status == 302 and first.startTime.year == 2023
    assert parser.create_asset_timeline(entries)


def test_content_size_is_that_of_the_decoded_body() -> None:
    flow = ALL[1]
    assert flow.response is not None and flow.response.raw_content is not None
    content = entry(flow)["response"]["content"]
    assert content["size"] == 6000
    assert content["compression"] == 6000 - len(flow.response.raw_content)
    assert entry(flow)["response"]["bodySize"] == len(flow.response.raw_content)


def test_every_body_of_a_request_is_there() -> None:
    assert entry(ALL[3])["request"]["postData"] == {
        "mimeType": "x-unknown",
        "text": base64.b64encode("größe".encode()).decode(),  # no charset is named, so that readers would differ
        "_encoding": "base64",
    }
    assert "postData" not in entry(http_flow(method="POST"))["request"]


def test_a_failure_is_written_as_chromium_does() -> None:
    response = entry(ALL[5])["response"]
    assert response["status"] == 0 and response["_error"] == "connection refused"
    assert entry(ALL[6])["response"]["status"] == 200
    assert entry(ALL[6])["response"]["_error"] == "the server stopped sending"
    assert entry(ALL[7])["response"]["_error"] is None


def test_a_websocket_is_written_as_chromium_does() -> None:
    websocket = entry(twebsocketflow())
    assert websocket["_resourceType"] == "websocket" and websocket["request"]["url"] == "ws://example.com/ws"
    assert websocket["_webSocketMessages"][0] == {
        "type": "send",
        "time": 946681203,
        "opcode": 2,
        "data": base64.b64encode(b"hello binary").decode(),
    }


def test_cookies_have_their_attributes() -> None:
    first, second = entry(ALL[0])["response"]["cookies"]
    assert first == {
        "name": "sid",
        "value": "1",
        "path": "/",
        "sameSite": "Lax",
        "expires": "2015-10-21T07:28:00.000000Z",
        "httpOnly": True,
        "secure": True,
    }
    assert second == {"name": "other", "value": "2", "httpOnly": False, "secure": False}
    assert entry(ALL[0])["request"]["cookies"] == [{"name": "x", "value": "1"}, {"name": "y", "value": "2"}]


def test_the_time_is_the_sum_of_its_parts_and_connecting_counts_once() -> None:
    marked = ALL[11]
    first, second = json.loads(document(marked, marked))["log"]["entries"]
    timings = first["timings"]
    assert timings["connect"] == pytest.approx(29, abs=0.01) and timings["ssl"] == pytest.approx(20, abs=0.01)
    assert timings["blocked"] == pytest.approx(1, abs=0.01) and timings["wait"] == pytest.approx(10, abs=0.01)
    assert first["time"] == pytest.approx(
        sum(timings[key] for key in ("blocked", "connect", "send", "wait", "receive")), abs=0.01
    )
    assert second["timings"]["connect"] == second["timings"]["ssl"] == -1
    assert first["connection"] == second["connection"] and first["serverIPAddress"] == "::1"


def test_no_flow_but_http_has_a_place() -> None:
    assert json.loads(document(tcp_flow((True, b"x"))))["log"]["entries"] == []


def test_no_second_copy_of_a_body_hides_in_the_file() -> None:
    """Who blacks out a text in a HAR must not leave it behind elsewhere."""
    secret = b"correct horse battery staple"
    flow = http_flow("http://example.com/", "POST", request_body=secret, response_body=b"x" + secret)
    assert flow.response is not None
    flow.response.headers["content-encoding"] = "gzip"
    flow.response.content = b"x" + secret
    found = entry(flow)
    del found["request"]["postData"], found["response"]["content"]
    rest = json.dumps(found)
    assert secret.decode() not in rest and base64.b64encode(flow.response.raw_content or b"").decode() not in rest


@pytest.mark.parametrize(
    "pack", [zlib.compress, gzip.compress, lambda data: b"\xef\xbb\xbf \n" + data], ids=["zhar", "gz", "bom"]
)
def test_packed_ones_are_read(pack: Any) -> None:
    assert len(read(pack(document(*ALL)))) == len(ALL)


def test_a_packer_leaves_what_can_be_read_after_every_pause() -> None:
    packer = Packer("x.ZHAR")
    whole = document(*ALL)
    data = packer.pack(whole[:9000]) + packer.pause()
    assert zlib.decompressobj().decompress(data) == whole[:9000]
    other = packer.copy()
    assert zlib.decompress(data + packer.pack(whole[9000:]) + packer.finish()) == whole
    assert zlib.decompress(data + other.pack(whole[9000:]) + other.finish()) == whole


def test_a_large_body_comes_in_small_pieces() -> None:
    text, binary = "ä€😀\n" * 300_000, bytes(range(256)) * 10_000
    flow = http_flow("http://example.com/", "POST", request_body=text.encode(), response_body=binary)
    flow.request.headers["content-type"] = "text/plain; charset=utf-8"
    pieces = list(har_pieces([flow], "1"))
    assert max(map(len, pieces)) < 400_000
    again = read(b"".join(pieces))[0]
    assert again.request.text == text and again.response is not None and again.response.content == binary


def test_a_body_that_no_program_would_open_is_left_out() -> None:
    flow = http_flow(response_body=bytes(LONGEST + 1))
    content = entry(flow)["response"]["content"]
    assert content["size"] == LONGEST + 1 and "text" not in content and "too large" in content["comment"]
    again = read(document(flow))[0]
    assert again.response is not None and again.response.raw_content is None


BODIES = st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
TYPES = st.sampled_from(
    [
        "",
        "text/html",
        "text/plain",
        "application/json",
        "text/plain; charset=utf-16",
        "text/html; charset=shift_jis",
        "text/plain; charset=latin-1",
        "text/plain; charset=utf-7",
        "text/plain; charset=hex",
        "text/plain; charset=nonsense",
        "image/png",
        "application/x-www-form-urlencoded",
        "text/css; charset=gb2312",
    ]
)


@given(BODIES, BODIES, TYPES, st.sampled_from(["", "gzip", "br", "deflate", "zstd", "br, gzip", "unknown"]))
def test_any_body_comes_back(first: bytes, second: bytes, content_type: str, encoding: str) -> None:
    flow = http_flow("http://example.com/", "POST")
    assert flow.response is not None
    for message, body in ((flow.request, first), (flow.response, second)):
        message.headers["content-type"] = content_type
        message.headers["content-encoding"] = encoding
        message.content = body
    after = read(document(flow))[0]
    assert after.response is not None
    assert after.request.content == first and after.response.content == second
    assert after.request.headers.get("content-encoding") == flow.request.headers.get("content-encoding")
    assert after.request.headers["content-length"] == str(len(after.request.raw_content or b""))


@given(st.binary(max_size=40), TYPES)
def test_text_is_what_comes_back_as_the_same_bytes(content: bytes, content_type: str) -> None:
    text = har_text.text_of(content, content_type)
    if text is not None:
        assert har_text.bytes_of(text, content_type, len(content)) == content


NASTY = st.binary(max_size=30)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(NASTY, NASTY, NASTY, NASTY, st.floats(), st.floats())
def test_anything_in_a_flow_gives_a_har(
    host: bytes, path: bytes, name: bytes, value: bytes, start: float, end: float
) -> None:
    flow = http_flow()
    assert flow.response is not None
    flow.request.host, flow.request.raw_path = host.decode("latin-1"), path
    flow.request.raw_method, flow.request.raw_authority = value, name
    flow.request.headers = Headers(((name, value), (b"cookie", value), (b"host", host)))
    flow.response.headers = Headers(((b"set-cookie", value), (b"location", name), (b"content-type", value)))
    flow.request.timestamp_start, flow.response.timestamp_end = start, end
    flow.server_conn.peername = (host.decode("latin-1"), 1)
    flow.comment = value.decode("utf-8", "surrogateescape")
    data = document(flow)
    json.loads(data.decode("utf-8"))
    try:
        read(data)
    except FlowReadException as error:
        assert "entry 1" in str(error)
