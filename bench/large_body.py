"""What bodies of 50 MB cost in the console: times on the screen, and how long the loop was held by it.

    PYTHONPATH=.. python large_body.py [part of a name …]

Run from bench/ with the venv's python. The console is the real one on a screen that records; no network is needed. All
flows are in a session on disk, and not in memory when they are opened. `held` is the longest time in which the loop did
not come round, the turn of others on a busy machine included; `cpu` the most CPU time of its thread within one turn.
Ours: never over 50 ms.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow

from midstream.flows.websocket import TEXT, WebSocketData, WebSocketMessage
from midstream.store import session as session_module
from midstream.store.session import Session
from midstream.store.session_file import SessionFile
from midstream.work.collector import Collector

SIZE = 50_000_000
MESSAGES = 50_000
ITEM = b'{"sku":"A-1009","qty":2,"name":"some words here","tags":["a","b"],"price":12.5}'
NODE = b'<item sku="A-1009"><name>some words here</name><price>12.5</price></item>'


class Beat:
    """The longest time between two turns of the loop, and the most CPU time of its thread within one."""

    async def __aenter__(self) -> Beat:
        self.held = self.cpu = 0.0
        self._task = asyncio.create_task(self._beat())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _beat(self) -> None:
        pause = 0.001
        while True:
            start, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(pause)
            self.held = max(self.held, time.perf_counter() - start - pause)
            self.cpu = max(self.cpu, time.thread_time() - cpu)


WORST = [0.0, 0.0]


async def measured(
    shown: Shown, what: str, keys: list[str], until: Callable[[str], object], patience: float = 90
) -> None:
    """Press keys; print the time until the screen is as wanted, and how long the loop was held."""
    async with Beat() as beat:
        start = time.perf_counter()
        for key in keys:
            shown.press(key)
            await asyncio.sleep(0)
        is_there = False
        while not is_there and time.perf_counter() - start < patience:
            await asyncio.sleep(0.02)
            is_there = bool(until(shown.text))
        took = time.perf_counter() - start
        await asyncio.sleep(0)
    held, cpu = beat.held * 1000, beat.cpu * 1000
    WORST[:] = max(WORST[0], held), max(WORST[1], cpu)
    never = "" if is_there else f"   NEVER\n{shown.text}"
    print(f"  {what:<44} {took * 1000:8.0f} ms   held {held:6.1f} ms   cpu {cpu:6.1f} ms{never}", flush=True)


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
    print(f"  {what:<44} {slowest[int(count * 0.95)] * 1000:8.1f} ms p95   {slowest[-1] * 1000:.1f} ms at most")


def bodies() -> dict[str, tuple[str, Callable[[], bytes], str]]:
    """Content type, the body, and its content coding, by name."""
    count = SIZE // (len(ITEM) + 1)
    json = b"[" + b",".join([ITEM] * count) + b"]"
    lines = b",\n".join([ITEM] * count)
    nodes = b"".join([NODE] * (SIZE // len(NODE)))
    return {
        "json, one line": ("application/json", lambda: json, ""),
        "json, many lines": ("application/json", lambda: b"[\n" + lines + b"\n]", ""),
        "ndjson": ("application/x-ndjson", lambda: lines.replace(b",\n", b"\n"), ""),
        "json, gzip": ("application/json", lambda: gzip.compress(json, 1), "gzip"),
        "xml": ("application/xml", lambda: b"<list>" + nodes + b"</list>", ""),
        "html": ("text/html", lambda: b"<html><body>" + nodes + b"</body></html>", ""),
        "form": ("application/x-www-form-urlencoded", lambda: b"&".join([b"a=some+words%20here"] * (SIZE // 20)), ""),
        "text": ("text/plain", lambda: b"some words here\n" * (SIZE // 16), ""),
        "image": ("image/png", lambda: b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(SIZE), ""),
        "binary": ("application/octet-stream", lambda: random.Random(2).randbytes(SIZE), ""),
    }


@asynccontextmanager
async def console_with(*flows: Callable[[], object]) -> AsyncIterator[tuple[Shown, Path]]:
    """A console whose flows are on the disk."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with shown_console(folder) as shown:
            view = shown.view
            session = Session(SessionFile(str(folder / "a.session")), view.flows_in_memory, view)
            view.attach(session)
            writing = asyncio.create_task(session.run())
            for make in flows:
                view.add(make())  # type: ignore[arg-type]
            await session.flush()
            while len(view.flows_in_memory):
                session.shrink()
                await asyncio.sleep(0.05)
            session_module.MOST_FLOWS, session_module.MOST_BYTES = 2000, 48 << 20
            yield shown, folder
            shown.console.close()
            await session.close()
            await writing
            view.detach()
            shown.console.master.worker.close()


def flow_of(kind: str, make: Callable[[], bytes], coding: str, path: str) -> Callable[[], object]:
    fields = ((b"Content-Type", kind.encode()), *(((b"Content-Encoding", coding.encode()),) if coding else ()))
    return lambda: http_flow(f"http://h/{path}", response_body=make(), response_headers=fields)


