"""Records become entries, each for its own master."""

import asyncio
import gc
import logging
import threading
from collections.abc import Iterator

import pytest

from midstream.hub import ctx
from midstream.hub import log as log_module
from midstream.hub.log import (
    ALERT,
    EventLogHandler,
    LogEntry,
    LogLevels,
    MasterLogHandler,
    entry_of,
    log_tier,
    threshold,
)
from midstream.hub.log_lines import LineFormatter, log_line
from midstream.hub.master import Master
from midstream.hub.options import Options

logger = logging.getLogger(__name__)


@pytest.fixture
async def master() -> Master:
    return Master(Options())


@pytest.fixture
def handlers() -> Iterator[list[MasterLogHandler]]:
    installed: list[MasterLogHandler] = []
    yield installed
    for handler in installed:
        handler.uninstall()


def record(level: int = logging.INFO, msg: str = "text", *args: object, **attributes: object) -> logging.LogRecord:
    made = logging.LogRecord("root", level, "/scripts/mine.py", 3, msg, args, None)
    made.__dict__.update(attributes)
    return made


def test_tiers_and_thresholds() -> None:
    assert [log_tier(level) for level in LogLevels] == [0, 1, 2, 2, 3]
    assert threshold("info") == threshold("alert") == logging.INFO
    assert logging.INFO < ALERT < logging.WARNING
    with pytest.raises(KeyError):
        log_tier("loud")


@pytest.mark.parametrize(
    ("level", "name"),
    [(10, "debug"), (20, "info"), (ALERT, "alert"), (30, "warn"), (40, "error"), (50, "error"), (5, "debug")],
)
def test_levels(level: int, name: str) -> None:
    assert entry_of(record(level)).level == name


def test_an_entry_knows_where_it_comes_from() -> None:
    assert entry_of(record()).source == "mine.py"
    assert entry_of(record(addon="other")).source == "other"
    named = record()
    named.name = "midstream.addons.block"
    assert entry_of(named).source == "block"
    named.name = "__midstream_script_3_mine"  # logging.getLogger(__name__) in a script
    assert entry_of(named).source == "mine.py"
    assert entry_of(record(client=("127.0.0.1", 80))).client == "127.0.0.1:80"
    assert entry_of(record(client=("::1", 80, 0, 0))).client == "[::1]:80"
    assert entry_of(record(client="someone")).client == "someone"


def test_an_entry_holds_the_traceback() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        made = record(exc_info=(ValueError, error, error.__traceback__))
    assert entry_of(made).exc_text.endswith("ValueError: no")


def test_a_record_that_cannot_be_formatted_is_still_an_entry() -> None:
    assert "cannot be formatted" in entry_of(record(20, "%d", "x")).msg


def test_entries_are_equal_when_they_say_the_same() -> None:
    assert LogEntry("a", "info", timestamp=1) == LogEntry("a", "info", timestamp=2)
    assert LogEntry("a", "info") != LogEntry("a", "warn")


async def test_the_root_level_follows_the_handlers(handlers: list[MasterLogHandler], master: Master) -> None:
    gc.collect()  # masters of other tests that never ran: their handlers go with them
    root = logging.getLogger()
    handler = EventLogHandler(lambda entry: None, logging.INFO)
    handlers.append(handler)
    handler.install(master)
    assert root.level == logging.INFO
    handler.setLevel(logging.DEBUG)
    assert root.level == logging.DEBUG
    handler.uninstall()
    assert root.level == logging.WARNING


async def test_each_master_hears_its_own_records(handlers: list[MasterLogHandler], master: Master) -> None:
    other = Master(Options())
    heard: dict[str, list[str]] = {"one": [], "other": []}
    for each, name in ((master, "one"), (other, "other")):
        handler = EventLogHandler(lambda entry, name=name: heard[name].append(entry.msg), logging.INFO)
        handlers.append(handler)
        handler.install(each)
    with ctx.use(master):
        logger.info("for one")
        await asyncio.to_thread(logger.info, "from a thread of one")
    other.log.info("for the other")
    logger.info("for nobody")
    await asyncio.sleep(0)
    assert heard["one"] == ["for one", "from a thread of one", "for nobody"]
    assert heard["other"] == ["for the other", "for nobody"]


async def test_sinks_run_in_the_loop(handlers: list[MasterLogHandler], master: Master) -> None:
    threads: list[int] = []
    handler = EventLogHandler(lambda entry: threads.append(threading.get_ident()), logging.INFO)
    handlers.append(handler)
    handler.install(master)
    thread = threading.Thread(target=logger.info, args=("text",))
    thread.start()
    thread.join()
    await asyncio.sleep(0)
    assert threads == [threading.get_ident()]


async def test_a_thread_that_floods_the_log_takes_bounded_memory_and_leaves_the_loop_its_turns(
    handlers: list[MasterLogHandler], master: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "MOST_WAITING", 1000)
    entries: list[LogEntry] = []
    turns = 0
    handler = EventLogHandler(entries.append, logging.INFO)
    handlers.append(handler)
    handler.install(master)

    def flood() -> None:
        for number in range(5000):
            logger.info("%d", number)

    thread = threading.Thread(target=flood)
    thread.start()
    thread.join()  # the loop is held up meanwhile
    assert len(handler._handed_in) == 1000
    while not entries or entries[-1].msg != "4999":
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 5
    assert entries[0].msg == "4,000 log lines of threads are left out: they came faster than they can be shown"
    assert [entry.msg for entry in entries[1:]] == [str(number) for number in range(4000, 5000)]
    await asyncio.to_thread(logger.info, "and on")
    await asyncio.sleep(0)
    assert entries[-1].msg == "and on"


async def test_a_failing_sink_hurts_nobody(handlers: list[MasterLogHandler], master: Master) -> None:
    def broken(entry: LogEntry) -> None:
        raise ValueError

    handler = EventLogHandler(broken)
    handlers.append(handler)
    handler.install(master)
    logger.info("text")


async def test_ctx_log_names_the_line_of_the_script(caplog: pytest.LogCaptureFixture, master: Master) -> None:
    caplog.set_level(logging.DEBUG)
    for level in ("debug", "info", "alert", "warn", "error"):
        getattr(master.log, level)("text")
    master.log("called", "warn")
    assert [entry_of(each).level for each in caplog.records] == ["debug", "info", "alert", "warn", "error", "warn"]
    assert [each.filename for each in caplog.records] == ["test_log.py"] * 6


def test_lines_are_safe_for_a_terminal() -> None:
    entry = LogEntry("evil \x1b[2J\nsecond", "error", timestamp=0.5, client="1.2.3.4:5", exc_text="Trace\x07")
    line = log_line(entry)
    assert line[9:] == ".500][1.2.3.4:5] evil ␛[2J\nsecond\nTrace␇"
    assert log_line(entry, colorize=True).count("\x1b[") == 4


def test_a_folded_traceback_is_shown_to_who_asks() -> None:
    entry = entry_of(record(folded=True))
    entry.exc_text = "Traceback"
    assert log_line(entry).endswith("text")
    assert log_line(entry, unfold=True).endswith("text\nTraceback")


def test_the_formatter_gives_the_same_line() -> None:
    made = record()
    assert LineFormatter().format(made) == log_line(entry_of(made))
