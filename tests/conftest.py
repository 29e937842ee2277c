"""What holds for all tests."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings

from midstream.app import loop_factory
from tests.kit import stopwatch

R = TypeVar("R", pytest.TestReport, pytest.CollectReport)

# A deadline per example measures the machine's other work, not ours. CI tries the same examples for the same code; new
# ones are found by whoever runs the tests at a desk.
settings.register_profile("midstream", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("midstream")

# A test whose outside program is absent skips with its name. Where everything is installed (.ci/run) a skip is a
# failure, or a test could be silent for years.
NO_SKIPS = bool(os.environ.get("MIDSTREAM_NO_SKIPS"))


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that the programs run on; MIDSTREAM_EVENT_LOOP=asyncio tests the fallback."""
    return {"loop": loop_factory() or asyncio.new_event_loop}


LONGEST = ("test_mode_transparent.py", "test_hostile_bytes.py", "test_export_programs.py", "test_export_curl.py",
           "test_websocket_conformance.py", "test_random_keys_default.py", "test_random_keys_vim.py",
           "test_random_keys_emacs.py")  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, whole programs next: no worker is left with them when the others have ended."""
    items.sort(key=lambda item: (item.path.name not in LONGEST, "end2end" not in item.path.parts))


def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one more than cores, as whole programs wait a lot."""
    return 1 + (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """No collection of garbage looks at the thousands of tests themselves, again and again."""
    gc.collect()
    gc.freeze()


TRIES = 3
"""How often a test may be slow before it is believed: the machine has other work too, but not all the time."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run a test; when it failed because something was slow (tests/kit/stopwatch.py), from its fixtures anew."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for tries in range(1, TRIES + 1):
        stopwatch.noticed.clear()
        with bounded():
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
        if tries == TRIES or not stopwatch.noticed or not any(report.failed for report in reports):
            break
        item.user_properties.append(("tried again", stopwatch.noticed[0]))
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Whoever looks after the tests sees which are near their limit."""
    for report in terminalreporter.getreports("passed"):
        slow = dict(report.user_properties).get("tried again")
        if slow and report.when == "call":
            terminalreporter.write_line(f"tried again: {report.nodeid}: {slow}")


PATIENCE = 120
"""Seconds for one test. What hangs is told then, with where it hung; faulthandler_timeout ends the run only when that
does not help."""


@contextmanager
def bounded() -> Iterator[None]:
    """Who waits in the block for ever is woken by an exception."""

    def wake(*_: object) -> None:
        text = f"this test still ran after {PATIENCE} s"
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise TimeoutError(text) from None
        for task in asyncio.all_tasks(loop):  # uvloop keeps exceptions of signal handlers to itself
            task.cancel(text)

    before = signal.signal(signal.SIGALRM, wake)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = refused((yield))
    # Hostile texts in captured logs must not end a worker of pytest-xdist, which sends them as UTF-8.
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return refused((yield))


def refused(report: R) -> R:
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped (MIDSTREAM_NO_SKIPS): {reason}"
    return report
