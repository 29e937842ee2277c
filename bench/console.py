"""A console program in a 120x40 pty: memory per captured flow, key-to-screen latency, filter time, CPU under load.

python console.py --work work --peer mitmproxy --steps 10,1000,10000,50000
python console.py --work work --peer midstream --steps '' --load-at 50000 --twin middump
python console.py --work work --peer midstream,mitmproxy --steps '' --load-at 10000

The list is filled by real traffic through the program, so any program can be measured: its peer needs a
[PEER.console] table with the keys to press (see peers.toml). Needs ptyprocess and pyte.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lab import HERE, PORTS, Origin, Peers, cpu_seconds, pinned, require_free, rss_mb, run_load
from terminal import ESCAPES, Terminal
from under_load import UnderLoad


def median(rows: list, key: str) -> float:
    return round(statistics.median(r[key] for r in rows), 2) if rows else float("nan")


class Bench:
    def __init__(self, peers: Peers, name: str, proxy_cpu: int, other_cpu: int):
        self.peer, self.other, self.sent = peers.table[name], other_cpu, 0
        self.keys = self.peer["console"]
        require_free(self.peer["port"])
        argv = peers.fill(name, self.peer["command"] + " " + self.keys.get("args", ""))
        start = time.perf_counter()
        self.term = Terminal(argv, proxy_cpu, peers.env(name))
        while self.keys["ready"].format(port=self.peer["port"]) not in self.said():
            if time.perf_counter() - start > 30:
                raise RuntimeError("did not come up:\n" + self.term.text())
            time.sleep(0.01)
        self.startup = time.perf_counter() - start
        for key in self.keys.get("at_start", []):
            self.term.press(key)
        self.term.settle(0.5)

    def said(self) -> str:
        return ESCAPES.sub(b"", b"".join(data for _, data in list(self.term.pieces))).decode(errors="replace")

    def load_spec(self, **kw) -> dict:
        return {
            "connect": ["127.0.0.1", self.peer["port"]],
            "target": f"127.0.0.1:{PORTS['http']}",
            "via": "forward",
            "path": "/1k?n={n}",
            "conns": 8,
            **self.keys.get("load", {}),
            **kw,
        }

    def filled(self, flows: int) -> dict:
        """Bring the list to that many flows; speed and cost of capturing with the list open."""
        want, cpu, out = max(1, flows - self.sent), cpu_seconds(self.term.pid), self.term.written
        got = run_load(self.load_spec(count=want), self.other)
        self.sent += got["n"]
        used = cpu_seconds(self.term.pid) - cpu
        self.term.settle(1.0)
        return {
            "rps": got["rps"],
            "per_cpu_s": round(got["n"] / max(used, 0.01), 1),
            "errors": got["errors"],
            "tty_kb_s": round((self.term.written - out) / got["wall"] / 1000, 1),
        }

    def idle_cpu(self, seconds: float = 3) -> float:
        cpu = cpu_seconds(self.term.pid)
        time.sleep(seconds)
        return round((cpu_seconds(self.term.pid) - cpu) / seconds, 4)

    def moves(self, keys: list[str], times: int) -> dict:
        """Medians over presses, the keys taking turns; presses that change nothing are left out."""
        rows = [r for r in (self.term.press(self.keys[keys[i % len(keys)]]) for i in range(times)) if r]
        return {k: median(rows, k) for k in ("first_ms", "last_ms", "cpu_ms", "bytes")} | {
            "p95_last_ms": round(sorted(r["last_ms"] for r in rows)[int(len(rows) * 0.95)], 2) if rows else None,
            "changed": f"{len(rows)}/{times}",
        }

    def burst(self, key: str, times: int = 200) -> dict:
        """Many presses at once, as of a held key: ms and CPU per press."""
        got = self.term.press(self.keys[key] * times, 0.3) or {"last_ms": 0.0, "cpu_ms": 0.0}
        return {"ms_per_key": round(got["last_ms"] / times, 3), "cpu_ms_per_key": round(got["cpu_ms"] / times, 3)}

    def filter(self, expr: str) -> dict:
        self.term.press(self.keys["filter_open"])
        if expr:
            self.term.press(expr)
        got = self.term.press("\r", 0.4)
        return got and {k: round(got[k], 1) for k in ("first_ms", "last_ms", "cpu_ms")}

    def streaming(self, rate: float, seconds: float = 8) -> dict:
        """CPU while `rate` requests/s come in with the list open, and how fast a typed key shows meanwhile."""
        spec = self.load_spec(rate=rate, seconds=seconds, conns=16)
        cpu, out = cpu_seconds(self.term.pid), self.term.written
        load = subprocess.Popen(
            [sys.executable, str(HERE / "load.py"), json.dumps(spec)],
            stdout=subprocess.PIPE,
            preexec_fn=pinned(self.other),
        )
        time.sleep(1.5)
        os.write(self.term.pty.fd, self.keys["filter_open"].encode())
        time.sleep(0.5)
        echo = self.term.echo_ms("zqx")
        os.write(self.term.pty.fd, self.keys.get("cancel", "\x1b").encode())
        got = json.loads(load.communicate(timeout=seconds + 120)[0])
        self.sent += got["n"]
        used = cpu_seconds(self.term.pid) - cpu
        self.term.settle(1.0)
        return {
            "asked_rps": rate,
            "rps": got["rps"],
            "cpu_per_s": round(used / got["wall"], 3),
            "cpu_ms_per_req": round(1000 * used / max(got["n"], 1), 2),
            "p50_ms": got["p50_ms"],
            "p99_ms": got["p99_ms"],
            "tty_kb_s": round((self.term.written - out) / got["wall"] / 1000, 1),
            "key_echo_ms": echo and round(echo, 1),
        }


def arguments() -> argparse.Namespace:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True)
    ap.add_argument("--table", type=Path, default=HERE / "peers.toml")
    ap.add_argument("--peer", default="mitmproxy", help="or several, comma-separated, one after the other")
    ap.add_argument("--steps", default="10,1000,10000,50000", help="list lengths at which to measure")
    ap.add_argument("--rates", default="100,500")
    ap.add_argument("--stream-at", type=int, default=10000, help="the list length at which traffic of --rates comes in")
    ap.add_argument("--presses", type=int, default=30)
    ap.add_argument("--load-at", type=int, default=0, help="list length at which keys, frames and twin are measured")
    ap.add_argument("--load-rate", type=float, default=500, help="requests/s meanwhile")
    ap.add_argument("--keys", type=int, default=200, help="presses under load; 0: leave them out")
    ap.add_argument("--twin", default="", help="a headless peer, to compare the latency of the traffic with")
    ap.add_argument("--twin-runs", type=int, default=5)
    ap.add_argument("--run-seconds", type=float, default=6, help="of a run with the twin, and of counting frames")
    ap.add_argument("--show", action="store_true", help="print the screen at each step")
    ap.add_argument("--proxy-cpu", type=int, default=0)
    ap.add_argument("--other-cpu", type=int, default=1)
    ap.add_argument("--json", type=Path)
    return ap.parse_args()


Note = Callable[[str, object], None]


def at_step(bench: Bench, step: int, empty: float, args: argparse.Namespace, note: Note) -> None:
    """Everything that is measured at one length of the list."""
    expr = bench.keys.get("filter_expr", "")
    note(f"{step} fill", bench.filled(step))
    rss = rss_mb(bench.term.pid)
    note(f"{step} rss_mb", round(rss, 1))
    note(f"{step} bytes/flow", round((rss - empty) * 2**20 / bench.sent))
    note(f"{step} idle cpu/s", bench.idle_cpu())
    if "home" in bench.keys:
        bench.term.press(bench.keys["home"], 0.3)
    note(f"{step} down", bench.moves(["down"], min(args.presses, step - 1)))
    if step > 500:  # the page is full, each press scrolls
        note(f"{step} down, held", bench.burst("down"))
        note(f"{step} down, scrolling", bench.moves(["down"], args.presses))
    if "end" in bench.keys:
        note(f"{step} end, home", bench.moves(["end", "home"], 10))
    if "flow_open" in bench.keys:
        note(f"{step} open, close flow", bench.moves(["flow_open", "flow_close"], 10))
    if expr:
        note(f"{step} filter", bench.filter(expr))
        if args.show:
            print(bench.term.text())
        note(f"{step} filter off", bench.filter(bench.keys.get("filter_none", "")))
    if args.show:
        print(bench.term.text())
    for rate in map(float, filter(None, args.rates.split(","))):
        if step == args.stream_at and "filter_open" in bench.keys:
            note(f"{step} streaming {rate:.0f}/s", bench.streaming(rate))


def at_load(bench: Bench, peers: Peers, args: argparse.Namespace, note: Note) -> None:
    """What holds while --load-rate requests/s come in and --load-at flows are in the list."""
    label = f"{args.load_at} +{args.load_rate:.0f}/s"
    note(f"{label} fill", bench.filled(args.load_at))
    under = UnderLoad(bench.term, bench.keys, bench.load_spec, args.load_rate, args.other_cpu)
    note(f"{label} frames", under.frames(args.run_seconds))
    if args.show:
        print(bench.term.text())
    if args.keys:
        note(f"{label} key to screen", under.key_to_screen(args.keys))
    if args.twin:
        note(
            f"{label} against twin",
            under.against_twin(peers, args.twin, args.proxy_cpu, args.twin_runs, args.run_seconds),
        )
        note(
            f"{label} terminal hangs for 3 s",
            under.against_twin(peers, args.twin, args.proxy_cpu, 3, max(4.0, args.run_seconds), hang=3.0),
        )
    note(f"{label} rss_mb", round(rss_mb(bench.term.pid), 1))
    bench.sent += under.sent


def main() -> None:
    args = arguments()
    os.sched_setaffinity(0, {args.other_cpu})
    args.work.mkdir(parents=True, exist_ok=True)
    peers, origin = Peers(args.table, args.work), Origin(args.work, args.other_cpu)
    results: dict = {}
    try:
        for name in args.peer.split(","):
            measure(name, peers, args, results.setdefault(name, {}))
    finally:
        origin.close()
        if args.json:
            args.json.write_text(json.dumps(results, indent=1))


def measure(name: str, peers: Peers, args: argparse.Namespace, results: dict) -> None:
    """Everything that was asked for of one program."""

    def note(what: str, value: object) -> None:
        results[what] = value
        print(f"{what:28} {value}", flush=True)

    print(name)
    bench = Bench(peers, name, args.proxy_cpu, args.other_cpu)
    try:
        note("screen up, s", round(bench.startup, 3))
        empty = rss_mb(bench.term.pid)
        note("0 rss_mb", round(empty, 1))
        for step in map(int, filter(None, args.steps.split(","))):
            at_step(bench, step, empty, args, note)
        if args.load_at:
            at_load(bench, peers, args, note)
            note("bytes/flow", round((rss_mb(bench.term.pid) - empty) * 2**20 / bench.sent))
    finally:
        bench.term.close()


if __name__ == "__main__":
    main()
