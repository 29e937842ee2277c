"""What the console may cost: frames under load, and a loop that nothing of it holds."""

from __future__ import annotations

import asyncio
import os
import time

from midstream import filters
from midstream.console.writer import TerminalWriter
from tests.console.masters import shown_console
from tests.kit.captured import http_flow
from tests.kit.stopwatch import never_held


async def test_data_frames_are_bounded_and_an_event_is_cheap(tmp_path):
    async with shown_console(tmp_path) as shown:
        flows = [http_flow(f"http://example.com/{number}") for number in range(2000)]
        shown.options.console_focus_follow = True
        await asyncio.sleep(0)
        before = shown.screen.frames
        start = time.monotonic()
        for number, flow in enumerate(flows):
            shown.view.add(flow)
            if number % 5 == 0:
                await asyncio.sleep(0.001)
        elapsed = time.monotonic() - start
        assert shown.screen.frames - before <= elapsed * 20 + 2


async def test_filtering_many_flows_does_not_hold_the_loop(tmp_path):
    async with shown_console(tmp_path) as shown:
        for number in range(20_000):
            shown.view.add(http_flow(f"http://example.com/{number}"))
        await asyncio.sleep(0.2)
        async with never_held(0.25):  # 50 ms by design
            shown.press("f", "~u 77")
            await shown.until(lambda: shown.view.filter_text)
            await shown.view.refilter(filters.parse("~u 77"))


async def test_marking_many_flows_does_not_hold_the_loop(tmp_path):
    async with shown_console(tmp_path) as shown:
        flows = [http_flow(f"http://example.com/{number}") for number in range(10_000)]
        for flow in flows:
            shown.view.add(flow)
        await asyncio.sleep(0.2)
        async with never_held(0.25):
            shown.press(":", "flow.mark @all true", "enter")
            await shown.until(lambda: all(flow.marked for flow in flows))


async def test_events_of_flows_below_the_picture_ask_for_no_frame(tmp_path):
    async with shown_console(tmp_path) as shown:
        flows = [http_flow(f"http://example.com/{number}", live=True) for number in range(200)]
        for flow in flows:
            shown.view.add(flow)
        await shown.until_shown("/0")
        painted = shown.console.pane.painter.painted_rows
        for flow in flows[100:]:
            shown.view.update(flow)
        shown.console.terminal.paint()
        assert shown.console.pane.painter.painted_rows == painted


async def test_a_large_key_file_does_not_hold_the_loop(tmp_path, caplog):
    letters = "abcdefghijklmnopqrstuvwxyz"
    chords = [f"ctrl x {one} {two} {three}" for one in "ab" for two in letters for three in letters]
    lines = [f"  - {{keys: {chord}, in: [flows, detail], run: not.there @focus}}" for chord in chords]
    path = tmp_path / "large.yaml"
    path.write_text("\n".join(["version: 1", "bind:", *lines[:900]]))
    assert path.stat().st_size > 55_000
    async with shown_console(tmp_path) as shown, never_held(0.1):  # in one go it took half a second
        shown.press(":", f"console.keymap.load {path}", "enter")
        await shown.until_shown("900 keys bound")
        shown.press("K", "g", "G", "1")
        await asyncio.sleep(0)
    assert "850 more keys do nothing yet" in caplog.text


async def test_a_terminal_that_does_not_read_is_not_painted_for(tmp_path):
    """The frame clock asks the writer: with a full pipe nothing is painted, and then the newest state is."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    async with shown_console(tmp_path) as shown:
        clock = shown.console.terminal._clock
        assert clock is not None
        loop = asyncio.get_running_loop()
        writer = TerminalWriter(write_end, lambda: loop.call_soon_threadsafe(clock.terminal_free))
        clock._is_free = lambda: not writer.busy
        writer.submit(b"x" * 500_000)
        await asyncio.sleep(0.05)
        frames = shown.screen.frames
        async with never_held(0.25):
            for number in range(200):
                shown.view.add(http_flow(f"http://example.com/{number}"))
                shown.press("G")
                await asyncio.sleep(0)
        assert shown.screen.frames == frames
        os.set_blocking(read_end, False)

        def read_all() -> bool:
            try:
                os.read(read_end, 1 << 20)
            except BlockingIOError:
                pass
            return shown.screen.frames > frames

        await shown.until(read_all)
        assert shown.screen.frames == frames + 1, "one frame, the newest"
        writer.close()
    os.close(read_end)
