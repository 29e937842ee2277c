"""Flows as printed lines."""

import gzip
import io
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import AsyncIterator, Iterator
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.addons.dumper import Dumper
from midstream.addons.dumper_text import Look, http_lines
from midstream.flows.dns import ResourceRecord
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Error
from midstream.flows.http import Headers
from midstream.hub.master import Master
from midstream.testing import context
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(loadcore=False) as tests:
        yield tests.master


@pytest.fixture
def out(master: Master) -> Iterator[io.StringIO]:
    written = io.StringIO()
    master.addons.add(Dumper(written))
    yield written


async def test_two_lines_for_an_exchange(master: Master, out: io.StringIO) -> None:
    await master.events.response(http_flow(response_body=b"x" * 1229))
    assert out.getvalue() == "127.0.0.1:51022 GET http://example.com/path\n    <- 200 OK 1.2k 92ms\n"


async def test_nothing_at_detail_0_and_nothing_that_the_filter_refuses(master: Master, out: io.StringIO) -> None:
    master.options.dumper_filter = "~m POST"
    await master.events.response(http_flow())
    master.options.update(dumper_filter=None, flow_detail=0)
    await master.events.response(http_flow())
    await master.events.websocket_message(websocket_flow((True, b"x")))
    assert out.getvalue() == ""
    with pytest.raises(OptionsError, match="dumper_filter: column 1"):
        master.options.dumper_filter = "~nothing"
    with pytest.raises(OptionsError, match="flow_detail: 5 is above 4"):
        master.options.flow_detail = 5


async def test_headers_trailers_and_versions(master: Master, out: io.StringIO) -> None:
    master.options.flow_detail = 2
    flow = http_flow(request_headers=((b"Host", b"example.com"), (b"x", b"\x1b[31m\xff")), response_headers=())
    flow.request.http_version = "HTTP/2.0"
    flow.is_replay = "request"
    assert flow.response is not None
    flow.response.trailers = Headers(((b"checksum", b"abc"),))
    await master.events.response(flow)
    assert out.getvalue().splitlines() == [
        "127.0.0.1:51022 GET http://example.com/path [replay] [HTTP/2.0 HTTP/1.1]",
        "        Host: example.com",
        "        x: ␛[31m\\xff",
        "    <- 200 OK 5b 92ms",
        "        (trailers)",
        "        checksum: abc",
    ]


async def test_bodies_are_decoded_and_cut(master: Master, out: io.StringIO) -> None:
    master.options.update(flow_detail=3, content_view_lines_cutoff=2)
    body = b"first\r\n\tsecond\x07\nthird"
    flow = http_flow(response_body=gzip.compress(body), response_headers=((b"content-encoding", b"gzip"),))
    await master.events.response(flow)
    lines = out.getvalue().splitlines()
    assert lines[-4:] == [
        "        first",
        "                second␇",
        "        (cut off after 2 lines; flow_detail=4 shows everything)",
        "",
    ]
    master.options.flow_detail = 4
    await master.events.response(flow)
    assert out.getvalue().splitlines()[-3:] == ["                second␇", "        third", ""]


async def test_long_lines_are_cut_too(master: Master, out: io.StringIO) -> None:
    master.options.flow_detail = 3
    await master.events.response(http_flow(response_body=b"x" * 10_000))
    assert max(map(len, out.getvalue().splitlines())) < 5000
    assert "(line cut off)" in out.getvalue()


async def test_binary_bodies_are_dumped_in_hex(master: Master, out: io.StringIO) -> None:
    master.options.flow_detail = 3
    await master.events.response(http_flow(response_body=b"\x89PNG\x00\x01"))
    assert "        00000000  89 50 4e 47 00 01 " in out.getvalue()


async def test_a_streamed_body_is_named(master: Master, out: io.StringIO) -> None:
    flow = http_flow()
    assert flow.response is not None
    flow.response.raw_content = None
    flow.response.stream = True
    await master.events.response(flow)
    assert "<- 200 OK (streamed)" in out.getvalue()


async def test_errors(master: Master, out: io.StringIO) -> None:
    flow = http_flow(status=None)
    flow.error = Error("server reset\nby peer")
    await master.events.error(flow)
    assert out.getvalue().splitlines()[1] == "    !! server reset␊by peer"


async def test_a_tunnel_that_was_refused(master: Master, out: io.StringIO) -> None:
    flow = http_flow("http://example.com:443/", "CONNECT", status=502, response_body=b"")
    flow.error = Error("no such host")
    await master.events.http_connect_error(flow)
    assert out.getvalue().splitlines() == [
        "127.0.0.1:51022 CONNECT example.com:443",
        "    <- 502 Bad Gateway 0b 92ms",
        "    !! no such host",
    ]


async def test_websocket_messages_and_end(master: Master, out: io.StringIO) -> None:
    master.options.flow_detail = 3
    flow = websocket_flow((True, b"hi\x1b"))
    await master.events.websocket_message(flow)
    assert flow.websocket is not None
    flow.websocket.closed_by_client = True
    flow.websocket.close_code = 1000
    flow.websocket.close_reason = "bye"
    await master.events.websocket_end(flow)
    assert out.getvalue().splitlines() == [
        "127.0.0.1:51022 -> http://example.com/socket websocket text 3b",
        "        hi␛",
        "127.0.0.1:51022 websocket closed by client: 1000 bye after 1 message http://example.com/socket",
    ]


