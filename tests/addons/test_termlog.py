"""The log on the terminal."""

import io
import logging
import os
from collections.abc import AsyncIterator

import pytest

from midstream.addons.termlog import TermLog
from midstream.hub.log import ALERT
from midstream.hub.master import Master
from midstream.testing import context


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(loadcore=False) as tests:
        yield tests.master


async def test_errors_go_to_stderr_and_the_rest_to_stdout(master: Master) -> None:
    out, err = io.StringIO(), io.StringIO()
    master.addons.add(TermLog(out, err))
    logging.debug("too small")
    logging.info("small", extra={"client": ("127.0.0.1", 5)})
    logging.log(ALERT, "look")
    logging.warning("careful")
    logging.error("bad")
    assert [line.split("]", 1)[1] for line in out.getvalue().splitlines()] == [
        "[127.0.0.1:5] small",
        " look",
        " careful",
    ]
    assert err.getvalue().endswith("] bad\n")


@pytest.mark.parametrize(("verbosity", "lines"), [("error", 1), ("warn", 2), ("info", 4), ("alert", 4), ("debug", 5)])
async def test_verbosity(master: Master, verbosity: str, lines: int) -> None:
    out = io.StringIO()
    master.addons.add(TermLog(out, out))
    master.options.update(termlog_verbosity=verbosity)
    for level in (logging.ERROR, logging.WARNING, ALERT, logging.INFO, logging.DEBUG):
        logging.getLogger("midstream.test").log(level, "text")
    assert len(out.getvalue().splitlines()) == lines


async def test_control_characters_are_visible(master: Master) -> None:
    out = io.StringIO()
    master.addons.add(TermLog(out, out))
    logging.info("\x1b]0;title\x07")
    assert "␛]0;title␇" in out.getvalue()


async def test_colours_are_for_terminals(master: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    master.addons.add(TermLog(out, out))
    logging.error("red")
    assert "\x1b[31mred\x1b[0m" in out.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    logging.error("plain")
    assert out.getvalue().endswith("] plain\n")


async def test_a_file_of_another_encoding_does_not_end_the_program(master: Master) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="latin-1")
    master.addons.add(TermLog(out, out))
    logging.info("\x1b[31m")
    assert raw.getvalue().endswith(b"] \\u241b[31m\n")
    assert not master.should_exit.is_set()


async def test_a_reader_that_left_ends_the_program_quietly(master: Master) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as out:
        master.addons.add(TermLog(out, out))
        logging.info("into the void")
        logging.info("and once more")
    assert master.should_exit.is_set()


async def test_a_removed_termlog_prints_no_more(master: Master) -> None:
    out = io.StringIO()
    addon = TermLog(out, out)
    await master.running()
    master.addons.add(addon)
    master.addons.remove(addon)
    logging.warning("text")
    assert out.getvalue() == ""


async def test_what_may_be_shown_of_a_line(master: Master) -> None:
    out = io.StringIO()
    master.addons.add(TermLog(out, io.StringIO()))
    master.showing.texts.append(lambda text: text.replace(b"hunter2", b"<password-1>"))
    logging.info("GET /?password=hunter2: refused")
    assert out.getvalue().endswith("GET /?password=<password-1>: refused\n")
