"""The commands export, export.clip, export.file and export.formats."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midstream.addons.export import Export
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
