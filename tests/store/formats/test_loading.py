"""Reading flow files in the background: what happens to the file when nobody wants more of it."""

import asyncio
import gc
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from midstream.flows.flow import Flow
from midstream.io import FlowWriter
from midstream.store.formats import loading
from midstream.store.formats.loading import batches
from tests.kit.captured import http_flow


@pytest.mark.parametrize("turns", [0, 1, 2, 5, 20, 60])
async def test_a_file_is_closed_wherever_its_reading_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turns: int
):
    path = tmp_path / "flows"
    with path.open("wb") as file:
        writer = FlowWriter(file)
        for _ in range(3000):
            writer.add(http_flow())
    monkeypatch.setattr(loading, "_MOST_FLOWS", 200)
    found: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", found.append)

    async def read() -> None:
        flows: list[Flow] = []
        async with aclosing(batches(str(path))) as read:
            async for some in read:
                flows += some

    reading = asyncio.create_task(read())
    for _ in range(turns):
        await asyncio.sleep(0.001)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    del reading  # its traceback keeps everything
    await asyncio.get_running_loop().shutdown_default_executor()  # the thread is done
    gc.collect()
    assert not found  # a file that is not closed is told of there
