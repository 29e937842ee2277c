"""Start-up time, and reading and filtering a file of saved flows.

python offline.py --work bench-work --peers mitmdump,proxypy --flows 10000
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

from lab import HERE, PORTS, Origin, Peers, cpu_seconds, pinned, rss_mb, run_load, stop

READS = ("read", "read_print", "filter")  # the command templates of a peer that read {flows}


def startup(peers: Peers, name: str, cpu: int) -> dict:
    proc = peers.start(name, cpu)
    row = {"listening_s": proc.startup_s}
    time.sleep(0.3)
    row.update(cpu_s=cpu_seconds(proc.pid), rss_mb=rss_mb(proc.pid))
    stop(proc)
    return row


def capture(peers: Peers, name: str, flows: Path, count: int, cpu: int, other: int) -> None:
    flows.unlink(missing_ok=True)
    proc = peers.start(name, cpu, peers.table[name]["capture"], flows=flows)
    got = run_load(
        {
            "connect": ["127.0.0.1", peers.table[name]["port"]],
            "target": f"127.0.0.1:{PORTS['http']}",
            "via": "forward",
            "path": "/1k?n={n}",
            "count": count,
            "conns": 4,
        },
        other,
    )
    stop(proc)
    assert got["n"] >= count - 4, got


def timed(argv: list[str], cpu: int, env: dict) -> dict:
    start = time.perf_counter()
    proc = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=env,
        preexec_fn=pinned(cpu),
    )
    _, status, usage = os.wait4(proc.pid, 0)
    proc.returncode = os.waitstatus_to_exitcode(status)
    return {
        "wall_s": time.perf_counter() - start,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
        "exit": proc.returncode,
    }


def line(label: str, rows: list[dict]) -> None:
    mid = {k: round(statistics.median(r[k] for r in rows), 3) for k in rows[0]}
    print(f"{label:40} " + "  ".join(f"{k}={v}" for k, v in mid.items()), flush=True)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True)
    ap.add_argument("--table", type=Path, default=HERE / "peers.toml")
    ap.add_argument("--peers", default="")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--flows", type=int, default=10000, help="in the larger of the two files; 0: only start-up")
    ap.add_argument("--proxy-cpu", type=int, default=0)
    ap.add_argument("--other-cpu", type=int, default=1)
    ap.add_argument("--json", type=Path)
    args = ap.parse_args()
    os.sched_setaffinity(0, {args.other_cpu})
    args.work.mkdir(parents=True, exist_ok=True)
    peers = Peers(args.table, args.work)
    names = [n for n in args.peers.split(",") if n] or [n for n in peers.table if "console" not in peers.table[n]]
    names = [n for n in names if peers.installed(n)]
    origin = Origin(args.work, args.other_cpu)
    results: dict[str, list] = {}
    try:
        for _ in range(args.rounds + 1):  # the first one warms caches and makes key files
            for name in names:
                try:
                    results.setdefault(f"{name} start-up", []).append(startup(peers, name, args.proxy_cpu))
                except RuntimeError as exc:
                    print("skipped", exc)
        for label, rows in results.items():
            line(label, rows[1:] or rows)
        readers = [n for n in names if "capture" in peers.table[n] and "like" not in peers.table[n]]
        files = {(n, c): args.work / f"{n}.{c}.flows" for n in readers for c in (10, args.flows) if args.flows}
        for (name, count), path in list(files.items()):
            try:
                capture(peers, name, path, count, args.proxy_cpu, args.other_cpu)
            except RuntimeError as exc:
                del files[name, count]
                print("skipped", exc)
                continue
            print(f"{name} {count} flows: file of {path.stat().st_size / 1e6:.2f} MB")
        for _ in range(args.rounds):
            for (name, count), path in files.items():
                for kind in READS:
                    if kind in peers.table[name]:
                        argv = peers.fill(name, peers.table[name][kind], flows=path)
                        results.setdefault(f"{name} {kind} {count}", []).append(
                            timed(argv, args.proxy_cpu, peers.env(name))
                        )
        for label, rows in results.items():
            if "start-up" not in label:
                line(label, rows)
    finally:
        origin.close()
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
