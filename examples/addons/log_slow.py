"""Warn of responses that took longer than a limit, and say where the time went.

middump -s examples/addons/log_slow.py --set slow_ms=500
"""

import logging

from midstream import ctx, http
from midstream.addonmanager import Loader


class LogSlow:
    def load(self, loader: Loader) -> None:
        loader.add_option(
            "slow_ms", int, 1000, "Warn of responses slower than this many milliseconds.", kind="range 0.."
        )

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        asked = flow.request.timestamp_start
        first, last = flow.response.timestamp_start, flow.response.timestamp_end or flow.response.timestamp_start
        if last - asked >= ctx.options.slow_ms / 1000:
            logging.warning(
                "slow: %s %s took %.0f ms: %.0f until the first byte of the answer, %.0f for the rest",
                flow.request.method, flow.request.pretty_url,
                1000 * (last - asked), 1000 * (first - asked), 1000 * (last - first),
            )  # fmt: skip


addons = [LogSlow()]
