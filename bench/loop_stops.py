"""How long the loop is held while a person does heavy things with many flows in the list: one line for each.

    python loop_stops.py --work work --flows 100000

The flows come through the proxy into a console on a pty, as in console.py, with its session on disk. Each thing is done
while --rate requests/s come in. `took` is until the screen is quiet and the program idle, `held` the longest time that
the loop did not come round, `cpu` the CPU time of its thread within one such time. Ours: never over 50 ms.
The last lines are about a new process that resumes the session of the first, and what memory is left after a clear.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab import HERE, Origin, Peers, pinned, rss_mb

from console import Bench

LIMIT_MS = 50.0

ORDERS = ("size", "url", "host", "code", "type", "method", "messages", "duration")

# What is done, and the keys for it. A pause stands between two keys.
DEEDS: tuple[tuple[str, list[str]], ...] = (
    ("nothing", []),
    ("filter of the URL, typed", ["f", *"~u n=77", "\r"]),
    ("a filter more, and back", ["f", *"~u n=777", "\r", "\x7f"]),
    ("filters off", ["\x7f"]),
    ("filter of bodies", ["f", *"~b nothing", "\r"]),
    ("filters off again", ["\x7f"]),
    ("filter that all pass", ["f", *"~m get", "\r"]),
    ("filters toggled", [":console.filter.toggle.all\r", ":console.filter.toggle.all\r"]),
    ("filter popped", ["\x7f"]),
    *((f"sort by {order}", [f":set view_order {order}\r"]) for order in ORDERS),
    ("sort by size, then url", [":set view_order size\r:set view_order url\r"]),
    ("reverse, and back", [":set view_order_reversed toggle\r", ":set view_order_reversed toggle\r"]),
    ("traffic by size", [":set view_order size\r"]),
    ("back to time", [":set view_order time\r"]),
    ("tree", [":console.view.tree\r"]),
    ("tree, closed", ["q"]),
    ("palette, typed", ["\x10", *"n=99", "\x1b"]),
    ("search in the list", ["/", *"n=9999", "\r"]),
    ("search hops", ["n", "N"]),
    ("home, end", ["g", "G"]),
    ("follow, and not", ["F", "F"]),
    ("a resize", ["RESIZE"]),
    ("details, and ten flows on", ["\r", *[" "] * 10, "q"]),
    ("mark all", [":flow.mark @all :default:\r"]),
    ("undo of marks", ["u"]),
    ("redo of marks", ["\x12"]),
    ("only marked, and all", ["M", "M"]),
    ("unmark all", ["U"]),
    ("mark shown", [":flow.mark.toggle @shown\r"]),
    ("comment on all", [":flow.comment @all hello\r"]),
    ("undo of comments", ["u"]),
    ("unmark marked", ["*", "m"]),
    ("delete shown", [":view.flows.remove @shown\r"]),
    ("undo of the delete", ["u"]),
    ("delete by filter", [":view.flows.remove '~u n=.*[0-4]$'\r"]),
    ("undo of that delete", ["u"]),
    ("purge unmarked", [":view.clear_unmarked\r"]),
    ("undo of the purge", ["u"]),
    ("save all", [":save.file @all {folder}/saved.mid\r"]),
    ("clear", [":view.clear\r"]),
    ("undo of the clear", ["u"]),
    ("redo of the clear", ["\x12"]),
    ("undo of that clear", ["u"]),
    ("clear, by size", [":set view_order size\r", ":view.clear\r"]),
    ("undo of that, by size", ["u"]),
    ("clear again", [":view.clear\r"]),
    ("load 100,000", [":view.flows.load {folder}/saved.mid\r"]),
    ("clear of the loaded", [":view.clear\r"]),
)


class Beats:
    """What beat.py has noted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def worst(self, start: float, end: float) -> tuple[float, float]:
        rows = [list(map(float, line.split())) for line in self.path.read_text().splitlines() if line.count(" ") == 2]
        rows = [row for row in rows if start <= row[0] <= end]
        return max((row[1] for row in rows), default=0.0), max((row[2] for row in rows), default=0.0)


