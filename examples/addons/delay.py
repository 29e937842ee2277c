"""Let matching answers come late: to see what an app shows while it waits, and whether it ever gives up.

midstream -s examples/addons/delay.py --set delay_ms=3000 --set delay_filter='~u /api/'
"""

import asyncio
import random

from midstream import ctx, flowfilter, http
from midstream.addonmanager import Loader


class Delay:
    def __init__(self) -> None:
        self.matches = flowfilter.match_all

    def load(self, loader: Loader) -> None:
        loader.add_option("delay_ms", int, 1000, "How late matching answers come, in milliseconds.", kind="range 0..")
        loader.add_option("delay_jitter_ms", int, 0, "Add up to so many milliseconds, at random.", kind="range 0..")
        loader.add_option("delay_filter", str, "", "Which flows are delayed; all when empty.", kind="filter")

    def configure(self, updated: set[str]) -> None:
        if "delay_filter" in updated:
            text = ctx.options.delay_filter
            self.matches = flowfilter.parse(text) if text else flowfilter.match_all

    async def response(self, flow: http.HTTPFlow) -> None:
        """Only this exchange waits. A `time.sleep` here would stop all of them."""
        if self.matches(flow):
            jitter = random.uniform(0, ctx.options.delay_jitter_ms)  # noqa: S311 (no secret depends on it)
            await asyncio.sleep((ctx.options.delay_ms + jitter) / 1000)


addons = [Delay()]
