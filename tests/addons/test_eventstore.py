"""The last entries of the log."""

import logging
from collections.abc import AsyncIterator

import pytest

from midstream.addons.eventstore import EventStore
from midstream.hub.addons import Loader
from midstream.hub.log import LogEntry
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.testing import context


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(loadcore=False) as tests:
        yield tests.master


async def test_entries_are_kept_told_and_cleared(master: Master) -> None:
    store = EventStore()
    told: list[LogEntry | None] = []
    store.on_change.append(told.append)
    master.addons.add(store)
    logging.info("one")
    logging.error("two")
    assert [(entry.msg, entry.level) for entry in store.data] == [("one", "info"), ("two", "error")]
    master.commands.execute("eventstore.clear")
    assert not store.data
    assert [entry and entry.msg for entry in told] == ["one", "two", None]


async def test_the_oldest_leave_first(master: Master) -> None:
    assert EventStore().data.maxlen == 10_000
    store = EventStore(capacity=2)
    master.addons.add(store)
    for text in "abc":
        logging.info(text)
    assert [entry.msg for entry in store.data] == ["b", "c"]


async def test_debug_records_are_kept_while_they_are_shown(master: Master) -> None:
    class Console:
        def load(self, loader: Loader) -> None:
            loader.add_option("console_eventlog_verbosity", str, "info", "Level of the log pane.")

    store = EventStore()
    master.addons.add(store, Console())
    logging.getLogger("midstream.x").debug("unseen")
    master.options.update(console_eventlog_verbosity="debug")
    logging.getLogger("midstream.x").debug("seen")
    master.options.update(console_eventlog_verbosity="error")
    logging.getLogger("midstream.x").info("kept all the same")
    assert [entry.msg for entry in store.data] == ["seen", "kept all the same"]


async def test_another_master_is_not_heard(master: Master) -> None:
    store = EventStore()
    master.addons.add(store)
    Master(Options()).log.error("not yours")
    assert not store.data
