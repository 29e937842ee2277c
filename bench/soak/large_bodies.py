"""A 1 GB download and a 100 MB upload, streamed to a reader of 20 MB/s: the proxy's memory must not grow with them.

    python soak/large_bodies.py --work work

Both in the clear and through intercepted TLS; what arrives must have the digest of what was sent. Status 1 if a body
was damaged or memory grew by more than --limit MB. Takes two minutes at full size.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
import threading
import time
from pathlib import Path

from laboratory import SCHEMES, Through, laboratory, request, response_head, rss_mb
from origin import paced, pattern

MB = 1_000_000


class Memory:
    """Watches the proxy's resident memory while the block runs."""

    def __init__(self, pid: int):
        self.pid = pid
        self.before = self.most = rss_mb(pid)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self.over.wait(0.05):
            self.most = max(self.most, rss_mb(self.pid))

    def __enter__(self) -> Memory:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    @property
    def grown(self) -> float:
        return self.most - self.before


def digest_of(size: int) -> str:
    digest = hashlib.sha256()
    for piece in pattern(size):
        digest.update(piece)
    return digest.hexdigest()


async def download(through: Through, scheme: str, size: int, rate: float) -> bool:
    """Whether the body arrived as it was sent."""
    reader, writer, prefix = await through.connect(scheme)
    writer.write(request("GET", f"{prefix}/bytes/{size}"))
    status, fields = await response_head(reader)
    whole = (status, fields.get("content-length")) == (200, str(size))
    got = await paced(reader, size, rate)
    writer.close()
    return whole and got == (size, digest_of(size))


async def upload(through: Through, scheme: str, size: int, rate: float) -> bool:
    """Sent as fast as the proxy takes it; the origin reads at `rate`."""
    reader, writer, prefix = await through.connect(scheme)
    writer.write(request("POST", f"{prefix}/sink?rate={rate:.0f}", size))
    for piece in pattern(size):
        writer.write(piece)
        await writer.drain()
    status, fields = await response_head(reader)
    answer = json.loads(await reader.readexactly(int(fields["content-length"])))
    writer.close()
    return status == 200 and answer == {"size": size, "sha256": digest_of(size)}


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True)
    ap.add_argument("--peer", default="middump")
    ap.add_argument("--extra", default="--set stream_large_bodies=1m", help="added to the proxy's command")
    ap.add_argument("--download", type=float, default=1000, help="MB")
    ap.add_argument("--upload", type=float, default=100, help="MB")
    ap.add_argument("--rate", type=float, default=20, help="MB/s of the reader")
    ap.add_argument("--limit", type=float, default=60, help="MB by which the proxy's memory may grow")
    ap.add_argument("--json", type=Path)
    args = ap.parse_args()
    os.sched_setaffinity(0, {1})
    results, good = {}, True
    for name, job, size in (("download", download, args.download), ("upload", upload, args.upload)):
        for scheme in SCHEMES:
            # A proxy of its own for each, so that no run profits from what an earlier one left behind.
            with laboratory(args.work, args.peer, args.extra) as through:
                asyncio.run(job(through, scheme, MB, 0))  # so that what is made once is there
                start = time.monotonic()
                with Memory(through.pid) as memory:
                    whole = asyncio.run(job(through, scheme, int(size * MB), args.rate * MB))
                row = {"mb": size, "seconds": round(time.monotonic() - start, 1), "whole": whole}
                row |= {"rss_mb": round(memory.before, 1), "grown_mb": round(memory.grown, 1)}
                ok = whole and memory.grown < args.limit
            results[f"{name} {scheme}"], good = {**row, "ok": ok}, good and ok
            print(f"{name:9} {scheme:6} {results[f'{name} {scheme}']}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
