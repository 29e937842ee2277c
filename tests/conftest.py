"""What holds for all tests."""

import asyncio
import gc
import os
from collections.abc import Callable, Generator, Mapping
from typing import TypeVar

import pytest
from hypothesis import settings

from midstream.app import loop_factory

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


def pytest_collection_finish() -> None:
    """No collection of garbage looks at the thousands of tests themselves, again and again."""
    gc.collect()
    gc.freeze()


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
