"""100,000 requests over one HTTP/2 connection: what is finished must leave nothing behind in the proxy.

    python soak/one_connection.py --work work

Twenty streams at a time, through CONNECT and intercepted TLS to nginx. Memory is compared with what it was after a
fifth of the requests, when everything that is made once is there. Status 1 if a request failed or memory grew by more
than --limit MB.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path

from laboratory import h2_laboratory, rss_mb, run_load


def samples_while(pid: int, over: threading.Event, every: float = 0.1) -> list[float]:
    found = []
    while not over.wait(every):
        found.append(rss_mb(pid))
    return found


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True)
    ap.add_argument("--peer", default="middump")
    ap.add_argument("--extra", default="", help="added to the proxy's command")
    ap.add_argument("--requests", type=int, default=100_000)
    ap.add_argument("--streams", type=int, default=20, help="at a time")
    ap.add_argument("--limit", type=float, default=5, help="MB by which the proxy's memory may grow")
    ap.add_argument("--json", type=Path)
    args = ap.parse_args()
    os.sched_setaffinity(0, {1})
    with h2_laboratory(args.work, args.peer, args.extra) as through:
        spec = {"connect": ["127.0.0.1", through.port], "target": through.target, "via": "tunnel", "tls": True}
        spec |= {"proto": "h2", "conns": 1, "streams": args.streams, "count": args.requests}
        over, samples = threading.Event(), []
        watch = threading.Thread(target=lambda: samples.extend(samples_while(through.pid, over)))
        watch.start()
        start = time.monotonic()
        try:
            got = run_load(spec, 1)
        finally:
            over.set()
            watch.join()
        early, late = samples[len(samples) // 5], samples[-1]
        result = {"answered": got["n"], "errors": got["errors"], "rps": round(got["n"] / (time.monotonic() - start))}
        result |= {"early_mb": round(early, 1), "late_mb": round(late, 1), "grown_mb": round(late - early, 1)}
    good = got["n"] == args.requests and not got["errors"] and late - early <= args.limit
    print({**result, "ok": good}, flush=True)
    if args.json:
        args.json.write_text(json.dumps({**result, "ok": good}, indent=1))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
