"""Traffic scenarios: requests per CPU-second of the proxy, req/s, latency; interleaved rounds, ratio to a base peer.

python traffic.py --work bench-work --peers mitmdump,mitmdump-quiet,squid --scenarios h1,mitm --base mitmdump
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

from lab import HERE, PORTS, Origin, Peers, cpu_seconds, pinned, rss_mb, run_load, stop

# Keys are those of load.Spec; "plain" scenarios go to the http port, the others to https (or wss).
SCENARIOS: dict[str, dict] = {
    "h1": {"plain": True},  # absolute-form GET, keep-alive, 1 KB
    "mitm": {},  # CONNECT, TLS both sides, h1 keep-alive, 1 KB
    "h2": {"proto": "h2", "conns": 2, "streams": 8},  # CONNECT, TLS, h2
    "latency-h1": {"plain": True, "conns": 1},
    "latency-mitm": {"conns": 1},
    "handshake": {"fresh": "conn", "conns": 4},  # a new connection and handshake for each request, one host
    "mint": {"fresh": "host", "conns": 4},  # and a new host name for each
    "100k": {"path": "/100k", "conns": 4, "bulk": True},
    "download": {"path": "/100m", "conns": 1, "count": 2, "bulk": True},
    "download-http": {"plain": True, "path": "/100m", "conns": 1, "count": 2},
    "ws": {"proto": "ws", "conns": 8},  # wss echo, 64-byte messages, one in flight per connection
    "wrk-tls": {"generator": "wrk"},  # reverse mode only
    "h2load": {"generator": "h2load"},
}


def load_spec(scenario: str, peer: dict | None, seconds: float) -> dict:
    spec = {"seconds": seconds, **SCENARIOS[scenario]}
    plain, ws = spec.pop("plain", False), spec.get("proto") == "ws"
    spec["tls"] = not plain
    port = PORTS["wss" if ws else "http" if plain else "https"]
    spec["target"] = f"127.0.0.1:{port}"
    if peer and peer.get("mode") != "reverse":
        spec.update(connect=["127.0.0.1", peer["port"]], via="forward" if plain else "tunnel")
    else:
        spec["connect"] = ["127.0.0.1", peer["port"] if peer else port]
    return spec


def other_generator(kind: str, spec: dict, cpu: int) -> dict:
    url = "https://{}:{}/1k".format(*spec["connect"])
    seconds = str(max(1, int(spec["seconds"])))
    argv = {
        "wrk": ["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", url],
        "h2load": ["h2load", "-c2", "-m8", "-t1", f"-D{seconds}", url],
    }[kind]
    out = subprocess.run(argv, capture_output=True, text=True, preexec_fn=pinned(cpu)).stdout
    if kind == "wrk":
        n, wall = re.search(r"(\d+) requests in ([\d.]+)s", out).groups()
        unit = {"us": 0.001, "ms": 1, "s": 1000}
        p50, p99 = (float(v) * unit[u] for v, u in re.findall(r"(?:50|99)%\s+([\d.]+)(us|ms|s)\b", out))
    else:
        n, wall, p50, p99 = re.search(r"(\d+) succeeded", out)[1], seconds, 0.0, 0.0
    return {
        "n": int(n),
        "errors": 0,
        "wall": float(wall),
        "rps": int(n) / float(wall),
        "p50_ms": p50,
        "p99_ms": p99,
        "bytes": int(n) * 1024,
    }


def measure(scenario: str, peer: dict | None, pid: int | None, seconds: float, cpu: int) -> dict:
    spec = load_spec(scenario, peer, seconds)
    generator = spec.pop("generator", None)
    before = cpu_seconds(pid) if pid else 0.0
    got = other_generator(generator, spec, cpu) if generator else run_load(spec, cpu)
    if pid:
        time.sleep(0.05)
        used = max(cpu_seconds(pid) - before, 0.01)
        got.update(
            cpu_s=used,
            per_cpu_s=got["n"] / used,
            rss_mb=rss_mb(pid),
            peak_mb=rss_mb(pid, "VmHWM"),
            cpu_busy=used / got["wall"],
        )
        if got["bytes"] > 50e6:
            got["cpu_s_per_gb"] = used / (got["bytes"] / 1e9)
    got["mb_s"] = got["bytes"] / 1e6 / got["wall"]
    return got


def median(rows: list[dict], key: str) -> float | None:
    values = [r[key] for r in rows if r.get(key) is not None]
    return statistics.median(values) if values else None


def ratio(rows: list[dict], base: list[dict], key: str) -> float | None:
    pairs = [a[key] / b[key] for a, b in zip(rows, base) if a.get(key) and b.get(key)]
    return statistics.median(pairs) if pairs else None


def show(value: float | None, digits: int = 4) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:.{digits}g}"


def report(results: dict, base: str) -> str:
    lines = []
    for scenario, peers in results.items():
        lines += [
            f"\n### {scenario}",
            "",
            "| peer | req/CPU-s | ratio | req/s | ratio | p50 ms | p99 ms | MB/s | CPU-s/GB | peak MB | errors |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        for name, rows in peers.items():
            cells = [name]
            for key in ("per_cpu_s", "rps"):
                cells += [show(median(rows, key)), show(ratio(rows, peers.get(base, []), key), 3)]
            cells += [show(median(rows, k)) for k in ("p50_ms", "p99_ms", "mb_s", "cpu_s_per_gb", "peak_mb")]
            cells.append(str(sum(r["errors"] for r in rows)))
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True, help="scratch folder")
    ap.add_argument("--table", type=Path, default=HERE / "peers.toml")
    ap.add_argument("--peers", default="", help="comma-separated; all of the table by default; 'direct' is the origin")
    ap.add_argument("--scenarios", default=",".join(s for s in SCENARIOS if "generator" not in SCENARIOS[s]))
    ap.add_argument("--base", default="mitmdump")
    ap.add_argument("--seconds", type=float, default=4)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--warmup", type=float, default=1, help="seconds of load before the first round")
    ap.add_argument("--proxy-cpu", type=int, default=0)
    ap.add_argument("--other-cpu", type=int, default=1)
    ap.add_argument("--json", type=Path, help="write every round's numbers there")
    args = ap.parse_args()

    os.sched_setaffinity(0, {args.other_cpu})
    args.work.mkdir(parents=True, exist_ok=True)
    peers, running = Peers(args.table, args.work), {}
    names = [n for n in args.peers.split(",") if n] or ["direct", *peers.table]
    origin = Origin(args.work, args.other_cpu)
    results: dict[str, dict[str, list]] = {}
    try:
        for name in names:
            if name == "direct":
                continue
            try:
                if not peers.installed(name):
                    raise RuntimeError(f"{name}: not in the table, or not installed")
                running[name] = peers.start(name, args.proxy_cpu)
            except RuntimeError as exc:
                print("skipped", exc, flush=True)
        for scenario in args.scenarios.split(","):
            able = [
                n
                for n in names
                if n == "direct"
                or (
                    n in running
                    and scenario
                    in peers.table[n].get("scenarios", [s for s in SCENARIOS if "generator" not in SCENARIOS[s]])
                )
            ]
            rows: dict[str, list] = {n: [] for n in able}
            for i in range(args.rounds + 1):
                for name in able:
                    seconds = args.seconds if i else args.warmup
                    if not i and SCENARIOS[scenario].get("count"):
                        continue
                    peer, proc = peers.table.get(name), running.get(name)
                    try:
                        got = measure(scenario, peer, proc and proc.pid, seconds, args.other_cpu)
                    except (RuntimeError, subprocess.TimeoutExpired) as exc:
                        print(f"{scenario} {name}: {exc}", flush=True)
                        continue
                    if i:
                        rows[name].append(got)
                    if got["errors"]:
                        print(f"{scenario} {name}: {got['errors']} errors, {got.get('first_error')}", flush=True)
            results[scenario] = rows
            print(report({scenario: rows}, args.base), flush=True)
            if args.json:
                args.json.write_text(json.dumps(results, indent=1))
    finally:
        for proc in running.values():
            stop(proc)
        origin.close()


if __name__ == "__main__":
    main()
