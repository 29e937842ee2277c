"""Closed-loop (or paced) load generator: raw bytes over asyncio, HTTP/1.1, HTTP/2 and WebSocket.

Usage: python load.py '{"connect": ["127.0.0.1", 8080], "target": "127.0.0.1:8443", ...}'
Prints one JSON line: {"n", "errors", "bytes", "wall", "rps", "p50_ms", "p99_ms"}.

The requests are formatted once and the responses are only framed, never parsed into objects, so
one core of this generator outruns any proxy written in Python. Keys of the argument (see Spec).
"""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
import sys
import time
from dataclasses import dataclass, field

try:
    import uvloop
except ImportError:  # works without, at half the speed for plain HTTP
    uvloop = None


@dataclass
class Spec:
    connect: list  # [host, port] to open TCP to: the proxy, or the origin for a direct run
    target: str = ""  # authority of the origin, "host:port"
    via: str = "direct"  # direct (also for reverse proxies) | forward (absolute-form) | tunnel (CONNECT)
    tls: bool = False
    proto: str = "h1"  # h1 | h2 | ws
    path: str = "/1k"  # "{n}" in it makes every URL unique
    sni: str = "a.bench.test"
    conns: int = 16
    streams: int = 8  # concurrent streams of a connection, h2 only
    seconds: float = 5.0
    count: int = 0  # stop after so many requests instead of after seconds
    rate: float = 0.0  # requests/s over all connections; 0: as fast as answers come
    spread: bool = False  # begin the connections evenly over their interval, not all in one moment
    fresh: str = ""  # "" keep-alive | "conn" new connection per request | "host" and a new host name too
    ws_payload: int = 64
    bulk: bool = False  # big bodies: uvloop's TLS is faster with them, and slower with small messages
    headers: dict = field(
        default_factory=lambda: {
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Accept": "application/json, text/plain, */*",
            "Accept-Language": "en-US,en;q=0.5",
            "Accept-Encoding": "identity",
            "Referer": "https://a.bench.test/app/index.html",
            "Cookie": "session=0123456789abcdef0123456789abcdef; theme=dark; lang=en",
            "X-Requested-With": "XMLHttpRequest",
        }
    )


class Run:
    """Counters shared by the connections of one run."""

    def __init__(self, spec: Spec):
        self.spec = spec
        self.sent = self.n = self.errors = self.bytes = 0
        self.first_error = ""
        self.latencies: list[float] = []
        self.start = time.perf_counter()
        self.deadline = self.start + spec.seconds
        self.interval = spec.conns / spec.rate if spec.rate else 0.0
        marker = spec.path.partition("{n}")
        authority = spec.target
        prefix = f"http://{authority}" if spec.via == "forward" and not spec.tls else ""
        self.unique = bool(marker[1])
        lines = "".join(f"{k}: {v}\r\n" for k, v in spec.headers.items())
        self.h1_head = f"GET {prefix}{marker[0]}".encode()
        self.h1_tail = f"{marker[2]} HTTP/1.1\r\nHost: {authority}\r\n{lines}\r\n".encode()
        self.h1_whole = self.h1_head + self.h1_tail
        self.h2_pseudo = b"\x82\x87" + literal(1, authority)
        self.h2_fields = b"".join(b"\x00" + text(k.lower()) + text(v) for k, v in spec.headers.items())
        self.ctx = None
        if spec.tls:
            self.ctx = ssl.create_default_context()
            self.ctx.check_hostname = False
            self.ctx.verify_mode = ssl.CERT_NONE
            self.ctx.set_alpn_protocols(["h2"] if spec.proto == "h2" else ["http/1.1"])

    def more(self) -> bool:
        if self.spec.count:
            return self.sent < self.spec.count
        return time.perf_counter() < self.deadline

    def h1_request(self) -> bytes:
        self.sent += 1
        return b"%b%d%b" % (self.h1_head, self.sent, self.h1_tail) if self.unique else self.h1_whole

    def h2_request(self, stream: int) -> bytes:
        self.sent += 1
        block = self.h2_pseudo + literal(4, self.spec.path.replace("{n}", str(self.sent))) + self.h2_fields
        return frame(1, 0x5, stream, block)

    def done(self, started: float) -> None:
        self.n += 1
        self.latencies.append(time.perf_counter() - started)

    def failed(self, why: object) -> None:
        self.errors += 1
        self.first_error = self.first_error or str(why)[:200]

    def result(self) -> dict:
        wall = time.perf_counter() - self.start
        lat = sorted(self.latencies) or [0.0]
        pick = lambda q: round(1000 * lat[min(len(lat) - 1, int(q * len(lat)))], 3)
        return {
            "n": self.n,
            "errors": self.errors,
            "first_error": self.first_error,
            "bytes": self.bytes,
            "wall": round(wall, 3),
            "rps": round(self.n / wall, 1),
            "p50_ms": pick(0.5),
            "p99_ms": pick(0.99),
        }


def text(value: str) -> bytes:
    raw = value.encode()
    assert len(raw) < 127
    return bytes([len(raw)]) + raw


def literal(index: int, value: str) -> bytes:
    """HPACK literal without indexing, its name at `index` of the static table."""
    return bytes([index]) + text(value)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class Connection(asyncio.Protocol):
    def __init__(self, run: Run):
        self.run = run
        self.closed = asyncio.get_running_loop().create_future()
        self.due = time.perf_counter()

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, exc):
        if not self.closed.done():
            if self.in_flight():
                self.run.failed(exc or "closed by peer")
            self.closed.set_result(None)

    def in_flight(self) -> bool:
        return False

    def finish(self):
        if not self.closed.done():
            self.closed.set_result(None)
        self.transport.close()

    def next(self):
        """Send the next request now, or when the pace allows."""
        if not self.run.more() or (self.run.spec.fresh and getattr(self, "used", False)):
            return self.finish()
        self.used = True
        if self.run.interval:
            self.due += self.run.interval
            wait = self.due - time.perf_counter()
            if wait > 0:
                return asyncio.get_running_loop().call_later(wait, self.send)
        self.send()


class H1(Connection):
    started = 0.0
    left = -1  # body bytes still due; -1: head not complete; -2: chunked
    head = b""

    def in_flight(self):
        return self.started > 0

    def send(self):
        self.started = time.perf_counter()
        self.transport.write(self.run.h1_request())

    def data_received(self, data):
        self.run.bytes += len(data)
        if self.left == -1:
            self.head = data = self.head + data if self.head else data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                return
            head = data[:end].lower()
            self.head = b""
            if head[9:12] != b"200":
                self.run.failed(head[:80])
                self.started = 0.0
                return self.finish()
            at = head.find(b"content-length:")
            if at < 0:
                self.left = -2
            else:
                eol = head.find(b"\r\n", at)
                self.left = int(head[at + 15 : eol if eol > 0 else None])
            data = data[end + 4 :]
        if self.left == -2:
            self.tail = (getattr(self, "tail", b"") + data)[-5:]
            if self.tail != b"0\r\n\r\n":
                return
            self.tail = b""
        else:
            self.left -= len(data)
            if self.left > 0:
                return
        self.left = -1
        self.run.done(self.started)
        self.started = 0.0
        self.next()


class H2(Connection):
    begun = False  # the server's settings may come before our preface is written

    def __init__(self, run: Run):
        super().__init__(run)
        self.buffer = bytearray()
        self.streams: dict[int, float] = {}
        self.next_stream = 1

    def begin(self):
        self.begun = True
        settings = struct.pack(">HIHI", 2, 0, 4, 2**31 - 1)
        self.transport.write(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + frame(4, 0, 0, settings)
            + frame(8, 0, 0, struct.pack(">I", 2**31 - 1 - 65535))
        )
        self.data_received(b"")
        for _ in range(self.run.spec.streams - 1):
            self.next()

    def in_flight(self):
        return bool(self.streams)

    def send(self):
        self.streams[self.next_stream] = time.perf_counter()
        self.transport.write(self.run.h2_request(self.next_stream))
        self.next_stream += 2

    def finish(self):
        if not self.streams:
            super().finish()

    def data_received(self, data):
        self.run.bytes += len(data)
        buf = self.buffer
        buf += data
        if not self.begun:
            return
        at, size = 0, len(buf)
        while size - at >= 9:
            end = at + 9 + int.from_bytes(buf[at : at + 3], "big")
            kind, flags = buf[at + 3], buf[at + 4]
            stream = int.from_bytes(buf[at + 5 : at + 9], "big")
            if end > size:
                break
            if kind <= 1 and flags & 1:
                self.run.done(self.streams.pop(stream))
                self.next()
            elif kind in (4, 6) and not flags & 1:
                self.transport.write(frame(kind, 1, 0, bytes(buf[at + 9 : end]) if kind == 6 else b""))
            elif kind in (3, 7):
                self.run.failed(f"h2 frame type {kind}: {bytes(buf[at + 9 : end])!r}")
                self.streams.clear()
                return self.finish()
            at = end
        del buf[:at]


class WebSocket(Connection):
    """Handshake, then one masked text frame in flight at a time."""

    pending = 0.0
    got = -1
    head = b""

    def begin(self):
        spec = self.run.spec
        size = spec.ws_payload
        assert size < 126
        self.message = (
            bytes([0x81, 0x80 | size]) + b"\x01\x02\x03\x04" + bytes(b ^ (i % 4 + 1) for i, b in enumerate(b"m" * size))
        )
        self.transport.write(
            f"GET /echo HTTP/1.1\r\nHost: {spec.target}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.pending = time.perf_counter()

    def in_flight(self):
        return self.pending > 0

    def send(self):
        self.run.sent += 1
        self.got = 0
        self.pending = time.perf_counter()
        self.transport.write(self.message)

    def data_received(self, data):
        self.run.bytes += len(data)
        if self.got < 0:
            self.head += data
            if b"\r\n\r\n" in self.head:
                if b" 101 " not in self.head[:16]:
                    self.run.failed(self.head[:80])
                    self.pending = 0.0
                    return self.finish()
                self.pending = 0.0
                self.next()
            return
        self.got += len(data)
        if self.got >= 2 + self.run.spec.ws_payload:
            self.run.done(self.pending)
            self.pending = 0.0
            self.next()


class Tunnel(asyncio.Protocol):
    """Waits for the answer to CONNECT."""

    def __init__(self, request: bytes):
        self.request, self.got = request, b""
        self.ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        transport.write(self.request)

    def data_received(self, data):
        self.got += data
        if b"\r\n\r\n" in self.got and not self.ready.done():
            if b" 200" in self.got[:13]:
                self.ready.set_result(None)
            else:
                self.ready.set_exception(ConnectionError(repr(self.got[:80])))

    def connection_lost(self, exc):
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("closed during CONNECT"))


async def open_connection(run: Run, serial: int) -> Connection:
    loop, spec = asyncio.get_running_loop(), run.spec
    conn = {"h1": H1, "h2": H2, "ws": WebSocket}[spec.proto](run)
    host, port = spec.connect
    sni, target = spec.sni, spec.target
    if spec.fresh == "host":  # another name and another loopback address, for proxies that mint by either
        sni = f"h{serial}.{spec.sni.partition('.')[2]}"
        target = f"127.{1 + serial // 62500 % 250}.{serial // 250 % 250}.{1 + serial % 250}:{target.rpartition(':')[2]}"
    if spec.via == "tunnel":
        ask = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()
        transport, tunnel = await loop.create_connection(lambda: Tunnel(ask), host, port)
        await tunnel.ready
        if spec.tls:
            transport = await loop.start_tls(transport, conn, run.ctx, server_hostname=sni)
        transport.set_protocol(conn)
        conn.transport = transport
    else:
        tls = {"ssl": run.ctx, "server_hostname": sni} if spec.tls else {}
        transport, _ = await loop.create_connection(lambda: conn, host, port, **tls)
    if spec.proto == "h2" and transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
        transport.abort()
        raise ConnectionError("h2 not negotiated")
    if spec.proto != "h1":
        conn.begin()
    if spec.proto != "ws":
        conn.next()
    return conn


async def worker(run: Run, index: int) -> None:
    serial = index + 1000 * (int(run.start * 10) % 30000)
    if run.spec.spread:
        await asyncio.sleep(run.interval * index / run.spec.conns)
    while run.more() and run.errors < 100:
        try:
            conn = await asyncio.wait_for(open_connection(run, serial), 20)
        except (TimeoutError, OSError, ssl.SSLError) as exc:
            run.failed(repr(exc))
            await asyncio.sleep(0.05)
            continue
        limit = 120 if run.spec.count else run.spec.seconds + 60
        try:
            await asyncio.wait_for(conn.closed, limit)
        except TimeoutError:
            run.failed("no answer")
            conn.transport.abort()
        serial += run.spec.conns


async def main(spec: Spec) -> dict:
    run = Run(spec)
    await asyncio.gather(*(worker(run, i) for i in range(spec.conns)))
    return run.result()


if __name__ == "__main__":
    arguments = Spec(**json.loads(sys.argv[1]))
    if uvloop and (arguments.bulk or not arguments.tls):
        uvloop.install()
    print(json.dumps(asyncio.run(main(arguments))))
