"""100 streams on one HTTP/2 connection, one of which nobody reads: only that one may wait, and memory is bounded.

    python soak/stalled_stream.py --work work

Bodies are streamed, so that the windows alone bound what the proxy holds. First 1 MB on each stream, with and without
the stalled one: the 99 others must take no longer with it (--slower times, medians of --rounds), and the stalled one
must arrive whole when it is read at last. Then 100 MB on each for --seconds, of which memory may take --limit MB.
Status 1 if any of it does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import ssl
import statistics
import sys
import time
from pathlib import Path

import h2.config
import h2.connection
import h2.events
from laboratory import H2Through, h2_laboratory, rss_mb
from large_bodies import Memory

BODY = 1024 * 1024
WINDOW = 256 * 1024


class Client:
    """One connection through the proxy. `stalled` is the stream that gets no new window until `read_all`."""

    def __init__(self, through: H2Through) -> None:
        self.through = through
        self.state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self.bodies: dict[int, hashlib._Hash] = {}
        self.sizes: dict[int, int] = {}
        self.whole: set[int] = set()
        self.stalled = 0
        self.withheld = 0

    async def connect(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.through.port, limit=1 << 22)
        self.writer.write(f"CONNECT {self.through.target} HTTP/1.1\r\nHost: {self.through.target}\r\n\r\n".encode())
        assert b" 200" in (await self.reader.readuntil(b"\r\n\r\n"))[:13]
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        await self.writer.start_tls(context, server_hostname="a.bench.test")
        assert self.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2", "the proxy speaks no HTTP/2"
        self.state.initiate_connection()
        self.state.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: WINDOW})
        self.state.increment_flow_control_window(2**31 - 1 - 65535)
        self.send()

    def send(self) -> None:
        self.writer.write(self.state.data_to_send())

    def ask(self, path: str) -> int:
        stream = self.state.get_next_available_stream_id()
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", self.through.target), (":path", path)]
        self.state.send_headers(stream, fields, end_stream=True)
        self.bodies[stream], self.sizes[stream] = hashlib.sha256(), 0
        return stream

    async def until(self, streams: set[int], seconds: float = 60) -> None:
        """Read until these have ended, or for so long."""
        end = time.monotonic() + seconds
        while not streams <= self.whole and time.monotonic() < end:
            data = await asyncio.wait_for(self.reader.read(1 << 20), 30)
            if not data:
                raise ConnectionError("closed by the proxy")
            for event in self.state.receive_data(data):
                self.take(event)
            self.send()

    def take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.DataReceived):
            self.bodies[event.stream_id].update(event.data)
            self.sizes[event.stream_id] += len(event.data)
            if event.stream_id == self.stalled:
                self.withheld += event.flow_controlled_length
            else:
                self.state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.whole.add(event.stream_id)
        elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
            raise ConnectionError(repr(event))

    def read_all(self) -> None:
        """Go on with the stalled stream."""
        stream, self.stalled = self.stalled, 0
        self.state.acknowledge_received_data(self.withheld, stream)
        self.send()


async def run(through: H2Through, streams: int, stall: bool, digest: str) -> dict:
    """Seconds until all streams but the stalled one had ended, and whether each body was whole."""
    client = Client(through)
    await client.connect()
    first = client.ask("/1m") if stall else 0
    client.stalled = first
    others = {client.ask("/1m") for _ in range(streams - 1)}
    start = time.monotonic()
    client.send()
    await client.until(others)
    seconds = time.monotonic() - start
    waited = True
    if stall:
        waited = client.sizes[first] <= WINDOW
        client.read_all()
        await client.until({first})
    whole = all(one.hexdigest() == digest for one in client.bodies.values())
    client.writer.close()
    return {"seconds": seconds, "whole": whole, "waited": waited}


async def flood(through: H2Through, streams: int, seconds: float) -> float:
    """Read from all streams but one for so long; MB that came."""
    client = Client(through)
    await client.connect()
    client.stalled = client.ask("/100m")
    for _ in range(streams - 1):
        client.ask("/100m")
    client.send()
    await client.until(set(client.bodies), seconds)
    client.writer.transport.abort()
    return sum(client.sizes.values()) / 1e6


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", type=lambda p: Path(p).resolve(), required=True)
    ap.add_argument("--peer", default="middump")
    ap.add_argument("--extra", default="--set stream_large_bodies=100k", help="added to the proxy's command")
    ap.add_argument("--streams", type=int, default=100)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--slower", type=float, default=1.25, help="times that the others may take longer")
    ap.add_argument("--seconds", type=float, default=5)
    ap.add_argument("--limit", type=float, default=150, help="MB by which the proxy's memory may grow")
    ap.add_argument("--json", type=Path)
    args = ap.parse_args()
    os.sched_setaffinity(0, {1})
    with h2_laboratory(args.work, args.peer, args.extra) as through:
        digest = hashlib.sha256((args.work / "origin" / "www" / "1m").read_bytes()).hexdigest()
        asyncio.run(run(through, 2, True, digest))  # so that what is made once is there
        idle = rss_mb(through.pid)
        rows: dict[bool, list[dict]] = {False: [], True: []}
        for _ in range(args.rounds):
            for stall in rows:
                rows[stall].append(asyncio.run(run(through, args.streams, stall, digest)))
        with Memory(through.pid) as memory:
            passed = asyncio.run(flood(through, args.streams, args.seconds))
    free, stalled = (statistics.median(row["seconds"] for row in rows[stall]) for stall in (False, True))
    whole, waited = (all(row[name] for row in (*rows[False], *rows[True])) for name in ("whole", "waited"))
    result = {"free_s": round(free, 3), "stalled_s": round(stalled, 3), "whole": whole, "waited": waited}
    result |= {"mb_s": round((args.streams - 1) * BODY / 1e6 / stalled), "passed_mb": round(passed)}
    result |= {"grown_mb": round(memory.most - idle, 1)}
    good = whole and waited and stalled <= free * args.slower and memory.most - idle <= args.limit < passed
    print({**result, "ok": good}, flush=True)
    if args.json:
        args.json.write_text(json.dumps({**result, "ok": good}, indent=1))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
