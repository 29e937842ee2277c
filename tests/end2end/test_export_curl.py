"""Exported curl lines, run by real shells against an origin that records what it gets: the very same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from midstream.flows.http import Headers, HTTPFlow
from midstream.store.exports.curl import curl
from midstream.store.exports.outgoing import outgoing
from midstream.store.exports.raw import raw_request
from tests.kit.awkward_requests import awkward_requests
from tests.kit.captured import http_flow
from tests.kit.curl import needs_curl
from tests.kit.origins import Handler, Heard, Origin, answering, ok, origin
from tests.kit.shell_line import SHELLS, batches, run_line
from tests.kit.socket_end import SocketEnd

pytestmark = needs_curl

COUNT = 200


def assert_same(flow: HTTPFlow, heard: Heard) -> None:
    head, _, _ = raw_request(flow).partition(b"\r\n\r\n")
    # White space around a value is no part of it (RFC 9112 §5.1).
    assert heard.head == head.replace(b": \r\n", b":\r\n").removesuffix(b" ") + b"\r\n\r\n"
    assert heard.body == flow.request.raw_content


async def send(flow: HTTPFlow, web: Origin, folder: Path, shell: str = "sh") -> Heard:
    before = len(web.requests)
    await run_line(f"{curl(outgoing(flow))} -sS", folder, shell)
    assert len(web.requests) == before + 1
    return web.requests[-1]


async def test_200_awkward_requests_arrive_byte_by_byte(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".curlrc").write_text('header = "X-From-Curlrc: yes"\nuser-agent = "rc"\n')
    async with origin(answering(lambda _: ok(b"", "Connection: close"))) as web:
        for number, flows in enumerate(batches(list(awkward_requests(COUNT, web.host, web.port)))):
            web.requests.clear()
            lines = [f"{curl(outgoing(flow))} -sS" for flow in flows]
            await run_line("\n".join(lines), tmp_path, SHELLS[number % len(SHELLS)])
            for flow, heard in zip(flows, web.requests, strict=True):
                assert_same(flow, heard)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("body", [b"\0\xff'\\!\n" * 400_000, b"it's plain text\n" * 20_000], ids=["binary", "text"])
async def test_a_body_longer_than_any_argument_comes_through_a_pipe(tmp_path: Path, shell: str, body: bytes) -> None:
    async with origin(answering(lambda _: ok(b"", "Connection: close"))) as web:
        flow = http_flow(web.url("/"), "POST", request_body=body)
        flow.request.headers = Headers(((b"Host", web.authority.encode()), (b"Content-Length", b"%d" % len(body))))
        script = tmp_path / "export.sh"  # the line itself is longer than an argument may be
        script.write_text(f"{curl(outgoing(flow))} -sS")
        await run_line(f". {script}", tmp_path, shell)
        assert_same(flow, web.requests[-1])


async def test_http_1_0_without_a_host_stays_without_one(tmp_path: Path) -> None:
    async with origin(answering(lambda _: ok(b"", "Connection: close"))) as web:
        flow = http_flow(web.url("/old"))
        flow.request.http_version = "HTTP/1.0"
        assert (await send(flow, web, tmp_path)).head == b"GET /old HTTP/1.0\r\n\r\n"


async def test_an_ipv6_address_and_brackets_in_the_path(tmp_path: Path) -> None:
    async with origin(answering(lambda _: ok(b"", "Connection: close")), host="::1") as web:
        flow = http_flow(web.url("/[x]"), request_headers=((b"Host", web.authority.encode()),))
        assert_same(flow, await send(flow, web, tmp_path))


async def test_a_compressed_answer_is_readable_and_the_request_the_same(tmp_path: Path) -> None:
    import gzip

    answer = ok(gzip.compress(b"readable"), "Content-Encoding: gzip", "Connection: close")
    async with origin(answering(lambda _: answer)) as web:
        fields = ((b"Host", web.authority.encode()), (b"Accept-Encoding", b"gzip, br;q=0.1"))
        flow = http_flow(web.url("/"), request_headers=fields)
        assert await run_line(f"{curl(outgoing(flow))} -sS", tmp_path) == b"readable"
        assert_same(flow, web.requests[-1])


async def test_the_address_that_the_server_had_is_kept_if_wanted(tmp_path: Path) -> None:
    async with origin(answering(lambda _: ok(b"", "Connection: close"))) as web:
        flow = http_flow(f"http://no-such-host.example:{web.port}/")
        flow.request.headers = Headers(((b"Host", b"no-such-host.example:%d" % web.port),))
        flow.server_conn.peername = ("127.0.0.1", web.port)
        await run_line(f"{curl(outgoing(flow), keep_address=True)} -sS", tmp_path)
        assert_same(flow, web.requests[-1])


@dataclass
class Http2Heard:
    """What one stream brought."""

    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


def hearing(heard: list[Http2Heard]) -> Handler:
    """A server of HTTP/2 made of the library h2, since curl sends priorities, of which our own peer wants none."""

    async def serve(end: SocketEnd) -> None:
        talk = H2Connection(H2Configuration(client_side=False, header_encoding=None, normalize_inbound_headers=False))
        talk.initiate_connection()
        end.say(talk.data_to_send())
        now = Http2Heard()
        while data := await end.reader.read(65536):
            for event in talk.receive_data(data):
                if isinstance(event, RequestReceived):
                    now.fields = [(bytes(name), bytes(value)) for name, value in event.headers]
                elif isinstance(event, DataReceived):
                    now.body += event.data
                    talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    heard.append(now)
                    talk.send_headers(event.stream_id, [(b":status", b"204")], end_stream=True)
            end.say(talk.data_to_send())

    return serve


async def test_requests_of_http_2_have_the_same_fields_and_body(tmp_path: Path) -> None:
    heard: list[Http2Heard] = []
    async with origin(hearing(heard)) as web:
        for number, flow in enumerate(awkward_requests(60, web.host, web.port, seed=2)):
            request = flow.request
            request.http_version = "HTTP/2.0"
            request.authority = web.authority if number % 2 else "other.example"
            hop = (b"host", b"connection", b"transfer-encoding", b"te", b"expect")
            fields = tuple([(name.lower(), value) for name, value in request.headers.fields if name.lower() not in hop])
            request.headers = Headers(fields)
            await run_line(f"{curl(outgoing(flow))} -sS", tmp_path, SHELLS[number % len(SHELLS)])
            got = heard[number]
            pseudo = {
                b":method": request.data.method,
                b":scheme": b"http",
                b":authority": request.data.authority,
                b":path": request.data.path,
            }
            assert dict(got.fields[:4]) == pseudo
            rest = got.fields[4:]
            if request.raw_content and "content-length" not in request.headers:
                rest.remove((b"content-length", b"%d" % len(request.raw_content)))
            assert tuple(rest) == fields
            assert got.body == request.raw_content
    assert len(heard) == 60
