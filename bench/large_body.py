"""What a 50 MB JSON body costs in the details of the console: times on the screen, and how long the loop was held.

    PYTHONPATH=.. python large_body.py

Run from bench/ with the venv's python. The console is the real one on a screen that records; no network is needed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.console.masters import Shown, shown_console
from tests.console.test_budgets import Probe
from tests.kit.captured import http_flow

ITEM = b'{"sku":"A-1009","qty":2,"name":"some words here","tags":["a","b"],"price":12.5}'
JSON = ((b"Content-Type", b"application/json"),)


async def measured(shown: Shown, what: str, keys: list[str], until: Callable[[str], bool]) -> None:
    """Press keys; print the time until the screen is as wanted, and the longest time that the loop was held."""
    async with Probe() as probe:
        start = time.perf_counter()
        shown.press(*keys)
        while not until(shown.text):
            await asyncio.sleep(0.005)
        took = time.perf_counter() - start
        await asyncio.sleep(0)
    held, cpu = probe.longest * 1000, probe.most_cpu * 1000
    print(f"{what:<58} {took * 1000:8.0f} ms   loop held {held:5.1f} ms, cpu {cpu:5.1f} ms")


async def typed(shown: Shown, what: str, count: int) -> None:
    """Press keys while something goes on beside; print the slowest from key to frame."""
    slowest = []
    for number in range(count):
        start = time.perf_counter()
        shown.press("down" if number % 2 else "up")
        assert shown.text
        slowest.append(time.perf_counter() - start)
        await asyncio.sleep(0.01)
    slowest.sort()
    print(f"{what:<58} {slowest[int(count * 0.95)] * 1000:8.1f} ms p95   {slowest[-1] * 1000:.1f} ms at most")


async def main() -> None:
    data = b"[" + b",".join([ITEM] * (50_000_000 // (len(ITEM) + 1))) + b"]"
    with tempfile.TemporaryDirectory() as folder:
        async with shown_console(Path(folder)) as shown:
            shown.view.add(http_flow("http://h/", response_body=data, response_headers=JSON))
            shown.press("enter")
            assert shown.text
            print(f"one line of {len(data):,} bytes")
            await measured(shown, "raw on the screen", ["tab"], lambda text: "sku" in text)
            await measured(shown, "indexed", [], lambda text: "= makes it pretty" in text)
            await measured(shown, "to the end", ["G"], lambda text: "12.5}]" in text)
            shown.press("g")
            count = f"{data.count(b'qty'):,}"
            await measured(
                shown,
                f"search of words: {count} hits counted",
                ["/", "qty", "enter"],
                lambda t: f"1 of {count}" in t and "searching" not in t,
            )
            await measured(
                shown,
                f"search of a regex: {count} hits",
                ["/", '"q.y": ?2', "enter"],
                lambda t: f"1 of {count}" in t and "searching" not in t,
            )
            shown.press("=")
            await typed(shown, "arrow keys while it is made pretty", 200)
            await measured(
                shown, "the rest of making it pretty", [], lambda text: "esc stops" not in text and " pretty" in text
            )
            await measured(shown, "to the end of 5.6 million lines", ["G"], lambda text: "> " in text)
            shown.view.add(
                http_flow("http://h/2", response_body=b'"' + b"a" * 50_000_000 + b'"', response_headers=JSON)
            )
            shown.press(" ")
            await measured(
                shown,
                "a regex that backtracks for ever, until it is stopped",
                ["/", "(a+)+$", "enter"],
                lambda text: "was stopped" in text,
            )
            shown.console.master.worker.close()


asyncio.run(main())
