"""The session: flows leave memory, come back as they were, and survive what may happen to their file."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from midstream import filters
from midstream.flows.change import Change, Part
from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.unsaved import Unsaved
from midstream.flows.websocket import TEXT, WebSocketData, WebSocketMessage
from midstream.hub.jobs import Jobs
from midstream.store import session as session_module
from midstream.store import session_records
from midstream.store.session import Session
from midstream.store.session_file import PAGE, Batch, ForeignSession, SessionFile
from midstream.store.session_repair import readable_copy
from midstream.store.session_resume import CUT_OFF, Brought, bring_back, take_over
from midstream.store.view import View
from midstream.testing.flows import tflow, tflows, ttcpflow


def http(path: str = "/", body: bytes = b"body", live: bool = False) -> HTTPFlow:
    flow = tflow(resp=True, live=live)
    assert flow.response is not None
    flow.request.path = path
    flow.response.raw_content = body
    return flow


@asynccontextmanager
async def session_at(path: Path | str) -> AsyncIterator[tuple[View, Session]]:
    view = View()
    session = Session(SessionFile(str(path)), view.flows_in_memory, view)
    view.attach(session)
    try:
        yield view, session
    finally:
        await session.close()


async def resumed(path: Path, view: View) -> tuple[Session, Brought]:
    file = SessionFile(str(path))
    file.open()
    file.forget_taken()
    reader = file.reader()
    last, connections = session_records.last_number(reader), session_records.last_connection(reader)
    expected = session_records.flows_noted(reader)
    reader.close()
    session = Session(file, view.flows_in_memory, view)
    session.begin_after(connections)
    view.begin_after(last)
    view.attach(session)
    with Jobs().begun("resuming") as job:
        return session, await bring_back(view, session, last, job, expected)


@pytest.fixture
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every flow that can leave memory does."""
    monkeypatch.setattr(session_module, "MOST_FLOWS", 0)
    monkeypatch.setattr(session_module, "MOST_BYTES", 0)


