"""Ask all mirrors of a host at once which is the nearest, and send the requests there.

midstream -s examples/addons/async_fanout.py --set fanout_host=files.example \\
    --set fanout_mirrors=eu.example:80 --set fanout_mirrors=us.example:80

A handler that is `async def` may await whatever asyncio has; only its own exchange waits. The choice is kept for a
minute. When no mirror answers the request goes where it was going.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from midstream import ctx, exceptions, http
from midstream.addonmanager import Loader

Address = tuple[str, int]
PATIENCE = 3.0  # seconds for a mirror to answer
KEPT = 60.0  # seconds for which a choice holds


class AsyncFanout:
    def __init__(self) -> None:
        self.mirrors: list[Address] = []
        self.nearest: Address | None = None
        self.asked_at = float("-inf")
        self.asking = asyncio.Lock()

    def load(self, loader: Loader) -> None:
        loader.add_option("fanout_host", str, "", "The host that has mirrors.")
        loader.add_option("fanout_mirrors", Sequence[str], [], "Its mirrors: host:port.")

    def configure(self, updated: set[str]) -> None:
        if "fanout_mirrors" in updated:
            self.mirrors = [parse(text) for text in ctx.options.fanout_mirrors]
            self.asked_at = float("-inf")

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        if flow.request.pretty_host == ctx.options.fanout_host and self.mirrors:
            async with self.asking:  # a hundred requests at once ask the mirrors once
                if time.monotonic() - self.asked_at > KEPT:
                    self.nearest = await nearest(self.mirrors)
                    self.asked_at = time.monotonic()
            if self.nearest is not None:
                flow.request.host, flow.request.port = self.nearest


async def nearest(mirrors: Sequence[Address]) -> Address | None:
    """The mirror that takes a connection soonest."""
    times: dict[Address, float] = {}

    async def ask(mirror: Address) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                _, writer = await asyncio.open_connection(*mirror)
        except (OSError, UnicodeError) as error:  # a TimeoutError is an OSError, too; a host may be no name at all
            logging.info("mirror %s:%d: %s", *mirror, str(error) or f"no answer within {PATIENCE:.0f} s")
            return
        times[mirror] = time.monotonic() - started
        writer.close()

    # When this block ends all of them have answered or failed; when the client leaves, all are cancelled.
    async with asyncio.TaskGroup() as group:
        for mirror in mirrors:
            group.create_task(ask(mirror))
    if not times:
        logging.warning("none of %d mirrors answers", len(mirrors))
        return None
    best = min(times, key=times.__getitem__)
    logging.info("the nearest mirror is %s:%d, %.0f ms away", *best, 1000 * times[best])
    return best


def parse(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise exceptions.OptionsError(f"fanout_mirrors: {text!r}: write host:port")
    return host, int(port)


addons = [AsyncFanout()]