class Stops:
    def __init__(self, args: argparse.Namespace, peers: Peers, folder: Path) -> None:
        self.args, self.peers, self.folder = args, peers, folder
        self.is_good = True
        self.runs = 0

    def started(self, extra: str) -> Bench:
        self.runs += 1
        self.beats = Beats(self.folder / f"beats-{self.runs}")
        peer = self.peers.table["midstream"]
        peer["env"] = {"BEAT_FILE": str(self.beats.path)}
        peer["command"] = peer["command"].replace("{state}", str(self.folder))
        peer["console"]["args"] = f"-s {HERE}/adapters/beat.py {extra}"
        return Bench(self.peers, "midstream", self.args.proxy_cpu, self.args.other_cpu)

    def line(self, what: str, start: float, note: str = "") -> None:
        end = time.monotonic()
        held, cpu = self.beats.worst(start, end)
        self.is_good &= min(held, cpu) <= LIMIT_MS
        print(f"{what:<28} took {end - start:6.2f} s   held {held:6.1f} ms   cpu {cpu:6.1f} ms   {note}", flush=True)

    def do(self, bench: Bench, what: str, keys: list[str]) -> None:
        spec = bench.load_spec(rate=self.args.rate, seconds=1.5, conns=8, spread=True)
        argv = [sys.executable, str(HERE / "load.py"), json.dumps(spec)]
        load = subprocess.Popen(argv, stdout=subprocess.DEVNULL, preexec_fn=pinned(self.args.other_cpu))
        start = time.monotonic()
        for key in keys:
            time.sleep(0.1)
            if key == "RESIZE":
                bench.term.pty.setwinsize(70, 250)
                time.sleep(0.2)
                bench.term.pty.setwinsize(40, 120)
            else:
                os.write(bench.term.pty.fd, key.replace("{folder}", str(self.folder)).encode())
        load.wait()
        bench.term.settle(0.2, 20)
        if self.args.show:
            print(bench.term.text())
        self.line(what, start)


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True)
    ap.add_argument("--table", type=Path, default=HERE / "peers.toml")
    ap.add_argument("--flows", type=int, default=100_000)
    ap.add_argument("--rate", type=float, default=100, help="requests/s meanwhile")
    ap.add_argument("--only", default="", help="only the things whose names hold one of these words, comma-separated")
    ap.add_argument("--show", action="store_true", help="print the screen after each")
    ap.add_argument("--proxy-cpu", type=int, default=0)
    ap.add_argument("--other-cpu", type=int, default=1)
    args = ap.parse_args()
    os.sched_setaffinity(0, {args.other_cpu})
    args.work.mkdir(parents=True, exist_ok=True)
    peers, origin = Peers(args.table, args.work), Origin(args.work, args.other_cpu)
    words = [word for word in args.only.split(",") if word]
    try:
        with tempfile.TemporaryDirectory(dir=args.work) as folder:
            stops = Stops(args, peers, Path(folder))
            bench = stops.started("")
            empty, start = rss_mb(bench.term.pid), time.monotonic()
            bench.filled(args.flows)
            full = rss_mb(bench.term.pid)
            stops.line(
                f"{args.flows:,} flows", start, f"{full:.0f} MB, {(full - empty) * 2**20 / bench.sent:.0f} B each"
            )
            for what, keys in DEEDS:
                if not words or any(word in what for word in words):
                    stops.do(bench, what, keys)
            print(f"{'memory at the end':<28} {rss_mb(bench.term.pid):.0f} MB; {empty:.0f} MB at the start")
            if not words or "resume" in words:
                os.write(bench.term.pty.fd, b"u")  # what is cleared is not resumed
                bench.term.settle(1.0, 30)
                bench.term.pty.kill(9)
                bench.term.pty.wait()
                start = time.monotonic()
                bench = stops.started("--resume")
                bench.term.settle(1.0, 30)
                stops.line("resumed", start, f"{rss_mb(bench.term.pid):.0f} MB")
            bench.term.close()
    finally:
        origin.close()
    return 0 if stops.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
