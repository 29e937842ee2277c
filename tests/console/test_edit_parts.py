from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from midstream.console import external_editor, external_program
from midstream.flows.flow import Flow
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow, tcp_flow, websocket_flow


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path) as shown:
        yield shown


def use_editor(monkeypatch, tmp_path: Path, script: str) -> Path:
    """An editor that runs `script` with `text` (bytes) and sets it; returns where it notes each run."""
    path, runs = tmp_path / "editor", tmp_path / "runs"
    path.write_text(
        f"#!{sys.executable}\nimport sys\npath = sys.argv[1]\ntext = open(path, 'rb').read()\n"
        f"open({str(runs)!r}, 'a').write(path + '\\n')\n{script}\nopen(path, 'wb').write(text)\n"
    )
    path.chmod(0o755)
    monkeypatch.setenv("MIDSTREAM_EDITOR", str(path))
    return runs


def held_flow(shown: Shown, **more):
    flow = http_flow(
        "http://example.com/login",
        "POST",
        request_body=b'{"qty": 1}',
        request_headers=((b"HOST", b"example.com"), (b"content-length", b"10"), (b"X-Twice", b"1"), (b"x-twice", b"2")),
        live=True,
        **more,
    )
    shown.view.add(flow)
    flow.intercept()
    shown.view.update(flow)
    return flow


