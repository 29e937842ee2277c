"""Flows whose large bodies and long conversations are on the disk: the console reads them in a thread, never on its
loop, and everything is there when it is needed."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from midstream.flows.elsewhere import unread_parts
from midstream.flows.websocket import TEXT, WebSocketData, WebSocketMessage
from midstream.store import session as session_module
from midstream.store import session_reader
from midstream.store.session import Session
from midstream.store.session_file import SessionFile
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow

JSON = ((b"Content-Type", b"application/json"),)


def body_of(number: int) -> bytes:
    return b'{"first": %d, "rest": "' % number + b"x" * 3_000_000 + b'"}'


BODY = body_of(0)


@pytest.fixture(autouse=True)
def readers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads in which something was read that had been left on the disk."""
    threads: list[str] = []
    touched = session_reader.Reader._touched

    def noted(self: Any, number: int, read: Any) -> Any:
        threads.append(threading.current_thread().name)
        return touched(self, number, read)

    monkeypatch.setattr(session_reader.Reader, "_touched", noted)
    monkeypatch.setattr(session_module, "MOST_FLOWS", 0)
    monkeypatch.setattr(session_module, "MOST_BYTES", 0)
    return threads


@asynccontextmanager
async def with_session(folder: Path) -> AsyncIterator[tuple[Shown, Session]]:
    async with shown_console(folder) as shown:
        view = shown.view
        session = Session(SessionFile(str(folder / "a.session")), view.flows_in_memory, view)
        view.attach(session)
        for number in range(2):
            view.add(http_flow(f"http://example.com/{number}", response_body=body_of(number), response_headers=JSON))
        talk = http_flow("http://example.com/talk")
        talk.websocket = WebSocketData([WebSocketMessage(TEXT, True, b"said %d" % at) for at in range(2000)])
        view.add(talk)
        del talk
        await session.flush()
        try:
            yield shown, session
        finally:
            shown.console.close()
            await session.close()
            view.detach()


async def test_moving_over_them_reads_nothing(tmp_path: Path, readers: list[str]) -> None:
    async with with_session(tmp_path) as (shown, session):
        shown.press("g", "down", "down", "up", "m", "down", ":", "flow.comment @focus seen", "enter", "U", "u")
        assert "talk" in shown.text
        await session.flush()
        assert not readers


async def test_the_details_show_the_head_at_once_and_the_body_when_it_is_there(
    tmp_path: Path, readers: list[str]
) -> None:
    async with with_session(tmp_path) as (shown, _):
        shown.press("g", "enter", "tab")
        assert "application/json" in shown.text
        assert "reading 2.9m …" in shown.text
        await shown.until_shown('"first"')
        await shown.until_shown("pretty")
        shown.press(" ")
        assert "reading" in shown.text
        await shown.until_shown('"first"')
        assert readers
        assert "MainThread" not in readers


async def test_a_long_conversation_is_read_beside(tmp_path: Path, readers: list[str]) -> None:
    async with with_session(tmp_path) as (shown, session):
        shown.press("G", "enter", "tab", "tab")
        assert "Reading 2,000 messages …" in shown.text
        await shown.until_shown("said 1999")
        await session.flush()  # what is shown stays in memory
        assert "said 1999" in shown.text
        assert set(readers) == {"session-read_0"}


async def test_the_peek_reads_beside(tmp_path: Path, readers: list[str]) -> None:
    async with with_session(tmp_path) as (shown, session):
        shown.press("g", "P")
        assert "Reading 2.9m …" in shown.text
        await shown.until_shown('"first"')
        for _ in range(3):
            await session.flush()
            assert '"first"' in shown.text
        assert readers == ["session-read_0"]


async def test_two_are_compared(tmp_path: Path, readers: list[str]) -> None:
    async with with_session(tmp_path) as (shown, session):
        shown.press("g", "m", "down", "c", "tab")
        await shown.until_shown('"first": 1')
        await session.flush()
        assert '"first": 1' in shown.text
        assert "MainThread" not in readers


async def test_commands_that_need_them_wait_for_them(tmp_path: Path, readers: list[str]) -> None:
    async with with_session(tmp_path) as (shown, _):
        out = tmp_path / "body"
        shown.press("g", ":", f"cut.save @focus response.content {out}", "enter")
        await shown.until(lambda: out.exists() and out.read_bytes() == BODY)
        shown.press("down", ":", f"export.file raw_response @focus {out}2", "enter")
        await shown.until(lambda: Path(f"{out}2").exists() and Path(f"{out}2").read_bytes().endswith(body_of(1)))
        shown.press(":", "flow.encode @focus response gzip", "enter")
        flow = shown.console.focused_flow()
        assert flow is not None
        await shown.until(lambda: "content-encoding" in flow.response.headers)  # type: ignore[attr-defined]
        assert flow.response.content == body_of(1)  # type: ignore[attr-defined]
        assert readers
        assert "MainThread" not in readers


async def test_a_key_is_about_the_flow_that_had_the_focus_when_it_was_pressed(tmp_path: Path) -> None:
    async with with_session(tmp_path) as (shown, _):
        shown.press("g", "y", "B", "down")
        await shown.until_shown("another flow has the focus by now")
        out = tmp_path / "body"
        shown.press("g", ":", f"cut.save @focus response.content {out}", "enter", "down")
        await shown.until(lambda: out.exists() and out.read_bytes() == BODY)


async def test_a_script_that_touches_one_waits_for_it(tmp_path: Path, readers: list[str]) -> None:
    async with with_session(tmp_path) as (shown, _):
        flow: Any = shown.view.get(shown.view.shown[0])
        assert unread_parts(flow)
        assert flow.response.json()["first"] == 0
        assert readers == ["MainThread"]
