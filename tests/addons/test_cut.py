"""The commands cut, cut.save and cut.clip: paths of attributes, and what is written of what they find."""

from __future__ import annotations

import csv
import gzip
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from midstream.addons.cut import Cut, extract
from midstream.flows.certificate import Cert
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub.clipboard import Clipboard
from midstream.testing import context
from tests.kit import pki
from tests.kit.captured import dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow


@pytest.fixture
async def tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[context]:
    for name in ("WAYLAND_DISPLAY", "DISPLAY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    with context(Cut()) as running:
        running.master.clipboard = Clipboard(lambda: tmp_path / "config")
        yield running


FLOW = http_flow(
    "http://example.com:8080/path?q",
    "POST",
    request_body=b"in\xff",
    response_body=b"out",
    request_headers=((b"X.y", b"one"), (b"x.Y", b"two")),
)


@pytest.mark.parametrize(
    ("cut", "found"),
    [
        ("request.method", "POST"),
        ("request.url", "http://example.com:8080/path?q"),
        ("request.port", "8080"),
        ("request.content", b"in\xff"),
        ("request.raw_content", b"in\xff"),
        ("request.text", "in\xff"),
        ("request.header[x.y]", "one, two"),
        ("request.header[absent]", ""),
        ("request.header", ""),
        ("request.timestamp_start", "1700000000.0"),
        ("response.status_code", "200"),
        ("response.reason", "OK"),
        ("response.header[content-type]", "text/plain"),
        ("client_conn.peername.host", "127.0.0.1"),
        ("client_conn.peername.port", "51022"),
        ("client_conn.tls_established", "false"),
        ("client_conn.sni", ""),
        ("server_conn.address.host", "example.com"),
        ("server_conn.ip_address.host", ""),
        ("server_conn.certificate_list", ""),
        ("request.nothing.of.it", ""),
        ("request.host.port", ""),
    ],
)
def test_what_a_cut_finds(cut: str, found: str | bytes) -> None:
    assert extract(cut, FLOW) == found


@pytest.mark.parametrize("flow", [dns_flow(), tcp_flow(), udp_flow(), http_flow(status=None)])
@pytest.mark.parametrize("cut", ["response.header[x]", "response.status_code", "response.text", "websocket"])
def test_what_is_not_there_is_an_empty_text_in_flows_of_every_kind(flow: Flow, cut: str) -> None:
    assert extract(cut, flow) == ""


@pytest.mark.parametrize("cut", ["_id", "request._headers", "request.__class__", "request..method", "", "request.copy"])
def test_what_is_private_or_does_something_is_refused(cut: str) -> None:
    with pytest.raises(CommandError, match="is no cut"):
        extract(cut, FLOW)


def test_a_certificate_is_pem_and_of_a_chain_the_first() -> None:
    flow = http_flow()
    first, second = (Cert(pki.issue([name], None).certificate) for name in ("a.example", "b.example"))
    flow.server_conn.certificate_list = [first, second]
    pem = first.to_pem().decode()
    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    assert extract("server_conn.certificate_list", flow) == pem


def test_bodies_are_decoded_and_raw_ones_are_not() -> None:
    packed = gzip.compress(b"plain")
    flow = http_flow(response_body=packed, response_headers=((b"Content-Encoding", b"gzip"),))
    assert extract("response.content", flow) == b"plain"
    assert extract("response.raw_content", flow) == packed
    assert flow.response is not None
    flow.response.raw_content = b"no gzip"
    assert extract("response.content", flow) == b"no gzip"


@pytest.mark.parametrize("cut", ["request.content", "response.content"])
def test_the_content_of_a_websocket_is_what_was_said(cut: str) -> None:
    assert extract(cut, websocket_flow((True, b"hi"), (False, b"\xff"))) == b"[OUTGOING] hi\n[INCOMING] \xff"


async def test_the_command_gives_a_table(tests: context) -> None:
    table = tests.commands.call("cut", [FLOW, dns_flow()], ["request.method", "type"])
    assert table == [["POST", "http"], ["", "dns"]]


async def run(tests: context, name: str, *arguments: Any) -> None:
    await tests.commands.call(name, *arguments)


async def test_one_part_is_written_as_it_is(tests: context, tmp_path: Path) -> None:
    path = tmp_path / "body"
    await run(tests, "cut.save", [FLOW], ["request.content"], str(path))
    assert path.read_bytes() == b"in\xff"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await run(tests, "cut.save", [FLOW], ["request.text"], str(path))
    assert path.read_bytes() == "in\xff".encode()
    await run(tests, "cut.save", [FLOW], ["request.content"], str(path))
    await run(tests, "cut.save", [FLOW], ["response.content"], f"+{path}")
    assert path.read_bytes() == b"in\xff\nout"
    await run(tests, "cut.save", [FLOW], ["response.content"], f"+{tmp_path / 'new'}")
    assert (tmp_path / "new").read_bytes() == b"out"


async def test_more_are_csv_that_a_reader_gets_back(tests: context, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    flows = [http_flow(f"http://example.com/{n}", request_headers=((b"x", b'a,"b"\xe9'),)) for n in range(3000)]
    await run(tests, "cut.save", flows, ["request.path", "request.header[x]", "response.content"], str(path))
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 3000
    assert rows[7] == ["/7", 'a,"b"\udce9', "b'hello'"]
    await run(tests, "cut.save", flows[:1], ["request.path", "request.method"], f"+{path}")
    assert path.read_bytes().endswith(b"\r\n/0,GET\r\n")


async def test_no_flow_writes_nothing(tests: context, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no such flow"):
        await run(tests, "cut.save", [], ["request.path"], str(tmp_path / "file"))
    assert not (tmp_path / "file").exists()


async def test_a_file_that_cannot_be_written_is_named(tests: context, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"cut\.save: .*/none/file: there is no such folder"):
        await run(tests, "cut.save", [FLOW], ["request.path"], str(tmp_path / "none" / "file"))


async def test_the_clipboard_gets_text_never_raw_bytes(tests: context, tmp_path: Path) -> None:
    copied = tmp_path / "config" / "clipboard.txt"
    await run(tests, "cut.clip", [FLOW], ["request.content"])
    assert copied.read_text() == "in\\xff"
    await run(tests, "cut.clip", [FLOW, FLOW], ["request.method", "request.content"])
    assert copied.read_bytes() == b"POST,b'in\\xff'\r\nPOST,b'in\\xff'\r\n"


async def test_a_path_that_is_misspelt_is_named(
    tests: context, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = str(tmp_path / "cut.csv")
    await run(tests, "cut.save", [FLOW, FLOW], ["request.url", "response.header[none]", "comment", "coment"], path)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "cut: no flow has anything at coment"
    ]
    caplog.clear()
    await run(tests, "cut.save", [FLOW], ["request.methd"], path)
    assert "cut: no flow has anything at request.methd; did you mean 'request.method'?" in caplog.messages
    caplog.clear()
    await run(tests, "cut.save", [FLOW, FLOW], ["id", "request.stream"], path)
    assert len(caplog.messages) == 1