async def test_a_head_is_edited_and_what_was_not_touched_stays(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = text.replace(b'X-Twice: 1', b'X-Twice: one').replace(b'POST', b'PUT')")
    flow = held_flow(shown)
    shown.console.run_command("console.edit.editor request-headers")
    await shown.until_shown("request headers edited")
    assert flow.request.method == "PUT"
    assert flow.request.headers.fields == (
        (b"HOST", b"example.com"),
        (b"content-length", b"10"),
        (b"X-Twice", b"one"),
        (b"x-twice", b"2"),
    )
    assert flow.modified()
    assert flow.intercepted
    shown.press("V")
    await shown.until(lambda: flow.request.method == "POST")


async def test_the_length_follows_the_body_and_an_added_line_end_does_not_count(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = text.replace(b'1', b'1234') + b'\\n'")
    flow = held_flow(shown)
    shown.press("e", "b")
    await shown.until_shown("request body edited")
    assert flow.request.raw_content == b'{"qty": 1234}'
    assert flow.request.headers["content-length"] == "13"


async def test_nothing_changed_is_no_edit(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = text + b'\\n'")
    flow = held_flow(shown)
    shown.press("e", "b")
    await shown.until_shown("request body unchanged")
    assert not flow.modified()


async def test_a_text_that_is_no_head_is_not_lost(shown, monkeypatch, tmp_path):
    runs = use_editor(
        monkeypatch,
        tmp_path,
        "text = text + b'broken\\n' if b'broken' not in text else text.replace(b'broken', b'b: 1')",
    )
    flow = held_flow(shown)
    shown.console.run_command("console.edit.editor request-headers")
    await shown.until_shown("a header is 'name: value', not 'broken'")
    assert not flow.modified()
    path = Path(runs.read_text().strip())
    assert path.read_bytes().endswith(b"broken\n")
    shown.press("y")
    await shown.until_shown("request headers edited")
    assert flow.request.headers["b"] == "1"
    assert not path.parent.exists(), "the file went with its purpose"


async def test_declining_to_edit_again_keeps_the_file(shown, monkeypatch, tmp_path):
    runs = use_editor(monkeypatch, tmp_path, "text = b'nonsense'")
    flow = held_flow(shown)
    shown.console.run_command("console.edit.editor request-headers")
    await shown.until_shown("[y]es")
    shown.press("n")
    path = Path(runs.read_text().strip())
    assert path.read_bytes() == b"nonsense"
    assert not flow.modified()


async def test_a_whole_message_is_edited_at_once(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = text.replace(b'POST', b'PUT').replace(b'\"qty\": 1', b'\"qty\": 12')")
    flow = held_flow(shown)
    shown.console.run_command("console.edit.editor request")
    await shown.until_shown("request edited")
    assert flow.request.method == "PUT"
    assert flow.request.raw_content == b'{"qty": 12}'
    assert flow.request.headers["content-length"] == "11"
    assert flow.request.headers.fields[0] == (b"HOST", b"example.com")
    shown.press("u")
    assert (flow.request.method, flow.request.raw_content) == ("POST", b'{"qty": 1}')
    assert "undone: edit of request method" in shown.text


async def test_undo_redo_and_repeat_have_keys(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = text.replace(b'X-Twice: 1', b'X-Twice: one')")
    first, second = held_flow(shown), held_flow(shown)
    shown.view.set_focus(first.id)
    shown.console.run_command("console.edit.editor request-headers")
    await shown.until_shown("request headers edited")
    shown.press(".")
    assert second.request.headers["x-twice"] == "one, 2"
    assert shown.view.focus_id == second.id
    assert "repeated on flow 2: X-Twice: one set" in shown.text
    shown.press("u", "u")
    assert not first.modified() and not second.modified()
    shown.press("ctrl r")
    assert first.modified() and not second.modified()
    assert "undo 1" in shown.text


async def test_a_response_that_is_not_there_yet_can_be_written(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = b'HTTP/1.1 404 Not Here\\nServer: me\\n'")
    flow = held_flow(shown, status=None)
    shown.console.run_command("console.edit.editor response-headers")
    await shown.until_shown("response headers edited")
    assert (flow.response.status_code, flow.response.reason) == (404, "Not Here")
    assert flow.response.headers["server"] == "me"


def held_conversation(shown: Shown, kind: str) -> Flow:
    message = (True, b"hello")
    flow = websocket_flow(message, live=True) if kind == "websocket" else tcp_flow(message, live=True)
    shown.view.add(flow)
    flow.intercept()
    shown.view.update(flow)
    return flow


@pytest.mark.parametrize("kind", ["websocket", "tcp"])
async def test_a_held_message_is_edited_and_undone(shown, monkeypatch, tmp_path, kind):
    use_editor(monkeypatch, tmp_path, "text = text.replace(b'hello', b'good bye') + b'\\n'")
    flow = held_conversation(shown, kind)

    def content() -> bytes:
        return (flow.websocket if kind == "websocket" else flow).messages[-1].content

    shown.press("e", "e")
    await shown.until_shown("message edited")
    assert "already been sent" not in shown.text
    assert content() == b"good bye"
    assert flow.modified()
    shown.press("V")
    await shown.until(lambda: content() == b"hello")


async def test_a_message_that_is_not_held_was_sent(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "text = b'other'")
    flow = held_conversation(shown, "websocket")
    flow.resume()
    shown.press("e", "e")
    await shown.until_shown("message edited; it had already been sent")


async def test_a_message_that_stays(shown, monkeypatch, tmp_path):
    use_editor(monkeypatch, tmp_path, "pass")
    flow = held_conversation(shown, "tcp")
    shown.press("e", "e")
    await shown.until_shown("message unchanged")
    assert not flow.modified()


async def test_a_flow_without_messages_has_none_to_edit(shown):
    shown.view.add(tcp_flow())
    shown.press("e", "e")
    await shown.until_shown("the flow has no messages")


async def test_short_parts_are_asked_for(shown):
    flow = held_flow(shown)
    shown.press("e", "m")
    shown.press("ctrl u", "PATCH", "enter")
    assert flow.request.method == "PATCH"
    shown.press("e", "s", "ctrl u", "77", "enter")
    assert flow.response.status_code == 200
    assert "'77' is no status code" in shown.prompt_line, "it stays, with the reason"
    shown.press("ctrl u", "418")
    assert "no status" not in shown.prompt_line
    shown.press("enter")
    assert (flow.response.status_code, flow.response.reason) == (418, "I'm a teapot")
    shown.press(";", "look at this", "enter")
    assert flow.comment == "look at this"


async def test_a_refused_value_changes_nothing(shown):
    flow = held_flow(shown, status=None)
    shown.press("e", "s", "ctrl u", "77", "enter")
    assert flow.response is None
    assert not flow.modified()
    shown.press("ctrl u", "204", "enter")
    assert flow.response.status_code == 204, "a response of one's own"
    shown.press("e", "m", "ctrl u", "GE T", "enter")
    assert "spaces" in shown.prompt_line
    assert flow.request.method == "POST"


async def test_commands_say_what_is_missing(shown):
    shown.press(":", "console.edit.focus request-body", "enter")
    assert "no flow has the focus" in shown.text


def test_the_file_and_its_folder_are_private():
    path = external_program.private_file(b"secret", ".txt")
    try:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        external_editor.Edited(b"", path).discard()
    assert not path.parent.exists()


def test_which_editor():
    assert external_editor.find_editor({"EDITOR": "a", "VISUAL": "code -w"}) == ["code", "-w"]
    assert external_editor.find_editor({"EDITOR": "a", "MIDSTREAM_EDITOR": "'my editor' x"}) == ["my editor", "x"]
    with pytest.raises(external_program.NoProgram, match="EDITOR is no command line"):
        external_editor.find_editor({"EDITOR": "'open"})
