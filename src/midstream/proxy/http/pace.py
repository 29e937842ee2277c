"""Writes a body as slowly as `message.pace` wants it. Used wherever a body leaves, streamed or held."""

from midstream.flows.message import PaceFunction
from midstream.proxy.http.bodies import stream_failure
from midstream.proxy.http.sides import BodySink


async def write_paced(sink: BodySink, data: bytes, pace: PaceFunction | None) -> None:
    """Write some bytes when, and as many at a time as, an addon allows. Raises Unsendable, WrongLength, OSError."""
    if pace is None:
        await sink.write(data)
        return
    start = 0
    while start < len(data):
        try:
            size = max(int(await pace(len(data) - start)), 1)
        except Exception as exc:  # the border to an addon, as for stream functions
            raise stream_failure(pace, exc) from None
        await sink.write(data[start : start + size])
        start += size