@pytest.fixture(params=["disk", "memory"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "a.session") if request.param == "disk" else ""


@pytest.mark.usefixtures("nothing_stays")
async def test_every_kind_of_flow_comes_back_as_it_was(where: str) -> None:
    async with session_at(where) as (view, session):
        flows = tflows()
        states = {}
        for flow in flows:
            flow.live = False
            flow.comment, flow.marked = "seen", ":default:"
            flow.metadata["note"] = {"deep": [1, 2.5, None, b"raw", True, "text"]}
            states[flow.id] = flow.get_state()
            view.add(flow)
        del flow
        flows.clear()
        await session.flush()
        assert session.in_memory == 0
        assert not view.flows_in_memory
        for id_, state in states.items():
            assert view.get(id_).get_state() == state  # type: ignore[union-attr]


@pytest.mark.usefixtures("nothing_stays")
async def test_there_is_one_object_as_long_as_somebody_holds_it(where: str) -> None:
    async with session_at(where) as (view, session):
        view.add(http())
        (id_,) = view.all_ids
        await session.flush()
        assert view.in_memory(id_) is None
        held = view.get(id_)
        session.shrink()
        assert view.get(id_) is held
        again = view.get(id_)
        del held
        session.shrink()
        assert view.get(id_) is again


@pytest.mark.usefixtures("nothing_stays")
async def test_a_change_that_nobody_told_is_not_lost(where: str) -> None:
    async with session_at(where) as (view, session):
        view.add(http())
        (id_,) = view.all_ids
        await session.flush()
        flow = view.get(id_)
        assert isinstance(flow, HTTPFlow)
        flow.comment = "by a script"
        flow.request.headers["x-new"] = "1"
        flow.client_conn.sni = "changed.example"
        flow.metadata["count"] = [1]
        del flow
        session.shrink()
        await session.flush()
        assert view.in_memory(id_) is None
        flow = view.get(id_)
        assert isinstance(flow, HTTPFlow)
        assert flow.comment == "by a script"
        assert flow.request.headers["x-new"] == "1"
        assert flow.client_conn.sni == "changed.example"
        flow.metadata["count"].append(2)  # in place
        del flow
        session.shrink()
        await session.flush()
        assert view.get(id_).metadata == {"count": [1, 2]}  # type: ignore[union-attr]


class Secret(Unsaved):
    pass


def _attribute(flow: Flow) -> None:
    flow.mine = "x"  # type: ignore[attr-defined]


def _on_connection(flow: Flow) -> None:
    flow.client_conn.mine = "x"  # type: ignore[attr-defined]


def _unsaved(flow: Flow) -> None:
    flow.metadata["secret"] = Secret()


def _tuple(flow: Flow) -> None:
    flow.metadata["pair"] = (1, 2)


def _object(flow: Flow) -> None:
    flow.metadata["object"] = object()


def _held(flow: Flow) -> None:
    flow.live = True
    flow.intercept()


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("what", [_attribute, _on_connection, _unsaved, _tuple, _object, _held])
async def test_what_would_lose_something_stays_in_memory(where: str, what: Callable[[Flow], None]) -> None:
    async with session_at(where) as (view, session):
        flow = http()
        what(flow)
        known, id_ = id(flow), flow.id
        view.add(flow)
        del flow
        await session.flush()
        session.shrink()
        assert id(view.in_memory(id_)) == known


def _with_a_note_in_its_backup(flow: Flow) -> None:
    flow.metadata["object"] = object()
    flow.backup()
    flow.comment = "edited"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda flow: setattr(flow, "marked", True),
        lambda flow: setattr(flow, "error", Error(5)),  # type: ignore[arg-type]
        lambda flow: setattr(flow.client_conn, "sni", 5),
        lambda flow: setattr(flow.server_conn, "address", ("host", object())),
        lambda flow: setattr(flow.client_conn, "peername", ("host",)),
        lambda flow: setattr(flow.response, "raw_reason", "text"),
        lambda flow: setattr(flow.response.headers, "fields", ((b"name", 5),)),
        lambda flow: setattr(flow.response.headers, "fields", ((b"name", b""),) * 150_000),
        lambda flow: flow.metadata.update(dict.fromkeys(map(str, range(150_000)))),
        lambda flow: flow.metadata.update(note=dict.fromkeys(map(str, range(150_000)))),
        lambda flow: setattr(flow, "websocket", WebSocketData([WebSocketMessage(TEXT, True, "text")])),  # type: ignore[arg-type]
    ],
)
@pytest.mark.usefixtures("nothing_stays")
async def test_values_of_wrong_kinds_do_not_lose_a_flow(where: str, spoil: Callable[[HTTPFlow], None]) -> None:
    async with session_at(where) as (view, session):
        view.add(http())
        await session.flush()  # one of that shape is fine
        flow = http()
        spoil(flow)
        view.add(flow)
        id_, state = flow.id, flow.get_state()
        del flow
        await session.flush()
        assert (again := view.get(id_)) is not None
        assert again.get_state() == state


@pytest.mark.parametrize(
    "spoil",
    [
        lambda flow: setattr(flow, "comment", None),
        lambda flow: setattr(flow, "error", "text"),
        lambda flow: setattr(flow, "client_conn", None),
        lambda flow: setattr(flow, "websocket", object()),
        lambda flow: setattr(flow.request, "timestamp_start", None),
    ],
)
@pytest.mark.usefixtures("nothing_stays")
async def test_one_spoiled_flow_does_not_stop_the_session(tmp_path: Path, spoil: Callable[[HTTPFlow], None]) -> None:
    path = tmp_path / "a.session"
    async with session_at(path) as (view, session):
        flow = http("/spoiled")
        view.add(flow)
        await session.flush()
        spoil(flow)
        del flow
        await session.flush()
        view.add(http("/later"))
        await session.flush()
    view = View()
    session, brought = await resumed(path, view)
    assert brought == Brought(flows=2)
    await session.close()


