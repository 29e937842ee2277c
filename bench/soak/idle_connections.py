"""What an idle keep-alive connection costs: resident memory of a proxy before and after 1,000 of them.

    python soak/idle_connections.py --work work --peers middump,mitmdump-quiet

Each connection sends one request, reads the answer and stays. Then further requests are timed while all of them wait.
`per_connection` is what the proxy grew by, for a client's connection and the server's that belongs to it. Before that a
few connections come, ask and go, so that what a program loads once is not counted. Each scheme gets a new process, as
memory that was in use once is not given back. Status 1 if a connection is lost, or if the first peer takes more than
`--most`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path

from laboratory import SCHEMES, Through, laboratory, request, response_head, rss_mb

FEW = 20
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter, str]


async def ask(connection: Connection) -> None:
    reader, writer, prefix = connection
    writer.write(request("GET", f"{prefix}/echo/idle"))
    status, fields = await response_head(reader)
    await reader.readexactly(int(fields["content-length"]))
    if status != 200:
        raise ConnectionError(f"status {status}")


async def connect(through: Through, scheme: str, count: int) -> list[Connection]:
    """So many connections that have had their request, 50 at a time."""
    connections: list[Connection] = []

    async def one() -> None:
        connection = await through.connect(scheme)
        await ask(connection)
        connections.append(connection)

    for start in range(0, count, 50):
        await asyncio.gather(*(one() for _ in range(min(50, count - start))))
    return connections


async def leave(connections: list[Connection]) -> None:
    for _, writer, _ in connections:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer, _ in connections), return_exceptions=True)
    await asyncio.sleep(2)  # the proxy has to notice


async def settled(pid: int) -> float:
    """Resident memory in KiB, once it has stopped changing."""
    last = rss_mb(pid)
    while True:
        await asyncio.sleep(1)
        now = rss_mb(pid)
        if abs(now - last) < 0.05:
            return now * 1024
        last = now


async def run(through: Through, scheme: str, count: int) -> dict[str, float]:
    await leave(await connect(through, scheme, FEW))
    before = await settled(through.pid)
    connections = await connect(through, scheme, count)
    after = await settled(through.pid)
    asked = []
    for connection in (await connect(through, scheme, 1)) * 100:
        start = time.perf_counter()
        await ask(connection)
        asked.append(time.perf_counter() - start)
    for connection in connections:  # all of them are still there
        await ask(connection)
    await leave(connections)
    return {
        "before_mb": round(before / 1024, 1),
        "after_mb": round(after / 1024, 1),
        "per_connection_kib": round((after - before) / count, 2),
        "request_ms": round(statistics.median(asked) * 1000, 2),
    }


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True)
    ap.add_argument("--peers", default="middump")
    ap.add_argument("--extra", default="", help="added to the proxy's command")
    ap.add_argument("--schemes", default=",".join(SCHEMES))
    ap.add_argument("--connections", type=int, default=1000)
    ap.add_argument("--most", type=float, default=12, help="KiB for one connection in the clear")
    ap.add_argument("--json", type=Path)
    args = ap.parse_args()
    os.sched_setaffinity(0, {1})
    results: dict[str, dict[str, dict[str, float]]] = {}
    for peer in args.peers.split(","):
        results[peer] = {}
        for scheme in args.schemes.split(","):
            with laboratory(args.work, peer, args.extra) as through:
                results[peer][scheme] = asyncio.run(run(through, scheme, args.connections))
                print(f"{peer:16} {scheme:6} {results[peer][scheme]}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))
    first = next(iter(results.values()))
    sys.exit(0 if first.get("http", {}).get("per_connection_kib", 0) <= args.most else 1)


if __name__ == "__main__":
    main()
