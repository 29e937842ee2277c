"""The limits that docs/http2.md names are those of the code."""

from midstream.proxy.http.http2_terms import MAX_STREAMS
from midstream.wire.hpack_encoder import LARGEST_TABLE
from midstream.wire.http1 import DEFAULT_LIMITS
from midstream.wire.http2 import FrameLimits
from tests.docs.pages import DOCS, table


def test_limits() -> None:
    said = dict(table(DOCS / "http2.md", "what", "limit"))
    frames = FrameLimits()
    assert said["streams of a client at a time"].startswith(f"{MAX_STREAMS};")
    assert said["a list of headers"].startswith(
        f"{DEFAULT_LIMITS.max_head // 1024} KiB and {DEFAULT_LIMITS.max_fields} fields;"
    )
    assert said["compression tables"] == f"{LARGEST_TABLE // 1024} KiB"
    nothing = said["frames that ask for nothing, such as resets, pings, settings, empty data"]
    assert nothing == f"{frames.debt} more than useful work and time ({frames.repaid} a second) make up for"
    block = f"{frames.continuations}, and {frames.header_block // 1024} KiB for a list of headers"
    assert said["CONTINUATION frames"] == block
