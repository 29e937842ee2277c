"""The commands export, export.clip, export.file and export.formats."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midstream.addons.export import Export
from midstream.addons.redact import Redact
from midstream.flows.errors import CommandError
from midstream.hub.clipboard import Clipboard
from midstream.store.exports.formats import NAMES
from midstream.testing import context
from tests.kit.captured import http_flow, tcp_flow


@pytest.fixture
async def tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[context]:
    for name in ("WAYLAND_DISPLAY", "DISPLAY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    with context(Export()) as running:
        running.master.clipboard = Clipboard(lambda: tmp_path / "config")
        yield running


FLOW = http_flow("http://example.com/", "POST", request_body=b"\xff\0")


async def test_every_format_of_the_list_can_be_exported(tests: context) -> None:
    formats = tests.commands.call("export.formats")
    assert formats == list(NAMES)
    assert {"curl", "httpie", "raw", "raw_request", "raw_response"} <= set(formats)
    for name in formats:
        assert tests.commands.call("export", name, http_flow())


async def test_the_text_keeps_bytes_that_are_none(tests: context) -> None:
    assert tests.commands.call("export", "raw_request", FLOW).encode("utf-8", "surrogateescape").endswith(b"\xff\0")


async def test_a_format_that_is_none_and_a_flow_that_cannot_be_exported_are_explained(tests: context) -> None:
    with pytest.raises(CommandError, match="no export format 'crul'; did you mean 'curl'"):
        tests.commands.call("export", "crul", FLOW)
    with pytest.raises(CommandError, match="a tcp flow is no HTTP request"):
        tests.commands.call("export", "curl", tcp_flow())
    with pytest.raises(CommandError, match="a tcp flow is no HTTP request"):
        await tests.commands.call("export.clip", "raw", tcp_flow())
    with pytest.raises(CommandError, match="wget takes no body that holds NUL"):
        await tests.commands.call("export.clip", "wget", FLOW)


async def test_a_file_gets_the_bytes(tests: context, tmp_path: Path) -> None:
    path = tmp_path / "file"
    await tests.commands.call("export.file", "raw_request", FLOW, str(path))
    once = path.read_bytes()
    assert once.endswith(b"\xff\0")
    await tests.commands.call("export.file", "raw_request", FLOW, f"+{path}")
    assert path.read_bytes() == 2 * once
    with pytest.raises(CommandError, match=r"export\.file: .*/none/x: there is no such folder"):
        await tests.commands.call("export.file", "raw", FLOW, str(tmp_path / "none" / "x"))


async def test_the_clipboard_gets_text(tests: context, tmp_path: Path) -> None:
    await tests.commands.call("export.clip", "raw_request", FLOW)
    assert (tmp_path / "config" / "clipboard.txt").read_text().endswith("\\xff\0")


async def test_the_address_is_kept_if_wanted(tests: context) -> None:
    flow = http_flow("https://example.com/")
    flow.server_conn.peername = ("192.0.2.1", 443)
    assert "--resolve" not in tests.commands.call("export", "curl", flow)
    tests.options.export_preserve_original_ip = True
    assert "--resolve example.com:443:192.0.2.1" in tests.commands.call("export", "curl", flow)


async def test_several_flows_are_one_text(tests: context, tmp_path: Path) -> None:
    flows = [http_flow("http://one.example/"), tcp_flow(), http_flow("http://two.example/")]
    path = tmp_path / "file"
    await tests.commands.call("export.file", "curl", flows, str(path))
    assert path.read_text() == "\n\n".join(tests.commands.call("export", "curl", flows[at]) for at in (0, 2))
    await tests.commands.call("export.file", "har", flows, str(path))
    assert [entry["request"]["url"] for entry in json.loads(path.read_bytes())["log"]["entries"]] == [
        "http://one.example/",
        "http://two.example/",
    ]
    with pytest.raises(CommandError, match="a tcp flow is no HTTP request"):
        await tests.commands.call("export.clip", "har", [tcp_flow(), tcp_flow()])
    with pytest.raises(CommandError, match="1,002 flows are more than 1,000"):
        await tests.commands.call("export.clip", "har", flows * 334)


async def test_cookies_credentials_and_secrets_can_be_left_out(tests: context) -> None:
    flow = http_flow("http://example.com/?token=s3cr3t-enough")
    flow.request.headers["cookie"] = "id=1"
    flow.request.headers["authorization"] = "Bearer abc.def"
    full = tests.commands.call("export", "curl", flow)
    assert "id=1" in full and "abc.def" in full
    less = tests.commands.call("export", "curl", flow, ["cookies", "authorization"])
    assert "id=1" not in less and "abc.def" not in less
    assert "cookie" in flow.request.headers and "authorization" in flow.request.headers
    with pytest.raises(CommandError, match="nothing is called 'cookie'; did you mean 'cookies'"):
        tests.commands.call("export", "curl", flow, ["cookie"])


async def test_secrets_are_masked_once_while_they_are_shown_elsewhere() -> None:
    with context(Export(), Redact()) as tests:
        flow = http_flow("http://example.com/")
        flow.request.headers["authorization"] = "Bearer abc.def"
        assert "abc.def" in tests.commands.call("export", "curl", flow)
        masked = tests.commands.call("export", "curl", flow, ["secrets"])
        assert "abc.def" not in masked and "authorization" in masked.lower()
        assert "abc.def" in tests.commands.call("export", "curl", flow)