async def test_a_websocket_that_broke_off(master: Master, out: io.StringIO) -> None:
    flow = websocket_flow()
    assert flow.websocket is not None
    flow.websocket.closed_by_client, flow.websocket.close_code = False, 1006
    await master.events.websocket_end(flow)
    assert "websocket closed by server: 1006 broke off after 0 messages" in out.getvalue()


async def test_a_websocket_that_did_not_end_by_itself(master: Master, out: io.StringIO) -> None:
    flow = websocket_flow((False, b"made here"))
    assert flow.websocket is not None
    flow.websocket.messages[-1].injected = True
    await master.events.websocket_message(flow)
    flow.websocket.closed_by_client = None
    flow.websocket.close_code = 1006
    flow.websocket.close_reason = None
    flow.error = Error("Connection killed.")
    await master.events.websocket_end(flow)
    assert out.getvalue().splitlines() == [
        "127.0.0.1:51022 <- http://example.com/socket websocket text (injected) 9b",
        "127.0.0.1:51022 websocket ended by the proxy: 1006 after 1 message http://example.com/socket",
        "    !! Connection killed.",
    ]


async def test_tcp_and_udp(master: Master, out: io.StringIO) -> None:
    await master.events.tcp_message(tcp_flow((False, b"12345")))
    await master.events.udp_message(udp_flow((True, b"1")))
    tcp, udp = tcp_flow(), udp_flow()
    tcp.error = udp.error = Error("refused")
    await master.events.tcp_error(tcp)
    await master.events.udp_error(udp)
    assert out.getvalue().splitlines() == [
        "127.0.0.1:51022 <- example.com:9000 tcp 5b",
        "127.0.0.1:51022 -> example.com:9001 udp 1b",
        "127.0.0.1:51022 tcp example.com:9000",
        "    !! refused",
        "127.0.0.1:51022 udp example.com:9001",
        "    !! refused",
    ]


async def test_dns(master: Master, out: io.StringIO) -> None:
    flow = dns_flow("dns.example")
    assert flow.response is not None
    flow.response.answers.append(ResourceRecord.A("dns.example", IPv4Address("192.0.2.1")))
    await master.events.dns_response(flow)
    failed = dns_flow(answered=False)
    failed.response = failed.request.fail(3)
    failed.error = Error("no servers")
    await master.events.dns_error(failed)
    assert out.getvalue().splitlines() == [
        "127.0.0.1:51022 DNS A dns.example",
        "    <- 192.0.2.1",
        "127.0.0.1:51022 DNS A dns.example",
        "    <- NXDOMAIN",
        "    !! no servers",
    ]


async def test_a_terminal_gets_colours_and_short_urls(master: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    terminal = Terminal()
    master.addons.add(Dumper(terminal))
    await master.events.response(http_flow("http://example.com/" + "a" * 100))
    text = terminal.getvalue()
    assert "\x1b[1mGET\x1b[0m" in text
    plain = re.sub(r"\x1b\[[0-9]*m", "", text).splitlines()
    assert len(plain[0]) == 60
    assert plain[0].endswith("a…")
    monkeypatch.setenv("NO_COLOR", "1")
    master.options.flow_detail = 2
    await master.events.response(http_flow("http://example.com/" + "b" * 100))
    assert "b" * 100 in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()[len(text) :]


async def test_a_file_that_knows_no_unicode(master: Master) -> None:
    raw = io.BytesIO()
    master.addons.add(Dumper(io.TextIOWrapper(raw, encoding="ascii")))
    flow = http_flow()
    flow.request.path = "/ü\x1b"
    await master.events.response(flow)
    assert b"/\\xfc\\u241b" in raw.getvalue()


async def test_a_reader_that_goes_away_ends_the_program_quietly(master: Master) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as gone:
        master.addons.add(Dumper(gone))
        await master.events.response(http_flow())
        assert master.should_exit.is_set()
        await master.events.response(http_flow())
        master.options.flow_detail = 2
        await master.events.response(http_flow())


def test_stdout_that_goes_away_leaves_no_complaint() -> None:
    script = """
import asyncio
from midstream.addons.dumper import Dumper
from midstream.hub import ctx
from midstream.hub.master import Master
from midstream.hub.options import Options
from tests.kit.captured import http_flow

async def main():
    master = Master(Options())
    with ctx.use(master):
        master.addons.add(Dumper())
        while not master.should_exit.is_set():
            await master.events.response(http_flow())
        await master.done()

asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"127.0.0.1")
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(10) == 0


@given(st.binary(), st.text(st.characters()), st.binary(), st.binary(), st.text(st.characters()), st.integers(1, 4))
def test_nothing_from_the_network_reaches_the_terminal_unescaped(
    method: bytes, host: str, path: bytes, body: bytes, message: str, detail: int
) -> None:
    flow = http_flow(request_body=body, response_body=body, request_headers=((b"Host", path), (path, body)))
    flow.request.raw_method, flow.request.raw_path = method, path
    flow.request.raw_http_version = method
    flow.server_conn.address = (host, 1)
    assert flow.response is not None
    flow.response.raw_reason = path
    flow.error = Error(message)
    for named_host in (True, False):
        for line in http_lines(flow, Look(detail=detail, named_host=named_host)):
            assert not [char for char in line if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
            line.encode()
