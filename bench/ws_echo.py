"""WebSocket echo origin: python ws_echo.py PORT TLS_PORT CERT KEY. Frames under 126 bytes, one per message."""

import asyncio
import base64
import hashlib
import ssl
import sys

try:
    import uvloop
except ImportError:
    uvloop = None


class Echo(asyncio.Protocol):
    upgraded = False

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        if not self.upgraded:
            if b"\r\n\r\n" not in self.buffer:
                return
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            key = head.lower().partition(b"sec-websocket-key:")[0]
            key = head[len(key) + 18 :].split(b"\r\n")[0].strip()
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            self.upgraded = True
        while len(self.buffer) >= 6:
            size = self.buffer[1] & 0x7F
            if len(self.buffer) < 6 + size:
                return
            mask, body, self.buffer = self.buffer[2:6], self.buffer[6 : 6 + size], self.buffer[6 + size :]
            keys = (mask * (size // 4 + 1))[:size]
            body = (int.from_bytes(body, "big") ^ int.from_bytes(keys, "big")).to_bytes(size, "big")
            self.transport.write(b"\x81" + bytes([size]) + body)


async def main(port, tls_port, cert, key):
    loop = asyncio.get_running_loop()
    ctx = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ctx.load_cert_chain(cert, key)
    await loop.create_server(Echo, "127.0.0.1", int(port))
    server = await loop.create_server(Echo, "127.0.0.1", int(tls_port), ssl=ctx)
    await server.serve_forever()


if __name__ == "__main__":
    if uvloop:
        uvloop.install()
    asyncio.run(main(*sys.argv[1:5]))
