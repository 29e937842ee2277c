"""What saving costs: requests per CPU-second of the proxy with and without -w, both programs alternating.

python saving.py --work bench-work --peers mitmdump,middump --rounds 5
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path

from lab import HERE, PORTS, Origin, Peers, cpu_seconds, run_load, stop


def requests(peers: Peers, name: str, command: str, flows: Path, count: int, cpu: int, other: int) -> float:
    flows.unlink(missing_ok=True)
    proc = peers.start(name, cpu, command, flows=flows)
    spec = {
        "connect": ["127.0.0.1", peers.table[name]["port"]],
        "target": f"127.0.0.1:{PORTS['http']}",
        "via": "forward",
        "path": "/1k?n={n}",
        "count": count,
        "conns": 8,
    }
    run_load({**spec, "count": 500}, other)
    before = cpu_seconds(proc.pid)
    got = run_load(spec, other)
    used = cpu_seconds(proc.pid) - before
    stop(proc)
    return got["n"] / used


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True)
    ap.add_argument("--table", type=Path, default=HERE / "peers.toml")
    ap.add_argument("--peers", default="mitmdump,middump")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--count", type=int, default=5000)
    ap.add_argument("--proxy-cpu", type=int, default=0)
    ap.add_argument("--other-cpu", type=int, default=1)
    args = ap.parse_args()
    os.sched_setaffinity(0, {args.other_cpu})
    args.work.mkdir(parents=True, exist_ok=True)
    peers = Peers(args.table, args.work)
    names = [name for name in args.peers.split(",") if peers.installed(name)]
    origin = Origin(args.work, args.other_cpu)
    rates: dict[str, list[float]] = {}
    try:
        for _ in range(args.rounds):
            for name in names:
                flows, saving = args.work / f"{name}.saved", peers.table[name]["capture"]
                for label, command in (("off", saving.replace(" -w {flows}", "")), ("on", saving)):
                    rate = requests(peers, name, command, flows, args.count, args.proxy_cpu, args.other_cpu)
                    rates.setdefault(f"{name} -w {label}", []).append(rate)
    finally:
        origin.close()
    for label, found in rates.items():
        print(f"{label:24} {statistics.median(found):8.0f} requests per CPU-second", flush=True)


if __name__ == "__main__":
    main()
