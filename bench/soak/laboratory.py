"""What the soak runs share: an origin and a proxy that run, and connections through the proxy."""

import asyncio
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # these scripts are run by hand, as those of bench/ are

from lab import PORTS, Origin, Peers, make_origin_certificate, require_free, spawn, stop, wait_listening  # noqa: E402
from lab import rss_mb as rss_mb  # noqa: E402  handed on to the scripts
from lab import run_load as run_load  # noqa: E402

SCHEMES = ("http", "https")


@dataclass(frozen=True)
class Through:
    """A running proxy, and how to get to the origin through it."""

    pid: int
    port: int

    async def connect(self, scheme: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
        """A connection, and what stands before the path in its request lines."""
        authority = f"127.0.0.1:{PORTS[scheme]}"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        if scheme == "http":
            return reader, writer, f"http://{authority}"
        writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200" not in answer[:13]:
            raise ConnectionError(repr(answer))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await writer.start_tls(context, server_hostname="a.bench.test")
        return reader, writer, ""


def request(method: str, target: str, body_size: int = 0) -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: a.bench.test\r\nContent-Length: {body_size}\r\n\r\n".encode()


async def response_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and fields, the names in lower case."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines[1:] if line)
    return int(lines[0].split(" ")[1]), {name.lower(): value.strip() for name, _, value in fields}


@contextmanager
def laboratory(work: Path, peer: str, extra: str = "", proxy_cpu: int = 0, other_cpu: int = 1) -> Iterator[Through]:
    """Origin and proxy, up and ready; `extra` is added to the proxy's command."""
    work.mkdir(parents=True, exist_ok=True)
    certificates = work / "origin"
    make_origin_certificate(certificates)
    peers = Peers(HERE.parent / "peers.toml", work)
    for scheme in SCHEMES:
        require_free(PORTS[scheme])
    files = [str(certificates / name) for name in ("origin.pem", "origin.key")]
    argv = [sys.executable, str(HERE / "origin.py"), *(str(PORTS[scheme]) for scheme in SCHEMES), *files]
    origin = spawn(argv, other_cpu, work / "soak-origin.log")
    try:
        for scheme in SCHEMES:
            wait_listening(PORTS[scheme], origin)
        proxy = peers.start(peer, proxy_cpu, f"{peers.table[peer]['command']} {extra}")
        try:
            yield Through(proxy.pid, peers.table[peer]["port"])
        finally:
            stop(proxy)
    finally:
        stop(origin)


@dataclass(frozen=True)
class H2Through:
    """A running proxy, and the origin that speaks HTTP/2."""

    pid: int
    port: int
    target: str


@contextmanager
def h2_laboratory(
    work: Path, peer: str, extra: str = "", proxy_cpu: int = 0, other_cpu: int = 1
) -> Iterator[H2Through]:
    """The origin of the benchmarks (nginx), and the proxy, up and ready; `extra` is added to the proxy's command."""
    work.mkdir(parents=True, exist_ok=True)
    peers, origin = Peers(HERE.parent / "peers.toml", work), Origin(work, other_cpu)
    try:
        proxy = peers.start(peer, proxy_cpu, f"{peers.table[peer]['command']} {extra}")
        try:
            yield H2Through(proxy.pid, peers.table[peer]["port"], f"127.0.0.1:{PORTS['https']}")
        finally:
            stop(proxy)
    finally:
        origin.close()
