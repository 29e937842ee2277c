"""Notice requests that are sent twice: the same method, URL and body within a few seconds.

midstream -s examples/addons/duplicate_guard.py --set duplicate_seconds=5

A double click, a retry without an idempotency key, an app that reloads what it has: the second one gets a mark and a
comment that names the first.
"""

import hashlib
import logging
from collections import OrderedDict

from midstream import ctx, http
from midstream.addonmanager import Loader

MOST = 10_000  # requests that are remembered


class DuplicateGuard:
    def __init__(self) -> None:
        self.seen: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "duplicate_seconds", int, 3, "How close two equal requests are, to be told.", kind="range 1..3600"
        )

    def request(self, flow: http.HTTPFlow) -> None:
        request = flow.request
        facts = "\n".join((request.method, request.pretty_url)).encode("utf-8", "surrogateescape")
        key = hashlib.sha256(facts + b"\n" + (request.raw_content or b"")).digest()
        now = request.timestamp_start
        before = self.seen.pop(key, None)
        self.seen[key] = (now, flow.id)
        if len(self.seen) > MOST:
            self.seen.popitem(last=False)
        if before is not None and now - before[0] <= ctx.options.duplicate_seconds:
            flow.marked = ":warning:"
            flow.comment = f"the same request as {before[1]}, {now - before[0]:.1f} s later"
            logging.warning("sent twice: %s %s", request.method, request.pretty_url)


addons = [DuplicateGuard()]
