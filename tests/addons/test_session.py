"""The addon of the session: its option, what it leaves, what it brings back and what it says."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from midstream.addons.session import SessionAddon
from midstream.addons.view import ViewAddon
from midstream.flows.errors import OptionsError
from midstream.flows.http import HTTPFlow
from midstream.hub import config, ctx
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.store import session as session_module
from midstream.store.session import Session
from midstream.store.session_file import PAGE
from midstream.store.session_folder import entries
from midstream.store.view import View
from midstream.testing.flows import tflow
from tests.kit.waiting import until


@asynccontextmanager
async def console(folder: Path, resume: str | None = None, **given: str) -> AsyncIterator[Master]:
    """A master with a list and a session."""
    options = Options()
    config.declare_folder(options)
    master = Master(options)
    view = master.view = View()
    addon = SessionAddon(view)
    try:
        with ctx.use(master):
            master.addons.add(addon, ViewAddon(view))
            options.update(confdir=str(folder), **given)
            if resume is not None:
                addon.resume(resume)
        async with master.started():
            with ctx.use(master):
                yield master
    finally:
        master.let_go()


async def see(count: int, *, live: bool = False) -> None:
    for number in range(count):
        flow = tflow(resp=True, live=live)
        assert flow.response is not None
        flow.request.path = f"/{number}"
        flow.response.raw_content = os.urandom(500)
        flow.response.timestamp_end = None if live else flow.response.timestamp_end
        await ctx.master.events.requestheaders(flow)
        await ctx.master.events.response(flow)


async def crash(folder: Path, count: int) -> None:
    """Leave what a kill leaves: a session that nobody closed."""
    async with console(folder):
        await see(count)
        await ctx.master.view.session.flush()
        (entry,) = entries(folder / "sessions")
        data = {ending: Path(f"{entry.path}{ending}").read_bytes() for ending in ("", "-wal")}
    for ending, content in data.items():
        Path(f"{entry.path}{ending}").write_bytes(content)
    assert entries(folder / "sessions")[0].state == "crashed"


def said(caplog: pytest.LogCaptureFixture, text: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if text in record.getMessage()]


async def test_a_run_leaves_a_session_and_one_without_flows_none(tmp_path: Path) -> None:
    async with console(tmp_path):
        pass
    assert not list((tmp_path / "sessions").iterdir())
    async with console(tmp_path):
        await see(3)
    (entry,) = entries(tmp_path / "sessions")
    assert (entry.state, entry.flows) == ("closed", 3)
    async with console(tmp_path):
        await see(3)
        await ctx.master.view.session.flush()
        ctx.master.commands.call("view.clear")
    assert len(list((tmp_path / "sessions").iterdir())) == 1


@pytest.mark.parametrize("mode", ["memory", "false"])
async def test_nothing_on_the_disk(tmp_path: Path, mode: str) -> None:
    async with console(tmp_path, session=mode):
        await see(3)
        if mode == "memory":
            await ctx.master.view.session.flush()
        assert "3 flows" in ctx.master.commands.call("session.info")
        assert ctx.master.addons.get("session").figures().disk == 0
        assert "memory only" in ctx.master.addons.get("session").note()[0]
    assert not (tmp_path / "sessions").exists()


async def test_a_crash_is_told_and_resumed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await crash(tmp_path, 4)
    async with console(tmp_path):
        await until(lambda: said(caplog, "did not end cleanly"), "a line about the crash")
    (line,) = said(caplog, "did not end cleanly")
    assert line.startswith("`midstream --resume` brings back 4 flows: ")
    async with console(tmp_path, resume=""):
        await until(lambda: said(caplog, "4 flows back"), "the flows")
        await see(2)
        assert [ctx.master.view.row(id_).number for id_ in ctx.master.view.all_ids] == [1, 2, 3, 4, 5, 6]
        first = ctx.master.view.get(next(iter(ctx.master.view.all_ids)))
        assert isinstance(first, HTTPFlow)
        assert first.response is not None
        assert len(first.response.raw_content or b"") == 500
    (entry,) = entries(tmp_path / "sessions")
    assert (entry.state, entry.flows) == ("closed", 6)


async def test_a_damaged_session_goes_into_a_new_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with console(tmp_path):
        await see(200)
    (entry,) = entries(tmp_path / "sessions")
    damaged = os.urandom(PAGE) + entry.path.read_bytes()[PAGE:]
    entry.path.write_bytes(damaged)
    async with console(tmp_path, resume=entry.name):
        await until(lambda: said(caplog, "stays as it is"), "the end of reading")
        assert len(ctx.master.view) == 200
    assert said(caplog, "200 flows back")
    assert entry.path.read_bytes() == damaged
    assert sorted(each.state for each in entries(tmp_path / "sessions")) == ["closed", "damaged"]
    assert not list((tmp_path / "sessions").glob("*.copy*"))


async def test_what_cannot_be_resumed_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="--resume: there is no session"):
        async with console(tmp_path, resume=""):
            pass
    await crash(tmp_path, 1)
    (entry,) = entries(tmp_path / "sessions")
    with pytest.raises(OptionsError, match="the option session is false"):
        async with console(tmp_path, resume="", session="false"):
            pass
    db = sqlite3.connect(entry.path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(OptionsError, match="a later midstream wrote it"):
        async with console(tmp_path, resume=entry.name):
            pass


async def test_what_still_reads_at_the_end_finds_nothing_and_says_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "MOST_FLOWS", 0)

    async def one_by_one(view: View) -> None:
        while True:
            for id_ in view.all_ids:
                view.get(id_)
                await asyncio.sleep(0)

    async def walking(view: View) -> None:
        while True:
            async for _ in view.walk(view.all_ids):
                await asyncio.sleep(0)

    async def scanning(session: Session) -> None:
        while True:
            await session.reader.scan(0, 200)

    async with console(tmp_path) as master:
        await see(200)
        view = master.view
        await view.written()
        for work in (one_by_one(view), walking(view), scanning(view.session)):
            master.background.spawn(work)
        for _ in range(50):
            await asyncio.sleep(0)
    assert not caplog.records
    (entry,) = entries(tmp_path / "sessions")
    assert (entry.flows, entry.state) == (200, "closed")


async def test_commands(tmp_path: Path) -> None:
    async with console(tmp_path):
        await see(1)
    async with console(tmp_path):
        await see(2)
        await ctx.master.view.session.flush()
        lines = await ctx.master.commands.call("session.list")
        assert len(lines) > 2
        old = next(entry.name for entry in entries(tmp_path / "sessions") if entry.state == "closed")
        assert await ctx.master.commands.call("session.delete", old) == f"{old} deleted"
        assert "2 flows in " in ctx.master.commands.call("session.info")
        figures = ctx.master.addons.get("session").figures()
        assert figures.flows == 2
        assert figures.disk > 0
        assert figures.memory > 1 << 20


async def test_the_option_is_obeyed_at_the_next_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with console(tmp_path):
        ctx.options.update(session="false")
        assert said(caplog, "the next start obeys")
        await see(1)
    assert entries(tmp_path / "sessions")[0].flows == 1


async def test_a_folder_that_cannot_be_made_keeps_flows_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "sessions").write_text("a file")
    async with console(tmp_path):
        await see(2)
        assert len(ctx.master.view) == 2
    assert said(caplog, "flows stay in memory")