async def test_an_edit_is_written_though_its_backup_has_notes_without_form(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    async with session_at(path) as (view, _):
        flow = http()
        _with_a_note_in_its_backup(flow)
        view.add(flow)
    view = View()
    session, brought = await resumed(path, view)
    assert brought == Brought(flows=1)
    again = view.get(flow.id)
    assert again is not None
    assert again.comment == "edited"
    again.revert()
    assert again.comment == ""
    await session.close()


@pytest.mark.usefixtures("nothing_stays")
async def test_flows_of_one_connection_share_it_again(where: str) -> None:
    async with session_at(where) as (view, session):
        first = http("/1")
        second = http("/2")
        second.client_conn = first.client_conn
        copy = first.copy()
        copy.server_conn.address = ("elsewhere.example", 80)
        for flow in (first, second, copy):
            view.add(flow)
        ids = [first.id, second.id, copy.id]
        del first, second, copy, flow
        await session.flush()
        assert not view.flows_in_memory
        one, two, three = (view.get(id_) for id_ in ids)
        assert one is not None and two is not None and three is not None
        assert one.client_conn is two.client_conn
        assert one.server_conn.id == three.server_conn.id
        assert one.server_conn.address == ("address", 22)
        assert three.server_conn.address == ("elsewhere.example", 80)


async def test_a_connection_that_closes_later_is_written_again(tmp_path: Path) -> None:
    async with session_at(tmp_path / "a.session") as (view, session):
        flow = http()
        view.add(flow)
        await session.flush()
        flow.client_conn.timestamp_end = 12345.5
        session.connection_changed(flow.client_conn)
        await session.flush()
    view = View()
    session, _ = await resumed(tmp_path / "a.session", view)
    assert view.get(flow.id).client_conn.timestamp_end == 12345.5  # type: ignore[union-attr]
    await session.close()


@pytest.mark.usefixtures("nothing_stays")
async def test_large_bodies_are_written_apart_and_only_when_they_change(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    async with session_at(path) as (view, session):
        body = os.urandom((2 << 20) + 17)
        view.add(http(body=body))
        (id_,) = view.all_ids
        await session.flush()
        assert view.in_memory(id_) is None
        before = session.disk_size()
        flow = view.get(id_)
        assert isinstance(flow, HTTPFlow)
        assert flow.response is not None
        assert flow.response.raw_content == body
        flow.marked = "x"
        view.update(flow)
        await session.flush()
        assert session.disk_size() - before < len(body) // 2
        flow.response.raw_content = b"short"
        view.update(flow)
        del flow
        await session.flush()
        flow = view.get(id_)
        assert flow.response.raw_content == b"short"  # type: ignore[union-attr]
        assert flow.marked == "x"  # type: ignore[union-attr]


def websocket(count: int) -> HTTPFlow:
    flow = http("/ws", live=True)
    flow.websocket = WebSocketData()
    say(flow, count)
    return flow


def say(flow: HTTPFlow, count: int) -> None:
    assert flow.websocket is not None
    have = len(flow.websocket.messages)
    flow.websocket.messages += [WebSocketMessage(TEXT, True, b"%d" % (have + i), 1.0) for i in range(count)]


async def test_messages_are_appended_and_edits_found(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    write = SessionFile.write

    def counted(self: SessionFile, batch: Batch) -> list[tuple[int, str]]:
        written.extend(len(flow.messages) for flow in batch.flows)
        return write(self, batch)

    monkeypatch.setattr(SessionFile, "write", counted)
    async with session_at(where) as (view, session):
        flow = websocket(5000)
        data = flow.websocket
        assert data is not None
        view.add(flow)
        await session.flush()
        say(flow, 3)
        view.update(flow)
        await session.flush()
        data.messages[-2].content = b"edited"
        data.messages[-3].drop()
        say(flow, 1)
        view.update(flow)
        await session.flush()
        assert written == [5000, 3, 3]
        data.messages[10].content = b"long ago"
        flow.live = False
        view.update(flow)
        await session.flush()
        assert written == [5000, 3, 3, 1]
        expected, id_ = flow.get_state(), flow.id
        monkeypatch.setattr(session_module, "MOST_FLOWS", 0)
        del flow, data
        session.shrink()
        assert view.in_memory(id_) is None
        assert view.get(id_).get_state() == expected  # type: ignore[union-attr]


async def test_the_oldest_messages_may_be_dropped(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with session_at(where) as (view, session):
        flow = ttcpflow()
        flow.messages *= 1
        flow.messages += [type(flow.messages[0])(True, b"%d" % i, 2.0) for i in range(20)]
        view.add(flow)
        await session.flush()
        del flow.messages[:7]
        flow.messages.append(type(flow.messages[0])(True, b"last", 2.0))
        view.update(flow)
        await session.flush()
        flow.messages[0] = flow.messages[0].copy()  # as an undo does
        del flow.messages[-1:]
        flow.live = False
        view.update(flow)
        expected, id_ = flow.get_state(), flow.id
        monkeypatch.setattr(session_module, "MOST_FLOWS", 0)
        del flow
        await session.flush()
        assert view.in_memory(id_) is None
        assert view.get(id_).get_state() == expected  # type: ignore[union-attr]


@pytest.mark.usefixtures("nothing_stays")
async def test_undo_and_revert_work_after_a_flow_was_away(where: str) -> None:
    async with session_at(where) as (view, session):
        flow = http()
        original = flow.get_state()
        flow.backup()
        before, after = b"o" * 100_000, b"n" * 100_000
        flow.request.raw_content = after
        flow.note_change(Change("you", "edit", (Part("request.content", before, after),), 3.0))
        view.add(flow)
        id_ = flow.id
        del flow
        await session.flush()
        assert view.in_memory(id_) is None
        again = view.get(id_)
        assert isinstance(again, HTTPFlow)
        assert again.modified()
        assert again.changes[0].parts[0].before == before  # whole, unlike in a flow file
        again.revert()
        assert not again.modified()
        assert again.get_state()["request"] == original["request"]


@pytest.mark.usefixtures("nothing_stays")
async def test_passes_and_specs_over_flows_on_disk(where: str) -> None:
    async with session_at(where) as (view, session):
        for number in range(700):
            flow = http(f"/{number}", b"needle" if number % 100 == 0 else b"hay")
            if number == 3:
                flow.marked = "x"
            view.add(flow)
        del flow
        await session.flush()
        assert not view.flows_in_memory
        assert await view.refilter(filters.parse("~bs needle"))
        assert len(view.shown) == 7
        assert session.in_memory < 10
        view.set_filter(filters.parse("~u /69.$"))
        assert len(view.shown) == 10
        assert not session.in_memory - 1 > 5
        view.set_filter(None)
        assert [flow.request.path async for flow in view.walk(view.shown)] == [f"/{n}" for n in range(700)]
        assert [flow.request.path for flow in view.resolve("@marked")] == ["/3"]
        assert len(view.resolve("@unmarked")) == 699
        meant = view.resolve("~bs needle")
        assert await meant.look()
        assert len(meant) == 7


@pytest.mark.usefixtures("nothing_stays")
async def test_what_is_done_on_a_walk_is_kept_though_nobody_was_told(where: str) -> None:
    async with session_at(where) as (view, session):
        for number in range(600):
            view.add(http(f"/{number}"))
        await session.flush()
        removed = list(view.all_ids)[400]
        count = 0
        async for flow in view.walk(view.all_ids):
            flow.comment = "walked"
            count += 1
            if count == 5:
                view.remove([removed])
        del flow
        assert count == 599
        await session.flush()
        session.shrink()
        await session.flush()
        async for flow in view.walk(view.all_ids):
            assert flow.comment == "walked"


async def test_a_walk_misses_none_that_leaves_memory_meanwhile(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with session_at(where) as (view, session):
        paths = [f"/{number}" for number in range(20)]
        for path in paths:
            view.add(http(path))
        await session.flush()
        found = []
        async for flow in view.walk(view.all_ids):
            found.append(flow.request.path)  # type: ignore[attr-defined]
            del flow
            monkeypatch.setattr(session_module, "MOST_FLOWS", 0)  # others need the room
            session.shrink()
        assert session.in_memory <= 1
        assert found == paths


@pytest.mark.usefixtures("nothing_stays")
async def test_flows_that_are_deleted_come_back_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    async with session_at(path) as (view, session):
        for number in range(50):
            view.add(http(f"/{number}"))
        view.add(http("/live", live=True))
        ids = list(view.all_ids)
        await session.flush()
        taken = view.take_out(ids)
        assert (len(view), len(taken.flows)) == (0, 1)
        await session.flush()
        assert [row.id for row in view.put_back(taken)] == ids
        assert list(view.all_ids) == list(view.shown) == ids
        assert not view.flows_in_memory.keys() - {ids[-1]}
        view.take_out(ids[:10])  # and never let go
        view.remove(ids[10:20])
        await session.flush()
        assert view.get(ids[30]).request.path == "/30"  # type: ignore[union-attr]
    view = View()
    session, brought = await resumed(path, view)
    assert brought.flows == 31
    assert list(view.all_ids) == ids[20:]
    await session.close()


async def test_after_a_crash_all_is_there_and_what_was_in_flight_is_over(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    view = View()
    session = Session(SessionFile(str(path)), view.flows_in_memory, view)
    view.attach(session)
    done, waiting, held, talking = http("/done", b"x" * 100_000), tflow(live=True), tflow(live=True), websocket(4)
    almost = http("/almost", live=True)  # the client still takes it
    almost.response.timestamp_end = 5.0  # type: ignore[union-attr]
    failed = tflow(err=True)
    failed.error = Error("refused", 7.0)
    held.intercept()
    for flow in (done, waiting, held, talking, almost, failed):
        view.add(flow)
    await session.flush()
    copy = tmp_path / "crashed.session"  # what a kill leaves
    for ending in ("", "-wal"):
        (tmp_path / f"crashed.session{ending}").write_bytes(Path(f"{path}{ending}").read_bytes())
    await session.close()
    again = View()
    session, brought = await resumed(copy, again)
    assert (brought.flows, brought.cut_off, brought.damaged) == (6, 3, 0)
    errors = [again.get(flow.id).error for flow in (done, waiting, held, talking, almost, failed)]  # type: ignore[union-attr]
    assert [error and error.msg for error in errors] == [None, CUT_OFF, CUT_OFF, CUT_OFF, None, "refused"]
    assert again.get(done.id).response.raw_content == b"x" * 100_000  # type: ignore[union-attr]
    assert not any(again.row(id_).live or again.row(id_).held for id_ in again.all_ids)
    new = http("/new")
    again.add(new)
    assert again.row(new.id).number == 7
    await session.close()
    third = View()
    session, brought = await resumed(copy, third)
    assert (brought.flows, brought.cut_off) == (7, 0)
    await session.close()


async def test_a_full_disk_is_told_once_and_flows_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "MOST_FLOWS", 0)
    told: list[str] = []
    async with session_at(tmp_path / "a.session") as (view, session):
        session.on_failure = told.append
        view.add(http("/before"))
        await session.flush()

        assert session.file._db is not None
        session.file._db.execute("PRAGMA max_page_count = 1").fetchall()  # no more than it has
        for number in range(5):
            view.add(http(f"/{number}", os.urandom(50_000)))
            await session.flush()
        assert told == ["database or disk is full"]
        assert session.in_memory == 5
        paths = ["/before", *(f"/{number}" for number in range(5))]
        assert [flow.request.path async for flow in view.walk(view.all_ids)] == paths  # type: ignore[attr-defined]


async def test_when_the_disk_has_room_again_all_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "MOST_FLOWS", 0)
    monkeypatch.setattr(session_module, "RETRY", 0.05)
    path = tmp_path / "a.session"
    told: list[str] = []
    async with session_at(path) as (view, session):
        session.on_failure, session.on_recovery = told.append, lambda: told.append("again")
        for number in range(10):
            view.add(http(f"/{number}"))
        first, gone, *_ = view.all_ids
        await session.flush()
        assert session.file._db is not None
        session.file._db.execute("PRAGMA max_page_count = 1").fetchall()  # no more than it has
        running = asyncio.ensure_future(session.run())
        view.add(http("/large", os.urandom(500_000)))
        talk = ttcpflow()
        view.add(talk)
        marked = view.get(first)
        assert marked is not None
        marked.marked = ":default:"
        view.update(marked)
        view.remove([gone])
        async with asyncio.timeout(5):
            while not told:
                await asyncio.sleep(0.01)
            assert session.failed
            # The writer's thread has it.
            await session._in_writer(lambda: _give_room(session))
            while session.failed:
                await asyncio.sleep(0.01)
        assert told == ["database or disk is full", "again"]
        await session.close()
        await running
    view = View()
    session, brought = await resumed(path, view)
    assert (brought.flows, brought.damaged) == (11, 0)
    assert gone not in view
    assert view.row(first).marked == ":default:"
    assert view.get(talk.id).get_state()["messages"] == talk.get_state()["messages"]  # type: ignore[union-attr]
    await session.close()


def _give_room(session: Session) -> None:
    assert session.file._db is not None
    session.file._db.execute("PRAGMA max_page_count = 1000000").fetchall()


async def test_nothing_is_left_in_a_cycle(where: str) -> None:
    async with session_at(where) as (view, session):
        for number in range(20):
            view.add(http(f"/{number}"))
        await session.flush()
        gc.collect()
        gc.disable()
        try:
            mine = set(view.all_ids)  # of others there may be some left from tests before
            view.remove(list(mine))
            await session.flush()
            assert not [each for each in gc.get_objects() if isinstance(each, HTTPFlow) and each.id in mine]
        finally:
            gc.enable()


async def test_files_are_private(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        async with session_at(tmp_path / "a.session") as (view, session):
            view.add(http())
            await session.flush()
            for file in tmp_path.iterdir():
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    finally:
        os.umask(mask)


async def written(path: Path, count: int) -> list[str]:
    async with session_at(path) as (view, session):
        for number in range(count):
            view.add(http(f"/{number}", b"%d" % number * 300))
            if number % 50 == 49:
                await session.flush()
        return list(view.all_ids)


async def test_of_a_damaged_file_every_whole_flow_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    ids = await written(path, 600)
    data = bytearray(path.read_bytes())
    for page in range(20, len(data) // PAGE, 9):  # leaves and inner pages
        data[page * PAGE + 100 : page * PAGE + 3000] = b"\xff" * 2900
    path.write_bytes(data)
    view = View()
    session, brought = await resumed(path, view)
    assert 100 < brought.flows < 600
    assert brought.flows + brought.damaged == 600
    assert "damaged" in brought.problem or "malformed" in brought.problem
    for id_ in view.all_ids:
        flow = view.get(id_)
        assert isinstance(flow, HTTPFlow)
        assert flow.response is not None
        number = int(flow.request.path[1:])
        assert flow.id == ids[number]
        assert flow.response.raw_content == b"%d" % number * 300
    await session.close()


async def test_a_flow_is_not_lost_with_its_connection(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    ids = await written(path, 3)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE connections SET sum = sum + 1 WHERE number < 3")
    db.close()
    view = View()
    session, brought = await resumed(path, view)
    assert (brought.flows, brought.damaged, brought.connections) == (3, 0, 2)
    flow = view.get(ids[0])
    assert isinstance(flow, HTTPFlow)
    assert flow.server_conn.address is None
    assert flow.response is not None
    assert flow.response.raw_content == b"0" * 300
    await session.close()


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2 + 77]


def _headless(data: bytes) -> bytes:
    return os.urandom(PAGE) + data[PAGE:]


@pytest.mark.parametrize("damage", [_cut, _headless])
async def test_a_file_that_does_not_open_gives_what_is_left(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.session"
    ids = await written(path, 600)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(sqlite3.DatabaseError):
        SessionFile(str(path)).open()
    source = SessionFile(str(readable_copy(path)))
    source.open()
    async with session_at(tmp_path / "b.session") as (view, session):
        with Jobs().begun("resuming") as job:
            brought = await take_over(view, source, job)
        await session.flush()
        assert brought.flows > 100
        assert brought.flows + brought.damaged == 600
        assert [row.id for row in map(view.row, view.all_ids)] == ids[: brought.flows]
    source.close(is_clean=False)


async def test_numbers_that_lie_do_not_take_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    await written(path, 3)
    db = sqlite3.connect(path)
    db.execute("UPDATE flows SET number = 1000000000 WHERE number = 3")
    db.execute("UPDATE facts SET value = 4000000000000 WHERE name = 'last'")
    db.commit()
    db.close()
    session, brought = await resumed(path, View())
    assert brought.flows == 3
    await session.close()


@pytest.mark.parametrize(
    "lie",
    [
        "UPDATE flows SET number = 9000000000000000000 WHERE number = 3",
        "UPDATE flows SET apart = 7, first = 9000000000000000000, count = 5 WHERE number = 3",
        "UPDATE flows SET apart = 'text' WHERE number = 3",
        "UPDATE flows SET apart = 4, first = 'text', count = x'00' WHERE number = 3",
        "UPDATE flows SET number = -5 WHERE number = 3",
    ],
)
async def test_a_flow_with_numbers_that_lie_is_left_out(tmp_path: Path, lie: str) -> None:
    path = tmp_path / "a.session"
    await written(path, 3)
    with sqlite3.connect(path) as db:
        db.execute(lie)
    db.close()
    view = View()
    session, brought = await resumed(path, view)
    assert brought.flows == 2
    view.add(http("/new"))
    await session.flush()
    assert not session.failed
    await session.close()


async def test_resuming_reads_few_large_flows_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.session"
    async with session_at(path) as (view, _):
        for number in range(10):
            view.add(http(f"/{number}", bytes(200_000)))
    monkeypatch.setattr(session_records, "_MOST_BYTES", 300_000)
    reader = SessionFile(str(path)).reader()
    found, after = session_records.scan(reader, 0, 10)
    assert (len(found), after) == (2, 2)
    reader.close()
    session, brought = await resumed(path, View())
    assert brought == Brought(flows=10)
    await session.close()


async def test_what_is_back_stands_beside_the_same_flow_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    async with session_at(path) as (view, _):
        flow = http()
        flow.comment = "seen"
        view.add(flow)
    view = View()
    again = Flow.from_state({**flow.get_state(), "comment": ""})
    view.add(again)
    session, brought = await resumed(path, view)
    assert brought == Brought(flows=1)
    assert sorted(view.get(id_).comment for id_ in view.all_ids) == ["", "seen"]  # type: ignore[union-attr]
    await session.close()


async def test_of_a_deleted_flow_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    async with session_at(path) as (view, session):
        flow = http("/", b"secret" * 20_000)
        view.add(flow)
        view.add(http("/other"))
        await session.flush()
        assert flow.response is not None
        flow.response.raw_content = b""
        view.update(flow)
        await session.flush()
        view.remove([flow.id])
    assert b"secretsecret" not in path.read_bytes()


def _foreign(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA application_id=7")


def _later(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA user_version=99")


def _trigger(db: sqlite3.Connection) -> None:
    db.execute("CREATE TRIGGER evil AFTER INSERT ON flows BEGIN DELETE FROM flows; END")


@pytest.mark.parametrize(
    ("what", "words"), [(_foreign, "no session"), (_later, "format 99"), (_trigger, "tables are not those")]
)
async def test_foreign_files_are_refused(
    tmp_path: Path, what: Callable[[sqlite3.Connection], None], words: str
) -> None:
    path = tmp_path / "a.session"
    await written(path, 1)
    db = sqlite3.connect(path)
    what(db)
    db.commit()
    db.close()
    with pytest.raises(ForeignSession, match=words):
        SessionFile(str(path)).open()


async def test_it_writes_by_itself(tmp_path: Path) -> None:
    async with session_at(tmp_path / "a.session") as (view, session):
        running = asyncio.ensure_future(session.run())
        view.add(http())
        async with asyncio.timeout(5):
            while not session.disk_size():
                await asyncio.sleep(0.01)
        await session.close()
        await running
