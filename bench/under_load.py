"""A console while traffic comes in and its list follows: key to screen, frames for data, and what the screen costs the
traffic, against a headless twin under the same load. Called by console.py (--load-at); it is no program of its own.

Nothing is drawn while it is measured: output and key presses are recorded with their times, and only afterwards fed to
a terminal emulator, piece by piece, to see which piece brought what a key must show.
"""

from __future__ import annotations

import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager

from lab import HERE, Peers, pinned, run_load, stop
from terminal import ESCAPES, NOTHING, Terminal

KEY_LIMIT_MS = 30.0  # key to screen, p95
FRAMES = (15.0, 20.0)  # a second
SLOWER_SHARE, SLOWER_MS = 0.10, 0.3  # what the screen may add to the p50 of the traffic, whichever is more
FRAME_GAP = 0.012  # seconds without output between two frames; the kernel hands one frame over in several pieces
WORD = 40  # letters typed into the prompt before they are deleted again

Shows = Callable[[list[str]], bool]


class UnderLoad:
    """`spec` gives the load as a dict for load.py; `keys` is the [PEER.console] table."""

    def __init__(self, term: Terminal, keys: dict, spec: Callable[..., dict], rate: float, cpu: int):
        self.term, self.keys, self.cpu = term, keys, cpu
        self.load = lambda **kw: spec(rate=rate, conns=16, spread=True, **kw)
        self.sent = 0

    @contextmanager
    def traffic(self, seconds: float):
        """Load for so long; the block runs once it flows."""
        spec = json.dumps(self.load(seconds=seconds + 1.5))
        argv = [sys.executable, str(HERE / "load.py"), spec]
        proc = subprocess.Popen(argv, stdout=subprocess.PIPE, preexec_fn=pinned(self.cpu))
        try:
            time.sleep(1.5)
            yield
        finally:
            self.sent += json.loads(proc.communicate(timeout=seconds + 120)[0])["n"]

    def follow(self) -> None:
        for key in self.keys.get("follow", []):
            self.term.press(key, 0.3)

    def frames(self, seconds: float) -> dict:
        """Frames a second while only data changes the screen."""
        self.follow()
        with self.traffic(seconds):
            start = time.perf_counter()
            time.sleep(seconds)
            end = time.perf_counter()
            pieces = [(at, data) for at, data in list(self.term.pieces) if start <= at < end]
        frames: list[list[bytes]] = []
        last = 0.0
        for at, data in pieces:
            if at - last > FRAME_GAP:
                frames.append([])
            frames[-1].append(data)
            last = at
        sizes = [sum(map(len, frame)) for frame in frames if ESCAPES.sub(b"", b"".join(frame)).strip(NOTHING)]
        a_second = len(sizes) / (end - start)
        return {
            "frames_s": round(a_second, 1),
            "bytes": statistics.median(sizes) if sizes else 0,
            "ok": FRAMES[0] <= round(a_second, 1) <= FRAMES[1],
        }

    def key_to_screen(self, presses: int) -> dict:
        """Half of the keys are typed into the prompt, half move between the two ends of the list."""
        keys = [*self._typing(presses // 2), *self._moving(presses - presses // 2)]
        self.follow()
        self.term.text()
        begin = len(self.term.pieces)
        pressed: list[tuple[float, Shows]] = []
        pause = random.Random(1)
        with self.traffic(0.11 * len(keys) + 1):
            for key, shows in keys:
                time.sleep(pause.uniform(0.07, 0.13))  # in no step with the frames
                if shows:
                    pressed.append((time.perf_counter(), shows))
                os.write(self.term.pty.fd, key.encode())
            time.sleep(1)
            pieces = self.term.pieces[begin:]
        times = self._times(pressed, pieces)
        self.follow()
        if not times:
            return {"ok": False, "lost": len(pressed), "screen": self.term.text()}
        p95 = sorted(times)[int(len(times) * 0.95)]
        return {
            "presses": len(pressed),
            "lost": len(pressed) - len(times),
            "p50_ms": round(statistics.median(times), 1),
            "p95_ms": round(p95, 1),
            "max_ms": round(max(times), 1),
            "ok": p95 <= KEY_LIMIT_MS and len(times) == len(pressed),
        }

    def _typing(self, presses: int) -> list[tuple[str, Shows | None]]:
        """A word is typed and deleted again, until there were enough; each state of it stands on the screen."""
        letters = random.Random(2)
        keys: list[tuple[str, Shows | None]] = [(self.keys["prompt_open"], None)]
        while presses > 0:
            word = "".join(letters.choice("bcdfghjklmnpqrstvwxz") for _ in range(min(WORD, -(-presses // 2))))
            for i in range(1, len(word) + 1):
                keys.append((word[i - 1], on_screen(rf"(?<!\w){word[:i]}(?!\w)")))
            for i in range(len(word) - 1, 0, -1):
                keys.append(("\x7f", on_screen(rf"(?<!\w){word[:i]}(?!\w)")))
            keys.append(("\x7f", None))
            presses -= 2 * len(word) - 1
        return [*keys, (self.keys.get("cancel", "\x1b"), None)]

    def _moving(self, presses: int) -> list[tuple[str, Shows | None]]:
        if "home_shows" not in self.keys:
            return []
        ends = [(self.keys[key], on_screen(self.keys[f"{key}_shows"])) for key in ("home", "end")]
        # A lone esc that cancels the prompt waits for more bytes; it must not take the first key with it.
        return [(self.keys["end"], None), *(ends[i % 2] for i in range(presses))]

    def _times(self, pressed: list[tuple[float, Shows]], pieces: list[tuple[float, bytes]]) -> list[float]:
        """ms from each press to the piece that shows it; what a later key overtook was shown with that one."""
        times: list[float] = []
        waiting = 0  # the first press that has not been seen
        for at, data in pieces:
            self.term.stream.feed(data)
            rows = self.term.screen.display
            for i in range(len(pressed) - 1, waiting - 1, -1):
                if pressed[i][0] <= at and pressed[i][1](rows):
                    times += [1000 * (at - t) for t, _ in pressed[waiting : i + 1]]
                    waiting = i + 1
                    break
        return times

    def against_twin(
        self, peers: Peers, twin: str, proxy_cpu: int, runs: int, seconds: float, hang: float = 0.0
    ) -> dict:
        """p50 of the traffic through the console and through the twin, in turn; the medians over the runs decide.

        `hang`: for so many seconds of each run the terminal of the console reads nothing.
        """
        self.follow()
        proc = peers.start(twin, proxy_cpu)
        ports = {"console": None, "headless": peers.table[twin]["port"]}
        rows: dict[str, list[dict]] = {name: [] for name in ports}
        try:
            for i in range(runs + 1):  # the first is for warming up
                for name in sorted(ports, reverse=bool(i % 2)):
                    spec = self.load(seconds=seconds)
                    if ports[name]:
                        spec["connect"] = ["127.0.0.1", ports[name]]
                    elif hang:
                        self.term.hang(0.5, hang)
                    got = run_load(spec, self.cpu)
                    self.sent += 0 if ports[name] else got["n"]
                    if i:
                        rows[name].append(got)
        finally:
            stop(proc)
        p50, p99 = (
            {name: round(statistics.median(row[key] for row in got), 3) for name, got in rows.items()}
            for key in ("p50_ms", "p99_ms")
        )
        allowed = max(SLOWER_SHARE * p50["headless"], SLOWER_MS)
        slower = p50["console"] - p50["headless"]
        return {
            "twin": twin,
            "p50_ms": p50,
            "p99_ms": p99,
            "runs_p50_ms": {name: [row["p50_ms"] for row in got] for name, got in rows.items()},
            "rps": round(statistics.median(row["rps"] for row in rows["console"]), 1),
            "errors": sum(row["errors"] for got in rows.values() for row in got),
            "slower_ms": round(slower, 3),
            "allowed_ms": round(allowed, 3),
            "ok": slower <= allowed,
        }


def on_screen(pattern: str) -> Shows:
    found = re.compile(pattern).search
    return lambda rows: any(found(row) for row in rows)
