from __future__ import annotations

import sys
from pathlib import Path

import pytest

from midstream.console import external_viewer
from midstream.console.external_viewer import VARIABLES, find_viewer
from midstream.flows.errors import CommandError
from tests.console.masters import shown_console
from tests.kit.captured import http_flow, tcp_flow


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path) as shown:
        yield shown


@pytest.fixture
def seen(monkeypatch, tmp_path: Path) -> Path:
    """Where the viewer notes what it was shown."""
    path, seen = tmp_path / "viewer", tmp_path / "seen"
    path.write_text(
        f"#!{sys.executable}\nimport os, sys\npath = sys.argv[-1]\n"
        f"text = open(path).read()\nopen({str(seen)!r}, 'w').write(f'{{path}} {{os.stat(path).st_mode:o}} {{text}}')\n"
    )
    path.chmod(0o755)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PAGER", f"{path} -R")
    monkeypatch.setattr(external_viewer, "KEPT_AFTERWARDS", 0.0)
    return seen


async def test_a_body_is_shown_read_only_and_the_file_goes_afterwards(shown, seen):
    flow = http_flow(
        "http://example.com/",
        "POST",
        request_body=b'{"qty": 1}',
        request_headers=((b"content-type", b"application/json"),),
    )
    shown.view.add(flow)
    shown.press(":", "console.bodyview @focus requ", "tab", "enter")
    await shown.until(lambda: seen.exists() and seen.read_text())
    path, mode, text = seen.read_text().split(" ", 2)
    assert (path.rpartition(".")[2], mode, text) == ("json", "100400", '{"qty": 1}')
    await shown.until(lambda: not Path(path).exists())


async def test_a_body_is_shown_as_it_may_be(shown, seen):
    def mask(flow):
        flow.request.content = b"<password-1>"

    shown.console.master.showing.flows.append(mask)
    flow = http_flow("http://example.com/", "POST", request_body=b"hunter2")
    shown.view.add(flow)
    shown.press(":", "console.bodyview @focus requ", "tab", "enter")
    await shown.until(lambda: seen.exists() and seen.read_text())
    path, _, text = seen.read_text().split(" ", 2)
    assert text == "<password-1>"
    assert flow.request.content == b"hunter2"
    await shown.until(lambda: not Path(path).exists())


async def test_what_cannot_be_shown_says_why(shown, seen, monkeypatch):
    flow = http_flow("http://example.com/", status=None)
    shown.view.add(flow)
    for part, reason in (
        ("response", "this flow has no response body (yet)"),
        ("request", "the body of the request is empty"),
        ("head", "'head' is no choice"),
    ):
        shown.press(":", f"console.bodyview @focus {part}", "enter")
        await shown.until_shown(reason)
        if shown.console.active_prompt is not None:
            shown.press("esc")  # a line that failed stays in the prompt
    flow.request.raw_content = None
    shown.press(":", "console.bodyview @focus request", "enter")
    await shown.until_shown("the request was not stored")
    flow.request.content = b"x"
    monkeypatch.setenv("PAGER", "/nowhere/less")
    shown.press(":", "console.bodyview @focus request", "enter")
    await shown.until_shown("the viewer '/nowhere/less' could not be started: No such file or directory")
    shown.view.clear()
    shown.view.add(tcp_flow())
    shown.press(":", "console.bodyview @focus request", "enter")
    await shown.until_shown("a tcp flow has no body; its messages stand in its details")
    assert not seen.exists()


def test_the_viewer_is_the_first_that_is_named():
    environment = {"EDITOR": "vi -R", "PAGER": "most", "MITMPROXY_EDITOR": "code --wait", "MIDSTREAM_EDITOR": "x"}
    for name, argv in (
        ("MIDSTREAM_EDITOR", ["x"]),
        ("MITMPROXY_EDITOR", ["code", "--wait"]),
        ("PAGER", ["most"]),
        ("EDITOR", ["vi", "-R"]),
    ):
        assert find_viewer(environment) == argv
        del environment[name]
    with pytest.raises(CommandError, match="PAGER is no command line"):
        find_viewer({"PAGER": "'less"})


def test_without_any_viewer_it_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CommandError, match="set PAGER to one"):
        find_viewer({})
