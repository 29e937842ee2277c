"""Tasks that nobody awaits."""

import asyncio
import logging

import pytest

from midstream.hub.background import Background


async def test_work_that_never_began_is_not_reported_as_forgotten() -> None:
    """It is a RuntimeWarning otherwise, and warnings are errors here."""
    background = Background()
    background.spawn(asyncio.sleep(60))
    await background.close()


async def test_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise KeyError("sku")

    background = Background()
    await background.spawn(fail())
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info


async def test_close_waits_for_what_it_cancels() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    background = Background()
    background.spawn(work())
    await asyncio.sleep(0)
    await background.close()
    assert ended == [True]
