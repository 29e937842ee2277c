"""A client that sends so slowly that it holds its connection for hours, if it is allowed to."""

from __future__ import annotations

import asyncio

from tests.kit.socket_end import SocketEnd


async def drip(end: SocketEnd, data: bytes) -> bytes:
    """Send byte after byte, slowly, until the other side has had enough; what it said."""
    for byte in data:
        end.say(bytes([byte]))
        try:
            async with asyncio.timeout(0.1):  # the pace; an answer or the end comes in between
                if heard := await end.reader.read(65536):
                    return heard + await end.rest()
                return b""
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
    raise AssertionError("it was taken to the end")
