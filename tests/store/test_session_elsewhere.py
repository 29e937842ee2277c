"""Large bodies and long conversations of flows on disk: they are read when they are touched, and nothing of them is
lost, whatever is done to their flow before."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from midstream.flows.elsewhere import Elsewhere, conversation_of, unread_parts
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.flows.websocket import TEXT, WebSocketData, WebSocketMessage
from midstream.hub.recording import Recorder
from midstream.store import session as session_module
from midstream.store.session import Session
from midstream.store.session_file import PIECE
from midstream.store.view import View
from midstream.testing.flows import ttcpflow
from tests.store.test_session import http, resumed, session_at

SENT, BODY = b"sent " * 100_000, b"received" * PIECE


def large() -> HTTPFlow:
    flow = http(body=BODY)
    flow.request.raw_content = SENT
    return flow


def socket(count: int = 1000) -> HTTPFlow:
    flow = http()
    flow.websocket = WebSocketData([WebSocketMessage(TEXT, True, b"m%d" % at, float(at)) for at in range(count)])
    return flow


def tunnel(count: int = 1000) -> TCPFlow:
    flow = ttcpflow()
    flow.live = False
    flow.messages = [TCPMessage(False, b"m%d" % at, float(at)) for at in range(count)]
    return flow


@pytest.fixture(autouse=True)
def _nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "MOST_FLOWS", 0)
    monkeypatch.setattr(session_module, "MOST_BYTES", 0)


@pytest.fixture(params=["disk", "memory"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "a.session") if request.param == "disk" else ""


async def put_away(view: View, session: Session, flows: Sequence[Flow]) -> list[str]:
    for flow in flows:
        view.add(flow)
    return [flow.id for flow in flows]


def contents(flow: Flow) -> list[bytes]:
    owner = conversation_of(flow)
    assert owner is not None
    return [message.content for message in owner.messages]


def got(view: View, id_: str) -> Any:
    flow = view.get(id_)
    assert flow is not None
    return flow


async def test_a_large_body_is_read_when_it_is_touched_and_not_before(where: str) -> None:
    async with session_at(where) as (view, session):
        (id_,) = await put_away(view, session, [large()])
        await session.flush()
        assert view.in_memory(id_) is None
        flow = got(view, id_)
        view.update(flow)
        assert (view.row(id_).size, len(unread_parts(flow))) == (len(BODY), 2)
        assert isinstance(flow.response, Response)
        assert flow.response.raw_content == BODY
        assert len(unread_parts(flow)) == 1
        assert type(flow.response) is Response
        assert flow.request.content == SENT
        assert type(flow.request) is Request
        assert flow.get_state() == flow.copy().get_state() | {"id": flow.id}


@pytest.mark.parametrize("made", [socket, tunnel])
async def test_a_long_conversation_is_read_when_it_is_touched(where: str, made: Callable[[], Flow]) -> None:
    async with session_at(where) as (view, session):
        (id_,) = await put_away(view, session, [made()])
        await session.flush()
        before = view.row(id_).messages, view.row(id_).size, view.row(id_).duration
        flow = got(view, id_)
        view.update(flow)
        assert unread_parts(flow)
        assert (view.row(id_).messages, view.row(id_).size, view.row(id_).duration) == before
        assert contents(flow) == [b"m%d" % at for at in range(1000)]
        assert type(conversation_of(flow)) in (WebSocketData, TCPFlow)
        assert contents(flow.copy()) == contents(flow)


async def test_reading_it_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    async with session_at(path) as (view, session):
        ids = await put_away(view, session, [large(), socket(), tunnel()])
        await session.flush()
        with sqlite3.connect(path) as db:
            before = list(db.execute("SELECT rowid FROM messages")), db.execute("PRAGMA data_version").fetchone()
        for id_ in ids:
            flow = got(view, id_)
            assert flow.get_state()
            assert not unread_parts(flow)
            del flow
        session.shrink()
        await session.flush()
        assert session.in_memory == 0
        with sqlite3.connect(path) as db:
            assert list(db.execute("SELECT rowid FROM messages")) == before[0]
        db.close()


@pytest.mark.parametrize("reads", [False, True])
async def test_a_mark_writes_no_body_anew(where: str, reads: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async with session_at(where) as (view, session):
        ids = await put_away(view, session, [large(), socket()])
        await session.flush()
        written: list[Any] = []
        write = session.file.write
        monkeypatch.setattr(session.file, "write", lambda batch: written.extend(batch.flows) or write(batch))
        for id_ in ids:
            flow = got(view, id_)
            if reads:
                assert flow.get_state()
            flow.marked = ":ok:"
            view.update(flow)
            del flow
        await session.flush()
        assert len(written) == 2
        assert not any(each.bodies or each.messages for each in written)
        assert session.in_memory == 0
        assert [view.row(id_).marked for id_ in ids] == [":ok:", ":ok:"]
        assert got(view, ids[0]).response.raw_content == BODY
        assert len(contents(got(view, ids[1]))) == 1000


async def test_edits_of_what_was_elsewhere_are_kept(where: str) -> None:
    async with session_at(where) as (view, session):
        ids = await put_away(view, session, [large(), socket(), tunnel()])
        await session.flush()
        flow = got(view, ids[0])
        flow.response.text = "short"  # though it was never read
        flow.request.raw_content = SENT + b"!"
        del flow
        flow = got(view, ids[1])
        flow.websocket.messages[7].content = b"edited"
        flow.websocket.messages.append(WebSocketMessage(TEXT, True, b"more"))
        del flow
        got(view, ids[2]).messages = []
        session.shrink()
        await session.flush()
        assert session.in_memory == 0
        flow = got(view, ids[0])
        assert (flow.response.raw_content, flow.request.raw_content) == (b"short", SENT + b"!")
        said = contents(got(view, ids[1]))
        assert (len(said), said[7], said[-1]) == (1001, b"edited", b"more")
        assert contents(got(view, ids[2])) == []


async def test_what_was_there_before_an_edit_can_be_had_back(where: str) -> None:
    async with session_at(where) as (view, session):
        (id_,) = await put_away(view, session, [large()])
        await session.flush()
        recorder = Recorder()
        recorder.on = True
        flow = got(view, id_)
        with recorder.of([flow], "you", "a mark"):
            flow.marked = ":ok:"
        assert len(unread_parts(flow)) == 2
        found: list[Any] = []
        recorder.gesture_ended = lambda gesture: found.extend(gesture.touched)
        with recorder.of([flow], "you", "an edit"):
            flow.response.raw_content = b"other"
        await session.flush()
        (part,) = found[0].parts
        assert (part.name, part.before, part.after) == ("response.content", BODY, b"other")
        assert unread_parts(flow), "nobody touched the request"


async def test_a_body_may_be_given_to_another_flow(where: str) -> None:
    async with session_at(where) as (view, session):
        (id_,) = await put_away(view, session, [large()])
        await session.flush()
        flow, other = got(view, id_), http("/other")
        other.response = flow.response
        (other_id,) = await put_away(view, session, [other])
        del flow, other
        await session.flush()
        view.remove([id_])
        await session.flush()
        session.shrink()
        assert session.in_memory == 0
        assert got(view, other_id).response.raw_content == BODY


async def test_a_conversation_may_be_given_to_another_flow(where: str) -> None:
    async with session_at(where) as (view, session):
        (id_,) = await put_away(view, session, [socket()])
        await session.flush()
        other = http("/other")
        other.websocket = got(view, id_).websocket
        (other_id,) = await put_away(view, session, [other])
        del other
        await session.flush()
        view.remove([id_])
        await session.flush()
        session.shrink()
        assert session.in_memory == 0
        assert len(contents(got(view, other_id))) == 1000


async def test_who_holds_a_deleted_flow_has_all_of_it(where: str) -> None:
    async with session_at(where) as (view, session):
        ids = await put_away(view, session, [large(), socket()])
        await session.flush()
        flow, talk = got(view, ids[0]), got(view, ids[1])
        view.remove(ids)
        await session.flush()
        assert flow.response.raw_content == BODY
        assert len(contents(talk)) == 1000


async def test_it_can_be_touched_after_the_session_was_closed(tmp_path: Path) -> None:
    async with session_at(tmp_path / "a.session") as (view, session):
        (id_,) = await put_away(view, session, [large()])
        await session.flush()
        flow = got(view, id_)
    assert flow.response.raw_content == BODY
    assert flow.request.raw_content == SENT
    assert [each.name for each in tmp_path.iterdir()] == ["a.session"]


async def test_when_the_disk_refuses_what_is_elsewhere_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with session_at(tmp_path / "a.session") as (view, session):
        ids = await put_away(view, session, [large(), socket()])
        await session.flush()
        write = session.file.write

        def refuse(batch: object) -> list[Any]:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(session.file, "write", refuse)
        for id_ in ids:
            flow = got(view, id_)
            flow.comment = "seen"
            view.update(flow)
            del flow
        await session.flush()
        assert session.failed
        monkeypatch.setattr(session.file, "write", write)
        await session.flush()
        session.shrink()
        assert session.in_memory == 0
        flow, talk = got(view, ids[0]), got(view, ids[1])
        assert (flow.comment, talk.comment) == ("seen", "seen")
        assert flow.response.raw_content == BODY
        assert len(contents(talk)) == 1000


async def test_a_body_that_is_damaged_is_missing_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.session"
    async with session_at(path) as (view, session):
        ids = await put_away(view, session, [large(), socket()])
        await session.flush()
        with sqlite3.connect(path) as db:
            db.execute("UPDATE bodies SET sum = sum + 1")
            db.execute("DELETE FROM messages WHERE rowid = (SELECT max(rowid) FROM messages)")
        db.close()
        flow = got(view, ids[0])
        assert flow.response.raw_content is None
        assert flow.response.raw_content is None
        assert caplog.text.count("a part of flow 1 cannot be read from the session: damaged") == 1
        assert contents(got(view, ids[1])) == []
        assert "999 of 1,000 messages are there" in caplog.text
        # And it stays as it was written: nothing is taken for an edit.
        assert isinstance(flow.response.held_content, Elsewhere)


async def test_fetching_is_done_by_another_thread(where: str) -> None:
    async with session_at(where) as (view, session):
        ids = await put_away(view, session, [large(), socket()])
        await session.flush()
        for id_ in ids:
            flow = got(view, id_)
            threads = [noted(part) for part in unread_parts(flow)]
            await view.fetch(flow)
            assert threads
            assert all(each and each != [threading.current_thread()] for each in threads)
            assert not unread_parts(flow)
        assert got(view, ids[0]).response.raw_content == BODY
        assert len(contents(got(view, ids[1]))) == 1000


def noted(part: Elsewhere[Any]) -> list[object]:
    """The thread that reads it, once it does."""
    threads: list[object] = []
    told = part.on_read

    def read(value: Any) -> None:
        threads.append(threading.current_thread())
        if told is not None:
            told(value)

    part.on_read = read
    return threads


async def test_a_walk_reads_all_of_it_ahead(where: str) -> None:
    async with session_at(where) as (view, session):
        ids = await put_away(view, session, [large(), socket(), tunnel()])
        await session.flush()
        seen = []
        async for flow in view.walk(ids):
            assert not unread_parts(flow)
            seen.append(flow.get_state())
        del flow
        assert (len(seen[0]["response"]["content"]), len(seen[1]["websocket"]["messages"])) == (len(BODY), 1000)
        await session.flush()
        assert session.in_memory <= 1


async def test_after_a_crash_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    async with session_at(path) as (view, session):
        ids = await put_away(view, session, [large(), socket(), tunnel()])
        await session.flush()
        view = View()
        again, brought = await resumed(path, view)
        assert (brought.flows, brought.damaged) == (3, 0)
        assert got(view, ids[0]).response.raw_content == BODY
        assert len(contents(got(view, ids[1]))) == 1000
        assert len(contents(got(view, ids[2]))) == 1000
        await again.close()
