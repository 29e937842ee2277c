"""The origin of the soak runs, on a plain and on a TLS port: python origin.py PORT TLS_PORT CERT KEY.

GET  /bytes/N        N bytes that are different everywhere, as fast as the peer takes them
POST /sink?rate=N    reads the body at N bytes a second; answers its size and SHA-256 as JSON
any  /echo/TOKEN     answers with what `echo_body` makes of the token and the request body
"""

import asyncio
import hashlib
import json
import ssl
import sys
import time
from collections.abc import Iterator

PIECE = 64 * 1024


def pattern(size: int) -> Iterator[bytes]:
    """A body of that size in pieces; a piece that is lost, doubled or moved changes its digest."""
    filler = bytes(range(256)) * (PIECE // 256 - 1)
    for at in range(0, size, PIECE):
        yield (b"%255d\n" % at + filler)[: min(PIECE, size - at)]


def echo_body(token: str, body: bytes) -> bytes:
    """Of a length that depends on the token, so that bodies which were mixed up also differ in size."""
    return f"{token}\n".encode() * (1 + sum(token.encode()) % 50) + body


async def paced(reader: asyncio.StreamReader, size: int, rate: float) -> tuple[int, str]:
    """Read `size` bytes at `rate` bytes a second (0: at once); how many came, and their SHA-256."""
    digest, got, start = hashlib.sha256(), 0, time.monotonic()
    while got < size:
        piece = await reader.read(min(PIECE, size - got))
        if not piece:
            break
        digest.update(piece)
        got += len(piece)
        if rate:
            await asyncio.sleep(max(0.0, start + got / rate - time.monotonic()))
    return got, digest.hexdigest()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            _, path, _ = head.split(" ", 2)
            size = int(head.lower().partition("content-length:")[2].partition("\r\n")[0] or 0)
            kind, _, rest = path.lstrip("/").partition("/")
            if kind == "bytes":
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {rest}\r\n\r\n".encode())
                for piece in pattern(int(rest)):
                    writer.write(piece)
                    await writer.drain()
                continue
            if kind.startswith("sink"):
                got, digest = await paced(reader, size, float(path.partition("rate=")[2] or 0))
                answer = json.dumps({"size": got, "sha256": digest}).encode()
            else:
                answer = echo_body(rest, await reader.readexactly(size))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Path: %b\r\n\r\n" % (len(answer), path.encode()))
            writer.write(answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        pass  # the peer has left
    finally:
        writer.close()


async def main(port: str, tls_port: str, cert: str, key: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    await asyncio.start_server(serve, "127.0.0.1", int(port))
    server = await asyncio.start_server(serve, "127.0.0.1", int(tls_port), ssl=context)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
