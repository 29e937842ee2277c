"""10,000 requests over 20 keep-alive connections at once: none lost, none mixed up.

    python soak/many_requests.py --work work

Both in the clear and through intercepted TLS. Every request has a token of its own and every third a body; the answer
is made of both, and its length depends on the token. A connection that the proxy closes early counts as lost. Status 1
if anything was lost or mixed up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path

from laboratory import SCHEMES, Through, laboratory, request, response_head
from origin import echo_body


class Tally:
    def __init__(self) -> None:
        self.answered = self.lost = self.mixed_up = 0
        self.first = ""

    def note(self, what: str) -> None:
        self.first = self.first or what


async def connection(through: Through, scheme: str, number: int, requests: int, tally: Tally) -> None:
    done = 0
    try:
        reader, writer, prefix = await through.connect(scheme)
        for i in range(requests):
            token = f"{scheme}-{number}-{i}"
            body = f"body of {token}".encode() * (1 + i % 7) if i % 3 == 0 else b""
            writer.write(request("POST" if body else "GET", f"{prefix}/echo/{token}", len(body)) + body)
            status, fields = await response_head(reader)
            answer = await reader.readexactly(int(fields["content-length"]))
            done += 1
            tally.answered += 1
            if (status, fields["x-path"], answer) != (200, f"/echo/{token}", echo_body(token, body)):
                tally.mixed_up += 1
                tally.note(f"{token}: {status} {fields} {answer[:80]!r}")
        writer.close()
    except (OSError, EOFError, KeyError) as exc:
        tally.note(f"connection {number} after {done}: {exc!r}")
    tally.lost += requests - done


async def run(through: Through, scheme: str, connections: int, requests: int) -> Tally:
    tally = Tally()
    shares = [requests // connections + (i < requests % connections) for i in range(connections)]
    await asyncio.gather(*(connection(through, scheme, i, share, tally) for i, share in enumerate(shares)))
    return tally


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True)
    ap.add_argument("--peer", default="middump")
    ap.add_argument("--extra", default="", help="added to the proxy's command")
    ap.add_argument("--connections", type=int, default=20)
    ap.add_argument("--requests", type=int, default=10_000)
    ap.add_argument("--json", type=Path)
    args = ap.parse_args()
    os.sched_setaffinity(0, {1})
    results, good = {}, True
    with laboratory(args.work, args.peer, args.extra) as through:
        for scheme in SCHEMES:
            start = time.monotonic()
            tally = asyncio.run(run(through, scheme, args.connections, args.requests))
            wall = time.monotonic() - start
            row = {"answered": tally.answered, "lost": tally.lost, "mixed_up": tally.mixed_up, "first": tally.first}
            results[scheme] = row | {"rps": round(tally.answered / wall)}
            good = good and not tally.lost and not tally.mixed_up and tally.answered == args.requests
            print(f"{scheme:6} {results[scheme]}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