async def look_at(name: str) -> None:
    """One body: open, scroll, search, make it pretty, back, next flow and back, peek, save, export, compare."""
    kind, make, coding = bodies()[name]
    session_module.MOST_FLOWS = session_module.MOST_BYTES = 0
    small = flow_of("text/plain", lambda: b"small one", "", "small")
    async with console_with(flow_of(kind, make, coding, "large"), small, flow_of(kind, make, coding, "like")) as (
        shown,
        folder,
    ):
        print(f"{name}, {len(make()):,} bytes as sent")
        is_hex = name in ("image", "binary")

        def there(text: str) -> bool:
            return not any(word in text for word in ("reading", "decoding", "esc stops", "… 0 %", " %,"))

        await measured(shown, "over it in the list", ["g", "down", "up"], lambda text: True)
        await measured(shown, "details: the head", ["enter", "tab"], lambda text: kind in text)
        await measured(
            shown,
            "the beginning of the body",
            [],
            lambda t: "00000000" in t if is_hex else "some" in t.partition("Body")[2],
        )
        await measured(shown, "all of it indexed", [], there)
        await measured(shown, "to the end and back", ["G", "g"], lambda text: True)
        await measured(
            shown, "search of words", ["/", *"words", "enter"], lambda t: " of " in t and "searching" not in t
        )
        await measured(shown, "search of a regex", ["/", *'w.r"?d', "enter"], lambda t: "searching" not in t)
        shown.press("g", "=")
        await typed(shown, "arrow keys while it is made pretty", 100)
        await measured(shown, "the rest of making it pretty", [], there)
        await measured(shown, "to the end and back", ["G", "g"], lambda text: True)
        await measured(shown, "raw again", ["="], there)
        await measured(shown, "the next flow", [" "], lambda text: "small one" in text)
        await measured(shown, "and back", ["p"], there)
        shown.press("q", "g")
        await measured(shown, "peek", ["P"], lambda t: "0000000" in t or "words" in t)
        shown.press("P", "g")
        out = folder / "body"
        await measured(
            shown,
            "b: save the body",
            ["b", str(out), "enter"],
            lambda text: out.exists() and out.stat().st_size > 1e5,
            20,
        )
        line = f"cut.save @focus response.content {folder}/cut"
        await measured(shown, "cut.save", [":", line, "enter"], lambda _: (folder / "cut").exists(), 20)
        line = f"export.file raw_response @focus {folder}/raw"
        await measured(shown, "export.file", [":", line, "enter"], lambda _: (folder / "raw").exists(), 20)
        line = f"save.file @all {folder}/all.mid"
        await measured(shown, "save.file @all", [":", line, "enter"], lambda _: (folder / "all.mid").exists(), 20)
        await measured(shown, "filter of bodies", ["f", *"~bs nothing", "enter"], lambda t: "Nothing to show" in t, 20)
        await measured(shown, "filter off", ["backspace"], lambda text: "small" in text)
        shown.press("g", "m", "G")
        await measured(shown, "compare of two", ["c", "tab"], lambda t: "comparing" not in t and "waiting" not in t)
        shown.press("q")
        os.environ["EDITOR"] = "true"
        await measured(
            shown, "e b: the file for an editor", [":", "console.edit.editor response-body", "enter"], there, 20
        )
        await measured(shown, "copied: refused or done", [":", "console.copy body", "enter"], there, 20)


async def talk() -> None:
    """A WebSocket of very many messages."""

    def make() -> object:
        flow = http_flow("http://h/talk")
        said = [WebSocketMessage(TEXT, bool(at % 2), b"some words here %d" % at, float(at)) for at in range(MESSAGES)]
        flow.websocket = WebSocketData(said)
        return flow

    session_module.MOST_FLOWS = session_module.MOST_BYTES = 0
    async with console_with(make, make) as (shown, folder):
        print(f"WebSocket, {MESSAGES:,} messages")
        await measured(shown, "over it in the list", ["g", "down", "up"], lambda text: True)
        await measured(shown, "details: its messages", ["enter", "tab", "tab"], lambda t: f"here {MESSAGES - 1}" in t)
        await measured(shown, "to the beginning and the end", ["g", "G"], lambda text: True)
        shown.press("q", "g")
        await measured(shown, "peek of another", ["P", "down"], lambda text: f"here {MESSAGES - 1}" in text)
        shown.press("P", "g")
        line = f"save.file @all {folder}/all.mid"
        await measured(shown, "save.file @all", [":", line, "enter"], lambda _: (folder / "all.mid").exists(), 20)
        await measured(shown, "filter of bodies", ["f", *"~b nothing", "enter"], lambda t: "Nothing to show" in t, 20)


async def main() -> None:
    collector = Collector(asyncio.get_running_loop())  # as the program has one
    collector.settle()
    collector.start()
    wanted = sys.argv[1:]
    for name in bodies():
        if not wanted or any(word in name for word in wanted):
            await look_at(name)
    if not wanted or "websocket" in wanted:
        await talk()
    print(f"the longest of all: held {WORST[0]:.1f} ms, cpu {WORST[1]:.1f} ms")


asyncio.run(main())
