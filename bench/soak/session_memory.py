"""What 100,000 captured flows of 1 kB cost in a console with a session: memory for each, and time on the loop for each.

python bench/soak/session_memory.py [flows] [true|memory|false]

The flows are made here, like those of the proxy, and pass through the addons of a console master by their events
(request, response, update) at about 5,000 a second, as the console's own loop sees them; no sockets. Printed is the
resident size before and after, the time of the handlers, and the longest stop of the loop. At the end every tenth
flow is read back and compared.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time

from midstream.addons.session import SessionAddon, resident_size
from midstream.addons.view import ViewAddon
from midstream.flows.connection import Client, Server
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow
from midstream.flows.request import Request
from midstream.flows.response import Response
from midstream.hub import config, ctx
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.store.view import View
from midstream.work.collector import Collector

BATCH = 100


def flow(number: int, client: Client, server: Server) -> HTTPFlow:
    """As the proxy makes it: nothing but immutable values that it owns alone."""
    now = time.time()
    made = HTTPFlow(client, server, live=True)
    made.request = Request(
        f"host{number % 50}.example.com",
        80,
        b"GET",
        b"http",
        b"",
        b"/items/%d?page=%d" % (number, number % 7),
        b"HTTP/1.1",
        Headers(
            (
                (b"Host", b"host%d.example.com" % (number % 50)),
                (b"User-Agent", b"bench/%d" % number),
                (b"Accept", b"*/*"),
            )
        ),
        b"",
        None,
        now,
        now + 0.001,
    )
    return made


def answer(number: int) -> Response:
    """1 kB of JSON."""
    now = time.time()
    fields = ((b"Content-Type", b"application/json"), (b"Content-Length", b"1024"), (b"X-Request", b"%d" % number))
    return Response(b"HTTP/1.1", 200, b"OK", Headers(fields), (b"%d," % number * 1024)[:1024], None, now, now + 0.002)


async def main(count: int, mode: str) -> None:
    options = Options()
    config.declare_folder(options)
    master = Master(options)
    view = master.view = View()
    addon = SessionAddon(view)
    master.addons.add(addon, ViewAddon(view))
    with tempfile.TemporaryDirectory() as folder:
        options.update(confdir=folder, session=mode)
        collector = Collector(asyncio.get_running_loop())
        collector.settle()
        collector.start()
        async with master.started():
            with ctx.use(master):
                await run(master, addon, count)
        collector.stop()


async def run(master: Master, addon: SessionAddon, count: int) -> None:
    view, events = master.view, master.events
    gc.collect()
    before, spent, longest, cpu = resident_size(), 0.0, 0.0, time.process_time()
    client = Client(peername=("127.0.0.1", 50000), sockname=("127.0.0.1", 8080))
    server = Server(address=("127.0.0.1", 80))
    for start in range(0, count, BATCH):
        if start % 1000 == 0:  # a connection for 1000 requests
            client = Client(peername=("127.0.0.1", 50000 + start // 1000), sockname=("127.0.0.1", 8080))
        made = [flow(number, client, server) for number in range(start, start + BATCH)]
        began = time.perf_counter()
        for number, each in enumerate(made, start):
            await events.requestheaders(each)
            await events.request(each)
            each.response = answer(number)
            await events.response(each)
            each.live = False
        spent += time.perf_counter() - began
        del made, each
        asked = time.perf_counter()
        await asyncio.sleep(0.02)
        longest = max(longest, time.perf_counter() - asked - 0.02)
    if view.session is not None:
        await view.session.flush()
    await asyncio.sleep(0.5)
    cpu = time.process_time() - cpu
    gc.collect()
    after = resident_size()
    print(f"session={master.options.session}: {len(view):,} flows, {len(view.flows_in_memory):,} of them in memory")
    print(f"memory {before >> 20} MB, then {after >> 20} MB: {(after - before) / count:.0f} bytes a flow")
    print(f"handlers {spent / count * 1e6:.1f} µs a flow, CPU of the process {cpu / count * 1e6:.1f} µs a flow")
    print(f"longest stop of the loop {longest * 1000:.1f} ms, disk {addon.figures().disk >> 20} MB")
    check(view, count)
    began, seen = time.perf_counter(), 0
    async for each in view.walk(view.all_ids):
        seen += each.response.raw_content.startswith(b"7")
    print(f"a walk over all of them takes {time.perf_counter() - began:.2f} s; then {resident_size() >> 20} MB")


def check(view: View, count: int) -> None:
    ids, slowest = list(view.all_ids), 0.0
    for number in range(0, count, 10):
        began = time.perf_counter()
        each = view.get(ids[number])
        slowest = max(slowest, time.perf_counter() - began)
        assert each is not None
        assert each.response.raw_content == answer(number).raw_content
    print(f"every tenth read back as it was; the slowest took {slowest * 1000:.2f} ms")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    asyncio.run(main(int(arguments[0]) if arguments else 100_000, arguments[1] if arguments[1:] else "true"))
