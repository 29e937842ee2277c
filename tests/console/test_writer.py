from __future__ import annotations

import os
import threading
import time

from midstream.console.writer import TerminalWriter
from tests.kit.stopwatch import within


def wait_until(holds, deadline: float = 5.0) -> None:
    end = time.monotonic() + deadline
    while not holds():
        assert time.monotonic() < end, "never happened"
        time.sleep(0.002)


def test_writes_in_order_and_says_when_it_is_free():
    read_end, write_end = os.pipe()
    free = threading.Event()
    writer = TerminalWriter(write_end, free.set)
    writer.submit(b"one ")
    writer.submit(b"two")
    assert writer.drain(5)
    assert free.wait(5)
    assert os.read(read_end, 100) == b"one two"
    assert not writer.busy
    writer.close()
    os.close(read_end)


def test_a_terminal_that_does_not_read_keeps_it_busy_and_holds_nobody():
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    writer = TerminalWriter(write_end, lambda: None)
    with within(0.5):
        writer.submit(b"x" * 1_000_000)
    wait_until(lambda: writer.written > 0)
    assert writer.busy
    assert not writer.drain(0.01)
    got = 0
    while got < 1_000_000:
        got += len(os.read(read_end, 65536))
    assert writer.drain(5)
    writer.close()
    os.close(read_end)


def test_drop_forgets_a_frame_that_is_stuck():
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    writer = TerminalWriter(write_end, lambda: None)
    writer.submit(b"x" * 1_000_000)
    wait_until(lambda: writer.written > 0)
    writer.drop()
    assert writer.drain(5)
    writer.close()
    os.close(read_end)


def test_a_terminal_that_hung_up_is_lost_quietly():
    read_end, write_end = os.pipe()
    os.close(read_end)
    writer = TerminalWriter(write_end, lambda: None)
    writer.submit(b"hello")
    wait_until(lambda: writer.lost)
    writer.submit(b"more")
    assert not writer.busy
    writer.close()
